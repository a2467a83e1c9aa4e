"""The server as a process, with the real embedding model."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc, maintenance_pb2, maintenance_pb2_grpc

MODULE = (sys.executable, "-m", "onenumbers_knowledge")
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def environment(data_dir: Path, **values: str) -> dict[str, str]:
    return {**os.environ, "MCP_DATA_DIR": str(data_dir), "MCP_LOG_FORMAT": "json", **values}


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def text_of(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


@asynccontextmanager
async def server(data_dir: Path, **values: str):
    """Yields a running process and a channel to it; it must end with status 0 at SIGTERM."""
    port = free_port()
    log = (data_dir / f"server-{port}.log").open("wb+")
    process = await asyncio.create_subprocess_exec(
        *MODULE, env=environment(data_dir, MCP_KNOWLEDGE_PORT=str(port), **values), stdout=log, stderr=log
    )
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield process, channel, Path(log.name)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0, text_of(log.name)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        log.close()


async def becomes_serving(channel: grpc.aio.Channel) -> None:
    async for answer in health_pb2_grpc.HealthStub(channel).Watch(
        health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=120
    ):
        if answer.status == SERVING:
            return


async def ended(*arguments: str, env: dict[str, str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *MODULE, *arguments, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    return process.returncode, err.decode()


async def test_it_serves_what_it_ingested_also_after_a_restart_and_holds_its_store(data_dir):
    async with server(data_dir, MCP_LOAD_CORPUS="false") as (_, channel, _log):
        await becomes_serving(channel)
        stub = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
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
        status, err = await ended(env=environment(data_dir, MCP_KNOWLEDGE_PORT="0"))
        assert status == 2
        assert err.strip().splitlines()[-1].startswith("knowledge: another knowledge server uses")
    async with server(data_dir, MCP_LOAD_CORPUS="false") as (_, channel, log):
        await becomes_serving(channel)
        after = await knowledge_pb2_grpc.KnowledgeServiceStub(channel).SemanticSearch(query)
        assert [hit.passage.text for hit in after.hits] == [hit.passage.text for hit in before.hits]
        assert "index_loaded" in log.read_text()


async def test_without_a_model_it_lives_reports_not_serving_and_reads_documents(data_dir):
    async with server(data_dir, MCP_EMBEDDING_MODEL="none") as (process, channel, log):
        health = health_pb2_grpc.HealthStub(channel)
        stub = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.SemanticSearch(pb.SemanticSearchRequest(query="seven"), wait_for_ready=True, timeout=60)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert (await health.Check(health_pb2.HealthCheckRequest())).status != SERVING
        found = await stub.GetDocument(pb.GetDocumentRequest(document_id="bread"))
        assert found.document.info.title == "bread"
        assert process.returncode is None
    assert "MCP_EMBEDDING_MODEL is none" in log.read_text()


async def test_after_a_change_of_model_the_old_one_serves_until_all_is_embedded_anew(data_dir):
    """The same weights from a file have another name: for the server they are another model."""
    (model,) = (data_dir / "models").glob("*.gguf")
    async with server(data_dir, MCP_LOAD_CORPUS="false", MCP_EMBEDDING_MODEL=str(model)) as (_, channel, log):
        await becomes_serving(channel)
        stub = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        maintenance = maintenance_pb2_grpc.KnowledgeMaintenanceServiceStub(channel)
        request = maintenance_pb2.UpdateEmbeddingsRequest(reindex_all=True)
        steps = [step async for step in maintenance.UpdateEmbeddings(request, timeout=300)]
        assert steps[-1].complete
        assert steps[-1].embedding_model == model.stem
        found = await stub.SemanticSearch(pb.SemanticSearchRequest(query="baking a loaf", top_k=1))
        assert (found.embedding_model, found.hits[0].passage.document_id) == (model.stem, "bread")
        stats = await stub.GetDocumentStats(pb.GetDocumentStatsRequest())
        assert (stats.embedding_model, stats.passages) == (model.stem, stats.index_vectors)
        assert "embedding_model_changed" in log.read_text()


async def test_load_ends_by_itself_and_says_in_one_line_why_it_cannot(data_dir):
    status, err = await ended("load", "--data-dir", str(data_dir), env=environment(data_dir))
    assert status == 0, err
    assert "corpus_loaded" in err
    status, err = await ended(
        "load", "--data-dir", str(data_dir), env=environment(data_dir, MCP_EMBEDDING_MODEL="none")
    )
    assert status == 2
    assert "MCP_EMBEDDING_MODEL is none" in err.strip().splitlines()[-1]
