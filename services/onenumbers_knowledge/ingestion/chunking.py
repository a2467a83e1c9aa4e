"""Passages of a text: split at headings, then at sentences, packed up to a number of tokens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

CountTokens = Callable[[str], int]

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_SENTENCE_END = re.compile(
    r"""
    (?<=[.!?…]) ["'”’)\]]* \s+ (?=["'“‘(\[]? [A-ZÀ-ÖØ-ÞĀ-Ž0-9])   # a mark, space, and a word that begins a sentence
    | \n [ \t]* \n \s*                                           # an empty line
    | \n (?= [ \t]* (?: [-*+|] | \d+[.)] ) [ \t])                # the next item of a list, the next row of a table
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a text: `text[start:end]`, under a heading."""

    section: str
    start: int
    end: int


def split(text: str, *, count_tokens: CountTokens, budget: int) -> list[Chunk]:
    """Returns the passages of a text in order.

    Headings belong to no passage; they name the section of those that follow. No passage crosses a heading, none is
    blank, and none has more tokens than the budget unless a single word has.

    Args:
        text: Plain text or Markdown.
        count_tokens: Counts the tokens of a piece.
        budget: Tokens that a passage may have.
    """
    chunks: list[Chunk] = []
    for section, start, end in _sections(text):
        chunks += _pack(text, section, list(_pieces(text, start, end, count_tokens, budget)), budget)
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


def _pieces(text: str, start: int, end: int, count: CountTokens, budget: int) -> Iterator[tuple[int, int, int]]:
    """Yields start, end and tokens of each sentence; one that is too long is cut at words."""
    bounds = [start, *(match.end() for match in _SENTENCE_END.finditer(text, start, end)), end]
    for bound in pairwise(bounds):
        first, last = _trimmed(text, *bound)
        if first == last:
            continue
        tokens = count(text[first:last])
        if tokens <= budget:
            yield first, last, tokens
        else:
            yield from _cut(text, first, last, count, budget)


def _cut(text: str, start: int, end: int, count: CountTokens, budget: int) -> Iterator[tuple[int, int, int]]:
    if count(text[start:end]) <= budget:
        yield start, end, count(text[start:end])
        return
    words = [match.start() for match in _WORD.finditer(text, start, end)]
    # A word without end (no spaces, or an encoded file) is cut in the middle.
    middle = words[len(words) // 2] if len(words) > 1 else (start + end) // 2
    if middle in (start, end):
        yield start, end, count(text[start:end])
        return
    for part in ((start, middle), (middle, end)):
        first, last = _trimmed(text, *part)
        if first < last:
            yield from _cut(text, first, last, count, budget)


def _pack(text: str, section: str, pieces: list[tuple[int, int, int]], budget: int) -> Iterator[Chunk]:
    """Joins neighbours as long as the budget lasts."""
    current: tuple[int, int] | None = None
    used = 0
    for start, end, tokens in pieces:
        if current is not None and used + tokens <= budget:
            current, used = (current[0], end), used + tokens
            continue
        if current is not None:
            yield Chunk(section, *current)
        current, used = (start, end), tokens
    if current is not None:
        yield Chunk(section, *_trimmed(text, *current))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
