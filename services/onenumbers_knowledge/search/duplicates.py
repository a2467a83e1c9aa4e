"""Documents of nearly the same text: found by their rarest words, told by the word triples that they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.documents import DocumentInfo

LEAST = 0.8
"""Likeness from which two documents are called nearly the same."""
MOST = 5
"""Documents that are told at most."""
CANDIDATES = 20
"""Documents that share the rarest words and are compared."""
_WORDS = 5_000
"""Words of a text that are compared at most: who copies a book copies its beginning, too."""
_TRIPLE = 3


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A document that is nearly the same as another one."""

    document_id: str
    likeness: float
    """Part of the word triples of both that they share, 0-1."""
    same_content: bool = False
    """Whether the texts are the same, character by character."""


class Documents(Protocol):
    """What is known of documents (onenumbers_knowledge.collection.Collection)."""

    async def nearly_the_same(self, document_id: str) -> list[Duplicate]: ...  # noqa: D102

    async def info(self, document_id: str) -> DocumentInfo | None: ...  # noqa: D102


async def duplicates_of(known: DocumentInfo, documents: Documents) -> list[Duplicate]:
    """Returns other documents of nearly the same text, the likest first.

    Raises:
        UnavailableError: No index serves.
    """
    result = []
    for item in await documents.nearly_the_same(known.document_id):
        other = await documents.info(item.document_id)
        if other is not None:
            result.append(replace(item, same_content=other.content_hash == known.content_hash))
    return result


def likenesses(one: NDArray[np.int32], others: Iterable[NDArray[np.int32]], *, least: float = LEAST) -> Iterator[float]:
    """Yields the Jaccard index of the word triples of a text and of each other one, 0-1; 0 where it is below `least`.

    Broder, "On the resemblance and containment of documents" (1997), with shingles of three words, all of them.

    Args:
        one: Numbers of the words of a text in order, shape (n,).
        others: Those of the others.
        least: Likeness from which it matters.
    """
    first = _triples(one)
    vocabulary, counts = np.unique(one[:_WORDS], return_counts=True)
    for other in others:
        # Two texts share no more triples than words, and most candidates share few: making their triples takes ten
        # times as long, and searches wait meanwhile.
        if _shared_words(vocabulary, counts, other[:_WORDS]) < least * len(first):
            yield 0.0
            continue
        second = _triples(other)
        shared = len(first & second)
        together = len(first) + len(second) - shared
        likeness = shared / together if together else 0.0
        yield likeness if likeness >= least else 0.0


def _shared_words(vocabulary: NDArray[np.int32], counts: NDArray[np.int64], words: NDArray[np.int32]) -> int:
    """Returns how many words another text shares with that of a vocabulary, each as often as it stands in both."""
    if not len(vocabulary):
        return 0
    at = np.minimum(np.searchsorted(vocabulary, words), len(vocabulary) - 1)
    found = np.bincount(at[vocabulary[at] == words], minlength=len(vocabulary))
    return int(np.minimum(found, counts).sum())


def _triples(words: NDArray[np.int32]) -> set[tuple[int, ...]]:
    found = words[:_WORDS].tolist()
    if len(found) < _TRIPLE:
        return {tuple(found)} if found else set()
    return set(zip(found, found[1:], found[2:], strict=False))
