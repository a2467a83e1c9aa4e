"""How far a passage supports a sentence: measured on words, so that anyone can check it.

The measure is lexical. A sentence is supported by a place in a passage (two neighbouring sentences) when enough of its
content words stand there, when every number of it stands there, and when both deny or neither does. It cannot tell a
true paraphrase from a false one that uses the same words; it can tell that a sentence has come from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

THRESHOLD = 0.6
"""Share of a sentence's content words that has to stand in one place of a passage."""

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-ZÀ-ÖØ-ÞĀ-Ž0-9])|\n\s*\n|\n(?=\s*[-*+|])")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NUMBER = re.compile(r"\d+")
_MARKER = re.compile(r"\s*\[\d+\]")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DENIALS = _words(
    "no not never none nothing neither nor without cannot can't don't doesn't didn't isn't aren't wasn't won't"
)
_STOP = _words(
    """
    a about above after again all also am an and any are as at be because been before being below between
    both but by can could did do does doing down during each few for from further had has have having he her
    here hers him his how i if in into is it its itself just me more most my of off on once only or other
    our out over own per same she should so some such than that the their them then there these they this
    those through to too under until up very was we were what when where which while who whom why will with
    would you your may might must one
    """
)
_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "est", "ed", "es", "ly", "er", "s")
_DOUBLING = frozenset(("ing", "ings", "ed", "er", "est"))


@dataclass(frozen=True, slots=True)
class Support:
    """The best support that a sentence has."""

    share: float
    """Share of the content words that stand in the best place, 0-1; 0 where numbers or denials do not fit."""
    passage: int
    """Which of the passages it is, from 0."""


def sentences(text: str) -> list[str]:
    """Returns the sentences of a text, without citation markers and list signs."""
    parts = (_MARKER.sub("", part).strip().lstrip("-*+|# ").strip() for part in _SENTENCE.split(text))
    return [part for part in parts if _WORD.search(part)]


def content_words(text: str) -> set[str]:
    """Returns the words that carry meaning, without endings and without stop words; numbers are not among them."""
    words = (word.casefold().replace("’", "'") for word in _WORD.findall(text))
    return {stem(word) for word in words if word not in _STOP and word not in _DENIALS and not word.isdigit()}


def stem(word: str) -> str:
    """Returns a word without a common English ending: enough to match "reduces" with "reduced"."""
    word = word.removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if ending in _DOUBLING and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeioulsz":
                # "stepping" is "step" with its last letter doubled.
                word = word[:-1]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def support(sentence: str, passages: Sequence[str]) -> Support:
    """Returns the best support of a sentence by any place of any passage."""
    words, numbers, denies = content_words(sentence), set(_NUMBER.findall(sentence)), _denies(sentence)
    best = Support(0.0, 0)
    if not words and not numbers:
        return best
    for index, passage in enumerate(passages):
        parts = sentences(passage)
        for place in (*parts, *(" ".join(pair) for pair in pairwise(parts))):
            if not numbers <= set(_NUMBER.findall(place)) or _denies(place) != denies:
                continue
            share = len(words & content_words(place)) / len(words) if words else 1.0
            if share > best.share:
                best = Support(share, index)
    return best


def relevance(sentence: str, question: str) -> float:
    """Returns the share of a question's content words and numbers that a sentence holds, 0-1."""
    wanted = content_words(question) | set(_NUMBER.findall(question))
    if not wanted:
        return 0.0
    return len(wanted & (content_words(sentence) | set(_NUMBER.findall(sentence)))) / len(wanted)


def _denies(text: str) -> bool:
    return any(word.casefold().replace("’", "'") in _DENIALS for word in _WORD.findall(text))
