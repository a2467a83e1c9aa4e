"""Phillips' birth chart: the digits of a birth date on the square 3 6 9 / 2 5 8 / 1 4 7.

Source: David A. Phillips. His lines ("arrows") belong to this square and not to the Lo Shu grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from onenumbers_utilities.numerology.grids import Cell, Line, counts_of, date_digits, line_of, missing_of, repeated_of
from onenumbers_utilities.numerology.results import Notice

SQUARE: Final = (3, 6, 9, 2, 5, 8, 1, 4, 7)
"""The square, row by row."""
LINES: Final = (
    ((1, 2, 3), "planner"),
    ((4, 5, 6), "will"),
    ((7, 8, 9), "activity"),
    ((1, 4, 7), "practicality"),
    ((2, 5, 8), "emotional balance"),
    ((3, 6, 9), "intellect"),
    ((1, 5, 9), "determination"),
    ((3, 5, 7), "spirituality"),
)
"""Columns, rows and diagonals with the names of their full lines."""


@dataclass(frozen=True, slots=True)
class PhillipsChart:
    """A birth chart by Phillips."""

    digits: tuple[int, ...]
    """The digits placed, in the order of the date."""
    cells: tuple[Cell, ...]
    """The nine places, row by row."""
    missing: tuple[int, ...]
    repeated: tuple[int, ...]
    lines: tuple[Line, ...]
    always_present: tuple[int, ...]
    """Digits that every birth of the same hundred years has."""
    never_empty: tuple[Line, ...]
    """Lines that cannot be empty in the same hundred years."""
    rule_id: str
    warnings: tuple[Notice, ...]


def phillips_chart(born: date) -> PhillipsChart:
    """Returns the chart of a birth date. Zeros are not placed.

    How rare a line or a gap is depends on the century: every birth of 1900-1999 has 1 and 9, every one from 2000 to
    2999 has 2. The chart says so.
    """
    digits = date_digits(born)
    counts = counts_of(digits)
    lines = tuple(line_of(numbers, name, counts) for numbers, name in LINES)
    first = born.year // 100 * 100
    present = tuple(sorted({int(digit) for digit in str(born.year // 100) if digit != "0"}))
    return PhillipsChart(
        digits=digits,
        cells=tuple(Cell(number, counts[number - 1]) for number in SQUARE),
        missing=missing_of(counts),
        repeated=repeated_of(counts),
        lines=lines,
        always_present=present,
        never_empty=tuple(line for line in lines if set(line.numbers) & set(present)),
        rule_id="phillips.chart",
        warnings=(_century(first, present),) if present else (),
    )


def _century(first: int, present: tuple[int, ...]) -> Notice:
    always = " and ".join(str(digit) for digit in present)
    return Notice(
        "CENTURY_SHIFTS_FREQUENCIES",
        f"Every birth of the years {first}-{first + 99} has {always}: how common lines and gaps are differs from other "
        "centuries, so nothing here is rare by itself.",
    )
