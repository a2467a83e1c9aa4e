"""Which numbers a question names, so that documents about them are preferred to those about others.

Neither ranking knows that "a seven" and "7" are one number, nor that a passage on 17 is about another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.search.number_words import NUMBERS, ORDINALS

_LAST_PLACE: Final = 10
_FEW: Final = 3
"""Numbers of a document at most that is about these alone: a rule that lists 1 to 9 is about none of them."""
_GAIN: Final = 1.0
"""What a document gains or loses, in deviations."""
SUBJECT_GAIN: Final = 1.0
"""What it gains more where its title has the subject that the question names otherwise: the 8 of an expression is not
that of a personality, and the name in the question does not tell the ranking by words."""
_WORDS: Final = {
    word: number
    for word, number in NUMBERS.items()
    # "The fourth challenge" is about no 4; nobody counts to eleven so.
    if word not in ORDINALS or number > _LAST_PLACE
}
_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_NAMED: Final = re.compile(
    r"(?<![\w])(?<!\d[./:-])(?:"
    rf"(\d{{1,2}})(?:s|st|nd|rd|th)?(?![./:-]\d|%|\w|\s*(?:percent|{_MONTHS}))"
    rf"|({'|'.join(sorted(_WORDS, key=len, reverse=True))})\b)",
    re.IGNORECASE,
)


def named_numbers(question: str) -> frozenset[int]:
    """Returns the numbers 0-99 that a question names in digits or words; not those of dates, times and shares."""
    return frozenset(int(digits) if digits else _WORDS[word.lower()] for digits, word in _NAMED.findall(question))


def gains(named: frozenset[int], about: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
    """Returns what documents gain for the numbers that they are about, shape (n,).

    One about a number that is named gains, one that is about a few others loses: what is told of the 8 does not
    answer a question about the 7, nor one about no number.

    Args:
        named: Numbers that the question names.
        about: Numbers of each document.
    """
    # Documents of one number are many.
    known = {numbers: _gain(named, numbers) for numbers in set(about)}
    return np.fromiter((known[numbers] for numbers in about), dtype=np.float64, count=len(about))


def _gain(named: frozenset[int], numbers: tuple[int, ...]) -> float:
    if not named.isdisjoint(numbers):
        return _GAIN
    return -_GAIN if 0 < len(numbers) <= _FEW else 0.0
