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
_AROUND = 0.3
"""What the document around a passage counts for its likeness to the question."""
_PASSAGES = 6
"""Passages of a document that tell how like the question it is: its best ones. A book is not judged by all of it."""


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


def in_context(
    cosines: NDArray[np.float64], documents: NDArray[np.int64], sizes: NDArray[np.int64], *, least: float
) -> NDArray[np.float64]:
    """Returns how like a question passages are: seven parts their own cosine, three their document's.

    A document's is the mean over its best passages, at most `_PASSAGES`; those of them that are no candidates count
    as the least like one.

    Args:
        cosines: Cosine similarities of candidates to the question, shape (n,).
        documents: A number for the document of each, shape (n,).
        sizes: Passages of that document, candidates or not, shape (n,).
        least: Cosine similarity that no passage has which is no candidate.
    """
    if not len(cosines):
        return cosines
    order = np.lexsort((-cosines, documents))
    grouped, ordered = documents[order], cosines[order]
    first = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    counts = np.diff(np.r_[first, len(grouped)])
    rank = np.arange(len(grouped)) - np.repeat(first, counts)
    best = np.add.reduceat(np.where(rank < _PASSAGES, ordered, 0.0), first)
    counted = np.minimum(sizes[order][first], _PASSAGES)
    missing = counted - np.minimum(counts, counted)
    means = (best + missing * least) / counted
    around = np.empty_like(cosines)
    around[order] = np.repeat(means, counts)
    return np.asarray((1 - _AROUND) * cosines + _AROUND * around, dtype=np.float64)


def fuse(cosines: NDArray[np.float64], words: NDArray[np.float64], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns cosine and BM25 of candidates fused into one figure each, 0 to 1.

    Both are standardised over the best `_HEAD` of each (mean 0, deviation 1), weighted, added and brought to 0-1 by
    the logistic function. Where no candidate shares a word with the query, cosine alone decides.

    Args:
        cosines: Cosine similarities to the query, shape (n,).
        words: BM25 scores, shape (n,).
        numbers: What each gains for the numbers that its document is about, in deviations, shape (n,).
    """
    if not len(cosines):
        return cosines
    total = _DENSE_WEIGHT * _standard(cosines) + (1 - _DENSE_WEIGHT) * _standard(words) + numbers
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
