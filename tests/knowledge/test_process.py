"""The server as a process, with the real embedding model."""

import grpc
import pytest
from grpc_health.v1 import health_pb2

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import maintenance_pb2


async def test_it_serves_what_it_ingested_also_after_a_restart_and_holds_its_store(start_knowledge):
    async with start_knowledge("one") as server:
        await server.serves()
        stub = server.documents
        for name, text in (
            ("bridge", "A bridge number is the difference between two core numbers."),
            ("seven", "Tradition describes people of life path seven as seekers of hidden knowledge."),
            ("bread", "Knead the dough and let it rise before it goes into the oven."),
        ):
            await stub.IngestDocument(
                pb.IngestDocumentRequest(title=name, content=text, category="utility", document_id=name)
            )
        query = pb.SemanticSearchRequest(query="baking a loaf", top_k=3)
        before = await stub.SemanticSearch(query)
        assert before.hits[0].passage.document_id == "bread", "meaning counts: no word is shared"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.SemanticSearch(pb.SemanticSearchRequest(query="7 " * 600))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "tokens" in caught.value.details()
        status, err = await start_knowledge.run("one")
        assert status == 2
        assert err.strip().splitlines()[-1].startswith("knowledge: another knowledge server uses")
    async with start_knowledge("one") as server:
        await server.serves()
        after = await server.documents.SemanticSearch(query)
        assert [hit.passage.text for hit in after.hits] == [hit.passage.text for hit in before.hits]
        assert "index_loaded" in server.log.read_text()


async def test_without_a_model_it_lives_reports_not_serving_and_reads_documents(start_knowledge):
    async with start_knowledge("one", MCP_EMBEDDING_MODEL="none") as server:
        stub = server.documents
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.SemanticSearch(pb.SemanticSearchRequest(query="seven"), wait_for_ready=True, timeout=60)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        serving = health_pb2.HealthCheckResponse.SERVING
        assert (await server.health.Check(health_pb2.HealthCheckRequest())).status != serving
        found = await stub.GetDocument(pb.GetDocumentRequest(document_id="bread"))
        assert found.document.info.title == "bread"
        assert server.process.returncode is None
    assert "MCP_EMBEDDING_MODEL is none" in server.log.read_text()


async def test_after_a_change_of_model_the_old_one_serves_until_all_is_embedded_anew(start_knowledge, models):
    """The same weights from a file have another name: for the server they are another model."""
    (model,) = models.glob("*.gguf")
    async with start_knowledge("one", MCP_EMBEDDING_MODEL=str(model)) as server:
        await server.serves()
        stub, maintenance = server.documents, server.maintenance
        request = maintenance_pb2.UpdateEmbeddingsRequest(reindex_all=True)
        steps = [step async for step in maintenance.UpdateEmbeddings(request, timeout=300)]
        assert steps[-1].complete
        assert steps[-1].embedding_model == model.stem
        found = await stub.SemanticSearch(pb.SemanticSearchRequest(query="baking a loaf", top_k=1))
        assert (found.embedding_model, found.hits[0].passage.document_id) == (model.stem, "bread")
        stats = await stub.GetDocumentStats(pb.GetDocumentStatsRequest())
        assert (stats.embedding_model, stats.passages) == (model.stem, stats.index_vectors)
        assert "embedding_model_changed" in server.log.read_text()


async def test_load_ends_by_itself_and_says_in_one_line_why_it_cannot(start_knowledge):
    status, err = await start_knowledge.run("one", "load")
    assert status == 0, err
    assert "corpus_loaded" in err
    status, err = await start_knowledge.run("one", "load", MCP_EMBEDDING_MODEL="none")
    assert status == 2
    assert "MCP_EMBEDDING_MODEL is none" in err.strip().splitlines()[-1]
