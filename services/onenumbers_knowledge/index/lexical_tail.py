"""Passages that were added last, scored as they are: an index of them would be made anew at every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from bm25s.scoring import _score_tfc_lucene
from numpy.typing import NDArray

from onenumbers_knowledge.index.key_rows import KeyRows


class Tail:
    """Words of a few passages by key. The scores are those that bm25s gives in an index of the same passages.

    Args:
        k1: How soon repetitions of a word stop counting.
        b: How much the length of a passage counts.
    """

    def __init__(self, *, k1: float, b: float) -> None:
        self._k1, self._b = k1, b
        self.tokens: dict[int, NDArray[np.int32]] = {}
        """Numbers of the words of each passage."""
        self._frozen: Rows | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def add(self, key: int, tokens: NDArray[np.int32]) -> None:
        """Adds a passage."""
        self.tokens[key] = tokens
        self._frozen = None

    def drop(self, keys: Sequence[int]) -> int:
        """Removes passages; returns how many were here."""
        gone = sum(self.tokens.pop(key, None) is not None for key in keys)
        if gone:
            self._frozen = None
        return gone

    def rows(self) -> Rows:
        """Returns the passages as they are now, in ascending order of their keys."""
        if self._frozen is None:
            self._frozen = Rows(self.tokens, k1=self._k1, b=self._b)
        return self._frozen


class Rows:
    """The passages of a tail at one moment."""

    def __init__(self, tokens: Mapping[int, NDArray[np.int32]], *, k1: float, b: float) -> None:
        self._k1, self._b = k1, b
        self.keys = np.array(sorted(tokens), dtype=np.int64)
        self._rows = KeyRows(self.keys)
        ordered = [tokens[key] for key in self.keys.tolist()]
        self._lengths = np.array([len(item) for item in ordered], dtype=np.int64)
        self._words = np.concatenate([np.empty(0, dtype=np.int32), *ordered])
        self._row_of = np.repeat(np.arange(len(ordered)), self._lengths)
        self._mean = float(self._lengths.mean()) if ordered else 0.0

    def score(self, weights: Mapping[int, tuple[float, float]]) -> NDArray[np.float32]:
        """Returns the BM25 score of every row, shape (rows,), as `lexical.Segment.score` does."""
        scores = np.zeros(len(self.keys), dtype=np.float32)
        for term, (weight, idf) in weights.items():
            counts = np.bincount(self._row_of[self._words == term], minlength=len(scores))
            found = np.flatnonzero(counts)
            frequency = _score_tfc_lucene(counts[found], self._lengths[found], self._mean, self._k1, self._b)
            scores[found] += (frequency * (weight * idf)).astype(np.float32)
        return scores

    def rows(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        """Returns the row of each key, and whether the key is here; the row of one that is not says nothing."""
        return self._rows.find(keys)
