"""Words of a text for the lexical indexes: folded, without stop words, stemmed, numbered. Any text is safe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache

import numpy as np
import Stemmer
from bm25s.stopwords import STOPWORDS_EN_PLUS
from numpy.typing import NDArray

from onenumbers_knowledge.search.number_words import COMPOUND_END, NUMBERS

_WORD = re.compile(rf"\w+(?:{COMPOUND_END})?", re.IGNORECASE)
_PLACE = re.compile(r"(\d+)(?:st|nd|rd|th|s)")
_NO_LETTERS = frozenset("AI")
"""Capital letters that are words of English."""
_DIGITS = frozenset("0123456789")
_OF_NUMBERS = frozenset(word[0] for word in NUMBERS)
"""What numbers in words begin with."""
_STOP = frozenset(STOPWORDS_EN_PLUS)
_KEPT = 30_000
"""Words that are kept as they are read: a language's everyday words, and those of the collection."""
_LONGEST = 64
"""Characters of a word that count: what is longer is no word, but a line of an encoded file."""


class Analyzer:
    """Turns texts into stems, by Snowball's English stemmer. Not safe for threads: one for each caller."""

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        self._stem = lru_cache(maxsize=_KEPT)(self._stem_of)

    def stems(self, text: str, *, capitals: bool = True) -> list[str]:
        """Returns the stems of a text in order; empty where it holds stop words and marks alone.

        Letters are kept of every script; accents are folded, so that "Țurcanu" finds "Turcanu". A single digit is a
        word ("life path 7" must find the seven), and so is a single letter that is meant as one: a capital, or one
        with an accent, which it keeps. Numbers in words are their digits: "seven", "7" and "7th" are the same.

        Args:
            text: Any text.
            capitals: Whether a capital letter is a word: in a query or a title it is meant, in a text it is mostly an
                initial or part of a symbol.
        """
        return list(self._stemmer.stemWords(list(_words(text, capitals=capitals))))

    def all_stems(self, text: str) -> list[str]:
        """Returns the stems of a text in order, stop words among them: "first letter" is not every letter."""
        return list(self._stemmer.stemWords([word for match in _WORD.finditer(text) if (word := _folded(match[0]))]))

    def find(self, text: str, stems: Collection[str]) -> list[tuple[int, int, str]]:
        """Returns start, end and stem of each word of a text whose stem is one of these; offsets count characters."""
        known, initials = self._stem, _initials(stems)
        hits = {
            word: stem
            for word in set(_WORD.findall(text))
            if (word[0] in initials or not word[0].isascii()) and (stem := known(word)) in stems
        }
        if not hits:
            return []
        return [(*match.span(), hits[word]) for match in _WORD.finditer(text) if (word := match[0]) in hits]

    def _stem_of(self, word: str) -> str:
        """Returns the stem of a word of a query; empty where it does not count."""
        read = _counted(word, capitals=True)
        return str(self._stemmer.stemWord(read)) if read else ""


class Vocabulary:
    """Numbers the stems that texts are made of. Not safe for threads: one caller at a time."""

    def __init__(self) -> None:
        self._analyzer = Analyzer()
        self._numbers: dict[str, int] = {}

    def learn(self, text: str, *, capitals: bool = False) -> NDArray[np.int32]:
        """Returns the numbers of the stems of a text in order; a stem that is new gets one."""
        numbers, stems = self._numbers, self._analyzer.stems(text, capitals=capitals)
        return np.array([numbers.setdefault(stem, len(numbers)) for stem in stems], dtype=np.int32)

    def numbers(self, text: str) -> frozenset[int]:
        """Returns the numbers of the stems of a text; none where it has one that no text had."""
        found = {number for _, number in self.ask(text)}
        return frozenset(number for number in found if number is not None) if None not in found else frozenset()

    def ask(self, text: str) -> list[tuple[str, int | None]]:
        """Returns the stems of a text in order, with their numbers; None for one that no text had."""
        return [(stem, self._numbers.get(stem)) for stem in self._analyzer.stems(text)]


def _initials(stems: Collection[str]) -> set[str]:
    """Returns the letters that words of these stems may begin with, but for those that are folded.

    Stemming leaves the first letter as it is. Most words of a text begin with another one, and are not looked up: what
    is not in the processor's caches takes as long as all the rest.
    """
    letters = {stem[0] for stem in stems}
    if not letters.isdisjoint(_DIGITS):
        letters |= _OF_NUMBERS
    return letters | {letter.upper() for letter in letters}


def _words(text: str, *, capitals: bool) -> Iterator[str]:
    for match in _WORD.finditer(text):
        word = _counted(match[0], capitals=capitals)
        if word:
            yield word


def _counted(word: str, *, capitals: bool) -> str:
    """Returns a word as it is indexed; empty where it does not count."""
    read = _read(word[:_LONGEST], capitals=capitals)
    # The stop words hold the letters that contractions leave, such as the m of "I'm".
    return read if len(read) == 1 or read not in _STOP else ""


@lru_cache(maxsize=_KEPT)
def _read(word: str, *, capitals: bool) -> str:
    """Returns a word as it is indexed; empty where it is none."""
    folded = _folded(word)
    if len(folded) == 1 and not folded.isdigit():
        meant = not word.isascii() or (capitals and word.isupper() and word not in _NO_LETTERS)
        return word.casefold() if meant else ""
    number = NUMBERS.get(folded)
    if number is not None:
        return str(number)
    place = _PLACE.fullmatch(folded)
    return place[1] if place is not None else folded


def _folded(word: str) -> str:
    lowered = word.casefold()
    if lowered.isascii():
        return lowered
    parts = unicodedata.normalize("NFKD", lowered)
    return "".join(part for part in parts if not unicodedata.combining(part))
