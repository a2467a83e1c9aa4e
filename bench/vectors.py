"""The index of large collections: recall, time and memory at a million vectors, and from which size it is worth it.

Usage: python bench/vectors.py [--vectors 1000000] [--seeds FILE.npy ...] [--print]

The vectors are made: no million of real passages is at hand. With --seeds they spread from real embeddings (arrays of
384 dimensions), each a mix of one of them and a neighbour, with noise of the same covariance; without, from clusters of
48 effective dimensions. Queries are made the same way and are not in the index. Everything runs on one thread.
"""

from __future__ import annotations

import argparse
import gc
import time
from pathlib import Path

import faiss
import numpy as np
import psutil
from numpy.typing import NDArray
from running import machine, median, write_table

from onenumbers_knowledge.index import large as large_index

DIMENSIONS = 384
PART = 20_000
QUERIES = 200
SIZES = (5_000, 10_000, 20_000, 50_000, 100_000)


class Maker:
    """Makes vectors, the same ones for a seed.

    Args:
        seeds: Real embeddings that they spread from, shape (n, 384); clusters are made where there are none.
    """

    def __init__(self, seeds: NDArray[np.float32] | None) -> None:
        rng = np.random.default_rng(11)
        if seeds is not None:
            self.seeds = np.unique(seeds, axis=0)
        else:
            basis = rng.normal(size=(48, DIMENSIONS)).astype(np.float32)
            centres = rng.normal(size=(2_000, 48)).astype(np.float32)
            inner = np.repeat(centres, 8, axis=0) + 0.5 * rng.normal(size=(16_000, 48)).astype(np.float32)
            self.seeds = unit(inner @ basis)
        flat = faiss.IndexFlatIP(DIMENSIONS)
        flat.add(self.seeds)
        self.near = flat.search(self.seeds, 9)[1][:, 1:]
        values, vectors = np.linalg.eigh(np.cov(self.seeds[:20_000], rowvar=False))
        self.spread = (vectors * np.sqrt(np.maximum(values, 0))).astype(np.float32)

    def make(self, count: int, seed: int) -> NDArray[np.float32]:
        """Returns vectors of length 1, shape (count, 384)."""
        rng = np.random.default_rng(seed)
        first = rng.integers(len(self.seeds), size=count)
        second = self.near[first, rng.integers(self.near.shape[1], size=count)]
        share = rng.random((count, 1), dtype=np.float32) * 0.5
        noise = rng.normal(size=(count, DIMENSIONS)).astype(np.float32) @ self.spread.T
        return unit((1 - share) * self.seeds[first] + share * self.seeds[second] + 0.5 * noise)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def resident_mb() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss / 2**20)


def milliseconds(search: object, queries: NDArray[np.float32]) -> list[float]:
    taken = []
    for query in queries:
        began = time.perf_counter()
        search(query)  # type: ignore[operator]
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=Path, nargs="*", default=[])
    parser.add_argument("--print", action="store_true", help="prints the table and leaves docs/benchmarks.md alone")
    options = parser.parse_args()
    files = [np.load(file).astype(np.float32) for file in options.seeds]
    maker = Maker(np.concatenate(files) if files else None)
    queries = maker.make(QUERIES, 999_999)
    rows = []
    for size in SIZES:
        vectors = maker.make(size, 5)
        flat = faiss.IndexFlatIP(DIMENSIONS)
        flat.add(vectors)
        keys = np.arange(size, dtype=np.int64)
        large = large_index.build(
            lambda keys=keys, vectors=vectors: [(keys, vectors)], count=size, dimensions=DIMENSIONS
        )
        faiss.omp_set_num_threads(1)
        exact = median(milliseconds(lambda query, flat=flat: flat.search(query.reshape(1, -1), 10), queries))
        quick = median(milliseconds(lambda query, large=large: large_index.search(large, query, 10, None), queries))
        rows.append(f"| {size:,} | {exact:.2f} | {quick:.2f} | {large.nprobe} of {large.nlist} |")
        print(rows[-1], flush=True)
        faiss.omp_set_num_threads(2)
        del flat, large, vectors
    before = resident_mb()

    def parts():
        for number in range(0, options.vectors, PART):
            count = min(PART, options.vectors - number)
            yield np.arange(number, number + count, dtype=np.int64), maker.make(count, number)

    began = time.perf_counter()
    large = large_index.build(parts, count=options.vectors, dimensions=DIMENSIONS)
    seconds = time.perf_counter() - began
    memory = resident_mb() - before
    exact = large_index.Exact(queries)
    for keys, vectors in parts():
        exact.see(keys, vectors)
    best = exact.best(10)
    faiss.omp_set_num_threads(1)
    hits = sum(
        len(np.intersect1d(large_index.search(large, query, 10, None)[0], wanted))
        for query, wanted in zip(queries, best, strict=True)
    )
    taken = milliseconds(lambda query: large_index.search(large, query, 10, None), queries)
    told = (
        f"`python bench/vectors.py`, {machine()}. {options.vectors:,} vectors of {DIMENSIONS} dimensions, "
        f"{'spread from real embeddings' if options.seeds else 'made from clusters'}; one thread. Recall@10 against "
        f"exact search {hits / best.size:.3f}; a search p50 {median(taken):.2f} ms, p99 "
        f"{taken[int(len(taken) * 0.99)]:.2f} ms; {memory:.0f} MB resident more than before; built in {seconds:.0f} s; "
        f"{large.nprobe} of {large.nlist} lists are looked at."
    )
    table = (
        "## Vectors",
        "",
        told,
        "",
        "| Vectors | Exact, ms | Lists, ms | Lists looked at |",
        "|---|---|---|---|",
        *rows,
    )
    if options.print:
        print("\n".join(table))
    else:
        write_table("vectors", "\n".join(table))


if __name__ == "__main__":
    main()
