"""Passages of a text: its sections, each cut by semantic-text-splitter at the largest units that fit.

The splitter packs blocks of Markdown, lines, sentences and words, in this order, up to a number of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from semantic_text_splitter import MarkdownSplitter

CountTokens = Callable[[str], int]

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_SENTENCE_END = re.compile(
    r"""
    [.!?…] ["'”’)\]]* \s+ (?=["'“‘(\[]? [A-ZÀ-ÖØ-ÞĀ-Ž0-9])   # a mark, space, and a word that begins a sentence
    | \n [ \t]* \n \s*                                           # an empty line
    | \n (?= [ \t]* (?: [-*+|] | \d+[.)] ) [ \t])                # the next item of a list, the next row of a table
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a text: `text[start:end]`, under a heading."""

    section: str
    start: int
    end: int


def split(text: str, *, count_tokens: CountTokens, budget: int) -> list[Chunk]:
    """Returns the passages of a text in order.

    Headings belong to no passage; they name the section of those that follow. No passage crosses a heading, none is
    blank, and none has more tokens than the budget: even a word without end, such as an encoded file, is cut.

    Args:
        text: Plain text or Markdown.
        count_tokens: Counts the tokens of a piece.
        budget: Tokens that a passage may have.
    """
    chunks: list[Chunk] = []
    splitter = MarkdownSplitter.from_callback(count_tokens, budget)
    for section, start, end in _sections(text):
        for offset, piece in splitter.chunk_indices(text[start:end]):
            first, last = _trimmed(text, start + offset, start + offset + len(piece))
            if first < last:
                chunks.append(Chunk(section, first, last))
    return chunks


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yields start and end of each sentence of a text, without the white space around it."""
    bounds = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    for bound in pairwise(bounds):
        first, last = _trimmed(text, *bound)
        if first < last:
            yield first, last


def _sections(text: str) -> Iterator[tuple[str, int, int]]:
    """Yields heading, start and end of what stands between headings."""
    section, start, position, fence = "", 0, 0, ""
    for line in text.splitlines(keepends=True):
        marker = _FENCE.match(line)
        if marker is not None:
            fence = "" if fence == marker[1] else fence or marker[1]
        heading = None if fence or marker is not None else _HEADING.match(line.rstrip("\r\n"))
        if heading is not None:
            yield section, start, position
            section, start = heading[2], position + len(line)
        position += len(line)
    yield section, start, position


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
