"""Bulk ingestion through the knowledge server: documents per second, its memory meanwhile, and what searches feel of it.

Usage: python bench/ingestion.py [--texts FOLDER] [--documents 10000] [--passages 20000] [--data-dir DIR] [--print]

A collection of --passages is there already (bench/large_collection.py). One client searches, first with the server idle,
then while another one, a process of its own, sends documents through BulkIngestDocuments; no query and no document is
the same as another.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import tempfile
import time
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import grpc
import psutil
from large_collection import Served, Texts, fill, read_texts, serving, share
from running import machine, write_table

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc, maintenance_pb2, maintenance_pb2_grpc

PAUSE_S = 0.03
"""Between two searches: a person's next question, not a load test."""
IDLE_S = 60.0
SAMPLES = 10
WORDS = 55
"""Words of a document at least: about 75 tokens."""


async def searches(address: str, queries: list[str], ending: asyncio.Event) -> list[float]:
    """Returns the milliseconds of every search until the event is set."""
    taken = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        for query in queries:
            if ending.is_set():
                break
            began = time.perf_counter()
            await stub.SemanticSearch(pb.SemanticSearchRequest(query=query), timeout=30)
            taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PAUSE_S)
    return taken


def ingested(address: str, texts: Texts, count: int, seed: str, pid: int) -> tuple[float, list[float]]:
    """Sends documents to the server of a process; for a process of its own, or searches would wait for its client.

    Returns:
        Seconds until the last acknowledgement, and the resident memory of the server after each tenth, MB.
    """
    return asyncio.run(_ingested(address, texts, count, seed, psutil.Process(pid)))


async def _ingested(
    address: str, texts: Texts, count: int, seed: str, process: psutil.Process
) -> tuple[float, list[float]]:
    memory: list[float] = []
    rng = random.Random(seed)

    async def documents() -> AsyncIterator[maintenance_pb2.BulkIngestDocumentsRequest]:
        for number in range(count):
            chosen: list[str] = []
            while sum(text.count(" ") + 1 for text in chosen) < WORDS:
                chosen.append(rng.choice(texts.sentences))
            document = pb.IngestDocumentRequest(
                title=" ".join(rng.choice(texts.sentences).split()[:6]),
                content=" ".join(chosen),
                category="utility",
                source="scientific",
                document_id=f"bulk-{seed}-{number}",
            )
            yield maintenance_pb2.BulkIngestDocumentsRequest(document=document)

    began, done = time.perf_counter(), 0
    async with grpc.aio.insecure_channel(address) as channel:
        stub = maintenance_pb2_grpc.KnowledgeMaintenanceServiceStub(channel)
        async for answer in stub.BulkIngestDocuments(documents(), timeout=7200):
            assert not answer.refusal, answer.refusal
            done += 1
            if done % max(1, count // SAMPLES) == 0:
                memory.append(process.memory_info().rss / 2**20)
    assert done == count
    return time.perf_counter() - began, memory


async def measure(served: Served, texts: Texts, options: argparse.Namespace, told: str) -> str:
    process, loop = psutil.Process(served.pid), asyncio.get_running_loop()
    seed = str(time.time_ns())
    queries = texts.queries(60_000, int(seed) % 1_000_003)
    ending = asyncio.Event()
    # gRPC does not survive a fork.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        await loop.run_in_executor(pool, ingested, served.address, texts, 100, f"w{seed}", served.pid)
        loop.call_later(IDLE_S, ending.set)
        idle = await searches(served.address, queries[:20_000], ending)
        ending.clear()
        memory = [process.memory_info().rss / 2**20]
        searching = asyncio.create_task(searches(served.address, queries[20_000:], ending))
        cpu = process.cpu_times()
        seconds, grown = await loop.run_in_executor(
            pool, ingested, served.address, texts, options.documents, seed, served.pid
        )
        spent = process.cpu_times()
        ending.set()
        meanwhile = await searching
    used = spent.user + spent.system - cpu.user - cpu.system
    return "\n".join(
        (
            "## Bulk ingestion",
            "",
            (
                f"`python bench/ingestion.py --texts FOLDER --documents {options.documents} --passages {options.passages}`, {machine()}. "
                f"Documents of about 75 tokens made of {told}, beside {options.passages:,} passages that are there; client and "
                "server share the cores."
            ),
            "",
            (
                f"{options.documents:,} documents in {seconds:.0f} s: {options.documents / seconds:.1f} a second, "
                f"{used / options.documents * 1000:.0f} ms of CPU each, with the searches meanwhile."
            ),
            "",
            "| Searches of one client | Searches | p50 ms | p99 ms | Slowest ms |",
            "|---|---|---|---|---|",
            *(
                f"| {name} | {len(taken)} | {share(taken, 0.5):.1f} | {share(taken, 0.99):.1f} | {max(taken):.1f} |"
                for name, taken in (("idle", idle), ("during the ingestion", meanwhile))
            ),
            f"| ratio | | {share(meanwhile, 0.5) / share(idle, 0.5):.2f} | {share(meanwhile, 0.99) / share(idle, 0.99):.2f} | |",
            "",
            (
                f"{sum(taken > 2 * share(idle, 0.99) for taken in meanwhile)} of the {len(meanwhile):,} searches during "
                "the ingestion took longer than twice the idle p99."
            ),
            "",
            f"Resident memory at the start and after each tenth, MB: {', '.join(f'{value:.0f}' for value in [*memory, *grown])}.",
        )
    )


def started_again(data_dir: Path) -> str:
    """Returns what a server needs that is started over the same passages: what it holds beyond came with ingesting."""
    with serving(data_dir) as served:
        resident = psutil.Process(served.pid).memory_info().rss / 2**20
    return f"A server that is started over all of them has {resident:.0f} MB."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--texts", type=Path, help="collection in the layout of BEIR; the starter corpus when not given"
    )
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--data-dir", type=Path, help="keeps the collection")
    parser.add_argument("--print", action="store_true", help="prints the table and leaves docs/benchmarks.md alone")
    options = parser.parse_args()
    texts = read_texts(options.texts)
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = options.data_dir or Path(scratch)
        asyncio.run(fill(data_dir, texts, options.passages))
        with serving(data_dir) as served:
            table = asyncio.run(measure(served, texts, options, texts.told))
        table = f"{table} {started_again(data_dir)}"
    if options.print:
        print(table)
    else:
        write_table("ingestion", table)


if __name__ == "__main__":
    main()
