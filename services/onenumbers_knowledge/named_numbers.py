"""Which numbers a question names, so that documents about them are preferred.

Neither ranking knows that "a seven" and "7" are one number, nor that a passage on 17 is about another one.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = {
    # "One" mostly counts nothing: "the one that".
    "zero": 0,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "twenty-two": 22,
    "thirty-three": 33,
}
_MONTHS: Final = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_NAMED: Final = re.compile(
    r"(?<![\w])(?<!\d[./:-])(?:"
    rf"(\d{{1,2}})(?:s|st|nd|rd|th)?(?![./:-]\d|%|\w|\s*(?:percent|{_MONTHS}))"
    rf"|({'|'.join(sorted(_WORDS, key=len, reverse=True))})s?\b)",
    re.IGNORECASE,
)


def named_numbers(question: str) -> frozenset[int]:
    """Returns the numbers 0-99 that a question names in digits or words; not those of dates, times and shares."""
    return frozenset(int(digits) if digits else _WORDS[word.lower()] for digits, word in _NAMED.findall(question))
