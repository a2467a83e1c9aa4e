"""Passages that bm25s indexed together. What changes later is marked here, and indexed elsewhere."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import bm25s
import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.index.key_rows import KeyRows

# It tells in detail what it builds, at every change of a document.
logging.getLogger("bm25s").setLevel(logging.WARNING)

K1: Final = 1.5
"""How soon repetitions of a word stop counting."""
B: Final = 0.75
"""How much the length of a passage counts."""
_IN_A_ROW: Final = 8
"""Passages that are counted between two calls of what lets others have the interpreter."""


class Segment:
    """Passages that bm25s indexed together, their rows in ascending order of their keys.

    Args:
        tokens: Numbers of the words of each passage, by its key.
        rest: Called each fraction of a millisecond, to let others have the interpreter; what it raises ends the work.
    """

    def __init__(self, tokens: Mapping[int, NDArray[np.int32]], *, rest: Callable[[], None] | None = None) -> None:
        self.keys = np.array(sorted(tokens), dtype=np.int64)
        self._rows = KeyRows(self.keys)
        self.alive = np.ones(len(self.keys), dtype=bool)
        self._living = len(self.keys)
        ordered = [tokens[key] for key in self.keys.tolist()]
        lengths = list(map(len, ordered))
        joined = np.concatenate(ordered) if sum(lengths) else np.empty(0, dtype=np.int32)
        self._terms, local = np.unique(joined, return_inverse=True)
        self._data = np.empty(0, dtype=np.float32)
        if len(self._terms):
            engine: Any = bm25s.BM25(k1=K1, b=B, method="lucene")
            made = engine.build_index_from_ids(
                range(len(self._terms)), _Lists(local, lengths, rest), show_progress=False
            )
            self._data, self._indices, self._bounds = made["data"], made["indices"], made["indptr"]

    def score(self, weights: Mapping[int, tuple[float, float]]) -> NDArray[np.float32]:
        """Returns the BM25 score of every row, shape (rows,).

        Args:
            weights: Weight of each word in the query, and its inverse document frequency over all segments.
        """
        scores = np.zeros(len(self.keys), dtype=np.float32)
        columns = np.searchsorted(self._terms, list(weights)).tolist()
        for column, (term, (weight, worth)) in zip(columns, weights.items(), strict=True):
            if column == len(self._terms) or self._terms[column] != term:
                continue
            start, end = self._bounds[column], self._bounds[column + 1]
            # bm25s counted within the segment; what a word is worth is measured over all of them.
            own = idf(int(end - start), len(self.keys))
            scores[self._indices[start:end]] += self._data[start:end] * np.float32(weight * worth / own)
        if self._living < len(self.keys):
            scores[~self.alive] = 0
        return scores

    def rows(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        """Returns the row of each key, and whether the key is here; the row of one that is not says nothing."""
        rows, here = self._rows.find(keys)
        return rows, here if self._living == len(self.keys) else here & self.alive[rows]

    def drop(self, key: int) -> bool:
        """Stops finding a passage; returns whether it was here."""
        (row,), (here,) = self.rows(np.array([key], dtype=np.int64))
        if here:
            self.alive[row] = False
            self._living -= 1
        return bool(here)

    def living(self) -> list[int]:
        """Returns the keys that can be found."""
        found: list[int] = self.keys[self.alive].tolist()
        return found

    def __len__(self) -> int:
        return self._living


class _Lists:
    """The columns of each passage as a list, one at a time.

    bm25s counts lists, and those of all passages would take several times the memory of the array.

    Args:
        columns: Columns of the words of all passages, one after the other, shape (words,).
        lengths: Words of each passage.
        rest: Called after each `_IN_A_ROW` of them.
    """

    def __init__(self, columns: NDArray[np.int64], lengths: Sequence[int], rest: Callable[[], None] | None) -> None:
        self._columns, self._rest = columns, rest
        self._bounds = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).tolist()

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __iter__(self) -> Iterator[list[int]]:
        for number, (start, end) in enumerate(pairwise(self._bounds), start=1):
            yield self._columns[start:end].tolist()
            if self._rest is not None and number % _IN_A_ROW == 0:
                self._rest()


def idf(frequency: int, total: int) -> float:
    """Returns the inverse document frequency (Lucene's variant of Robertson and Spärck Jones), always above 0."""
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
