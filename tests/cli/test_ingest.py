"""`onenumbers ingest` against a real knowledge server: all kinds of files, what has not changed, what is refused."""

import asyncio
import importlib.util
import io
import json
import sys
import time
from pathlib import Path

import docx
import pytest
from reportlab.pdfgen.canvas import Canvas

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers_cli.errors import CommandError
from onenumbers_cli.ingest import parse_columns, parse_pairs
from onenumbers_cli.ingest_files import document_id, find, place
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_runtime.testing import running

_SPEC = importlib.util.spec_from_file_location(
    "knowledge_fixtures", Path(__file__).parents[1] / "knowledge" / "conftest.py"
)
_KNOWLEDGE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_KNOWLEDGE)
# A real collection on a real store, as the knowledge server's own tests have it.
hashing, store_path, store_url, store, collection = (
    getattr(_KNOWLEDGE, name) for name in ("hashing", "store_path", "store_url", "store", "collection")
)


@pytest.fixture
async def mesh(collection, run_cli, tmp_path):
    """A knowledge server; `mesh(...)` runs the command on it from the folder of the notes."""
    async with running([knowledge_service(KnowledgeServicer(collection))]) as (server, channel):

        class Mesh:
            stub = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
            address = server.address
            notes = tmp_path / "notes"

            async def __call__(self, *arguments, root=None):
                place = ("--root", str(root or tmp_path))
                return await asyncio.to_thread(run_cli, "ingest", *arguments, *place, "--target", self.address)

            async def json(self, *arguments):
                answer = await self(*arguments, "--json")
                return json.loads(answer.stdout)["documents"], answer.returncode

            async def documents(self):
                answer = await self.stub.ListDocuments(pb.ListDocumentsRequest(page_size=1000))
                return {item.document_id: item for item in answer.documents}

        mesh = Mesh()
        mesh.notes.mkdir()
        yield mesh


def fill(notes: Path) -> None:
    (notes / "deep").mkdir()
    (notes / "one.md").write_text("---\ncategory: cycles\nnumbers: [7]\n---\n# One\n\nText.", encoding="utf-8")
    (notes / "deep" / "Two words.txt").write_bytes("Größe und Maß".encode("cp1252"))
    (notes / "page.html").write_text("<title>Page</title><h1>Head</h1><p>Words", encoding="utf-8")
    (notes / "rows.csv").write_text("title,text\nA,first row\nB,second row\n", encoding="utf-8")
    (notes / ".hidden.md").write_text("# Hidden", encoding="utf-8")
    (notes / "picture.png").write_bytes(b"\x89PNG")
    document = docx.Document()
    document.add_heading("Word", 1)
    document.add_paragraph("A paragraph.")
    document.save(notes / "word.docx")
    pdf(notes / "book.pdf", "Words on a page.")


def pdf(path: Path, text: str) -> None:
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.drawString(50, 800, text)
    canvas.save()
    path.write_bytes(file.getvalue())


async def test_a_folder_of_all_kinds_is_ingested_and_not_again(mesh, hashing):
    fill(mesh.notes)
    first = await mesh(str(mesh.notes), "--metadata", "shelf=B 7", "--source", "classical")
    embedded = hashing.texts
    again = await mesh(str(mesh.notes), "--metadata", "shelf=B 7", "--source", "classical")
    assert (first.returncode, first.stdout) == (0, "7 created, 0 updated, 0 unchanged, 0 failed\n"), first.stderr
    assert (again.returncode, again.stdout) == (0, "0 created, 0 updated, 7 unchanged, 0 failed\n")
    assert hashing.texts == embedded, "nothing is embedded twice"
    assert "Two words.txt: warning: read as cp1252" in first.stderr
    documents = await mesh.documents()
    by_title = {item.title: item for item in documents.values()}
    assert set(by_title) == {"One", "Two words", "Page", "A", "B", "Word", "book"}
    assert by_title["One"].category == "cycles", "what the file says itself"
    assert list(by_title["One"].numbers) == [7]
    assert by_title["Page"].category == "interpretation"
    assert {item.source for item in documents.values()} == {"classical"}
    assert {item.metadata["shelf"] for item in documents.values()} == {"B 7"}
    assert by_title["Two words"].metadata["path"] == "notes/deep/Two words.txt"
    assert by_title["book"].metadata["pages"] == 1


async def test_a_file_that_says_what_another_one_says_is_ingested_with_a_warning(mesh):
    text = " ".join(f"word{number} stands here" for number in range(30))
    for name in ("a", "b"):
        (mesh.notes / f"{name}.txt").write_text(text)
    answer = await mesh(str(mesh.notes))
    assert (answer.returncode, answer.stdout) == (0, "2 created, 0 updated, 0 unchanged, 0 failed\n")
    documents = {item.metadata["path"]: item.document_id for item in (await mesh.documents()).values()}
    one, two = documents["notes/a.txt"], documents["notes/b.txt"]
    assert f"b.txt: warning: {two} has the same text as {one}" in answer.stderr


async def test_other_wishes_make_a_new_version_of_a_file_that_is_the_same(mesh):
    (mesh.notes / "a.md").write_text("# A\n\nText.")
    await mesh(str(mesh.notes))
    (item,), status = await mesh.json(str(mesh.notes), "--category", "utility")
    assert (item["outcome"], status) == ("updated", 0)
    assert item["documents"] == {"updated": 1}
    (stored,) = (await mesh.documents()).values()
    assert (stored.document_id, stored.category, stored.version) == (item["document_id"], "utility", 2)


async def test_a_changed_table_updates_only_the_rows_that_changed(mesh):
    table = mesh.notes / "rows.csv"
    table.write_text("id,text\na,one\nb,two\nc,three\n")
    await mesh(str(table))
    table.write_text("id,text\na,one\nb,changed\nc,three\nd,four\n")
    (item,), _ = await mesh.json(str(table))
    # The first row is updated as well: it carries the fingerprint of the file.
    assert item["documents"] == {"created": 1, "updated": 2, "unchanged": 1}
    documents = await mesh.documents()
    base = item["document_id"]
    assert set(documents) == {f"{base}-{key}" for key in "abcd"}
    (item,), _ = await mesh.json(str(table))
    assert item["documents"] == {"unchanged": 4}


async def test_a_table_with_broken_rows_is_never_called_complete(mesh):
    table = mesh.notes / "rows.csv"
    table.write_text("id,text\na,one\nb\na,again\nc,three\n")
    (item,), status = await mesh.json(str(table))
    assert (status, item["outcome"], item["documents"]) == (5, "failed", {"failed": 2, "created": 2})
    assert item["errors"] == ["row 3: has 1 fields, the first row has 2", "the id 'a' is that of an earlier row"]
    (item,), status = await mesh.json(str(table))
    assert (status, item["documents"]) == (5, {"failed": 2, "unchanged": 2})
    plain = await mesh(str(table))
    assert f"{table}: row 3: has 1 fields" in plain.stderr
    assert plain.stderr.endswith("2 documents of 1 files were not ingested\n")


async def test_an_interrupted_table_goes_on_and_is_complete_only_at_the_end(mesh, collection):
    """The server refuses to go on in the middle of a file; what was acknowledged is not embedded again."""
    table = mesh.notes / "rows.jsonl"
    lines = [json.dumps({"id": f"r{number}", "text": f"words of row {number}"}) for number in range(6)]
    table.write_text("\n".join(lines))
    whole, taken = collection.ingest, []

    async def ingest(document):
        if len(taken) == 3:
            collection.not_ready = "stopped"
        taken.append(document.document_id)
        return await whole(document)

    collection.ingest = ingest
    stopped = await mesh(str(table))
    assert stopped.returncode == 3
    assert stopped.stdout == "3 created, 0 updated, 0 unchanged, 0 failed\n", "what was done is told"
    collection.ingest, collection.not_ready = whole, ""
    (item,), status = await mesh.json(str(table))
    assert (status, item["documents"]) == (0, {"unchanged": 3, "created": 3})
    (item,), _ = await mesh.json(str(table))
    assert item["documents"] == {"unchanged": 6}


async def test_a_mixture_of_two_states_of_a_table_is_not_taken_for_either(mesh, collection):
    """Complete in one state, cut short in another, then put back: the rows between must be put back as well."""
    table = mesh.notes / "rows.csv"
    before, after = "id,text\na,one\nb,two\nc,three\n", "id,text\na,one\nb,other\nc,else\n"
    table.write_text(before)
    await mesh(str(table))
    table.write_text(after)
    whole = collection.ingest

    async def ingest(document):
        if document.content == "else\n":
            collection.not_ready = "stopped"
        return await whole(document)

    collection.ingest = ingest
    assert (await mesh(str(table))).returncode == 3
    collection.ingest, collection.not_ready = whole, ""
    table.write_text(before)
    (item,), _ = await mesh.json(str(table))
    assert item["documents"] == {"updated": 2, "unchanged": 1}
    answer = await mesh.stub.GetDocument(pb.GetDocumentRequest(document_id=f"{item['document_id']}-b"))
    assert answer.document.content == "two\n"


async def test_parts_that_a_text_has_no_more_are_deleted(mesh):
    file = mesh.notes / "long.txt"
    paragraph = "x" * 900 + "\n\n"
    file.write_text(paragraph * 2_300)
    (item,), _ = await mesh.json(str(file), "--timeout", "50")
    assert item["documents"] == {"created": 3}
    file.write_text(paragraph * 1_200)
    await mesh(str(file))
    assert set(await mesh.documents()) == {item["document_id"], f"{item['document_id']}-part-2"}
    file.write_text("Short now.")
    await mesh(str(file))
    assert set(await mesh.documents()) == {item["document_id"]}


async def test_files_that_cannot_be_read_are_named_and_stop_no_other(mesh):
    (mesh.notes / "a.txt").write_bytes(b"binary\x00")
    (mesh.notes / "b.pdf").write_bytes(b"%PDF-1.4 broken")
    (mesh.notes / "c.md").write_text("# Good\n\nText.")
    (mesh.notes / "d.docx").write_text("no zip")
    (mesh.notes / "e.csv").write_text("a,b\n1,2\n")
    (mesh.notes / "f.md").write_text("---\ncategory: gossip\n---\nText.")
    with (mesh.notes / "g.txt").open("wb") as file:
        file.truncate(100 * 1024 * 1024 + 1)
    answer = await mesh(str(mesh.notes))
    assert answer.returncode == 5
    assert answer.stdout == "1 created, 0 updated, 0 unchanged, 6 failed\n"
    reasons = {line.split(": ", 1)[0].rsplit("/", 1)[1]: line.split(": ", 1)[1] for line in answer.stderr.splitlines()
               if line.startswith(str(mesh.notes))}  # fmt: skip
    assert reasons["a.txt"] == "is binary, not text"
    assert reasons["b.pdf"].startswith("is a damaged PDF")
    assert reasons["d.docx"] == "is not a Word document: it does not begin like one"
    assert reasons["e.csv"] == "has no column for the content: it has a, b"
    assert reasons["f.md"].startswith("INVALID_ARGUMENT")
    assert reasons["g.txt"] == "has 101 MiB, at most 100 MiB may be: it was not read"
    assert "Traceback" not in answer.stderr


async def test_a_dry_run_reads_and_sends_nothing(mesh, run_cli):
    fill(mesh.notes)
    (mesh.notes / "bad.txt").write_bytes(b"\x00")
    answer = run_cli("ingest", str(mesh.notes), "--dry-run", "--verbose", "--target", "127.0.0.1:1")
    assert (answer.returncode, answer.stdout) == (5, "7 parsed, 1 failed\n")
    assert "rows.csv: 2 parsed" in answer.stderr
    assert await mesh.documents() == {}


async def test_columns_and_one_document_named_twice(mesh):
    table = mesh.notes / "qa.csv"
    table.write_text("q,a\nWhy?,Because.\n")
    answer, status = await mesh.json(str(table), str(mesh.notes), "--column", "title=q", "--column", "content=a")
    assert (len(answer), status) == (1, 0)
    assert [item.title for item in (await mesh.documents()).values()] == ["Why?"]


async def test_wrong_options_are_usage_errors_before_anything_is_sent(mesh):
    (mesh.notes / "a.md").write_text("# A\n\nText.")
    for wrong in (["--metadata", "x"], ["--metadata", "=x"], ["--column", "colour=x"], [str(mesh.notes / "none*")]):
        assert (await mesh(str(mesh.notes), *wrong)).returncode == 2
    assert (await mesh(str(mesh.notes), "--category", "gossip")).returncode == 5
    assert await mesh.documents() == {}


def test_a_server_that_is_gone_stops_the_work_with_its_status(run_cli, tmp_path):
    (tmp_path / "a.md").write_text("# A\n\nText.")
    answer = run_cli("ingest", str(tmp_path), "--target", "127.0.0.1:1", "--timeout", "5")
    assert answer.returncode == 3
    assert "start the mesh with `onenumbers up`" in answer.stderr


def test_the_identifier_is_that_of_the_path_below_the_root_and_of_the_whole_path_elsewhere(tmp_path):
    inside, outside = tmp_path / "root" / "deep" / "A file.md", tmp_path / "other" / "A file.md"
    assert place(inside, tmp_path / "root") == ("deep/A file.md", "deep/A file.md")
    assert place(outside, tmp_path / "root") == (str(outside), "A file.md")
    assert place(tmp_path / "root" / ".." / "other" / "A file.md", tmp_path / "root") == place(
        outside, tmp_path / "root"
    )
    assert document_id("deep/A file.md") == document_id("deep/A file.md") != document_id("A file.md")
    assert document_id("deep/A file.md").startswith("a-file-")
    assert document_id("\udce9.txt").startswith("document-")
    assert len(document_id("x" * 500)) <= 75


def test_folders_are_searched_for_known_kinds_and_hidden_files_are_passed_over(tmp_path):
    for name in ("a.md", "b.PDF", ".git/c.md", "deep/.d.txt", "e.exe", "deep/f.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    found = sorted(path.relative_to(tmp_path).as_posix() for path in find([tmp_path]))
    assert found == ["a.md", "b.PDF", "deep/f.jsonl"]
    assert list(find([tmp_path / "e.exe"])) == [tmp_path / "e.exe"], "a file that is named is read, whatever it is"
    with pytest.raises(CommandError, match="there is no such file"):
        list(find([tmp_path / "none"]))


def test_options_of_pairs_are_read():
    assert parse_pairs(["a=b=c", " d =e"], "--metadata") == {"a": "b=c", "d": "e"}
    assert parse_columns(["id=nr", "content=Body"]).key == "nr"


async def test_a_command_that_is_killed_leaves_whole_documents_and_the_next_one_does_the_rest(mesh):
    """SIGKILL while rows are on their way, three times over."""
    table = mesh.notes / "rows.csv"
    table.write_text("id,text\n" + "".join(f"r{number},words of row {number}\n" for number in range(400)))
    command = [sys.executable, "-m", "onenumbers_cli.main", "ingest", str(table), "--target", mesh.address]
    for part in (40, 80, 120):
        process = await asyncio.create_subprocess_exec(*command, "--root", str(mesh.notes.parent))
        end = time.monotonic() + 30
        while len(await mesh.documents()) < part:
            assert time.monotonic() < end, "nothing is ingested"
        process.kill()
        await process.wait()
    before = len(await mesh.documents())
    assert 120 <= before < 400
    (item,), status = await mesh.json(str(table))
    assert (status, sum(item["documents"].values())) == (0, 400)
    # One call may have been on its way when the last process was killed.
    assert item["documents"]["unchanged"] in (before, before + 1)
    documents = await mesh.documents()
    assert len(documents) == 400
    assert all(stored.passages == 1 for stored in documents.values())
