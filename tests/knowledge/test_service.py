"""The seven tools over gRPC, on a real server with a real store and index."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from onenumbers.knowledge.v1 import knowledge_pb2 as pb


def ingest(number: int, **fields) -> pb.IngestDocumentRequest:
    values = {
        "title": f"Note {number}",
        "content": f"# Note {number}\n\nThe word of this note is unique{number}. It says nothing else.",
        "category": "interpretation",
        "document_id": f"note-{number:03}",
        **fields,
    }
    return pb.IngestDocumentRequest(**values)


async def refused(call, code=grpc.StatusCode.INVALID_ARGUMENT) -> list[str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is code, caught.value.details()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    fields = []
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            fields += [item.field for item in bad.field_violations]
    return fields


async def test_an_ingested_document_is_found_at_once_and_its_offsets_point_at_its_text(stub):
    answer = await stub.IngestDocument(ingest(7, numbers=[7, 16], school="decoz"))
    assert answer.outcome == pb.INGEST_OUTCOME_CREATED
    assert (answer.document.version, answer.document.passages) == (1, 1)
    found = await stub.SemanticSearch(pb.SemanticSearchRequest(query="unique7"))
    hit = found.hits[0]
    document = (await stub.GetDocument(pb.GetDocumentRequest(document_id="note-007"))).document
    assert document.content[hit.passage.start_offset : hit.passage.end_offset] == hit.passage.text
    assert "unique7" in hit.passage.text
    assert hit.passage.section == "Note 7"
    assert hit.score_kind == pb.SCORE_KIND_FUSED
    assert hit.score == hit.fused
    assert 0 < hit.fused < 1
    assert 0 < hit.cosine <= 1.0001
    assert hit.bm25 > 0
    assert list(hit.numbers) == [7, 16]
    assert found.embedding_model == "hashing-64"
    assert found.passages_searched == 1


async def test_the_same_document_again_changes_nothing_and_another_text_is_a_new_version(stub, hashing):
    await stub.IngestDocument(ingest(1))
    before = hashing.texts
    again = await stub.IngestDocument(ingest(1))
    assert again.outcome == pb.INGEST_OUTCOME_UNCHANGED
    assert hashing.texts == before, "nothing is embedded twice"
    changed = await stub.IngestDocument(ingest(1, content="Another text about zebras entirely."))
    assert (changed.outcome, changed.document.version) == (pb.INGEST_OUTCOME_UPDATED, 2)
    hits = (await stub.SemanticSearch(pb.SemanticSearchRequest(query="zebras", top_k=10))).hits
    assert [hit.passage.text for hit in hits] == ["Another text about zebras entirely."], "the old passages are gone"
    assert changed.document.created.ToDatetime() < changed.document.updated.ToDatetime()


async def test_without_an_id_the_content_makes_one(stub):
    first = await stub.IngestDocument(ingest(1, document_id=""))
    second = await stub.IngestDocument(ingest(1, document_id=""))
    assert first.document.document_id.startswith("doc-")
    assert second.outcome == pb.INGEST_OUTCOME_UNCHANGED


async def test_filters_limit_what_is_found(stub):
    await stub.IngestDocument(ingest(1, category="cycles", source="classical", numbers=[1]))
    await stub.IngestDocument(ingest(2, category="cycles", source="scientific", numbers=[2], school="cheiro"))
    await stub.IngestDocument(ingest(3, category="utility", numbers=[1, 2]))
    for fields, expected in (
        ({"categories": ["cycles"]}, {"note-001", "note-002"}),
        ({"sources": ["scientific"]}, {"note-002"}),
        ({"numbers": [1]}, {"note-001", "note-003"}),
        ({"school": "cheiro"}, {"note-002"}),
        ({"categories": ["validation"]}, set()),
        ({"categories": ["cycles"], "numbers": [1]}, {"note-001"}),
    ):
        found = await stub.SemanticSearch(pb.SemanticSearchRequest(query="the word of a note", top_k=10, **fields))
        assert {hit.passage.document_id for hit in found.hits} == expected
        assert found.passages_searched == len(expected)


async def test_results_are_ordered_and_held_to_a_least_similarity(stub):
    for number in range(6):
        await stub.IngestDocument(ingest(number))
    found = await stub.SemanticSearch(pb.SemanticSearchRequest(query="the word of this note is unique3", top_k=4))
    scores = [hit.score for hit in found.hits]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert found.hits[0].passage.document_id == "note-003"
    # Two notes may be equally near: whether their cosines differ in the last bit is the processor's.
    cosines = sorted({round(hit.cosine, 4) for hit in found.hits}, reverse=True)
    least = (cosines[0] + cosines[1]) / 2
    wanted = {hit.passage.document_id for hit in found.hits if hit.cosine >= least}
    limited = await stub.SemanticSearch(
        pb.SemanticSearchRequest(query="the word of this note is unique3", top_k=4, min_similarity=least)
    )
    assert {hit.passage.document_id for hit in limited.hits} == wanted
    assert 0 < len(wanted) < 4


async def test_a_deleted_document_is_gone_from_everywhere(stub):
    await stub.IngestDocument(ingest(1))
    deleted = await stub.DeleteDocument(pb.DeleteDocumentRequest(document_id="note-001"))
    assert (deleted.document.title, deleted.passages_deleted) == ("Note 1", 1)
    assert not (await stub.SemanticSearch(pb.SemanticSearchRequest(query="unique1"))).hits
    for call in (
        stub.GetDocument(pb.GetDocumentRequest(document_id="note-001")),
        stub.DeleteDocument(pb.DeleteDocumentRequest(document_id="note-001")),
    ):
        await refused(call, grpc.StatusCode.NOT_FOUND)
    stats = await stub.GetDocumentStats(pb.GetDocumentStatsRequest())
    assert (stats.documents, stats.passages, stats.index_vectors) == (0, 0, 0)


async def test_pages_hold_every_document_once_in_order(stub):
    for number in range(7):
        await stub.IngestDocument(ingest(number, category="cycles" if number % 2 else "utility"))
    seen, token = [], ""
    while True:
        page = await stub.ListDocuments(pb.ListDocumentsRequest(page_size=3, page_token=token))
        seen += [info.document_id for info in page.documents]
        assert page.total == 7
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"note-{number:03}" for number in range(7)]
    first = await stub.RetrieveByCategory(pb.RetrieveByCategoryRequest(category="cycles", limit=2))
    rest = await stub.RetrieveByCategory(
        pb.RetrieveByCategoryRequest(category="cycles", limit=2, page_token=first.next_page_token)
    )
    ids = [item.info.document_id for item in (*first.documents, *rest.documents)]
    assert ids == ["note-001", "note-003", "note-005"]
    assert all(item.content for item in first.documents)
    assert (first.total, rest.next_page_token) == (3, "")


async def test_statistics_are_counted(stub):
    await stub.IngestDocument(ingest(1, category="cycles", source="classical"))
    await stub.IngestDocument(ingest(2, category="utility"))
    stats = await stub.GetDocumentStats(pb.GetDocumentStatsRequest())
    assert (stats.documents, stats.passages, stats.index_vectors, stats.dimensions) == (2, 2, 2, 64)
    assert dict(stats.documents_by_category) == {"cycles": 1, "utility": 1}
    assert dict(stats.documents_by_source) == {"classical": 1, "modern": 1}
    assert stats.characters == 2 * len(ingest(1).content)
    assert stats.store_bytes > 4096
    assert stats.last_updated.seconds > 0
    only = await stub.GetDocumentStats(pb.GetDocumentStatsRequest(category="cycles"))
    assert (only.documents, only.index_vectors) == (1, 2)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"content": ""}, "content"),
        ({"content": " \n\t "}, "content"),
        ({"content": "binary \x00 posing as text"}, "content"),
        ({"content": "x" * 1_000_001}, "content"),
        ({"category": "poetry"}, "category"),
        ({"category": ""}, "category"),
        ({"source": "gossip"}, "source"),
        ({"document_id": "../etc/passwd"}, "document_id"),
        ({"document_id": "UPPER"}, "document_id"),
        ({"numbers": [100]}, "numbers[0]"),
        ({"language": "not a language"}, "language"),
        ({"metadata": {f"k{n}": n for n in range(101)}}, "metadata"),
        ({"metadata": {"k": "x" * 70_000}}, "metadata"),
        ({"metadata": {"k": float("nan")}}, "metadata"),
    ],
)
async def test_a_document_that_breaks_a_rule_is_refused_and_nothing_is_stored(stub, fields, field):
    metadata = fields.pop("metadata", None)
    request = ingest(1, **fields)
    if metadata is not None:
        request.metadata.update(metadata)
    assert await refused(stub.IngestDocument(request)) == [field]
    assert (await stub.GetDocumentStats(pb.GetDocumentStatsRequest())).documents == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": "   "}, "query"),
        ({"query": "x" * 2001}, "query"),
        ({"query": "a " * 300}, "query"),
        ({"query": "a", "top_k": 0}, "top_k"),
        ({"query": "a", "top_k": 1_000_000}, "top_k"),
        ({"query": "a", "min_similarity": 2}, "min_similarity"),
        ({"query": "a", "categories": ["poetry"]}, "categories[0]"),
    ],
)
async def test_a_search_that_breaks_a_rule_names_the_field(stub, fields, field):
    assert await refused(stub.SemanticSearch(pb.SemanticSearchRequest(**fields))) == [field]


async def test_wrong_page_tokens_are_named(stub):
    for call in (
        stub.ListDocuments(pb.ListDocumentsRequest(page_token="???")),
        stub.RetrieveByCategory(pb.RetrieveByCategoryRequest(category="cycles", page_token="abc")),
    ):
        assert await refused(call) == ["page_token"]


async def test_writers_and_readers_at_once_see_whole_documents(stub):
    async def write(number: int) -> None:
        await stub.IngestDocument(ingest(number))

    async def read() -> None:
        for hit in (await stub.SemanticSearch(pb.SemanticSearchRequest(query="word of this note", top_k=50))).hits:
            assert hit.passage.text.startswith("The word of this note is unique")

    await asyncio.gather(*(write(n % 20) for n in range(60)), *(read() for _ in range(30)))
    stats = await stub.GetDocumentStats(pb.GetDocumentStatsRequest())
    assert (stats.documents, stats.passages, stats.index_vectors) == (20, 20, 20)


@pytest.mark.parametrize(
    ("method", "fields", "field"),
    [
        ("GetDocument", {"document_id": ""}, "document_id"),
        ("GetDocument", {"document_id": "x" * 101}, "document_id"),
        ("DeleteDocument", {"document_id": ""}, "document_id"),
        ("ListDocuments", {"page_size": -1}, "page_size"),
        ("ListDocuments", {"category": "poetry"}, "category"),
        ("ListDocuments", {"source": "gossip"}, "source"),
        ("ListDocuments", {"page_token": "x" * 501}, "page_token"),
        ("RetrieveByCategory", {"category": ""}, "category"),
        ("RetrieveByCategory", {"category": "cycles", "limit": 101}, "limit"),
        ("GetDocumentStats", {"category": "poetry"}, "category"),
        ("IngestDocument", {"title": "t", "content": "c", "category": "cycles", "school": "a\x07b"}, "school"),
    ],
)
async def test_every_other_request_that_breaks_a_rule_names_the_field(stub, method, fields, field):
    request = getattr(pb, f"{method}Request")(**fields)
    assert await refused(getattr(stub, method)(request)) == [field]
