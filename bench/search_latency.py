"""Latency of a search through the knowledge server, query embedding included, at 1 to 16 clients.

Usage: python bench/search_latency.py [--texts FOLDER] [--passages 100000] [--data-dir DIR] [--seconds 8] [--print]
       python bench/search_latency.py --running HOST:PORT,PID [--texts FOLDER] ...

The collection is made by bench/large_collection.py; --texts names a collection in the layout of BEIR whose sentences it
is made of, and --data-dir keeps it for the next run. No query is asked twice, so no vector comes from the cache. The
clients are coroutines of one process beside the server, on the same cores.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import tempfile
import time
from pathlib import Path

import grpc
import psutil
from large_collection import Served, Texts, fill, read_texts, serving, share
from running import machine, write_table

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc

CLIENTS = (1, 2, 4, 8, 16)
MODES = (
    ("hybrid, the default", pb.SEARCH_MODE_HYBRID),
    ("dense", pb.SEARCH_MODE_DENSE),
    ("lexical", pb.SEARCH_MODE_LEXICAL),
)
WARM_UP_S = 5.0


async def load(address: str, queries: list[str], clients: int, seconds: float, mode: int) -> tuple[list[float], float]:
    """Returns the milliseconds of every search, and the searches per second."""
    taken: list[float] = []
    source = itertools.cycle(queries)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        end = time.perf_counter() + seconds

        async def client() -> None:
            while time.perf_counter() < end:
                began = time.perf_counter()
                answer = await stub.SemanticSearch(
                    pb.SemanticSearchRequest(query=next(source), mode=mode, top_k=5), timeout=30
                )
                taken.append((time.perf_counter() - began) * 1000)
                assert answer.passages_searched

        began = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return taken, len(taken) / (time.perf_counter() - began)


async def measure(served: Served, texts: Texts, options: argparse.Namespace) -> str:
    before_load = os.getloadavg()[0]
    seeds = itertools.count(time.time_ns() % 1_000_000)

    def fresh() -> list[str]:
        return texts.queries(6_000, next(seeds))

    rows, modes = [], []
    process = psutil.Process(served.pid)
    await load(served.address, fresh(), 1, WARM_UP_S, pb.SEARCH_MODE_HYBRID)
    for clients in CLIENTS:
        before = process.cpu_times()
        taken, rate = await load(served.address, fresh(), clients, options.seconds, pb.SEARCH_MODE_HYBRID)
        after = process.cpu_times()
        cpu = (after.user + after.system - before.user - before.system) / len(taken) * 1000
        rows.append(
            f"| {clients} | {len(taken)} | {rate:.0f} | {share(taken, 0.5):.1f} | {share(taken, 0.99):.1f} | {cpu:.1f} |"
        )
        print(rows[-1], flush=True)
    for name, mode in MODES:
        taken, _ = await load(served.address, fresh(), 1, options.seconds / 2, mode)
        modes.append(f"| {name} | {share(taken, 0.5):.1f} | {share(taken, 0.99):.1f} |")
        print(modes[-1], flush=True)
    memory = process.memory_info().rss / 2**20
    told = (
        f"`python bench/search_latency.py --texts FOLDER`, {machine()}. {options.passages:,} passages made of {texts.told}, "
        "with vectors spread from real ones; 5 hits, excerpts included, over gRPC, the query embedded each time, "
        f"after {WARM_UP_S:.0f} s of other searches. The server has {memory:.0f} MB resident; load average of the machine before the run {before_load:.1f}."
    )
    return "\n".join(
        (
            "## Search",
            "",
            told,
            "",
            "| Clients | Searches | Searches/s | p50 ms | p99 ms | Server's CPU ms a search |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            "| Mode, one client | p50 ms | p99 ms |",
            "|---|---|---|",
            *modes,
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--texts", type=Path, help="collection in the layout of BEIR; the starter corpus when not given"
    )
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--data-dir", type=Path, help="keeps the collection")
    parser.add_argument("--running", help="measures a server that runs already over such a collection: HOST:PORT,PID")
    parser.add_argument("--seconds", type=float, default=8.0, help="seconds of each load")
    parser.add_argument("--print", action="store_true", help="prints the table and leaves docs/benchmarks.md alone")
    options = parser.parse_args()
    texts = read_texts(options.texts)
    if options.running:
        address, _, pid = options.running.partition(",")
        table = asyncio.run(measure(Served(address, int(pid), 0.0), texts, options))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            data_dir = options.data_dir or Path(scratch)
            asyncio.run(fill(data_dir, texts, options.passages))
            with serving(data_dir) as served:
                table = asyncio.run(measure(served, texts, options))
    if options.print:
        print(table)
    else:
        write_table("search", table)


if __name__ == "__main__":
    main()
