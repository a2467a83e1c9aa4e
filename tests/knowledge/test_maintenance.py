"""Bulk ingestion, new embeddings, a change of model, and snapshots, on a real server with a real store and index."""

import asyncio
import contextlib
import gzip
import hashlib
import json

import grpc
import numpy as np
import pytest

from onenumbers.knowledge.v1 import knowledge_pb2, maintenance_pb2_grpc
from onenumbers.knowledge.v1 import maintenance_pb2 as pb
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.ingestion.bulk import WINDOW
from onenumbers_knowledge.storage.store import open_store

pytestmark = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def stub(channel):
    return maintenance_pb2_grpc.KnowledgeMaintenanceServiceStub(channel)


def item(number: int, **fields) -> pb.BulkIngestDocumentsRequest:
    values = {
        "title": f"Note {number}",
        "content": f"The word of this note is unique{number}. It says nothing else.",
        "category": "interpretation",
        "document_id": f"note-{number:03}",
        **fields,
    }
    return pb.BulkIngestDocumentsRequest(
        sequence_id=f"s{number}", document=knowledge_pb2.IngestDocumentRequest(**values)
    )


async def documents(knowledge) -> dict[str, int]:
    page = await knowledge.ListDocuments(knowledge_pb2.ListDocumentsRequest(page_size=1000))
    return {info.document_id: info.version for info in page.documents}


async def test_every_document_of_a_bulk_is_acknowledged_in_order_and_a_wrong_one_is_refused_alone(stub, knowledge):
    requests = [item(number) for number in range(40)]
    requests[7] = item(7, category="poetry")
    requests[9] = pb.BulkIngestDocumentsRequest(sequence_id="s9")
    requests[11] = item(11, content="binary \x00")
    answers = [answer async for answer in stub.BulkIngestDocuments(iter(requests))]
    assert [answer.sequence_id for answer in answers] == [f"s{number}" for number in range(40)]
    refused = {answer.sequence_id: answer.refusal for answer in answers if answer.refusal}
    assert set(refused) == {"s7", "s9", "s11"}
    assert refused["s7"].startswith("category")
    assert "document" in refused["s9"]
    assert "control character" in refused["s11"]
    assert all(answer.HasField("document") for answer in answers if not answer.refusal)
    assert len(await documents(knowledge)) == 37


async def test_duplicates_within_a_bulk_are_told(stub, knowledge):
    text = " ".join(f"word{number} stands here" for number in range(30))
    requests = [item(1), item(2, content=text), item(3, content=text), item(4, content=f"{text} and one more")]
    first = [answer async for answer in stub.BulkIngestDocuments(iter(requests))]
    assert not first[0].duplicates
    told = {
        frozenset((answer.document.document_id, other.document_id)): other.same_content
        for answer in first
        for other in answer.duplicates
    }
    assert told == {
        frozenset(("note-002", "note-003")): True,
        frozenset(("note-002", "note-004")): False,
        frozenset(("note-003", "note-004")): False,
    }
    again = [answer async for answer in stub.BulkIngestDocuments(iter(requests))]
    assert not any(answer.duplicates for answer in again), "nothing was stored"


async def test_an_acknowledgement_comes_before_the_next_document_is_sent(stub, knowledge):
    call = stub.BulkIngestDocuments()
    for number in range(3):
        await call.write(item(number))
        answer = await call.read()
        assert answer.outcome == knowledge_pb2.INGEST_OUTCOME_CREATED
        found = await knowledge.GetDocument(knowledge_pb2.GetDocumentRequest(document_id=f"note-{number:03}"))
        assert found.document.info.version == 1
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_versions_of_one_document_are_stored_in_the_order_in_which_they_came(stub, knowledge):
    requests = [item(1, content=f"Version number{number} of the text.") for number in range(12)]
    answers = [answer async for answer in stub.BulkIngestDocuments(iter(requests))]
    assert [answer.document.version for answer in answers] == list(range(1, 13))
    found = await knowledge.GetDocument(knowledge_pb2.GetDocumentRequest(document_id="note-001"))
    assert found.document.content == "Version number11 of the text."


async def test_memory_is_bounded_a_bulk_is_read_no_faster_than_it_is_stored(collection, stub, monkeypatch):
    gate, read = asyncio.Event(), 0

    async def held(document):
        await gate.wait()
        raise AssertionError(document.title)

    async def requests():
        nonlocal read
        for number in range(500):
            read += 1
            # So large that the flow control of HTTP/2 holds only a few of them.
            yield item(number, content=f"unique{number} " + "word " * 190_000)

    monkeypatch.setattr(collection, "ingest", held)
    call = stub.BulkIngestDocuments(requests())
    before = -1
    while read != before:
        before = read
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gate.wait(), 0.5)
    assert WINDOW <= read < WINDOW + 30
    call.cancel()


async def test_named_documents_are_embedded_anew_and_everything_on_request(stub, knowledge, hashing):
    for number in range(5):
        await knowledge.IngestDocument(item(number).document)
    for request, texts in (
        (pb.UpdateEmbeddingsRequest(document_ids=["note-001", "note-003", "note-001"]), 2),
        (pb.UpdateEmbeddingsRequest(reindex_all=True), 5),
    ):
        before = hashing.texts
        steps = [step async for step in stub.UpdateEmbeddings(request)]
        assert hashing.texts - before == texts
        assert [step.passages_done for step in steps] == [*range(texts + 1), texts]
        assert [step.complete for step in steps] == [False] * (texts + 1) + [True]
        assert {(step.passages_total, step.embedding_model, step.dimensions) for step in steps} == {
            (texts, "hashing-64", 64)
        }
    assert set((await documents(knowledge)).values()) == {1}, "new vectors are no new version"
    found = await knowledge.SemanticSearch(knowledge_pb2.SemanticSearchRequest(query="unique3", top_k=1))
    assert found.hits[0].passage.document_id == "note-003"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"document_ids": ["note-001"], "reindex_all": True}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"document_ids": ["nobody"]}, grpc.StatusCode.NOT_FOUND),
    ],
)
async def test_an_update_of_nothing_or_of_what_is_not_there_is_refused(stub, fields, code):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in stub.UpdateEmbeddings(pb.UpdateEmbeddingsRequest(**fields)):
            pass
    assert caught.value.code() is code


async def test_an_interrupted_update_goes_on_where_it_was_and_only_one_runs_at_once(collection, make_note, hashing):
    for number in range(10):
        await collection.ingest(make_note(number))
    steps = collection.update_embeddings([], everything=True)
    for _ in range(5):
        await anext(steps)
    with pytest.raises(Exception, match="is running"):
        await anext(collection.update_embeddings([], everything=True))
    await steps.aclose()
    before = hashing.texts
    rest = [step async for step in collection.update_embeddings([], everything=True)]
    assert rest[0].done == 4
    assert rest[-1].complete
    assert hashing.texts - before == 6
    again = [step async for step in collection.update_embeddings([], everything=True)]
    assert again[0].done == 0, "what came to its end begins anew"


async def test_the_old_model_serves_until_the_new_one_is_complete_and_writes_go_on(
    store, store_path, hashing, make_note
):
    path = store_path.with_name("index.faiss")
    opened = Collection(store, index_path=path)
    await opened.open(hashing, spec="old")
    for number in range(20):
        await opened.ingest(make_note(number))
    await opened.close()
    new = type(hashing)("hashing-new")
    new.dimensions = 32
    gate, embed, embedded = asyncio.Event(), new.embed, 0

    async def held(texts):
        nonlocal embedded
        embedded += len(texts)
        if embedded > 10:
            await gate.wait()
        return await embed(texts)

    new.embed = held
    again = Collection(store, index_path=path)
    await again.open(new, spec="new", previous=hashing)
    moving = asyncio.ensure_future(again.migrate(new, spec="new"))
    progress = again.update_embeddings([], everything=True)
    async for step in progress:
        if step.done == 10:
            break
    assert again.index_state()[:3] == ("hashing-64", 64, 20)
    await again.ingest(make_note(3, content="A zebra came in between."))
    await again.ingest(make_note(50))
    await again.delete("note-004")
    found = await again.search("zebra", count=1)
    assert (found.model, found.hits[0].passage.document_id) == ("hashing-64", "note-003")
    gate.set()
    last = [step async for step in progress]
    await moving
    assert last[-1].complete
    assert again.index_state()[:3] == ("hashing-new", 32, 20)
    assert await store.passages_by_model() == {"hashing-new": 20}
    assert await store.fact("active_spec") == "new"
    for query, wanted in (("zebra", "note-003"), ("unique50", "note-050"), ("unique7", "note-007")):
        hit = (await again.search(query, count=1)).hits[0]
        assert hit.passage.document_id == wanted
        assert (await store.info("note-007")).version == 1
    assert not [hit for hit in (await again.search("unique4", count=20)).hits if hit.passage.document_id == "note-004"]
    await again.close()


async def test_a_change_of_model_that_was_interrupted_is_not_begun_anew(store, store_path, hashing, make_note):
    path = store_path.with_name("index.faiss")
    opened = Collection(store, index_path=path)
    await opened.open(hashing)
    for number in range(12):
        await opened.ingest(make_note(number))
    new, stuck = type(hashing)("hashing-new"), asyncio.Event()
    embed = new.embed

    async def failing(texts):
        if new.texts >= 7:
            stuck.set()
            await asyncio.Event().wait()
        return await embed(texts)

    new.embed = failing
    moving = asyncio.ensure_future(opened.migrate(new))
    await stuck.wait()
    moving.cancel()
    await asyncio.gather(moving, return_exceptions=True)
    assert opened.index_state()[0] == "hashing-64"
    new.embed = embed
    await opened.migrate(new)
    assert new.texts == 12, "seven before and five after: none twice"
    assert opened.index_state()[:3] == ("hashing-new", 64, 12)
    await opened.close()


async def exported(stub) -> tuple[list[bytes], str]:
    answers = [answer async for answer in stub.ExportSnapshot(pb.ExportSnapshotRequest())]
    assert all(len(answer.chunk) <= 1024 * 1024 for answer in answers)
    assert not any(answer.checksum for answer in answers[:-1])
    return [answer.chunk for answer in answers], answers[-1].checksum


def requests(chunks: list[bytes], checksum: str) -> list[pb.ImportSnapshotRequest]:
    last = len(chunks) - 1
    return [
        pb.ImportSnapshotRequest(chunk=chunk, checksum=checksum if number == last else "")
        for number, chunk in enumerate(chunks)
    ]


async def test_a_snapshot_brings_the_collection_back_whole(stub, knowledge, collection, store, hashing):
    for number in range(30):
        await knowledge.IngestDocument(item(number, numbers=[number], school="decoz").document)
    await knowledge.IngestDocument(item(3, content="# Part\n\nSecond version, ăîșț. Yes.").document)
    wanted = [await store.document(f"note-{number:03}") for number in range(30)]
    vectors = {key: vector async for part in store.vectors() for key, vector in part}
    chunks, checksum = await exported(stub)
    assert hashlib.sha256(b"".join(chunks)).hexdigest() == checksum
    await knowledge.DeleteDocument(knowledge_pb2.DeleteDocumentRequest(document_id="note-001"))
    await knowledge.IngestDocument(item(77).document)
    embedded = hashing.texts
    answer = await stub.ImportSnapshot(iter(requests(chunks, checksum)))
    assert (answer.documents, answer.passages) == (30, 30)
    assert [await store.document(f"note-{number:03}") for number in range(30)] == wanted
    after = {key: vector async for part in store.vectors() for key, vector in part}
    assert sorted(after.values()) == sorted(vectors.values())
    assert not after.keys() & vectors.keys(), "a key is never used twice"
    assert hashing.texts == embedded, "vectors come from the snapshot"
    found = await knowledge.SemanticSearch(knowledge_pb2.SemanticSearchRequest(query="unique1", top_k=1))
    assert found.hits[0].passage.document_id == "note-001"
    assert not (await collection.search("unique77", count=1, min_similarity=0.9)).hits
    assert collection.index_state()[2] == 30


async def test_a_damaged_snapshot_changes_nothing(stub, knowledge):
    rng = np.random.default_rng(5)
    for number in range(10):
        words = " ".join(f"w{value}" for value in rng.integers(0, 10**9, 150))
        await knowledge.IngestDocument(item(number, content=words).document)
    chunks, checksum = await exported(stub)
    whole = b"".join(chunks)
    wrong = whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:]
    await knowledge.IngestDocument(item(99).document)
    before = await documents(knowledge)

    def sha(content: bytes) -> str:
        return hashlib.sha256(content).hexdigest()

    for content, told in (
        (whole, sha(b"other")),
        (whole, ""),
        (wrong, checksum),
        (wrong, sha(wrong)),
        (whole[:-20], sha(whole[:-20])),
        (whole + b"more", sha(whole + b"more")),
        (b"no gzip at all", sha(b"no gzip at all")),
        (b"", sha(b"")),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ImportSnapshot(iter(requests([content], told)))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, caught.value.details()
    assert await documents(knowledge) == before


@pytest.mark.parametrize(
    "change",
    [
        {"title": "a\0b"},
        {"id": "n" * 101},
        {"school": "s" * 101},
        {"language": "l" * 36},
        {"version": 0},
        {"version": 2**31},
        {"category": "poetry"},
        {"removed": ["a", "a"]},
        {"removed": ["a\0"]},
        {"removed": "a"},
    ],
)
async def test_what_no_store_has_room_for_is_refused_before_anything_changes(stub, knowledge, change):
    await knowledge.IngestDocument(item(1).document)
    chunks, _ = await exported(stub)
    lines = [json.loads(line) for line in gzip.decompress(b"".join(chunks)).splitlines()]
    for line in lines[1:]:
        line |= {name: value for name, value in change.items() if name in line}
    archive = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    before = await documents(knowledge)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ImportSnapshot(iter(requests([archive], hashlib.sha256(archive).hexdigest())))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, caught.value.details()
    assert await documents(knowledge) == before


async def test_a_snapshot_of_another_model_is_refused(stub, knowledge, hashing, tmp_path, make_note):
    other = type(hashing)("hashing-other")
    async with open_store(tmp_path / "other.sqlite") as store:
        source = Collection(store, index_path=tmp_path / "index.faiss")
        await source.open(other)
        await source.ingest(make_note(1))
        chunks = [pair async for pair in source.export()]
        await source.close()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ImportSnapshot(
            iter([pb.ImportSnapshotRequest(chunk=chunk, checksum=sum_) for chunk, sum_ in chunks])
        )
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "hashing-other" in caught.value.details()
