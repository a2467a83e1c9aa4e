"""Several knowledge servers on one PostgreSQL: what one stores, all find; processes, with the real model."""

import asyncio
from contextlib import AsyncExitStack

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import maintenance_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")
WITHIN_S = 2.0
"""Seconds within which a write through one server is searchable on all: the promise, and no measurement."""


def document(number: int, word: str, **fields) -> pb.IngestDocumentRequest:
    values = {
        "title": f"Note {number}",
        "content": f"The word of this note is {word}. It says nothing else.",
        "category": "interpretation",
        "document_id": f"note-{number:03}",
        **fields,
    }
    return pb.IngestDocumentRequest(**values)


async def found(server, word: str) -> list[str]:
    """Ids of the documents whose passages have a word."""
    asked = pb.SemanticSearchRequest(query=word, top_k=50, mode=pb.SEARCH_MODE_LEXICAL)
    answer = await server.documents.SemanticSearch(asked, timeout=10)
    return sorted(hit.passage.document_id for hit in answer.hits)


async def becomes(server, word: str, wanted: list[str]) -> None:
    """Waits until a search finds these documents and no others."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while await found(server, word) != wanted:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{word}: {await found(server, word)} instead of {wanted}") from None


async def agree(servers) -> None:
    """Waits until the index of every server has exactly the passages that are stored."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            answers = [await server.documents.GetDocumentStats(pb.GetDocumentStatsRequest()) for server in servers]
            if {answer.index_vectors for answer in answers} == {answers[0].passages}:
                return
            await asyncio.sleep(0.02)


async def refused(call) -> tuple[grpc.StatusCode, str, bool]:
    """Returns the code of a refused call, its reason, and whether it says when to try again."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    reason, retry = "", False
    for key, value in caught.value.trailing_metadata():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                    reason = error_details_pb2.ErrorInfo.FromString(detail.value).reason
                retry = retry or detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR)
    return caught.value.code(), reason, retry


async def of_model(server, model: str) -> pb.SemanticSearchResponse:
    """Waits until a server searches with a model, and returns what it finds; until then it may say why it does not."""
    asked = pb.SemanticSearchRequest(query="word7", top_k=1)
    async with asyncio.timeout(60):
        while True:
            try:
                answer = await server.documents.SemanticSearch(asked)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                if answer.embedding_model == model:
                    return answer
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def url(postgres):
    return postgres.new_database("replicas")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def replicas(start_knowledge, url):
    """Two servers that started at once on an empty database."""
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(start_knowledge(name, DATABASE_URL=url)) for name in ("one", "other")
        ]
        await asyncio.gather(*(server.serves() for server in started))
        yield started


async def test_a_write_through_one_is_searchable_on_all_and_what_was_replaced_or_deleted_is_gone(replicas):
    one, other = replicas
    await one.documents.IngestDocument(document(1, "aardvark"))
    await becomes(other, "aardvark", ["note-001"])
    await other.documents.IngestDocument(document(1, "buffalo"))
    await becomes(one, "buffalo", ["note-001"])
    await becomes(one, "aardvark", [])
    bulk = [
        maintenance_pb2.BulkIngestDocumentsRequest(sequence_id=str(number), document=document(number, "cheetah"))
        for number in range(10, 30)
    ]
    answers = [answer async for answer in one.maintenance.BulkIngestDocuments(iter(bulk))]
    assert {answer.outcome for answer in answers} == {pb.INGEST_OUTCOME_CREATED}
    await becomes(other, "cheetah", [f"note-{number:03}" for number in range(10, 30)])
    await other.documents.DeleteDocument(pb.DeleteDocumentRequest(document_id="note-011"))
    await becomes(one, "cheetah", [f"note-{number:03}" for number in range(10, 30) if number != 11])
    request = maintenance_pb2.UpdateEmbeddingsRequest(reindex_all=True)
    steps = [step async for step in one.maintenance.UpdateEmbeddings(request)]
    assert steps[-1].complete
    await becomes(other, "cheetah", [f"note-{number:03}" for number in range(10, 30) if number != 11])
    exported = [answer async for answer in other.maintenance.ExportSnapshot(maintenance_pb2.ExportSnapshotRequest())]
    await one.documents.IngestDocument(document(50, "dormouse"))
    await becomes(other, "dormouse", ["note-050"])
    imported = [
        maintenance_pb2.ImportSnapshotRequest(chunk=answer.chunk, checksum=answer.checksum) for answer in exported
    ]
    await other.maintenance.ImportSnapshot(iter(imported))
    await becomes(one, "dormouse", [])
    await becomes(one, "buffalo", ["note-001"])
    await agree(replicas)


async def test_writers_of_the_same_documents_leave_one_version_each_and_no_passage_twice(replicas):
    """Every version counts: none is lost between two servers, and none is stored twice."""
    rounds, numbers = 4, range(100, 106)

    async def write(server, name: str) -> list[pb.IngestDocumentResponse]:
        return [
            await server.documents.IngestDocument(document(number, f"{name}{turn}"))
            for turn in range(rounds)
            for number in numbers
        ]

    answers = await asyncio.gather(*(write(server, name) for server, name in zip(replicas, "xy", strict=True)))
    for number in numbers:
        told = [answer.document for each in answers for answer in each]
        versions = sorted(info.version for info in told if info.document_id == f"note-{number:03}")
        assert versions == list(range(1, 2 * rounds + 1))
    await agree(replicas)
    for server in replicas:
        for number in numbers:
            answer = await server.documents.GetDocument(pb.GetDocumentRequest(document_id=f"note-{number:03}"))
            word = answer.document.content.split(" is ")[1].split(".")[0]
            assert f"note-{number:03}" in await found(server, word)
            others = {f"{name}{turn}" for name in "xy" for turn in range(rounds)} - {word}
            for other in others:
                assert f"note-{number:03}" not in await found(server, other)


async def test_the_same_new_document_on_two_servers_at_once_is_created_once(replicas):
    for number in range(200, 210):
        answers = await asyncio.gather(
            *(server.documents.IngestDocument(document(number, "same")) for server in replicas for _ in range(2))
        )
        outcomes = sorted(answer.outcome for answer in answers)
        assert outcomes == sorted([pb.INGEST_OUTCOME_CREATED] + [pb.INGEST_OUTCOME_UNCHANGED] * 3)
        assert {answer.document.version for answer in answers} == {1}


async def test_a_server_that_was_away_catches_up_and_one_that_is_killed_holds_up_nobody(replicas, start_knowledge, url):
    one, _ = replicas
    await one.documents.IngestDocument(document(301, "echidna"))
    async with start_knowledge("away", DATABASE_URL=url) as away:
        await away.serves()
        assert await found(away, "echidna") == ["note-301"]
    # It saved its index when it ended; that is older than the store now.
    await one.documents.DeleteDocument(pb.DeleteDocumentRequest(document_id="note-301"))
    await one.documents.IngestDocument(document(303, "ferret"))
    async with start_knowledge("away", DATABASE_URL=url) as away:
        await away.serves()
        assert (await found(away, "echidna"), await found(away, "ferret")) == ([], ["note-303"])
        writing = [
            asyncio.ensure_future(away.documents.IngestDocument(document(number, "gazelle")))
            for number in range(310, 330)
        ]
        await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        await away.kill()
        await asyncio.gather(*writing, return_exceptions=True)
    await one.documents.IngestDocument(document(340, "heron"), timeout=10)
    acknowledged = {task.result().document.document_id for task in writing if task.exception() is None}
    assert acknowledged
    assert acknowledged <= set(await found(one, "gazelle"))
    await agree(replicas)


async def test_a_database_that_goes_away_is_unavailable_and_comes_back_by_itself(start_knowledge, postgres_process):
    async with start_knowledge("one", DATABASE_URL=postgres_process.url) as server:
        await server.serves()
        await server.documents.IngestDocument(document(1, "aardvark"))
        postgres_process.stop()
        for call in (
            server.documents.SemanticSearch(pb.SemanticSearchRequest(query="aardvark")),
            server.documents.IngestDocument(document(2, "buffalo")),
            server.documents.DeleteDocument(pb.DeleteDocumentRequest(document_id="note-001")),
            server.documents.GetDocument(pb.GetDocumentRequest(document_id="note-001")),
        ):
            assert await refused(call) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", True)
        await server.serves(False)
        postgres_process.start()
        await server.serves()
        assert await found(server, "aardvark") == ["note-001"]
        assert await found(server, "buffalo") == []
        await server.documents.IngestDocument(document(2, "buffalo"))
        assert await found(server, "buffalo") == ["note-002"]
        await agree([server])


async def test_another_model_is_brought_in_once_and_all_servers_go_over_to_it(replicas, start_knowledge, url, models):
    """The same weights from a file have another name: for the servers they are another model."""
    one, other = replicas
    for number in range(12):
        await one.documents.IngestDocument(document(number + 400, f"word{number}"))
    (model,) = models.glob("*.gguf")
    variables = {"DATABASE_URL": url, "MCP_EMBEDDING_MODEL": str(model)}
    async with start_knowledge("new", **variables) as new, start_knowledge("newer", **variables) as newer:
        for server in (new, newer, one, other):
            answer = await of_model(server, model.stem)
            assert answer.hits[0].passage.document_id == "note-407"
            await server.serves()
        changed = [server.log.read_text().count('"embedding_model_changed"') for server in (new, newer)]
        assert sorted(changed) == [0, 1], "one of them did the work"
        await one.documents.IngestDocument(document(403, "zebra"))
        for server in (new, newer, one, other):
            await becomes(server, "zebra", ["note-403"])
        await agree([one, other, new, newer])
