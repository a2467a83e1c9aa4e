"""Kua number: the year of birth by the Chinese calendar, in feng shui's school of the eight mansions.

Source: feng-shui-architect.com, vaastuinternational.com and their examples: s = root of the year, 11 - s for men and
4 + s for women, reduced; 5 becomes 2 or 8. The formulas for two digits of the year (10 - s, 5 + s; from 2000 9 - s,
6 + s) give the same numbers. New Year days of China are those of the library borax, which two others confirm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from functools import lru_cache
from typing import Final

from borax.calendars.lunardate import LunarDate

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.dates import date_inputs
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.primitives import chain, root
from onenumbers_utilities.numerology.records import changed
from onenumbers_utilities.numerology.reduction import number_part, reduced
from onenumbers_utilities.numerology.results import Alternative, Component, Notice, NumberResult

FIRST_LUNAR_YEAR: Final = 1900
LAST_LUNAR_YEAR: Final = 2100
"""Years whose New Year days are known."""
_SOLAR_TURN: Final = (2, 4)
"""Month and day on which the solar year begins here. Its astronomical beginning lies on 3, 4 or 5 February."""
_NEAR_TURN: Final = frozenset({(2, 3), (2, 4), (2, 5)})
_EAST: Final = frozenset({1, 3, 4, 9})


@unique
class KuaFormula(Enum):
    """The two formulas, as tradition assigns them."""

    MALE = "male"
    FEMALE = "female"


@unique
class YearTurn(Enum):
    """When the year of the Chinese calendar begins."""

    SOLAR = "solar"
    """On 4 February."""
    LUNAR = "lunar"
    """On the lunar New Year."""


@unique
class KuaGroup(Enum):
    """The two groups of kua numbers."""

    EAST = "east"
    """1, 3, 4 and 9."""
    WEST = "west"
    """2, 6, 7 and 8."""


_CENTRE: Final = 5
_INSTEAD_OF_CENTRE: Final = {KuaFormula.MALE: 2, KuaFormula.FEMALE: 8}


@dataclass(frozen=True, slots=True)
class Kua:
    """A kua number."""

    number: NumberResult
    group: KuaGroup
    year: int
    """The year that was counted: that of the birth, or the one before it."""
    year_began: date
    """The day on which that year began by the turn asked for."""


def kua(born: date, formula: KuaFormula, turn: YearTurn = YearTurn.SOLAR, *, explain: bool = True) -> Kua:
    """Returns the kua number of a birth date.

    Raises:
        InvalidArgumentError: The year that counts is before year 1, or, by the lunar turn, the date is outside the
            years whose New Year days are known (1900-2100).
    """
    year, began = _year(born, turn)
    visited = _chain(year, formula)
    inputs = {**date_inputs(born), "formula": formula.value}
    if turn is not YearTurn.SOLAR:
        inputs["year_turn"] = turn.value
    number = reduced(
        visited[0],
        rule_id=f"kua.{turn.value}_year",
        school=School.LO_SHU,
        inputs=inputs,
        warnings=_notices(born, year, turn, visited),
        components=_parts(year, formula) if explain else (),
        alternatives=_alternatives(born, formula, turn, visited[-1]) if explain else (),
    )
    value = visited[-1]
    number = changed(number, value=value, root=value, chain=visited)
    return Kua(number, KuaGroup.EAST if value in _EAST else KuaGroup.WEST, year, began)


@lru_cache(maxsize=LAST_LUNAR_YEAR - FIRST_LUNAR_YEAR + 1)
def lunar_new_year(year: int) -> date:
    """Returns the day of the lunar New Year of China in a year 1900-2100."""
    first: date = LunarDate(year, 1, 1).to_solar_date()
    return first


def _year(born: date, turn: YearTurn) -> tuple[int, date]:
    """Returns the year that counts and the day on which it began."""
    year = born.year
    if turn is YearTurn.LUNAR:
        known = FIRST_LUNAR_YEAR <= year <= LAST_LUNAR_YEAR
        if not known or born < lunar_new_year(FIRST_LUNAR_YEAR):
            raise invalid(
                "year",
                f"the lunar New Year is known for births from {lunar_new_year(FIRST_LUNAR_YEAR)} to "
                f"{LAST_LUNAR_YEAR}; use the solar turn of the year",
                rule="kua.lunar_years",
            )
        began = lunar_new_year(year)
        return (year, began) if born >= began else (year - 1, lunar_new_year(year - 1))
    if (born.month, born.day) < _SOLAR_TURN:
        year -= 1
    if year < 1:
        raise invalid("year", "the year before 4 February of year 1 has no number", rule="kua.first_year")
    return year, date(year, *_SOLAR_TURN)


def _chain(year: int, formula: KuaFormula) -> tuple[int, ...]:
    of_year = root(year)
    visited = chain(11 - of_year if formula is KuaFormula.MALE else 4 + of_year)
    return (*visited, _INSTEAD_OF_CENTRE[formula]) if visited[-1] == _CENTRE else visited


def _parts(year: int, formula: KuaFormula) -> tuple[Component, ...]:
    of_year = chain(year)
    constant = 11 if formula is KuaFormula.MALE else 4
    sign = -1 if formula is KuaFormula.MALE else 1
    return (
        number_part("constant", str(constant), constant),
        Component("year", str(year), of_year[0], sign * of_year[-1], (*of_year[:-1], sign * of_year[-1])),
    )


def _notices(born: date, year: int, turn: YearTurn, visited: tuple[int, ...]) -> tuple[Notice, ...]:
    found: list[Notice] = []
    if year != born.year:
        found.append(
            Notice("YEAR_BEFORE_COUNTED", f"The birth lies before the turn of the year, so {year} was counted.")
        )
    if turn is YearTurn.SOLAR and (born.month, born.day) in _NEAR_TURN:
        found.append(
            Notice(
                "NEAR_TURN_OF_YEAR",
                "The solar year begins on 3, 4 or 5 February by astronomy; 4 February was taken. Check births on "
                "these days.",
            )
        )
    if _CENTRE in visited:
        found.append(Notice("KUA_FIVE", f"5 is the centre and no kua number; it is read as {visited[-1]}."))
    return tuple(found)


def _alternatives(born: date, formula: KuaFormula, turn: YearTurn, value: int) -> tuple[Alternative, ...]:
    other = YearTurn.LUNAR if turn is YearTurn.SOLAR else YearTurn.SOLAR
    if other is YearTurn.LUNAR and not (
        born.year <= LAST_LUNAR_YEAR and born.year >= FIRST_LUNAR_YEAR and born >= lunar_new_year(FIRST_LUNAR_YEAR)
    ):
        return ()
    visited = _chain(_year(born, other)[0], formula)
    if visited[-1] == value:
        return ()
    return (Alternative(f"kua.{other.value}_year", School.LO_SHU, visited[-1], visited[0]),)
