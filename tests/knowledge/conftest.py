"""A collection over a real store and a real index; the model is real where a test says so."""

import asyncio
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.documents import NewDocument
from onenumbers_knowledge.service import KnowledgeServicer, knowledge_service
from onenumbers_knowledge.store import open_store
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
async def store(store_path: Path):
    async with open_store(store_path) as opened:
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
