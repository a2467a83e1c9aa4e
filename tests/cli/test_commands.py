"""The commands as processes, against a gateway that runs in the test: outputs, exit statuses, error lines."""

import asyncio
import json

import grpc
import pytest
from google.protobuf import json_format

from onenumbers.gateway.v1 import gateway_pb2 as pb
from onenumbers.gateway.v1 import gateway_pb2_grpc
from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc
from onenumbers.research.v1 import research_pb2, research_pb2_grpc
from onenumbers_runtime.errors import NotFoundError, UnavailableError, invalid
from onenumbers_runtime.server import Service
from onenumbers_runtime.settings import MeshSettings
from onenumbers_runtime.testing import running

TOKEN = "correct horse battery staple"


class Gateway(gateway_pb2_grpc.GatewayServiceServicer):
    """Three tools; each call of one ends as its name says."""

    status = "ok"

    async def ListTools(self, request, context):
        names = ["add", "multiply", "subtract"]
        start = int(request.page_token or 0)
        more = start + 2 < len(names)
        tools = [pb.Tool(name=name, title=f"[{name}] title", server="s", available=True) for name in names]
        return pb.ListToolsResponse(tools=tools[start : start + 2], next_page_token=str(start + 2) if more else "")

    async def SearchTools(self, request, context):
        return pb.SearchToolsResponse(tools=[pb.Tool(name="found", title=request.query, server="s")])

    async def CallTool(self, request, context):
        if request.tool_name == "invalid":
            raise invalid("day", "has to be a day", rule="date.exists")
        if request.tool_name == "missing":
            raise NotFoundError("there is no tool named 'missing'", reason="TOOL_NOT_FOUND")
        if request.tool_name == "down":
            raise UnavailableError("its server does not answer", reason="SERVER_DOWN")
        if request.tool_name == "broken":
            raise RuntimeError("a secret")
        if request.tool_name == "slow":
            await asyncio.Event().wait()
        answer = pb.CallToolResponse(success=True, tool=request.tool_name, server="s")
        answer.result.update(json_format.MessageToDict(request.arguments))
        return answer

    async def GetServerHealth(self, request, context):
        serving = pb.ServerHealth(status=pb.SERVER_STATUS_SERVING, response_time_ms=1.5)
        down = pb.ServerHealth(status=pb.SERVER_STATUS_UNREACHABLE, reason="refused")
        return pb.GetServerHealthResponse(
            status=self.status, cache="ok", servers={"a": serving, "b": serving if self.status == "ok" else down}
        )


class Knowledge(knowledge_pb2_grpc.KnowledgeServiceServicer):
    """Remembers what was ingested."""

    def __init__(self):
        self.documents = {}

    async def IngestDocument(self, request, context):
        before = self.documents.get(request.document_id)
        self.documents[request.document_id] = request
        outcome = (
            knowledge_pb2.INGEST_OUTCOME_CREATED
            if before is None
            else knowledge_pb2.INGEST_OUTCOME_UNCHANGED
            if before == request
            else knowledge_pb2.INGEST_OUTCOME_UPDATED
        )
        answer = knowledge_pb2.IngestDocumentResponse(outcome=outcome)
        answer.document.document_id = request.document_id
        return answer


class Research(research_pb2_grpc.ResearchServiceServicer):
    """Streams a draft and an answer."""

    async def AnswerQuestion(self, request, context):
        yield research_pb2.AnswerQuestionResponse(draft_delta="a draft")
        if request.question == "silence":
            return
        answer = research_pb2.Answer(text="An answer [1].", model="m", covered=True)
        answer.citations.add(marker=1, document_id="doc", title="A [title]", section="One")
        yield research_pb2.AnswerQuestionResponse(answer=answer)


def services(gateway, knowledge=None):
    return [
        Service("onenumbers.gateway.v1.GatewayService", gateway_pb2_grpc.add_GatewayServiceServicer_to_server, gateway),
        Service(
            "onenumbers.knowledge.v1.KnowledgeService",
            knowledge_pb2_grpc.add_KnowledgeServiceServicer_to_server,
            knowledge or Knowledge(),
        ),
        Service(
            "onenumbers.research.v1.ResearchService",
            research_pb2_grpc.add_ResearchServiceServicer_to_server,
            Research(),
        ),
    ]


@pytest.fixture
async def onenumbers(run_cli):
    """Runs a command against the mesh of this test."""
    gateway = Gateway()
    async with running(services(gateway)) as (server, _):

        async def run(*arguments, **options):
            return await asyncio.to_thread(run_cli, *arguments, "--target", server.address, **options)

        run.gateway = gateway
        yield run


async def test_tools_lists_all_pages_for_people_and_as_one_document(onenumbers):
    text, document, found = await asyncio.gather(
        onenumbers("tools"), onenumbers("tools", "--json"), onenumbers("tools", "two", "words", "--json")
    )
    assert [line.split()[0] for line in text.stdout.splitlines()] == ["tool", "add", "multiply", "subtract"]
    assert "[add] title" in text.stdout
    assert [tool["name"] for tool in json.loads(document.stdout)["tools"]] == ["add", "multiply", "subtract"]
    assert json.loads(found.stdout)["tools"][0]["title"] == "two words"
    assert (text.returncode, document.returncode, document.stderr, "\x1b" in text.stdout) == (0, 0, "", False)


async def test_call_takes_arguments_from_the_line_a_file_and_standard_input(onenumbers, tmp_path):
    file = tmp_path / "arguments.json"
    file.write_text('{"name": "Țurcanu"}', encoding="utf-8")
    line, from_file, piped, none = await asyncio.gather(
        onenumbers("call", "add", '{"a": [1, null]}', "--json"),
        onenumbers("call", "add", f"@{file}"),
        onenumbers("call", "add", "-", stdin='{"b": {"c": true}}'),
        onenumbers("call", "add"),
    )
    whole = json.loads(line.stdout)
    assert (whole["success"], whole["server"], whole["result"]) == (True, "s", {"a": [1, None]})
    assert json.loads(from_file.stdout) == {"name": "Țurcanu"}
    assert json.loads(piped.stdout) == {"b": {"c": True}}
    assert json.loads(none.stdout) == {}
    assert {one.returncode for one in (line, from_file, piped, none)} == {0}


async def test_each_kind_of_failure_has_its_exit_status_and_a_line(onenumbers):
    cases = {
        ("call", "invalid"): (5, "INVALID_ARGUMENT: "),
        ("call", "missing"): (4, "NOT_FOUND: there is no tool named 'missing'"),
        ("call", "down"): (3, "UNAVAILABLE: its server does not answer"),
        ("call", "broken"): (1, "INTERNAL: "),
        ("call", "slow", "--timeout", "0.3"): (6, "DEADLINE_EXCEEDED: "),
        ("call", "add", "{not json"): (2, "the arguments are not JSON: "),
        ("call", "add", "[1]"): (2, "the arguments must be a JSON object"),
        ("call", "add", "@/no/such/file"): (2, "/no/such/file cannot be read: "),
        ("call", "add", '{"a": NaN}'): (2, "the arguments are not JSON: NaN is no JSON value"),
        ("call", "add", '{"a": "\\ud800"}'): (2, "the arguments are not plain JSON: "),
        ("call", "add", "[" * 5000 + "]" * 5000): (2, "the arguments"),
        ("call",): (2, "Missing argument"),
        ("ask", "silence"): (1, "the stream ended without an answer"),
    }
    done = await asyncio.gather(*(onenumbers(*words) for words in cases))
    for words, result, (status, line) in zip(cases, done, cases.values(), strict=True):
        assert (result.returncode, result.stdout) == (status, ""), (words, result)
        assert result.stderr.startswith(line), (words, result)
        assert "Traceback" not in result.stderr
        assert "secret" not in result.stderr
    assert done[0].stderr.splitlines()[1:] == ["  day: has to be a day"]


def test_a_mesh_that_is_not_there_is_said_so(run_cli):
    result = run_cli("tools", "--target", "127.0.0.1:1", "--timeout", "5")
    assert result.returncode == 3
    assert result.stderr == "nothing answers on 127.0.0.1:1: start the mesh with `onenumbers up`\n"


async def test_health_is_0_only_when_everything_serves(onenumbers):
    good = await onenumbers("health", "--json")
    onenumbers.gateway.status = "degraded"
    bad, text = await asyncio.gather(onenumbers("health", "--json"), onenumbers("health"))
    assert (good.returncode, json.loads(good.stdout)["status"]) == (0, "ok")
    assert (bad.returncode, json.loads(bad.stdout)["servers"]["b"]["reason"]) == (1, "refused")
    assert bad.stderr == "the mesh is degraded\n"
    assert "unreachable" in text.stdout


async def test_ask_prints_the_checked_answer_with_citations(onenumbers):
    text, document = await asyncio.gather(onenumbers("ask", "why?"), onenumbers("ask", "why?", "--json"))
    assert text.stdout.splitlines() == ["An answer [1].", "", "[1] A [title], One (doc)"]
    assert "by m" in text.stderr
    assert "a draft" not in text.stdout + text.stderr
    assert json.loads(document.stdout)["citations"][0]["document_id"] == "doc"
    assert document.stderr == ""


async def test_ingest_takes_files_folders_and_patterns_and_says_what_changed(run_cli, tmp_path):
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    (notes / "one.md").write_text("# A title #\n\nText.", encoding="utf-8")
    (notes / "deep" / "Two Words.txt").write_text("Text.", encoding="utf-8")
    (notes / "picture.png").write_bytes(b"\x89PNG")
    knowledge = Knowledge()
    async with running(services(Gateway(), knowledge)) as (server, _):

        async def ingest(*arguments):
            return await asyncio.to_thread(run_cli, "ingest", *arguments, "--target", server.address)

        first = await ingest(str(notes), "--category", "calculation")
        again = await ingest(str(notes / "**" / "*.*"), "--category", "calculation")
        (notes / "one.md").write_text("# A title\n\nOther text.", encoding="utf-8")
        (notes / "broken.txt").write_bytes(b"\xff\xfe\xff")
        changed = await ingest(str(notes), "--category", "calculation")
        nothing = await ingest(str(notes / "none.md"))
    assert (first.returncode, first.stdout) == (0, "2 created, 0 updated, 0 unchanged, 0 failed\n")
    assert (again.returncode, again.stdout) == (0, "0 created, 0 updated, 2 unchanged, 0 failed\n")
    assert changed.stdout == "0 created, 1 updated, 1 unchanged, 1 failed\n"
    assert changed.returncode == 5
    assert "broken.txt: cannot be read as UTF-8 text" in changed.stderr
    assert (nothing.returncode, "no such file" in nothing.stderr) == (2, True)
    assert len({document.document_id for document in knowledge.documents.values()}) == 2
    assert {document.title for document in knowledge.documents.values()} == {"A title", "Two Words"}


async def test_the_token_comes_from_the_environment_or_a_file(run_cli, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    settings = MeshSettings.load(auth_token=TOKEN)
    async with running(services(Gateway()), settings=settings) as (server, _):

        async def tools(*arguments, **variables):
            return await asyncio.to_thread(
                run_cli, "tools", "--json", "--target", server.address, *arguments, **variables
            )

        without, variable, option, gone = await asyncio.gather(
            tools(), tools(MCP_AUTH_TOKEN=TOKEN), tools("--token-file", str(file)), tools("--token-file", "/no/file")
        )
    assert (without.returncode, without.stderr.splitlines()[0][:15]) == (1, "UNAUTHENTICATED")
    assert "MCP_AUTH_TOKEN" in without.stderr
    assert (variable.returncode, option.returncode) == (0, 0)
    assert (gone.returncode, len(gone.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("words", [["--no-such-option"], ["no-such-command"], ["up", "--port", "70000"]])
def test_a_wrong_command_line_is_one_line_and_status_2(run_cli, words):
    result = run_cli(*words)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)


def test_help_lists_the_commands_and_the_exit_statuses_and_version_is_a_line(run_cli):
    result = run_cli("--help")
    assert result.returncode == 0
    words = " ".join(result.stdout.split())
    assert all(name in words for name in ("up", "tools", "call", "health", "ingest", "ask", "models"))
    assert "6 no answer in time" in words
    assert run_cli("--version").stdout.startswith("onenumbers 0.")


def test_models_that_are_missing_are_named_with_status_1(run_cli, tmp_path):
    settings = {"MCP_EMBEDDING_MODEL": "none", "MCP_GENERATION_MODEL": "none"}
    off = run_cli("models", "check", "--data-dir", str(tmp_path), **settings)
    assert (off.returncode, off.stdout, off.stderr) == (0, "", "")
    settings["MCP_GENERATION_MODEL"] = str(tmp_path / "none.gguf")
    gone = run_cli("models", "check", "--data-dir", str(tmp_path), **settings)
    assert (gone.returncode, len(gone.stderr.splitlines())) == (1, 1)
    assert gone.stderr.startswith(f"generation: {tmp_path}/none.gguf: ")
    listed = run_cli("models", "list", "--json", "--data-dir", str(tmp_path), **settings)
    assert [row["kind"] for row in json.loads(listed.stdout)["models"]] == ["embedding", "generation"]


def test_status_details_that_cannot_be_read_do_not_hide_the_status():
    from onenumbers_cli.errors import Exit, explain

    class Odd(grpc.RpcError):
        def code(self):
            return grpc.StatusCode.ABORTED

        def details(self):
            return "why"

        def trailing_metadata(self):
            return (("grpc-status-details-bin", b"\xff\xff"),)

    error = explain(Odd(), "t")
    assert (str(error), error.status) == ("ABORTED: why", Exit.FAILED)
