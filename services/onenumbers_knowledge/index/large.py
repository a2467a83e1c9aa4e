"""The index of large collections: inverted lists of vectors in 8 bits a dimension, tuned to a measured recall.

A quarter of the memory of exact vectors, and a search looks only at the lists near the query. How many lists that are
is not guessed: it is the least number that finds `RECALL` of what an exact search finds, on vectors of the collection.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

RECALL = 0.99
"""Share of the ten nearest that must be found, measured when the index is built."""
_PER_LIST = 40
"""Vectors that each list is trained with."""
_QUERIES = 200
"""Vectors that the recall is measured with."""
_NEAREST = 10
_PARAMETERS: Any = faiss.SearchParametersIVF
"""FAISS adds its keyword arguments when it is imported; its stubs do not know them."""
_FAISS: Any = faiss
"""Nor do they know all of its names."""

Parts = Callable[[], Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]]
"""Gives keys and vectors part by part; asked twice."""


def list_count(vectors: int) -> int:
    """Returns the number of inverted lists for a number of vectors: a power of two near four square roots."""
    return int(2 ** round(math.log2(4 * math.sqrt(max(vectors, 1)))))


def build(parts: Parts, *, count: int, dimensions: int) -> Any:
    """Returns a trained and filled FAISS index whose `nprobe` reaches `RECALL`.

    Memory beside the index is one part, the training sample and the measured queries.

    Args:
        parts: Gives the vectors, each of length 1.
        count: How many there are, about.
        dimensions: Length of a vector.
    """
    lists = list_count(count)
    step = max(1, count // (lists * _PER_LIST))
    sample = np.concatenate([vectors[::step] for _, vectors in parts()])
    index: Any = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimensions), dimensions, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter = 10
    index.train(np.ascontiguousarray(sample))
    # A table from key to place, or removing and reading one vector would scan all of them.
    index.set_direct_map_type(_FAISS.DirectMap.Hashtable)
    queries = np.ascontiguousarray(sample[:: max(1, len(sample) // _QUERIES)][:_QUERIES])
    exact = Exact(queries)
    for keys, vectors in parts():
        contiguous = np.ascontiguousarray(vectors)
        index.add_with_ids(contiguous, keys)
        exact.see(keys, contiguous)
    index.nprobe = _probes(index, queries, exact.keys, lists)
    return index


def search(
    index: Any, vector: NDArray[np.float32], count: int, allowed: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns keys and approximate cosines, best first.

    Args:
        index: Made by `build`.
        vector: Vector of length 1.
        count: How many at most.
        allowed: Keys that may be found; all when None.
    """
    probes = index.nprobe
    selector: Any = None
    if allowed is not None:
        # The fewer may be found, the farther away the nearest of them are.
        probes = math.ceil(probes * max(1.0, index.ntotal / max(1, len(allowed))))
        selector = faiss.IDSelectorBatch(allowed)
    parameters = _PARAMETERS(nprobe=min(probes, index.nlist), sel=selector)
    scores, keys = index.search(vector.reshape(1, -1), count, params=parameters)
    found = keys[0] >= 0
    return keys[0][found], scores[0][found]


class Exact:
    """The nearest vectors of queries, found exactly, part by part.

    Args:
        queries: Shape (n, dimensions).
    """

    def __init__(self, queries: NDArray[np.float32]) -> None:
        self._queries = queries
        self.keys = np.full((len(queries), _NEAREST + 1), -1, dtype=np.int64)
        self._scores = np.full((len(queries), _NEAREST + 1), -np.inf, dtype=np.float32)

    def see(self, keys: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Takes a part into account: keys (n,), vectors (n, dimensions)."""
        scores = np.concatenate([self._scores, self._queries @ vectors.T], axis=1)
        all_keys = np.concatenate([self.keys, np.broadcast_to(keys, (len(self._queries), len(keys)))], axis=1)
        best = np.argpartition(-scores, _NEAREST, axis=1)[:, : _NEAREST + 1]
        self._scores = np.take_along_axis(scores, best, axis=1)
        self.keys = np.take_along_axis(all_keys, best, axis=1)

    def best(self, count: int) -> NDArray[np.int64]:
        """Returns the keys of the nearest, at most eleven for each query, best first."""
        order = np.argsort(-self._scores, axis=1)[:, :count]
        return np.take_along_axis(self.keys, order, axis=1)


def _probes(index: Any, queries: NDArray[np.float32], wanted: NDArray[np.int64], lists: int) -> int:
    """Returns the least number of lists, doubling from 1, that reaches the recall; all lists where none does."""
    probes = 1
    while probes < lists:
        _, found = index.search(queries, _NEAREST + 1, params=_PARAMETERS(nprobe=probes))
        hits = sum(len(np.intersect1d(a[a >= 0], b[b >= 0])) for a, b in zip(found, wanted, strict=True))
        if hits >= RECALL * float((wanted >= 0).sum()):
            return probes
        probes = max(probes + 1, int(probes * 1.3))
    return lists
