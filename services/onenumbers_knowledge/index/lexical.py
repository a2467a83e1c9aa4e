"""The lexical index: BM25 over stemmed words by bm25s, in segments, so that it follows every change at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.index.lexical_segment import K1, B, Segment, idf
from onenumbers_knowledge.index.lexical_tail import Rows, Tail
from onenumbers_knowledge.search.words import Vocabulary

TAIL = 256
"""Passages after which what was added is due to become a segment of its own."""
TAIL_MAX = 4096
"""Passages after which it becomes one at once, and searches wait for it: nobody has made one of them meanwhile."""
MERGE_AT = 6
"""Segments after which the small ones are due to be merged."""


class Scored(Protocol):
    """Passages with scores: a segment, or the tail at one moment."""

    @property
    def keys(self) -> NDArray[np.int64]: ...  # noqa: D102

    def rows(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Scores:
    """BM25 scores of all passages for one query."""

    parts: Sequence[tuple[Scored, NDArray[np.float32]]] = field(default=())

    def best(self, count: int, allowed: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Returns the keys of the best passages that share a word with the query, best first.

        Args:
            count: How many at most.
            allowed: Keys that may be found, ascending; all when None.
        """
        keys: list[NDArray[np.int64]] = []
        values: list[NDArray[np.float32]] = []
        for segment, scores in self.parts:
            found = np.flatnonzero(scores > 0)
            if allowed is not None:
                found = found[np.isin(segment.keys[found], allowed)]
            if len(found) > count:
                found = found[np.argpartition(scores[found], -count)[-count:]]
            keys.append(segment.keys[found])
            values.append(scores[found])
        all_keys = np.concatenate([np.empty(0, dtype=np.int64), *keys])
        all_values = np.concatenate([np.empty(0, dtype=np.float32), *values])
        # By score, then by key: the same question gets the same answer.
        return all_keys[np.lexsort((all_keys, -all_values))[:count]]

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Returns the scores of passages, shape (n,); 0 for those that share no word with the query."""
        result = np.zeros(len(keys), dtype=np.float64)
        for segment, scores in self.parts:
            rows, here = segment.rows(keys)
            result[here] = scores[rows[here]]
        return result


class LexicalIndex:
    """Words of passages by key. Not safe for threads: one caller at a time, but for `Segment`, which merges make.

    Args:
        vocabulary: Numbers the words; several indexes may share it.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._frequency: Counter[int] = Counter()
        self._tokens: dict[int, NDArray[np.int32]] = {}
        self._segments: list[Segment] = []
        self._tail = Tail(k1=K1, b=B)
        self._bulk = False

    def begin_bulk(self) -> None:
        """Holds back what is added until `end_bulk`, which makes one segment of all of it."""
        self._bulk = True

    def end_bulk(self) -> None:
        """Makes what was added since `begin_bulk` searchable."""
        self._bulk = False
        self._freeze()

    def __len__(self) -> int:
        return len(self._tokens)

    def add(self, key: int, tokens: NDArray[np.int32]) -> None:
        """Adds a passage, the numbers of its words in order; a search finds it from now on."""
        self._tokens[key] = tokens
        self._tail.add(key, tokens)
        self._frequency.update(np.unique(tokens).tolist())
        if len(self._tail) >= TAIL_MAX and not self._bulk:
            self._freeze()

    def remove(self, keys: Sequence[int]) -> None:
        """Removes passages; keys that are not there are ignored."""
        for key in keys:
            tokens = self._tokens.pop(key, None)
            if tokens is None:
                continue
            self._frequency.subtract(np.unique(tokens).tolist())
            if self._tail.drop([key]):
                continue
            any(segment.drop(key) for segment in self._segments)
        self._segments = [segment for segment in self._segments if len(segment)]

    def query(self, text: str) -> dict[int, float]:
        """Returns the known words of a query with their weights: how often each stands in it."""
        counted = Counter(term for _, term in self._vocabulary.ask(text) if term is not None)
        return {term: float(count) for term, count in counted.items() if self._frequency[term] > 0}

    def words(self, key: int) -> NDArray[np.int32]:
        """Returns the numbers of the words of a passage in order, shape (n,); none where it is not there."""
        return self._tokens.get(key, np.empty(0, dtype=np.int32))

    def rarest_shared(self, key: int, count: int) -> dict[int, float]:
        """Returns the rarest words of a passage that another one has too, as a query."""
        shared = [term for term in set(self.words(key).tolist()) if self._frequency[term] > 1]
        return dict.fromkeys(sorted(shared, key=lambda term: (self._frequency[term], term))[:count], 1.0)

    def score(self, query: Mapping[int, float]) -> Scores:
        """Returns the BM25 scores of all passages for the words of a query with their weights."""
        total = len(self._tokens)
        weights = {term: (weight, idf(self._frequency[term], total)) for term, weight in query.items()}
        if not weights:
            return Scores()
        served: list[Segment | Rows] = [*self._segments]
        if self._tail:
            served.append(self._tail.rows())
        return Scores([(part, part.score(weights)) for part in served])

    def worth(self, text: str) -> dict[str, float]:
        """Returns the stems of a text with their inverse document frequencies; those that no passage has count most."""
        total = len(self._tokens)
        return {
            stem: idf(self._frequency[term] if term is not None else 0, total)
            for stem, term in self._vocabulary.ask(text)
        }

    def merge_due(self) -> dict[int, NDArray[np.int32]] | None:
        """Returns what `Segment` is to be made of in another thread and given to `adopt`; None where nothing is due."""
        dead = sum(len(segment.keys) - len(segment) for segment in self._segments)
        due = {} if len(self._tail) < TAIL else dict(self._tail.tokens)
        if len(self._segments) < MERGE_AT and dead * 2 <= len(self._tokens):
            return due or None
        sizes = sorted(self._segments, key=len)
        # The largest stays as it is where the others are small beside it: its share of the work would be wasted.
        rest = sum(len(segment) for segment in sizes[:-1])
        chosen = sizes if dead * 2 > len(self._tokens) or len(sizes[-1]) < 4 * rest else sizes[:-1]
        keys = [key for segment in chosen for key in segment.living()]
        return due | dict(zip(keys, map(self._tokens.__getitem__, keys), strict=True))

    def adopt(self, merged: Segment) -> None:
        """Puts a merged segment in the place of the segments and the tail that it was made from."""
        replaced = [segment for segment in self._segments if segment.rows(merged.keys)[1].any()]
        for key in [key for key in merged.living() if key not in self._tokens]:
            merged.drop(key)
        late = np.fromiter(self._tail.tokens, dtype=np.int64, count=len(self._tail))
        self._tail.drop(late[merged.rows(late)[1]].tolist())
        # The tail may have become a segment meanwhile, with passages that came after the merge was begun.
        for segment in replaced:
            for key in segment.keys[segment.alive & ~merged.rows(segment.keys)[1]].tolist():
                self._tail.add(key, self._tokens[key])
        kept = [segment for segment in self._segments if segment not in replaced]
        self._segments = [segment for segment in [*kept, merged] if len(segment)]

    def _freeze(self) -> None:
        if self._tail:
            self._segments.append(Segment(self._tail.tokens))
            self._tail = Tail(k1=K1, b=B)
