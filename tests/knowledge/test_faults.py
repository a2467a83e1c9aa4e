"""A full disk, a locked and a damaged database, an index that cannot be written: a clear status, and no half state."""

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2, status_pb2

from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc, maintenance_pb2, maintenance_pb2_grpc
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.storage.store import open_store
from onenumbers_runtime import database as database_module
from onenumbers_runtime.testing import running

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


class SmallDisk:
    """A file system of its own of four megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def full(self, *, but: int = 0) -> Iterator[None]:
        """Fills it, but for so many bytes."""
        ballast = self.folder / "ballast"
        free = shutil.disk_usage(self.folder).free
        ballast.write_bytes(b"\0" * max(free - but, 0))
        try:
            yield
        finally:
            ballast.unlink()


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system may not be mounted here")
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def store_path(request, tmp_path):
    """The store is on the small disk where a test asks for one."""
    folder = request.getfixturevalue("disk").folder if "disk" in request.fixturenames else tmp_path
    return folder / "knowledge" / "documents.sqlite"


@pytest.fixture
def maintenance(channel):
    return maintenance_pb2_grpc.KnowledgeMaintenanceServiceStub(channel)


def request(number: int, words: int = 400) -> knowledge_pb2.IngestDocumentRequest:
    """A document of random words, which nothing can press together."""
    dice = np.random.default_rng(number)
    content = f"unique{number} " + " ".join(f"w{value}" for value in dice.integers(0, 10**9, words))
    return knowledge_pb2.IngestDocumentRequest(
        document_id=f"note-{number:03}", title=f"Note {number}", content=content, category="utility"
    )


async def refused(call) -> tuple[grpc.StatusCode, str, float]:
    """Returns the code of a refused call, its reason, and the seconds after which to try again."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return told(caught.value)


def told(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str, float]:
    reason, seconds = "", 0.0
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                    reason = error_details_pb2.ErrorInfo.FromString(detail.value).reason
                if detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
                    seconds = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay.ToTimedelta().seconds
    return error.code(), reason, seconds


async def whole(knowledge, numbers) -> None:
    """Exactly these documents are there and found, and the index has exactly their passages."""
    listed = await knowledge.ListDocuments(knowledge_pb2.ListDocumentsRequest(page_size=1000))
    assert [info.document_id for info in listed.documents] == [f"note-{number:03}" for number in numbers]
    stats = await knowledge.GetDocumentStats(knowledge_pb2.GetDocumentStatsRequest())
    assert stats.index_vectors == stats.passages == sum(info.passages for info in listed.documents)
    for number in numbers:
        lexical = knowledge_pb2.SEARCH_MODE_LEXICAL
        asked = knowledge_pb2.SemanticSearchRequest(query=f"unique{number}", top_k=1, mode=lexical)
        assert (await knowledge.SemanticSearch(asked)).hits[0].passage.document_id == f"note-{number:03}"


async def test_a_full_disk_refuses_writes_and_nothing_else_and_goes_on_when_there_is_room(disk, knowledge):
    for number in range(3):
        await knowledge.IngestDocument(request(number))
    with disk.full():
        assert await refused(knowledge.IngestDocument(request(3))) == (UNAVAILABLE, "STORE_FULL", 30)
        assert (await refused(knowledge.IngestDocument(request(1, words=500))))[0] is UNAVAILABLE
        await whole(knowledge, range(3))
    await knowledge.IngestDocument(request(3))
    await whole(knowledge, range(4))


async def test_a_store_at_its_limit_says_that_it_is_full(knowledge, store):
    await knowledge.IngestDocument(request(0))
    async with store._database.reading() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
    engine = store._database._threads._writing.engine
    database_module.event.listen(
        engine, "connect", lambda opened, _: opened.execute(f"PRAGMA max_page_count={pages + 12}")
    )
    # The connection of before does not know the limit.
    engine.dispose()
    number, full = 0, None
    while full is None and number < 20:
        number += 1
        try:
            await knowledge.IngestDocument(request(number))
        except grpc.aio.AioRpcError as error:
            full = told(error)
    assert full == (UNAVAILABLE, "STORE_FULL", 30)
    assert number > 1, "some fitted"
    await whole(knowledge, range(number))
    await knowledge.DeleteDocument(knowledge_pb2.DeleteDocumentRequest(document_id="note-000"))
    await whole(knowledge, range(1, number))


async def test_a_bulk_into_a_full_disk_ends_with_the_reason_and_keeps_what_it_acknowledged(
    disk, knowledge, maintenance
):
    await knowledge.IngestDocument(request(0))
    acknowledged = []
    bulk = (
        maintenance_pb2.BulkIngestDocumentsRequest(sequence_id=str(number), document=request(number))
        for number in range(1, 100)
    )

    async def ingest() -> None:
        async for answer in maintenance.BulkIngestDocuments(bulk):
            assert answer.outcome == knowledge_pb2.INGEST_OUTCOME_CREATED
            acknowledged.append(int(answer.sequence_id))

    with disk.full(but=100_000):
        code, reason, _ = await refused(ingest())
        assert (code, reason) == (UNAVAILABLE, "STORE_FULL")
        listed = await knowledge.ListDocuments(knowledge_pb2.ListDocumentsRequest(page_size=1000))
        stored = sorted(int(info.document_id.split("-")[1]) for info in listed.documents)
        assert acknowledged
        assert set(acknowledged) <= set(stored)
        await whole(knowledge, stored)


async def test_a_snapshot_that_does_not_fit_the_disk_changes_nothing(disk, knowledge, maintenance, monkeypatch):
    for number in range(12):
        await knowledge.IngestDocument(request(number, words=2000))
    exported = [answer async for answer in maintenance.ExportSnapshot(maintenance_pb2.ExportSnapshotRequest())]
    await knowledge.DeleteDocument(knowledge_pb2.DeleteDocumentRequest(document_id="note-005"))
    chunks = [
        maintenance_pb2.ImportSnapshotRequest(chunk=answer.chunk, checksum=answer.checksum) for answer in exported
    ]
    left = [number for number in range(12) if number != 5]
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    with disk.full(but=100_000):
        assert (await refused(maintenance.ImportSnapshot(iter(chunks))))[:2] == (UNAVAILABLE, "SNAPSHOT_NOT_KEPT")
        await whole(knowledge, left)
    await maintenance.ImportSnapshot(iter(chunks))
    await whole(knowledge, range(12))


async def test_an_index_that_cannot_be_saved_is_made_again_at_the_next_start(
    disk, store, store_path, hashing, make_note
):
    path = store_path.with_name("index.faiss")
    opened = Collection(store, index_path=path)
    await opened.open(hashing)
    for number in range(20):
        await opened.ingest(make_note(number))
    with disk.full():
        await opened.close()
    assert not path.exists()
    assert not list(path.parent.glob(".index.*")), "no scratch file is left"
    again = Collection(store, index_path=path)
    await again.open(hashing)
    assert (await again.search("unique7", count=1)).hits[0].passage.document_id == "note-007"
    await again.close()


@pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
async def test_a_locked_store_is_said_to_be_locked_and_searches_go_on(store_url, store_path, hashing, monkeypatch):
    monkeypatch.setattr(database_module, "WAIT_S", 0.2)
    async with open_store(store_url) as store, open_store(store_url) as other:
        collection = Collection(store, index_path=store_path.with_name("index.faiss"))
        await collection.open(hashing)
        async with running([knowledge_service(KnowledgeServicer(collection))]) as (_, channel):
            knowledge = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
            await knowledge.IngestDocument(request(0))
            async with other.turn():
                assert await refused(knowledge.IngestDocument(request(1))) == (UNAVAILABLE, "STORE_LOCKED", 1)
                await whole(knowledge, [0])
            await knowledge.IngestDocument(request(1))
            await whole(knowledge, [0, 1])
        await collection.close()


async def test_a_damaged_database_is_data_loss_and_leaks_no_text(store_path, hashing):
    async with open_store(store_path) as store:
        collection = Collection(store, index_path=store_path.with_name("index.faiss"))
        await collection.open(hashing)
        await collection.ingest(_document(0))
        await collection.close()
    # Everything but the first pages, in which the tables are described.
    with sqlite3.connect(store_path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'knowledge_documents'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(store_path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    store_path.write_bytes(content)
    async with open_store(store_path) as store:
        collection = Collection(store, index_path=store_path.with_name("index.faiss"))
        async with running([knowledge_service(KnowledgeServicer(collection))]) as (_, channel):
            knowledge = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
            asked = knowledge.GetDocument(knowledge_pb2.GetDocumentRequest(document_id="note-000"))
            code, reason, _ = await refused(asked)
            assert (code, reason) == (grpc.StatusCode.DATA_LOSS, "STORE_DAMAGED")
        await collection.close()


def _document(number: int):
    from onenumbers_knowledge.convert import new_document

    return new_document(request(number))
