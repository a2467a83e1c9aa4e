"""Numbers that are written as words: "seven", "thirteenth", "twenty-two"."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS: Final = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS: Final = {
    word: 10 * number
    for number, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_ORDINAL_UNITS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_ORDINAL_TEENS: Final = (
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth"),
    *("fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
)

COMPOUNDS: Final = {
    f"{tens}-{unit}": value + number
    for tens, value in _TENS.items()
    for words in (_UNITS, _ORDINAL_UNITS)
    for number, unit in enumerate(words, start=1)
}
"""Numbers of two words, such as "twenty-two" and "thirty-first"."""

_AFTER_TENS: Final = "|".join(rf"(?<=\b{tens}-)" for tens in _TENS)
COMPOUND_END: Final = rf"-(?:{_AFTER_TENS})(?:{'|'.join((*_UNITS, *_ORDINAL_UNITS))})\b"
"""Regular expression of what follows the first word of `COMPOUNDS`: for nearly all words the hyphen decides."""

CARDINALS: Final = {
    "zero": 0,
    # "One" mostly counts nothing ("the one that"), so it is no number here.
    **{word: number for number, word in enumerate(_UNITS[1:], start=2)},
    **{word: number for number, word in enumerate(_TEENS, start=10)},
    **_TENS,
}
"""Numbers of one word."""

ORDINALS: Final = {
    # "Second" is a time, and "first" and "third" count parts of whatever a text has.
    **{word: number for number, word in enumerate(_ORDINAL_UNITS[3:], start=4)},
    **{word: number for number, word in enumerate(_ORDINAL_TEENS, start=10)},
    **{f"{tens[:-1]}ieth": value for tens, value in _TENS.items()},
}
"""Places in a row, of one word."""


def _plural(word: str) -> str:
    return f"{word}es" if word.endswith("x") else f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


NUMBERS: Final = {
    **CARDINALS,
    **{_plural(word): number for word, number in CARDINALS.items()},
    **ORDINALS,
    **COMPOUNDS,
}
"""What each word stands for."""
