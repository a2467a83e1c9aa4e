"""The sentence of a passage that answers a query best, and where the query's words stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onenumbers_knowledge.ingestion.chunking import sentences
from onenumbers_knowledge.search.words import Analyzer

_MOST_WORDS = 40
"""Highlighted words at most."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence of a passage."""

    start: int
    """First character, in the text that the passage was cut from."""
    end: int
    """One past the last character."""
    words: tuple[tuple[int, int], ...]
    """Start and end of each word that the query has, too, in the same text; in order."""


def excerpt(text: str, *, offset: int, query: Mapping[str, float], analyzer: Analyzer) -> Excerpt:
    """Returns the best sentence of a passage: the one whose words of the query are worth most together.

    The first sentence where none has a word of the query.

    Args:
        text: The passage.
        offset: Where it begins in the document.
        query: Stems of the query with what each is worth, such as its inverse document frequency.
        analyzer: Finds the words.
    """
    placed = analyzer.find(text, query)
    best: tuple[float, int, int, list[tuple[int, int, str]]] | None = None
    for start, end in sentences(text):
        inside = [word for word in placed if start <= word[0] < end]
        value = sum(query[stem] for stem in {stem for _, _, stem in inside})
        if best is None or value > best[0]:
            best = (value, start, end, inside)
    if best is None:
        return Excerpt(offset, offset + len(text), ())
    _, start, end, words = best
    return Excerpt(
        offset + start,
        offset + end,
        tuple((offset + first, offset + last) for first, last, _ in words[:_MOST_WORDS]),
    )
