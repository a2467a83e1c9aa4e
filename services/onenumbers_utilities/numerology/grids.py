"""Digits of a birth date in a square of nine places: what Lo Shu grid and Phillips chart share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, unique


@unique
class LineState(Enum):
    """How many numbers of a line occur."""

    FULL = "full"
    """All three."""
    PARTIAL = "partial"
    """One or two."""
    EMPTY = "empty"
    """None."""


@dataclass(frozen=True, slots=True)
class Line:
    """Three numbers in a row, a column or a diagonal."""

    numbers: tuple[int, int, int]
    name: str
    """What the tradition calls it."""
    state: LineState


@dataclass(frozen=True, slots=True)
class Cell:
    """A place of the square."""

    number: int
    """1-9."""
    count: int
    """How often the digit was placed."""


def date_digits(born: date) -> tuple[int, ...]:
    """Returns the digits of day, month and year in this order, without zeros."""
    return tuple(int(digit) for digit in f"{born.day}{born.month}{born.year}" if digit != "0")


def counts_of(digits: Sequence[int]) -> tuple[int, ...]:
    """Returns nine counts: of the digits 1, 2, ... 9."""
    return tuple(digits.count(number) for number in range(1, 10))


def line_of(numbers: tuple[int, int, int], name: str, counts: Sequence[int]) -> Line:
    """Returns a line with its state."""
    present = sum(counts[number - 1] > 0 for number in numbers)
    state = LineState.FULL if present == len(numbers) else LineState.PARTIAL if present else LineState.EMPTY
    return Line(numbers, name, state)


def missing_of(counts: Sequence[int]) -> tuple[int, ...]:
    """Returns the digits that do not occur, ascending."""
    return tuple(number for number, count in enumerate(counts, start=1) if not count)


def repeated_of(counts: Sequence[int]) -> tuple[int, ...]:
    """Returns the digits that occur more than once, ascending."""
    return tuple(number for number, count in enumerate(counts, start=1) if count > 1)
