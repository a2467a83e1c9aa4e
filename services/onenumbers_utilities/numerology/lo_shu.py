"""Lo Shu grid: the digits of a birth date on the magic square 4 9 2 / 3 5 7 / 8 1 6.

Sources: vaastuinternational.com (square, elements, a worked example); Indian practice for mulank, bhagyank and kua.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.grids import Cell, Line, counts_of, date_digits, line_of, missing_of, repeated_of
from onenumbers_utilities.numerology.kua import KuaFormula, YearTurn, kua
from onenumbers_utilities.numerology.results import Notice
from onenumbers_utilities.numerology.vedic import bhagyank, mulank

SQUARE: Final = (4, 9, 2, 3, 5, 7, 8, 1, 6)
"""The square, row by row."""
LINES: Final = (
    ((4, 9, 2), "mental plane"),
    ((3, 5, 7), "emotional plane"),
    ((8, 1, 6), "practical plane"),
    ((4, 3, 8), "thought plane"),
    ((9, 5, 1), "will plane"),
    ((2, 7, 6), "action plane"),
    ((4, 5, 6), "diagonal 4-5-6"),
    ((2, 5, 8), "diagonal 2-5-8"),
)
"""Rows, columns and diagonals with their names. The diagonals have no one name in print, so they have their numbers."""


@unique
class GridDigits(Enum):
    """Which digits are placed."""

    DATE = "date"
    """Those of the date."""
    WITH_MULANK_AND_BHAGYANK = "with_mulank_and_bhagyank"
    """Also mulank and bhagyank, as in Indian practice."""
    WITH_KUA = "with_kua"
    """Also mulank, bhagyank and kua."""


@unique
class Element(Enum):
    """The five elements of the square."""

    WATER = "water"
    EARTH = "earth"
    WOOD = "wood"
    METAL = "metal"
    FIRE = "fire"


ELEMENTS: Final = {
    Element.WATER: (1,),
    Element.EARTH: (2, 5, 8),
    Element.WOOD: (3, 4),
    Element.METAL: (6, 7),
    Element.FIRE: (9,),
}
"""Numbers of each element."""


@dataclass(frozen=True, slots=True)
class PlacedDigit:
    """A digit and where it comes from."""

    digit: int
    source: str
    """"date", "mulank", "bhagyank" or "kua"."""


@dataclass(frozen=True, slots=True)
class ElementCount:
    """How many placed digits belong to an element."""

    element: Element
    count: int


@dataclass(frozen=True, slots=True)
class LoShuGrid:
    """A Lo Shu grid."""

    digits: tuple[PlacedDigit, ...]
    """In the order of placing."""
    cells: tuple[Cell, ...]
    """The nine places, row by row."""
    missing: tuple[int, ...]
    repeated: tuple[int, ...]
    lines: tuple[Line, ...]
    """Three rows, three columns, two diagonals."""
    elements: tuple[ElementCount, ...]
    rule_id: str
    warnings: tuple[Notice, ...]


def lo_shu_grid(
    born: date,
    digits: GridDigits = GridDigits.DATE,
    *,
    formula: KuaFormula | None = None,
    turn: YearTurn = YearTurn.SOLAR,
) -> LoShuGrid:
    """Returns the grid of a birth date. Zeros are not placed.

    Args:
        born: Birth date.
        digits: Which digits are placed.
        formula: The formula of kua; needed for WITH_KUA and refused otherwise.
        turn: The turn of the year for kua.

    Raises:
        InvalidArgumentError: The formula is missing where kua is wanted, or given where it is not; or kua has no year.
    """
    if digits is GridDigits.WITH_KUA and formula is None:
        raise invalid("formula", "is needed where kua is placed", rule="lo_shu.kua_formula")
    if digits is not GridDigits.WITH_KUA and formula is not None:
        raise invalid("formula", "is only read where kua is placed", rule="lo_shu.formula_without_kua")
    if digits is not GridDigits.WITH_KUA and turn is not YearTurn.SOLAR:
        raise invalid("year_turn", "is only read where kua is placed", rule="lo_shu.year_turn_without_kua")
    placed = [PlacedDigit(digit, "date") for digit in date_digits(born)]
    warnings: list[Notice] = []
    if digits is not GridDigits.DATE:
        placed.append(PlacedDigit(mulank(born, explain=False).number.root, "mulank"))
        placed.append(PlacedDigit(bhagyank(born, explain=False).number.root, "bhagyank"))
        if born.day % 10 == 0 or born.day < 10:
            warnings.append(
                Notice(
                    "MULANK_STANDS_IN_THE_DAY",
                    "The day has one digit beside zero, which is the mulank itself; some place it only once.",
                )
            )
    if formula is not None:
        of_kua = kua(born, formula, turn, explain=False).number
        placed.append(PlacedDigit(of_kua.root, "kua"))
        warnings.extend(of_kua.warnings)
    counts = counts_of([each.digit for each in placed])
    return LoShuGrid(
        digits=tuple(placed),
        cells=tuple(Cell(number, counts[number - 1]) for number in SQUARE),
        missing=missing_of(counts),
        repeated=repeated_of(counts),
        lines=tuple(line_of(numbers, name, counts) for numbers, name in LINES),
        elements=tuple(
            ElementCount(element, sum(counts[number - 1] for number in numbers))
            for element, numbers in ELEMENTS.items()
        ),
        rule_id=f"lo_shu.{digits.value}",
        warnings=tuple(warnings),
    )
