"""The quantities that inputs are made of, row by row. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np

from onenumbers_research.discovery.definitions import Letter
from onenumbers_research.discovery.formula_trees import INPUT_NAMES, QUANTITIES, Rows

_DATE: Final = INPUT_NAMES["date"]
_NAME: Final = INPUT_NAMES["string"]
_NUMBER: Final = INPUT_NAMES["integer"]


def quantities_of(
    rows: Sequence[Mapping[str, Any]], letters: Mapping[str, tuple[tuple[Letter, ...], ...]]
) -> dict[str, Rows]:
    """Returns the values of every quantity that the inputs of some rows are made of.

    Args:
        rows: Inputs by name; a date is "YYYY-MM-DD".
        letters: The letters of each full name in them.
    """
    told = [_row(row, letters) for row in rows]
    return {name: np.array([row[name] for row in told], dtype=np.int64) for name in QUANTITIES if name in told[0]}


def _row(row: Mapping[str, Any], letters: Mapping[str, tuple[tuple[Letter, ...], ...]]) -> dict[str, int]:
    found: dict[str, int] = {}
    if _DATE in row:
        found |= _of_date(date.fromisoformat(row[_DATE]))
    if _NAME in row:
        found |= _of_name(letters[row[_NAME]])
    if _NUMBER in row:
        found |= {"number": int(row[_NUMBER]), "digits of the number": _digit_sum(int(row[_NUMBER]))}
    return found


def _of_date(day: date) -> dict[str, int]:
    digits = [_digit_sum(part) for part in (day.day, day.month, day.year)]
    return {
        "day": day.day,
        "month": day.month,
        "year": day.year,
        "digits of the day": digits[0],
        "digits of the month": digits[1],
        "digits of the year": digits[2],
        "last two digits of the year": day.year % 100,
        "digits of the date": sum(digits),
    }


def _of_name(names: Sequence[Sequence[Letter]]) -> dict[str, int]:
    letters = [letter for name in names for letter in name]
    vowels = [letter.value for letter in letters if letter.vowel]
    return {
        "letters": sum(letter.value for letter in letters),
        "vowels": sum(vowels),
        "consonants": sum(letter.value for letter in letters if not letter.vowel),
        "initials": sum(name[0].value for name in names),
        "first letter": letters[0].value,
        "last letter": letters[-1].value,
        "chaldean letters": sum(letter.chaldean for letter in letters),
        "number of letters": len(letters),
        "number of vowels": len(vowels),
        "number of consonants": len(letters) - len(vowels),
        "number of names": len(names),
    }


def _digit_sum(number: int) -> int:
    return sum(int(digit) for digit in str(abs(number)))
