"""Populations as files over HTTP, through a real Envoy and the gateway's HTTP server, to real servers."""

import asyncio
import base64
import contextlib
import importlib.util
import json
import os
import shutil
import tracemalloc
from datetime import date
from pathlib import Path

import grpc
import httpx
import pytest

from onenumbers.research.v1 import analysis_pb2 as pb
from onenumbers.research.v1 import analysis_pb2_grpc
from onenumbers_gateway.uploads.receiver import FileUploads
from onenumbers_gateway.uploads.routes import POPULATIONS
from onenumbers_research.analysis.population import MAX_BYTES, MAX_ROWS, read_population
from onenumbers_research.analysis.service import PatternMethods, analysis_service
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.utilities_client import UtilitiesClient
from onenumbers_runtime.settings import MeshSettings
from onenumbers_runtime.testing import CompiledContract, running
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.counting_service import CountingServicer, counting_service
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

_SPEC = importlib.util.spec_from_file_location("edge_fixtures", Path(__file__).parents[1] / "edge" / "conftest.py")
_EDGE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_EDGE)

UPLOAD = "/v1/research/populations:analyze"
SERVICE = "onenumbers.research.v1.AnalysisService"
TOKEN = "a-token-of-the-mesh"
ASKED = {"number": "4", "context": "life_path"}
HEADER = b"name,day,month,year,field\n"
PEOPLE = HEADER + "Ana Pop,14,11,1968,music\nIon Rusu,31,2,1974,art\nȘtefan Roșu,3,5,1990,art\n".encode()
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on the PATH")


class Patterns(PatternMethods, analysis_pb2_grpc.AnalysisServiceServicer):
    """The service without the methods that check claims."""


def today() -> date:
    return date(2026, 11, 24)


@contextlib.asynccontextmanager
async def mesh(knowledge, folder: Path, *, utilities=None, token=None, idle_s=20.0, max_bytes=MAX_BYTES):
    """Yields the address of the edge and the servicer behind it."""
    settings = MeshSettings.load(auth_token=token, grace_period_s=2.0)
    async with contextlib.AsyncExitStack() as stack:
        if utilities is None:
            services = [
                utilities_service(UtilitiesServicer(clock=today, max_response_bytes=4 * 1024 * 1024)),
                counting_service(CountingServicer()),
                compatibility_service(CompatibilityServicer(clock=today)),
            ]
            _, utilities = await stack.enter_async_context(running(services))
        servicer = Patterns(
            utilities=UtilitiesClient(utilities, token=None),
            knowledge=KnowledgeClient(knowledge, token=None),
            today=today,
            max_bytes=max_bytes,
        )
        server, channel = await stack.enter_async_context(running([analysis_service(servicer)], settings=settings))
        uploads = FileUploads(
            POPULATIONS, lambda: channel, token=token, max_bytes=64 << 20, timeout_s=120, idle_s=idle_s
        )
        research = _EDGE.describe("research", CompiledContract.of(pb.DESCRIPTOR), server.port, services=[SERVICE])
        edge = _EDGE.edge_of_uploads({UPLOAD: uploads}, research, folder=folder, token=token)
        yield await stack.enter_async_context(edge), servicer


@pytest.fixture
async def http(knowledge_channel, tmp_path_factory):
    async with (
        mesh(knowledge_channel, tmp_path_factory.mktemp("edge")) as (address, servicer),
        httpx.AsyncClient(base_url=f"http://{address}", timeout=100) as client,
    ):
        client.servicer = servicer
        yield client


def of_size(size: int, *, people: int = 90_000) -> bytes:
    """A population of so many bytes, most of them names."""
    row = b"%s,1,1,1990,\n"
    length, more = divmod(size - len(HEADER), people)
    rows = (row % (b"x" * (length - len(row % b"") + (index < more))) for index in range(people))
    return HEADER + b"".join(rows)


def form_of(*parts: tuple[str, str, bytes]) -> bytes:
    """A form with the boundary "b", of names, what else their headers say, and contents."""
    shown = (
        b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name.encode(), more.encode(), content)
        for name, more, content in parts
    )
    return b"".join(shown) + b"--b--\r\n"


def reason(answer: httpx.Response) -> str:
    """The reason of a google.rpc.Status in JSON."""
    return next(item["reason"] for item in answer.json()["details"] if item["@type"].endswith("ErrorInfo"))


async def _until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "fields",
    [
        ASKED,
        {"number": "2", "context": "compatibility", "time_period": "1900-1999"},
        {"number": "5", "context": "soul_urge", "name_reference": "NAME_REFERENCE_UNIFORM", "field": "art"},
        {"number": "8", "context": "personal_year", "personal_year_in": "2031", "population": "POPULATION_UPLOADED"},
        {"number": "11", "context": "life_path", "life_path_method": "LIFE_PATH_METHOD_SUM_ALL_DIGITS"},
    ],
    ids=lambda fields: fields["context"],
)
async def test_a_form_a_body_and_base64_in_json_have_one_answer(http, fields):
    sent = {"population_csv": base64.b64encode(PEOPLE).decode(), **fields}
    rest = await http.post("/v1/research:patterns", json=sent)
    assert rest.status_code == 200, rest.text
    form = await http.post(UPLOAD, files={"file": ("people.csv", PEOPLE, "text/csv")}, data=fields)
    body = await http.post(UPLOAD, params=fields, content=PEOPLE, headers={"content-type": "text/csv"})
    both = await http.post(UPLOAD, params={"number": fields["number"]}, files={"file": PEOPLE}, data={
        name: value for name, value in fields.items() if name != "number"
    })  # fmt: skip
    for answer in (form, body, both):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == rest.json()
    assert rest.json()["broken_rows"] == [{"line": 3, "column": "day", "message": "the month 2 of 1974 has no day 31"}]


async def test_fields_of_a_form_stand_before_or_behind_the_file(http):
    body = form_of(("number", "", b"4"), ("file", '; filename="a.csv"', PEOPLE), ("context", "", b"life_path"))
    answer = await http.post(UPLOAD, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 200, answer.text
    assert int(answer.json()["cases"]) == 2


async def test_sixteen_mebibytes_are_taken(http):
    whole = of_size(MAX_BYTES)
    for sent in ({"content": whole, "params": ASKED}, {"files": {"file": whole}, "data": ASKED}):
        answer = await http.post(UPLOAD, **sent)
        assert answer.status_code == 200, answer.text
        assert int(answer.json()["cases"]) == 90_000
    assert not http.servicer.arrivals.count


GIVEN = "?number=4&context=life_path"
IS_FORM = {"content-type": "multipart/form-data; boundary=b"}
FILE = ("file", '; filename="a.csv"', PEOPLE)
WRONG = [
    ("", {}, PEOPLE, "number"),
    ("?number=4", {}, PEOPLE, "context"),
    ("?number=four&context=life_path", {}, PEOPLE, "number"),
    ("?number=4.0&context=life_path", {}, PEOPLE, "number"),
    ("?number=34&context=life_path", {}, PEOPLE, "number"),
    ("?number=99999999999&context=life_path", {}, PEOPLE, "number"),
    ("?number=10&context=life_path", {}, PEOPLE, "number"),
    (f"{GIVEN}&number=5", {}, PEOPLE, "number"),
    ("?number=4&context=astrology", {}, PEOPLE, "context"),
    (f"{GIVEN}&colour=red", {}, PEOPLE, "colour"),
    (f"{GIVEN}&population_csv=eA==", {}, PEOPLE, "population_csv"),
    (f"{GIVEN}&filename=a.csv", {}, PEOPLE, "filename"),
    (f"{GIVEN}&time_period=yesterday", {}, PEOPLE, "time_period"),
    (f"{GIVEN}&time_period=1800-1810", {}, PEOPLE, "time_period"),
    (f"{GIVEN}&population=POPULATION_BUNDLED", {}, PEOPLE, "population"),
    (f"{GIVEN}&population=uploaded", {}, PEOPLE, "population"),
    (f"{GIVEN}&life_path_method=7", {}, PEOPLE, "life_path_method"),
    (f"{GIVEN}&personal_year_in=2031", {}, PEOPLE, "personal_year_in"),
    (f"{GIVEN}&personal_year_in=", {}, PEOPLE, "personal_year_in"),
    (f"{GIVEN}&name_reference=NAME_REFERENCE_UNIFORM", {}, PEOPLE, "name_reference"),
    (f"{GIVEN}&field=sport", {}, PEOPLE, "field"),
    (f"{GIVEN}&field=%ff", {}, PEOPLE, "query"),
    (GIVEN, {}, b"", "population_csv"),
    (GIVEN, {}, HEADER, "population_csv"),
    (GIVEN, {}, HEADER + b"\xff,1,1,1990,\n", "population_csv"),
    (GIVEN, {}, PEOPLE.decode().encode("utf-16"), "population_csv"),
    (GIVEN, {}, b"PK\x03\x04\x14\x00\x06\x00 a workbook", "population_csv"),
    (GIVEN, {}, HEADER + b"A\0,1,1,1990,\n", "population_csv"),
    (GIVEN, {}, HEADER + b'"A,1,1,1990,\n', "population_csv"),
    (GIVEN, {}, HEADER + b"A,1,1,1990,\n" * (MAX_ROWS + 1), "population_csv"),
    (GIVEN, {"content-type": "application/json"}, b'{"number": 4, "context": "life_path"}', "population_csv"),
    (GIVEN, {"content-encoding": "gzip"}, PEOPLE, "content-encoding"),
    (GIVEN, {"content-type": "multipart/form-data"}, form_of(FILE), "content-type"),
    (GIVEN, IS_FORM, b"nonsense", "body"),
    (GIVEN, IS_FORM, form_of(FILE)[:-6], "body"),
    (GIVEN, IS_FORM, b"--b--\r\n", "file"),
    (GIVEN, IS_FORM, form_of(FILE, FILE), "file"),
    (GIVEN, IS_FORM, form_of(FILE, ("other", '; filename="b.csv"', PEOPLE)), "other"),
    (GIVEN, IS_FORM, form_of(("population_csv", '; filename="a.csv"', PEOPLE)), "population_csv"),
    (GIVEN, IS_FORM, form_of(FILE, ("number", "", b"5")), "number"),
    (GIVEN, IS_FORM, form_of(FILE, ("colour", "", b"red")), "colour"),
    (GIVEN, IS_FORM, form_of(("file", '; filename="a.csv"', b"")), "population_csv"),
    ("", IS_FORM, form_of(FILE, ("number", "", b"four"), ("context", "", b"life_path")), "number"),
    ("", IS_FORM, form_of(FILE, ("number", "", b"4")), "context"),
]
"""Query, headers and body of requests, with the field that their refusal names."""


async def test_wrong_requests_name_the_field(http):
    # One after another and not one by parameter: each start of an Envoy takes seconds.
    for query, headers, body, told in WRONG:
        answer = await http.post(UPLOAD + query, content=body, headers=headers)
        assert answer.status_code == 400, (query, headers, answer.text)
        status = answer.json()
        assert status["code"] == 3
        assert status["message"].startswith(f"{told}: "), (query, status)
        violations = next(item["fieldViolations"] for item in status["details"] if item["@type"].endswith("BadRequest"))
        assert told in {item["field"] for item in violations}, (query, status)
    await _until(lambda: not http.servicer.arrivals.count)
    answer = await http.post(UPLOAD + GIVEN, content=PEOPLE)
    assert answer.status_code == 200, answer.text


async def test_a_workbook_is_called_what_it_is(http):
    answer = await http.post(UPLOAD + GIVEN, content=b"PK\x03\x04\x14\x00\x06\x00 a workbook")
    assert answer.json()["message"] == ("population_csv: is a ZIP file or one of a spreadsheet program: save it as CSV")


async def test_what_is_too_large_is_refused_before_it_is_read_and_while_it_is_counted(http):
    host, port = http.base_url.host, http.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    head = f"POST {UPLOAD}{GIVEN} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {MAX_BYTES + 1}\r\n\r\n"
    writer.write(head.encode())
    assert b" 413 " in await reader.readline(), "nothing of the body was sent"
    writer.close()

    async def endless():
        for _ in range(MAX_BYTES // 65536 + 2):
            yield b"people, " * 8192

    with contextlib.suppress(httpx.WriteError, httpx.ReadError):
        answer = await http.post(UPLOAD, params=ASKED, content=endless())
        assert (answer.status_code, reason(answer)) == (413, "FILE_TOO_LARGE")
    await _until(lambda: not http.servicer.arrivals.count)


async def test_a_limit_of_the_server_holds_too(knowledge_channel, tmp_path_factory):
    async with (
        mesh(knowledge_channel, tmp_path_factory.mktemp("edge"), max_bytes=10_000) as (address, servicer),
        httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as client,
    ):
        answer = await client.post(UPLOAD, params=ASKED, content=of_size(11_000, people=100))
        assert (answer.status_code, reason(answer)) == (413, "FILE_TOO_LARGE")
        assert "10000 bytes" in answer.json()["message"]
        await _until(lambda: not servicer.arrivals.count)


async def curl(*words: str) -> tuple[str, str]:
    """Returns the status and the body that curl gets."""
    process = await asyncio.create_subprocess_exec(
        *("curl", "-s", "-w", "\n%{http_code}", *words), stdout=asyncio.subprocess.PIPE
    )
    body, _, status = (await process.communicate())[0].decode().rpartition("\n")
    return status, body


@needs_curl
async def test_curl_sends_a_form_and_a_file_as_the_documents_show(http, tmp_path):
    people = tmp_path / "people.csv"
    people.write_bytes(PEOPLE)
    url = f"{http.base_url}{UPLOAD}"
    for words in (
        ("-F", f"file=@{people}", "-F", "number=4", "-F", "context=life_path", url),
        ("--data-binary", f"@{people}", "-H", "content-type: text/csv", f"{url}{GIVEN}"),
        ("--data-binary", f"@{people}", f"{url}{GIVEN}"),
        ("-T", str(people), "-X", "POST", f"{url}{GIVEN}"),
    ):
        status, body = await curl(*words)
        assert status == "200", body
        assert json.loads(body)["population_description"].startswith("2 people of an uploaded file")


@needs_curl
async def test_curl_is_told_that_a_file_is_too_large_while_it_is_still_sending(http, tmp_path):
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(100_000_000)
    url = f"{http.base_url}{UPLOAD}{GIVEN}"
    ways = (
        ("-F", f"file=@{big}", url),
        ("--data-binary", f"@{big}", url),
        ("-H", "Transfer-Encoding: chunked", "--data-binary", f"@{big}", url),
    )
    found = [(await curl("-o", os.devnull, *words))[0] for _ in range(4) for words in ways]
    assert found == ["413"] * 12


@needs_curl
async def test_one_byte_more_than_sixteen_mebibytes_is_too_large(http, tmp_path):
    more = tmp_path / "more.csv"
    more.write_bytes(of_size(MAX_BYTES + 1))
    url = f"{http.base_url}{UPLOAD}{GIVEN}"
    for words in (("-F", f"file=@{more}"), ("--data-binary", f"@{more}")):
        status, body = await curl(*words, url)
        assert (status, json.loads(body)["code"]) == ("413", 8)
        assert f"{MAX_BYTES} bytes" in json.loads(body)["message"]


async def test_an_upload_that_is_left_leaves_nothing(http):
    arrived = asyncio.Event()

    async def slow():
        yield PEOPLE * 10_000
        arrived.set()
        await asyncio.Event().wait()

    sending = asyncio.ensure_future(http.post(UPLOAD, params=ASKED, content=slow()))
    await arrived.wait()
    await _until(lambda: http.servicer.arrivals.count == 1)
    sending.cancel()
    await _until(lambda: http.servicer.arrivals.count == 0)


async def test_a_client_that_falls_silent_is_given_up(knowledge_channel, tmp_path_factory):
    async with mesh(knowledge_channel, tmp_path_factory.mktemp("edge"), idle_s=0.3) as (address, servicer):
        host, port = address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {UPLOAD}{GIVEN} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n\r\nname"
        writer.write(head.encode())
        answer = (await asyncio.wait_for(reader.read(65536), 20)).decode()
        assert " 504 " in answer.splitlines()[0]
        assert "UPLOAD_IDLE" in answer
        writer.close()
        await _until(lambda: not servicer.arrivals.count)


async def test_where_a_token_is_set_a_file_needs_it(knowledge_channel, tmp_path_factory):
    async with (
        mesh(knowledge_channel, tmp_path_factory.mktemp("edge"), token=TOKEN) as (address, servicer),
        httpx.AsyncClient(base_url=f"http://{address}") as client,
    ):
        for headers in ({}, {"authorization": "Bearer wrong"}):
            answer = await client.post(UPLOAD, params=ASKED, content=PEOPLE, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, 16)
        assert not servicer.arrivals.count
        right = {"authorization": f"Bearer {TOKEN}"}
        answer = await client.post(UPLOAD, params=ASKED, content=PEOPLE, headers=right)
        assert answer.status_code == 200, answer.text


async def test_pages_of_other_hosts_may_not_send_files_and_no_other_verb_is_taken(http):
    answer = await http.post(UPLOAD, params=ASKED, content=PEOPLE, headers={"origin": "http://evil.com"})
    assert (answer.status_code, answer.json()["code"]) == (403, 7)
    answer = await http.get(UPLOAD)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_utilities_server_that_is_gone_is_unavailable(knowledge_channel, tmp_path_factory):
    async with running([counting_service(CountingServicer())]) as (server, _):
        address = server.address
    async with (
        grpc.aio.insecure_channel(address, options=[("grpc.enable_retries", 0)]) as nobody,
        mesh(knowledge_channel, tmp_path_factory.mktemp("edge"), utilities=nobody) as (edge, _),
        httpx.AsyncClient(base_url=f"http://{edge}", timeout=60) as client,
    ):
        answer = await client.post(UPLOAD, params=ASKED, content=PEOPLE)
        assert (answer.status_code, reason(answer)) == (503, "UTILITIES_UNAVAILABLE")


async def test_pieces_over_grpc_have_the_same_rules(http):
    async with grpc.aio.insecure_channel(http.base_url.netloc.decode()) as channel:
        stub = analysis_pb2_grpc.AnalysisServiceStub(channel)
        asked = pb.AnalyzeNumberPatternsRequest(number=4, context="life_path")
        question = pb.AnalyzePopulationRequest(question=asked)
        piece = pb.AnalyzePopulationRequest(chunk=PEOPLE)

        async def refused(*requests) -> str:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.AnalyzePopulation(iter(requests), timeout=20)
            return f"{caught.value.code().name} {caught.value.details()}"

        assert "question: is missing" in await refused(piece)
        assert "question: came twice" in await refused(question, piece, question)
        assert "population_csv: is missing" in await refused(question)
        assert "part" in await refused(question, pb.AnalyzePopulationRequest())
        wrong = pb.AnalyzePopulationRequest(question=pb.AnalyzeNumberPatternsRequest(number=34, context="life_path"))
        assert "question.number" in await refused(wrong, piece)
        both = pb.AnalyzeNumberPatternsRequest(number=4, context="life_path", population_csv=PEOPLE)
        assert "population_csv: comes in pieces" in await refused(pb.AnalyzePopulationRequest(question=both), piece)
        piece_of_many = pb.AnalyzePopulationRequest(chunk=b"x" * (1 << 20))
        assert (await refused(question, *[piece_of_many] * 17)).startswith("RESOURCE_EXHAUSTED")
        halves = [pb.AnalyzePopulationRequest(chunk=half) for half in (PEOPLE[:50], PEOPLE[50:])]
        found = await stub.AnalyzePopulation(iter([*halves, question]), timeout=20)
        assert found.analysis.cases == 2
    await _until(lambda: not http.servicer.arrivals.count)


async def test_more_files_at_once_than_there_is_room_for_are_asked_to_wait(http):
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(http.servicer.arrivals.receiving())
        answer = await http.post(UPLOAD, params=ASKED, content=PEOPLE)
        assert (answer.status_code, reason(answer)) == (429, "UPLOADS_WAITING")
    assert (await http.post(UPLOAD, params=ASKED, content=PEOPLE)).status_code == 200


async def test_large_populations_wait_for_each_other_and_small_ones_do_not(http):
    large = of_size(5 << 20, people=30_000)
    async with http.servicer._large:
        waiting = [asyncio.ensure_future(http.post(UPLOAD, params=ASKED, content=large)) for _ in range(2)]
        await _until(lambda: http.servicer.arrivals.count == 2)
        answer = await http.post(UPLOAD, params=ASKED, content=PEOPLE)
        assert answer.status_code == 200, answer.text
        assert not any(each.done() for each in waiting)
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200, 200]


def test_of_a_file_only_the_people_are_held_in_memory(tmp_path):
    wide = tmp_path / "wide.csv"
    with wide.open("wb") as file:
        file.write(b"name,day,month,year,notes\n")
        for _ in range(125):
            file.write(b"A,1,1,1990," + b"x" * 130_000 + b"\n")
    with wide.open("rb") as file:
        tracemalloc.start()
        try:
            found = read_population(file, today=today(), names=True)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(found.members) == 125
    assert peak < wide.stat().st_size / 8


def test_the_limit_of_the_contract_is_the_one_in_force():
    assert POPULATIONS.max_bytes == MAX_BYTES
