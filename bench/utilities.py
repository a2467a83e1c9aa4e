"""Profiles a second: in-process, against another package, through the stream over gRPC, and under many clients.

Usage: python bench/utilities.py [--rows N] [--peer PYTHON]

The peer is the package `numerology` 1.8, in an environment of its own: `python -m venv X; X/bin/pip install numerology`,
then --peer X/bin/python. Names and dates are random but the same in every run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import grpc
import psutil
from running import BIN, free_port, machine, process, write_table

from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers.utilities.v1 import utilities_pb2_grpc
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    LetterPolicy,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    SummingMethod,
    YRule,
)
from onenumbers_utilities.numerology.profile import profile

PEER = """
import json, sys, time
from numerology import Pythagorean
people = json.load(sys.stdin)
times, found = [], []
for first, last, born in people:
    began = time.perf_counter()
    one = Pythagorean(first_name=first, last_name=last, birthdate=born, verbose=False)
    figures = one.key_figures
    times.append(time.perf_counter() - began)
    found.append((one.life_path_number, one.destiny_number, one.hearth_desire_number, one.personality_number))
json.dump({"times": times, "found": found}, sys.stdout)
"""
PARTS = NumerologyOptions(summing_method=SummingMethod.LETTER_TOTAL, y_rule=YRule.ALWAYS_VOWEL)
WHOLE = NumerologyOptions(summing_method=SummingMethod.PER_NAME_PLAIN, y_rule=YRule.ALWAYS_VOWEL)
DATE = NumerologyOptions(life_path_method=LifePathMethod.GROUPED_PLAIN, master_set=MasterSet.NONE)
"""The methods of the peer: PARTS for vowels and consonants, WHOLE for the whole name, DATE for the life path."""


def people(count: int) -> list[tuple[str, str, date]]:
    """Returns random people with a first and a last name."""
    chance = random.Random(1)
    letters = "aabcdeeefghiijklmnnoopqrrsttuuvwxyz"

    def word() -> str:
        return "".join(chance.choices(letters, k=chance.randint(3, 11))).capitalize()

    start = date(1920, 1, 1)
    return [(word(), word(), start + timedelta(chance.randrange(36_500))) for _ in range(count)]


def median_us(times: list[float]) -> float:
    return statistics.median(times) * 1e6


def in_process(sample: list[tuple[str, str, date]]) -> float:
    """Returns the median microseconds of a whole profile without sums."""
    times = []
    for first, last, born in sample:
        began = time.perf_counter()
        profile(f"{first} {last}", born, explain=False)
        times.append(time.perf_counter() - began)
    return median_us(times)


def common(sample: list[tuple[str, str, date]]) -> tuple[float, list[tuple[int | None, ...]]]:
    """Returns microseconds and values of the four numbers that the peer has too, by its methods."""
    times, found = [], []
    for first, last, born in sample:
        began = time.perf_counter()
        read = read_name(f"{first} {last}", LetterPolicy.DIRECT)
        name = mark_name(read, PARTS)
        numbers = (
            life_path(born, DATE, explain=False),
            expression(mark_name(read, WHOLE), explain=False),
            soul_urge(name, explain=False),
            personality(name, explain=False),
        )
        times.append(time.perf_counter() - began)
        found.append(tuple(number.value for number in numbers))
    return median_us(times), found


def difference(ours: int | None, theirs: int) -> str:
    """Returns why two values differ, as far as the peer's rules tell."""
    if ours is None:
        return "where there is nothing to count (the peer gives 0, here the number is unset)"
    if theirs > 33 and theirs % 11 == 0 and ours == 1 + (theirs - 1) % 9:
        return "where the peer keeps a multiple of 11 above 33 as a master number, which no school here does"
    return "NOT EXPLAINED"


def against_peer(python: Path, sample: list[tuple[str, str, date]]) -> list[str]:
    """Returns the lines of the comparison."""
    rows = [(first, last, born.isoformat()) for first, last, born in sample]
    ratios, peers, ours = [], [], []
    differences: Counter[str] = Counter()
    for _ in range(5):
        answer = subprocess.run(
            [python, "-c", PEER], input=json.dumps(rows), capture_output=True, text=True, check=True, timeout=600
        )
        theirs = json.loads(answer.stdout)
        mine, values = common(sample)
        peers.append(median_us(theirs["times"]))
        ours.append(mine)
        ratios.append(peers[-1] / mine)
        differences = Counter(
            difference(a, b)
            for one, other in zip(values, theirs["found"], strict=True)
            for a, b in zip(one, other, strict=True)
            if a != b
        )
    ratios.sort()
    told = "; ".join(f"{count} {why}" for why, count in sorted(differences.items())) or "none"
    row = (
        f"| the four numbers that `numerology` 1.8 has too | {statistics.median(ours):.1f} us "
        f"| {statistics.median(peers):.1f} us | {statistics.median(ratios):.1f} ({ratios[0]:.1f}-{ratios[-1]:.1f}) |"
    )
    return [row, f"\nOf {len(sample):,} people, values that differ: {told}."]


async def stream(address: str, rows: int, pid: int) -> tuple[float, float, float]:
    """Returns profiles a second of wall time, of the server's CPU time, and the growth of its memory in MB."""
    sample = people(1_000)
    message = pb.StreamProfilesRequest(
        profiles=[
            pb.ProfileInput(name=f"{first} {last}", year=born.year, month=born.month, day=born.day)
            for first, last, born in sample
        ]
    )

    async def requests(count: int) -> AsyncIterator[pb.StreamProfilesRequest]:
        for _ in range(count):
            yield message

    server = psutil.Process(pid)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = utilities_pb2_grpc.UtilitiesServiceStub(channel)

        async def run(count: int) -> int:
            done = 0
            async for response in stub.StreamProfiles(requests(count), timeout=3600):
                done += len(response.items)
            return done

        await run(20)
        memory, cpu, began = server.memory_info().rss, sum(server.cpu_times()[:2]), time.perf_counter()
        done = await run(rows // 1_000)
        took = time.perf_counter() - began
        used = sum(server.cpu_times()[:2]) - cpu
        return done / took, done / used, (server.memory_info().rss - memory) / 1e6


async def clients(address: str, count: int, each: int) -> tuple[float, float, float, int]:
    """Returns calls/s, p50 and p99 in ms, and errors of `count` clients with a channel of their own."""
    times: list[float] = []
    errors = 0

    async def one(number: int) -> None:
        nonlocal errors
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(address, options=options) as channel:
            stub = utilities_pb2_grpc.UtilitiesServiceStub(channel)
            for turn in range(each):
                request = pb.CalculateLifePathRequest(day=1 + turn % 28, month=1 + number % 12, year=1950 + turn % 70)
                began = time.perf_counter()
                try:
                    await stub.CalculateLifePath(request, timeout=30)
                    times.append(time.perf_counter() - began)
                except grpc.aio.AioRpcError:
                    errors += 1

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(count)))
    took = time.perf_counter() - began
    times.sort()
    return len(times) / took, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3, errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="profiles through the stream")
    parser.add_argument("--peer", type=Path, help="Python of an environment with numerology 1.8")
    options = parser.parse_args()
    sample = people(20_000)
    in_process(sample[:2_000])
    whole = in_process(sample)
    lines = ["| What | Ours | Peer | Ratio |", "|---|---|---|---|"]
    lines.append(f"| a whole profile in-process, without sums, median | {whole:.1f} us | | |")
    notes: list[str] = []
    if options.peer is not None:
        row, note = against_peer(options.peer, sample[:5_000])
        lines.append(row)
        notes.append(note)
    port = free_port()
    environment = {"MCP_UTILITIES_PORT": str(port), "MCP_LOG_LEVEL": "error", "MCP_MAX_CONCURRENT_RPCS": "1000"}
    with process(BIN / "python", "-m", "onenumbers_utilities", port=port, environment=environment) as server:
        address = f"127.0.0.1:{port}"
        wall, cpu, grown = asyncio.run(stream(address, options.rows, server.pid))
        lines.append(
            f"| profiles/s through the stream, {options.rows:,} rows, client on the other core | {wall:,.0f} | | |"
        )
        lines.append(f"| profiles per second of the server's CPU time | {cpu:,.0f} | | |")
        lines.append(f"| growth of the server's memory meanwhile | {grown:.1f} MB | | |")
        rate, p50, p99, errors = asyncio.run(clients(address, 200, 50))
        lines.append(
            f"| 200 clients at once on calculate_life_path: {rate:,.0f} calls/s, {errors} errors "
            f"| p50 {p50:.1f} ms | p99 {p99:.1f} ms | {p99 / p50:.1f} |"
        )
    peer = " --peer PYTHON" if options.peer is not None else ""
    note = f"`python bench/utilities.py --rows {options.rows}{peer}`, {machine()}."
    write_table("utilities", "## Utilities\n\n" + note + "\n\n" + "\n".join(lines + notes))


if __name__ == "__main__":
    main()
