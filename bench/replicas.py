"""How long after a write through one knowledge server another one of the same PostgreSQL finds it.

Usage: python bench/replicas.py --database postgresql://USER@HOST/NAME [--writes N]

The database should be empty; its documents whose ids begin with "bench-" are replaced. Two servers start, documents
are stored through either in turn, and the other is asked again and again until it finds them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from running import free_port, machine, process, write_table

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc

PATIENCE_S = 30.0


async def serves(channel: grpc.aio.Channel) -> None:
    asked = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=180)
    async for answer in asked:
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            return


async def found_after(stub: knowledge_pb2_grpc.KnowledgeServiceStub, word: str) -> float:
    """Returns the milliseconds until a search finds a word."""
    begun = time.perf_counter()
    asked = pb.SemanticSearchRequest(query=word, top_k=1, mode=pb.SEARCH_MODE_LEXICAL)
    while time.perf_counter() - begun < PATIENCE_S:
        if (await stub.SemanticSearch(asked)).hits:
            return (time.perf_counter() - begun) * 1000
    sys.exit(f"{word} was not found within {PATIENCE_S:g} s")


async def measure(ports: list[int], writes: int) -> tuple[list[float], list[float]]:
    """Returns the milliseconds of the writes, and those until the other server finds them."""
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}") for port in ports]
    await asyncio.gather(*(serves(channel) for channel in channels))
    stubs = [knowledge_pb2_grpc.KnowledgeServiceStub(channel) for channel in channels]
    stored, seen = [], []
    for number in range(writes):
        one, other = stubs[number % 2], stubs[1 - number % 2]
        word = f"word{time.time_ns()}"
        request = pb.IngestDocumentRequest(
            document_id=f"bench-{number:05}", title="Note", content=f"The word is {word}.", category="utility"
        )
        begun = time.perf_counter()
        await one.IngestDocument(request)
        stored.append((time.perf_counter() - begun) * 1000)
        seen.append(await found_after(other, word))
    for channel in channels:
        await channel.close()
    return sorted(stored), sorted(seen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True)
    parser.add_argument("--writes", type=int, default=200)
    options = parser.parse_args()
    ports = [free_port(), free_port()]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        for number, port in enumerate(ports):
            environment = {
                **os.environ, "DATABASE_URL": options.database, "MCP_DATA_DIR": str(Path(scratch) / str(number)),
                "MCP_KNOWLEDGE_PORT": str(port), "MCP_LOAD_CORPUS": "false",
            }  # fmt: skip
            command = (sys.executable, "-m", "onenumbers_knowledge")
            stack.enter_context(process(*command, port=port, environment=environment))
        stored, seen = asyncio.run(measure(ports, options.writes))
    rows = ["| | p50, ms | p99, ms | most, ms |", "|---|---|---|---|"]
    for name, values in (("write, acknowledged", stored), ("then until the other server finds it", seen)):
        at = [values[len(values) // 2], values[min(len(values) - 1, int(len(values) * 0.99))], values[-1]]
        rows.append(f"| {name} | {' | '.join(f'{value:.0f}' for value in at)} |")
    text = (
        f"## Two knowledge servers on one PostgreSQL\n\n`python bench/replicas.py --writes {options.writes}`, "
        f"{machine()}, documents of one passage.\n\n" + "\n".join(rows)
    )
    write_table("replicas", text)


if __name__ == "__main__":
    main()
