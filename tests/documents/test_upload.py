"""UploadDocument over gRPC: a file becomes documents, all of them or none."""

import asyncio
import time

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc, upload_pb2_grpc
from onenumbers.knowledge.v1 import upload_pb2 as pb
from onenumbers_documents.model import Limits
from onenumbers_knowledge.ingestion.upload import MAX_WAITING, Uploader
from onenumbers_knowledge.ingestion.upload_service import UploadServicer, upload_service
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_runtime.testing import running


@pytest.fixture
async def uploader(collection):
    async with Uploader(collection) as opened:
        yield opened


@pytest.fixture
async def channel(collection, uploader):
    services = [knowledge_service(KnowledgeServicer(collection)), upload_service(UploadServicer(uploader))]
    async with running(services) as (_, opened):
        yield opened


@pytest.fixture
def stub(channel):
    return upload_pb2_grpc.KnowledgeUploadServiceStub(channel)


@pytest.fixture
def knowledge(channel):
    return knowledge_pb2_grpc.KnowledgeServiceStub(channel)


def request(content: bytes, filename: str = "a.md", **fields) -> pb.UploadDocumentRequest:
    return pb.UploadDocumentRequest(content=content, filename=filename, **fields)


async def refused(call, code=grpc.StatusCode.INVALID_ARGUMENT) -> list[tuple[str, str]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is code, caught.value.details()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    found = []
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            found += [(item.field, item.description) for item in bad.field_violations]
    return found


async def count(knowledge) -> int:
    return (await knowledge.GetDocumentStats(knowledge_pb2.GetDocumentStatsRequest())).documents


async def test_a_file_is_ingested_and_found_and_the_same_again_changes_nothing(stub, knowledge, docx_of):
    sent = request(docx_of(lambda d: d.add_paragraph("Zebras count to seven.")), "../x/Zebra.docx", category="cycles")
    sent.metadata.update({"shelf": "B"})
    first = await stub.UploadDocument(sent)
    (item,) = first.documents
    assert item.outcome == knowledge_pb2.INGEST_OUTCOME_CREATED
    assert (item.document.title, item.document.category, item.document.source) == ("Zebra", "cycles", "modern")
    assert (item.document.metadata["file"], item.document.metadata["shelf"]) == ("Zebra.docx", "B")
    found = await knowledge.SemanticSearch(knowledge_pb2.SemanticSearchRequest(query="zebras"))
    assert found.hits[0].passage.document_id == item.document.document_id
    again = await stub.UploadDocument(sent)
    assert [item.outcome for item in again.documents] == [knowledge_pb2.INGEST_OUTCOME_UNCHANGED]


async def test_the_kind_follows_content_then_name_then_media_type(stub, pdf_of):
    page = b"<h1>Head</h1><p>Words"
    for content, name, media, kind in (
        (pdf_of("Words."), "a.txt", "text/plain", "pdf"),
        (page, "a.html", "text/plain", "html"),
        (page, "a", "text/html; charset=utf-8", "html"),
        (b"# Head", "a.md", "", "markdown"),
        (b"Words", "a", "", "text"),
    ):
        answer = await stub.UploadDocument(request(content, name, content_type=media))
        assert answer.documents[0].document.metadata["kind"] == kind


async def test_a_table_is_a_document_a_row_all_or_none(stub, knowledge):
    answer = await stub.UploadDocument(request(b"id,text\nx,one\ny y,two\n", "t.csv", document_id="mine"))
    identifiers = [item.document.document_id for item in answer.documents]
    assert identifiers[0] == "mine-x"
    assert identifiers[1].startswith("mine-")
    broken = await refused(stub.UploadDocument(request(b"text\nthree\nfour,five\nsix\n", "t.csv")))
    assert broken == [("content", "row 3: has 2 fields, the first row has 1")]
    assert await count(knowledge) == 2, "nothing of the broken file"
    twice = await stub.UploadDocument(request(b"text\nsame\nsame\n", "t.csv"))
    assert len(twice.documents) == 1
    assert twice.warnings == ["t, row 3: left out, an earlier row is the same document"]


async def test_a_table_of_too_many_rows_is_refused_whole(stub, knowledge):
    data = b"text\n" + b"".join(b"row %d\n" % number for number in range(201))
    ((field, description),) = await refused(stub.UploadDocument(request(data, "t.csv")))
    assert field == "content"
    assert "more than 200 documents" in description
    assert await count(knowledge) == 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"bin\x00ary", "a.txt is binary, not text"),
        ("a.pdf", b"%PDF-1.4 nothing", "a.pdf is a damaged PDF (PdfStreamError)"),
        ("../../b.docx", b"words", "b.docx is not a Word document: it does not begin like one"),
        ("a.csv", b"a,b\n1,2\n", "a.csv has no column for the content: it has a, b"),
        ("a.csv", b"text\n", "a.csv holds no documents"),
        ("a.txt", b"  \n", "a.txt holds only white space"),
    ],
)
async def test_what_cannot_be_read_is_an_invalid_argument_with_name_and_reason(stub, knowledge, name, content, reason):
    assert await refused(stub.UploadDocument(request(content, name))) == [("content", reason)]
    assert await count(knowledge) == 0


async def test_fields_are_held_to_their_rules(stub):
    many = request(b"Words.")
    many.metadata.update({f"key{number}": 1 for number in range(10_000)})
    for wrong, field in (
        (request(b""), "content"),
        (request(b"x", ""), "filename"),
        (request(b"x", category="gossip"), "category"),
        (request(b"x", source="gossip"), "source"),
        (request(b"x", document_id="No!"), "document_id"),
        (request(b"x" * 4_000_001), "content"),
        (request(b"---\ncategory: gossip\n---\nText."), "category"),
        (many, "metadata"),
    ):
        assert field in {name for name, _ in await refused(stub.UploadDocument(wrong))}


async def test_a_file_of_the_largest_size_fits_into_a_message(stub):
    data = (b"word " * 799_998)[:3_999_990] + b"\n"
    answer = await stub.UploadDocument(request(data, "big.html"), timeout=100)
    assert len(answer.documents) >= 4
    assert answer.documents[0].document.title == f"big (part 1 of {len(answer.documents)})"


async def test_uploads_wait_for_each_other_and_too_many_are_sent_away(collection):
    async with Uploader(collection) as uploader:
        services = [upload_service(UploadServicer(uploader))]
        async with running(services) as (_, channel):
            stub = upload_pb2_grpc.KnowledgeUploadServiceStub(channel)
            # Held here, the turn comes only when all of them have arrived.
            await uploader._turn.acquire()
            calls = [stub.UploadDocument(request(b"Words %d." % number, "a.txt")) for number in range(MAX_WAITING + 3)]
            tasks = [asyncio.ensure_future(_outcome(call)) for call in calls]
            await _until(lambda: sum(task.done() for task in tasks) == 3)
            uploader._turn.release()
            outcomes = await asyncio.gather(*tasks)
    assert outcomes.count(grpc.StatusCode.RESOURCE_EXHAUSTED) == 3
    assert outcomes.count(None) == MAX_WAITING


async def test_a_caller_that_goes_away_does_not_hold_the_next_one_up(collection):
    """Markup nested 400,000 deep takes minutes; its caller leaves, and the next upload is read at once."""
    async with (
        Uploader(collection, limits=Limits(deadline_s=120)) as uploader,
        running([upload_service(UploadServicer(uploader))]) as (_, channel),
    ):
        stub = upload_pb2_grpc.KnowledgeUploadServiceStub(channel)
        slow = stub.UploadDocument(request(b"<div>" * 400_000 + b"x", "a.html"))
        waiting = asyncio.ensure_future(_outcome(slow))
        await _until(lambda: uploader._reader._process is not None)
        slow.cancel()
        answer = await stub.UploadDocument(request(b"Words.", "a.txt"), timeout=30)
        await waiting
    assert len(answer.documents) == 1


async def test_a_file_that_takes_too_long_is_refused(collection):
    async with (
        Uploader(collection, limits=Limits(deadline_s=0.5)) as uploader,
        running([upload_service(UploadServicer(uploader))]) as (_, channel),
    ):
        stub = upload_pb2_grpc.KnowledgeUploadServiceStub(channel)
        await stub.UploadDocument(request(b"Words.", "a.txt"))
        ((_, reason),) = await refused(stub.UploadDocument(request(b"<div>" * 400_000 + b"x", "a.html")))
    assert reason == "a.html took more than 0.5 s to read"


async def _outcome(call):
    try:
        await call
    except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
        return error.code() if isinstance(error, grpc.aio.AioRpcError) else "cancelled"
    return None


async def _until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come"
        await asyncio.sleep(0.01)
