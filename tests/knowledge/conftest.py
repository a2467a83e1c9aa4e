"""A collection over a real store and a real index; the model is real where a test says so."""

import asyncio
import hashlib
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from onenumbers.knowledge.v1 import knowledge_pb2_grpc, maintenance_pb2_grpc
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.documents import NewDocument
from onenumbers_knowledge.maintenance_service import MaintenanceServicer, maintenance_service
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.storage.store import open_store
from onenumbers_runtime.database import database_url, sqlite_url
from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_runtime.testing import running


class HashingEmbedder:
    """A bag of hashed words: texts that share words are near. Fast, and the same everywhere."""

    dimensions = 64
    max_tokens = 256

    def __init__(self, model_id: str = "hashing-64") -> None:
        self.model_id = model_id
        self.texts = 0

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    async def embed_query(self, text):
        return (await self.embed([text]))[0]

    async def embed(self, texts):
        self.texts += len(texts)
        await asyncio.sleep(0)
        rows = []
        for text in texts:
            tokens = self.count_tokens(text)
            if tokens > self.max_tokens:
                raise InvalidArgumentError(
                    "too long", reason="TEXT_TOO_LONG", metadata={"tokens": str(tokens), "limit": str(self.max_tokens)}
                )
            row = np.full(self.dimensions, 1e-3, dtype=np.float32)
            for word in re.findall(r"\w+", text.lower()):
                row[int(hashlib.md5(word.encode()).hexdigest(), 16) % self.dimensions] += 1
            rows.append(row / np.linalg.norm(row))
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dimensions)


@pytest.fixture
def hashing() -> HashingEmbedder:
    return HashingEmbedder()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "knowledge" / "documents.sqlite"


@pytest.fixture
def store_url(request, store_path: Path):
    """Where the store is: a file, or, where a test asks for it by its parameter, a database of PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return sqlite_url(store_path)
    return database_url(request.getfixturevalue("postgres").new_database(), default=store_path)


@pytest.fixture
async def store(store_url):
    async with open_store(store_url) as opened:
        yield opened


@pytest.fixture
async def collection(store, store_path: Path, hashing: HashingEmbedder):
    opened = Collection(store, index_path=store_path.with_name("index.faiss"))
    await opened.open(hashing)
    yield opened
    await opened.close()


@pytest.fixture
async def stub(collection):
    async with running([knowledge_service(KnowledgeServicer(collection))]) as (_, channel):
        yield knowledge_pb2_grpc.KnowledgeServiceStub(channel)


def note(number: int, **fields) -> NewDocument:
    """A small document with a word that only it has."""
    values = {
        "title": f"Note {number}",
        "content": f"The word of this note is unique{number}. It says nothing else.",
        "category": "interpretation",
        "document_id": f"note-{number:03}",
        **fields,
    }
    return NewDocument(**values)


@pytest.fixture
def make_note():
    return note


MODULE = (sys.executable, "-m", "onenumbers_knowledge")


class KnowledgeProcess:
    """A knowledge server as a process, with the real embedding model unless its variables say otherwise."""

    def __init__(self, process: asyncio.subprocess.Process, channel: grpc.aio.Channel, log: Path) -> None:
        self.process = process
        self.log = log
        self.documents = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        self.maintenance = maintenance_pb2_grpc.KnowledgeMaintenanceServiceStub(channel)
        self.health = health_pb2_grpc.HealthStub(channel)

    async def serves(self, wanted: bool = True) -> None:
        """Waits until its health is SERVING, or no longer is."""
        asked = self.health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=150)
        async for answer in asked:
            if (answer.status == health_pb2.HealthCheckResponse.SERVING) == wanted:
                asked.cancel()
                return

    async def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()
        await self.process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A folder in which the embedding model is made and tried once, for all processes."""
    return tmp_path_factory.mktemp("models")


class KnowledgeServers:
    """Starts knowledge servers; those of one name have the same data folder.

    `async with start_knowledge(name, **variables) as server` ends the server with status 0, unless it was killed.
    """

    def __init__(self, folder: Path, models: Path) -> None:
        self._folder, self._models = folder, models

    def environment(self, name: str, **variables: str) -> dict[str, str]:
        """Returns the variables of a server, on a free port, without the starter corpus."""
        data = self._folder / name
        data.mkdir(exist_ok=True)
        if not (data / "models").exists():
            (data / "models").symlink_to(self._models)
        return {
            **os.environ,
            "MCP_DATA_DIR": str(data),
            "MCP_KNOWLEDGE_PORT": str(_free_port()),
            "MCP_LOG_FORMAT": "json",
            "MCP_LOAD_CORPUS": "false",
            **variables,
        }

    @asynccontextmanager
    async def __call__(self, name: str, **variables: str):
        environment = self.environment(name, **variables)
        log = self._folder / name / "server.log"
        with log.open("ab") as told:
            process = await asyncio.create_subprocess_exec(*MODULE, env=environment, stdout=told, stderr=told)
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{environment['MCP_KNOWLEDGE_PORT']}") as channel:
                yield KnowledgeProcess(process, channel, log)
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 30) == 0, log.read_text()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def run(self, name: str, *words: str, **variables: str) -> tuple[int | None, str]:
        """Runs the command to its end; returns its status and what it told."""
        process = await asyncio.create_subprocess_exec(
            *(*MODULE, *words),
            env=self.environment(name, **variables),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await process.communicate()
        return process.returncode, told.decode()


@pytest.fixture(scope="module")
def start_knowledge(models, tmp_path_factory) -> KnowledgeServers:
    return KnowledgeServers(tmp_path_factory.mktemp("servers"), models)


@pytest.fixture
async def channel(collection):
    """A channel to a server of documents and their maintenance."""
    services = [
        knowledge_service(KnowledgeServicer(collection)),
        maintenance_service(MaintenanceServicer(collection)),
    ]
    async with running(services) as (_, opened):
        yield opened


@pytest.fixture
def knowledge(channel):
    return knowledge_pb2_grpc.KnowledgeServiceStub(channel)
