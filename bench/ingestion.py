"""Bulk ingestion through the knowledge server: documents per second, its memory meanwhile, and what searches feel of it.

Usage: python bench/ingestion.py [--texts FOLDER] [--documents 10000] [--passages 20000] [--rewritten 3000]
                                 [--data-dir DIR] [--print]

A collection of --passages is there already (bench/large_collection.py). One client searches, first with the server idle,
then while another one, a process of its own, sends documents through BulkIngestDocuments; no query and no document is
the same as another. Then it sends --rewritten of them again with other text, by which the collection does not grow: nor
must the memory. What the index itself needs for the new documents is told by two servers that have just started, one
before them and one after.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
STOLEN_MS = 10.0
"""One tick of the clock that Linux counts the time by that a hypervisor gave to others."""
WORDS = 55
"""Words of a document at least: about 75 tokens."""


class Search(NamedTuple):
    """What one search took."""

    ms: float
    stolen_ms: float
    """Processor time that the hypervisor gave to others meanwhile, of all cores; 0 where the system does not tell."""


def stolen_ms() -> float:
    return float(getattr(psutil.cpu_times(), "steal", 0.0)) * 1000


def resident(process: psutil.Process) -> float:
    """Returns the resident memory of a process, MB."""
    return float(process.memory_info().rss) / 2**20


async def searches(address: str, queries: list[str], ending: asyncio.Event) -> list[Search]:
    """Searches until the event is set."""
    taken = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        for query in queries:
            if ending.is_set():
                break
            before, began = stolen_ms(), time.perf_counter()
            await stub.SemanticSearch(pb.SemanticSearchRequest(query=query), timeout=30)
            taken.append(Search((time.perf_counter() - began) * 1000, stolen_ms() - before))
            await asyncio.sleep(PAUSE_S)
    return taken


@dataclass(frozen=True)
class Sending:
    """Documents to be sent to a server. Of the same name they have the same ids, of another seed other texts."""

    served: Served
    texts: Texts
    count: int
    name: str
    seed: str

    def run(self) -> tuple[float, list[float]]:
        """Sends them; for a process of its own, or searches would wait for its client.

        Returns:
            Seconds until the last acknowledgement, and the resident memory of the server after each tenth, MB.
        """
        return asyncio.run(self._sent())

    async def _sent(self) -> tuple[float, list[float]]:
        memory: list[float] = []
        process, began, done = psutil.Process(self.served.pid), time.perf_counter(), 0
        async with grpc.aio.insecure_channel(self.served.address) as channel:
            stub = maintenance_pb2_grpc.KnowledgeMaintenanceServiceStub(channel)
            async for answer in stub.BulkIngestDocuments(self._documents(), timeout=7200):
                assert not answer.refusal, answer.refusal
                done += 1
                if done % max(1, self.count // SAMPLES) == 0:
                    memory.append(resident(process))
        assert done == self.count
        return time.perf_counter() - began, memory

    async def _documents(self) -> AsyncIterator[maintenance_pb2.BulkIngestDocumentsRequest]:
        rng = random.Random(self.seed)
        for number in range(self.count):
            chosen: list[str] = []
            while sum(text.count(" ") + 1 for text in chosen) < WORDS:
                chosen.append(rng.choice(self.texts.sentences))
            document = pb.IngestDocumentRequest(
                title=" ".join(rng.choice(self.texts.sentences).split()[:6]),
                content=" ".join(chosen),
                category="utility",
                source="scientific",
                document_id=f"bulk-{self.name}-{number}",
            )
            yield maintenance_pb2.BulkIngestDocumentsRequest(document=document)


@dataclass
class Measured:
    """What was measured of a server."""

    started: float
    """Resident memory of a server that has just started, before the documents, MB."""
    idle: list[Search]
    meanwhile: list[Search]
    seconds: float
    cpu_s: float
    memory: list[float]
    """Before the documents and after each tenth of them."""
    rewriting: list[float]
    """After each tenth of those that were sent again."""
    started_again: float = 0.0
    """The same of another one, with all documents."""


async def measure(served: Served, texts: Texts, options: argparse.Namespace) -> Measured:
    process, loop = psutil.Process(served.pid), asyncio.get_running_loop()
    started = resident(process)
    seed = str(time.time_ns())
    queries = texts.queries(60_000, int(seed) % 1_000_003)
    ending = asyncio.Event()
    # gRPC does not survive a fork.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:

        async def sent(count: int, name: str, seed: str) -> tuple[float, list[float]]:
            return await loop.run_in_executor(pool, Sending(served, texts, count, name, seed).run)

        await sent(100, f"w{seed}", f"w{seed}")
        loop.call_later(IDLE_S, ending.set)
        idle = await searches(served.address, queries[:20_000], ending)
        ending.clear()
        before = resident(process)
        searching = asyncio.create_task(searches(served.address, queries[20_000:], ending))
        cpu = process.cpu_times()
        seconds, grown = await sent(options.documents, seed, seed)
        spent = process.cpu_times()
        ending.set()
        meanwhile = await searching
        rewriting: list[float] = []
        if options.rewritten:
            _, rewriting = await sent(min(options.rewritten, options.documents), seed, f"again{seed}")
    used = spent.user + spent.system - cpu.user - cpu.system
    return Measured(started, idle, meanwhile, seconds, used, [before, *grown], rewriting)


def told_slow(name: str, taken: Sequence[Search], least: float) -> str:
    """Tells how many searches took longer than a time, ms, and during how many the hypervisor took a core away."""
    slow = [search for search in taken if search.ms > least]
    stolen, of_all = (sum(search.stolen_ms >= STOLEN_MS for search in some) for some in (slow, taken))
    return f"{name} {len(slow)} of {len(taken):,} ({stolen} of them, and {of_all:,} of all, in such a moment)"


def table(measured: Measured, options: argparse.Namespace, told: str) -> str:
    idle, meanwhile = ([search.ms for search in taken] for taken in (measured.idle, measured.meanwhile))
    twice = 2 * share(idle, 0.99)
    return "\n".join(
        (
            "## Bulk ingestion",
            "",
            (
                f"`python bench/ingestion.py --texts FOLDER --documents {options.documents} --passages {options.passages} "
                f"--rewritten {options.rewritten}`, {machine()}. Documents of about 75 tokens made of {told}, beside "
                f"{options.passages:,} passages that are there; client and server share the cores."
            ),
            "",
            (
                f"{options.documents:,} documents in {measured.seconds:.0f} s: "
                f"{options.documents / measured.seconds:.1f} a second, "
                f"{measured.cpu_s / options.documents * 1000:.0f} ms of CPU each, with the searches meanwhile."
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
                f"Longer than twice the idle p99 took: {told_slow('idle', measured.idle, twice)}; "
                f"{told_slow('during the ingestion', measured.meanwhile, twice)}. Such a moment is one in which the "
                f"hypervisor gave {STOLEN_MS:.0f} ms or more of this machine's processors to others."
            ),
            "",
            (
                f"Resident memory before and after each tenth, MB: {_listed(measured.memory)}. {told_rewriting(measured)}"
                f"A server that has just started has {measured.started:.0f} MB before, and "
                f"{measured.started_again:.0f} MB with all of them: the index needs "
                f"{measured.started_again - measured.started:.0f} MB for them."
            ),
        )
    )


def told_rewriting(measured: Measured) -> str:
    if not measured.rewriting:
        return ""
    return f"While documents were then sent again with other text: {_listed(measured.rewriting)}. "


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.0f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--texts", type=Path, help="collection in the layout of BEIR; the starter corpus when not given"
    )
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--rewritten", type=int, default=3_000, help="documents that are sent again; 0: none")
    parser.add_argument("--data-dir", type=Path, help="keeps the collection")
    parser.add_argument("--print", action="store_true", help="prints the table and leaves docs/benchmarks.md alone")
    options = parser.parse_args()
    texts = read_texts(options.texts)
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = options.data_dir or Path(scratch)
        asyncio.run(fill(data_dir, texts, options.passages))
        # It saves its index: one that starts with it and one that makes it do not need the same memory.
        with serving(data_dir):
            pass
        with serving(data_dir) as served:
            measured = asyncio.run(measure(served, texts, options))
        with serving(data_dir) as served:
            measured.started_again = resident(psutil.Process(served.pid))
    lines = table(measured, options, texts.told)
    if options.print:
        print(lines)
    else:
        write_table("ingestion", lines)


if __name__ == "__main__":
    main()
