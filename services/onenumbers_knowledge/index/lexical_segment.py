"""Passages that were indexed together. What changes later is marked here, and indexed elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from bm25s.scoring import _score_tfc_lucene
from numpy.typing import NDArray

from onenumbers_knowledge.index.key_rows import KeyRows

K1: Final = 1.5
"""How soon repetitions of a word stop counting."""
B: Final = 0.75
"""How much the length of a passage counts."""
_WORDS_AT_ONCE: Final = 4_096
"""Words that are counted between two calls of what lets others have the interpreter: a fraction of a millisecond."""


class Segment:
    """Passages that were indexed together, their rows in ascending order of their keys.

    The scores are those of bm25s, by its own formula. Its index is not built by its own code: that goes through every
    passage in Python, three times, and searches wait for the interpreter meanwhile (60 % of the slowest 1 % of searches
    beside a bulk ingestion fell into a merge, and 1 % of the others).

    Args:
        tokens: Numbers of the words of each passage, by its key.
        rest: Called each fraction of a millisecond, to let others have the interpreter; what it raises ends the work.
    """

    def __init__(self, tokens: Mapping[int, NDArray[np.int32]], *, rest: Callable[[], None] | None = None) -> None:
        self.keys = np.array(sorted(tokens), dtype=np.int64)
        self._rows = KeyRows(self.keys)
        self.alive = np.ones(len(self.keys), dtype=bool)
        self._living = len(self.keys)
        # Columns of a sparse matrix, one after the other: the rows that have a word, and the word's score in each.
        found = _postings([tokens[key] for key in self.keys.tolist()], rest)
        order = np.argsort(found.terms, kind="stable")
        columns = np.take(found.terms, order)
        starts = np.flatnonzero(np.diff(columns, prepend=-1))
        self._terms, self._bounds = columns[starts], np.append(starts, len(columns))
        self._indices, self._data = np.take(found.rows, order), np.take(found.scores, order)

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
            scores[self._indices[start:end]] += self._data[start:end] * np.float32(weight * worth)
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


class _Postings(NamedTuple):
    """Which word stands in which passage: arrays of one length, rows in ascending order for each word."""

    terms: NDArray[np.int32]
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    """What the word counts there, before what it is worth in all passages."""


def _postings(passages: Sequence[NDArray[np.int32]], rest: Callable[[], None] | None) -> _Postings:
    lengths = np.array([len(words) for words in passages], dtype=np.int64)
    mean = float(lengths.mean()) if len(lengths) else 0.0
    parts = [_Postings(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))]
    for first, last in _portions(lengths):
        rows = np.repeat(np.arange(first, last), lengths[first:last])
        # Both in one number, to be counted at once: the word in the upper half, the row in the lower.
        pairs = np.concatenate(passages[first:last]).astype(np.int64) << 32 | rows
        pairs, counts = np.unique(pairs, return_counts=True)
        rows = pairs & 0xFFFFFFFF
        scores = _score_tfc_lucene(counts, lengths[rows], mean, K1, B)
        parts.append(_Postings((pairs >> 32).astype(np.int32), rows.astype(np.int32), scores.astype(np.float32)))
        if rest is not None:
            rest()
    return _Postings(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _portions(lengths: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yields first and last row (exclusive) of passages that have about `_WORDS_AT_ONCE` words together."""
    ends = np.cumsum(lengths)
    first = 0
    while first < len(lengths):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _WORDS_AT_ONCE, side="right")))
        yield first, last
        first = last


def idf(frequency: int, total: int) -> float:
    """Returns the inverse document frequency (Lucene's variant of Robertson and Spärck Jones), always above 0."""
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
