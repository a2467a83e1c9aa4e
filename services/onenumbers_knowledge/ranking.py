"""One ranking from two: passages near in meaning and passages that share words, and how alike they may be."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEAD = 100
"""Candidates that scores are standardised over: what lies deeper says nothing of how good the best are."""
_DENSE_WEIGHT = 0.5
_NAMED = 1.0
"""What a document about a number of the question gains, in deviations."""


class Mode(Enum):
    """How passages are found."""

    DENSE = "dense"
    LEXICAL = "lexical"
    HYBRID = "hybrid"


class Candidate(NamedTuple):
    """A passage that may be an answer, with what speaks for it."""

    key: int
    cosine: float | None
    """Cosine similarity to the query, -1 to 1; None where no vector of the query was made."""
    bm25: float
    """BM25 score, 0 and up; 0 where it shares no word with the query."""
    fused: float | None = None
    """Both as one figure, 0 to 1; only in hybrid rankings."""

    def score(self, mode: Mode) -> float:
        """Returns the figure that a ranking of that mode is ordered by."""
        if mode is Mode.HYBRID:
            return self.fused or 0.0
        return (self.cosine or 0.0) if mode is Mode.DENSE else self.bm25


def fuse(cosines: NDArray[np.float64], words: NDArray[np.float64], named: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Returns cosine and BM25 of candidates fused into one figure each, 0 to 1.

    Both are standardised over the best `_HEAD` of each (mean 0, deviation 1), weighted, added and brought to 0-1 by
    the logistic function. Where no candidate shares a word with the query, cosine alone decides.

    Args:
        cosines: Cosine similarities to the query, shape (n,).
        words: BM25 scores, shape (n,).
        named: Whether the document is about a number that the question names, shape (n,).
    """
    if not len(cosines):
        return cosines
    total = _DENSE_WEIGHT * _standard(cosines) + (1 - _DENSE_WEIGHT) * _standard(words) + _NAMED * named
    return np.asarray(1 / (1 + np.exp(-total)), dtype=np.float64)


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns values less the mean of their best, in deviations of these; zeros where all of the best are the same."""
    head = np.sort(values)[-_HEAD:]
    deviation = float(head.std())
    return (values - head.mean()) / deviation if deviation > 0 else np.zeros_like(values)


def diverse(
    candidates: Sequence[Candidate], vectors: NDArray[np.float32], count: int, *, mode: Mode, diversity: float
) -> list[Candidate]:
    """Returns candidates by maximal marginal relevance: each next one is relevant, and unlike those before it.

    Carbonell and Goldstein, "The use of MMR" (SIGIR 1998), with lambda = 1 - diversity; relevance is the score of the
    ranking brought to 0-1, likeness the cosine of two passages.

    Args:
        candidates: Candidates, best first.
        vectors: Their vectors, each of length 1, shape (n, dimensions).
        count: How many to return at most.
        mode: What the candidates are ordered by.
        diversity: 0 keeps the order, 1 looks at likeness alone.
    """
    if not candidates:
        return []
    relevance = _scaled(np.array([item.score(mode) for item in candidates], dtype=np.float64))
    nearest = np.full(len(candidates), -1.0)
    open_places = np.ones(len(candidates), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(count, len(candidates)):
        # The first is the best: nothing stands before it.
        value = (1 - diversity) * relevance - (diversity * nearest if chosen else 0.0)
        place = int(np.argmax(np.where(open_places, value, -np.inf))) if chosen else 0
        chosen.append(place)
        open_places[place] = False
        nearest = np.maximum(nearest, vectors @ vectors[place])
    return [candidates[place] for place in chosen]


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brings values to 0-1; all the same become 1."""
    least, greatest = float(values.min()), float(values.max())
    if greatest <= least:
        return np.ones_like(values)
    return (values - least) / (greatest - least)
