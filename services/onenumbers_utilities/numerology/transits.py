"""Transits and essence: the letters of a name as they pass through the years of a life."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from itertools import accumulate
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.dates import date_inputs, date_notices
from onenumbers_utilities.numerology.karmic import DEBT_NUMBERS
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, PersonalYearSpan, School
from onenumbers_utilities.numerology.primitives import chain, root
from onenumbers_utilities.numerology.results import Component, Notice, NumberResult
from onenumbers_utilities.numerology.tables import PYTHAGOREAN

MAX_AGE: Final = 120
"""Last age of a timeline, in completed years; a timeline has at most 121 entries."""
_MASTER_TOTALS: Final = frozenset({11, 22})


@unique
class EssenceMark(Enum):
    """What stands out in the total of an essence."""

    NONE = "none"
    MASTER = "master"
    """It is 11 or 22."""
    KARMIC_DEBT = "karmic_debt"
    """It is 13, 14, 16 or 19."""


@dataclass(frozen=True, slots=True)
class TransitLetter:
    """A letter in transit."""

    letter: str
    value: int
    """What it adds to the essence, and the years that it lasts."""
    position: int
    """Place in the letters of its transit, from 1."""
    since_age: int
    """Age at which it began this time."""


@dataclass(frozen=True, slots=True)
class YearOverlap:
    """A personal year that falls into a year of life."""

    year: int
    """Calendar year from which it is calculated."""
    personal_year: int
    """1-9."""
    duality: bool
    """Whether the root of the essence equals it."""


@dataclass(frozen=True, slots=True)
class EssenceYear:
    """A year of life, from birthday to birthday."""

    age: int
    """Completed years."""
    start_year: int
    """Calendar year in which it begins."""
    physical: TransitLetter
    mental: TransitLetter
    spiritual: TransitLetter
    essence: NumberResult
    mark: EssenceMark
    personal_years: tuple[YearOverlap, ...]

    @property
    def duality(self) -> bool:
        """Whether the essence equals one of the personal years."""
        return any(each.duality for each in self.personal_years)


@dataclass(frozen=True, slots=True)
class Transits:
    """A timeline of transits and essence."""

    physical_name: str
    mental_name: str
    """The middle names strung together, or the last names where there is none."""
    spiritual_name: str
    years: tuple[EssenceYear, ...]
    """One for each age, ascending."""
    notices: tuple[Notice, ...]


class _Row:
    """The letters of one transit; the row repeats when its last letter has passed."""

    def __init__(self, letters: str) -> None:
        self.letters = letters
        self._values = [PYTHAGOREAN.values[letter] for letter in letters]
        self._ends = list(accumulate(self._values))

    def at(self, age: int) -> TransitLetter:
        rounds, within = divmod(age, self._ends[-1])
        place = bisect_right(self._ends, within)
        begun = rounds * self._ends[-1] + (self._ends[place - 1] if place else 0)
        return TransitLetter(self.letters[place], self._values[place], place + 1, begun)


def transits(
    name: Name,
    born: date,
    ages: Sequence[int],
    options: NumerologyOptions = DEFAULTS,
    *,
    last_names: int = 1,
    explain: bool = True,
) -> Transits:
    """Returns transit letters and essence for years of a life.

    The first name is the physical transit, the middle names strung together the mental one and the last names strung
    together the spiritual one; without a middle name the last names serve both and count twice (Decoz). Each letter
    lasts its value in years from birth, and each row repeats.

    Args:
        name: The full name.
        born: Birth date.
        ages: Completed years, each at least 0.
        options: Gives the master numbers of the essence and the span of the personal year.
        last_names: How many of the names at the end are last names, at least 1.
        explain: Whether the letters are repeated as parts of each essence.

    Raises:
        InvalidArgumentError: The name is a single one (rule transits.two_names, field name), or has no first name
            beside its last names (rule transits.last_names, field last_names).
    """
    rows = _rows(name, last_names)
    inputs = {**name.inputs(), **date_inputs(born)}
    if last_names != 1:
        inputs["last_names"] = str(last_names)
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    notices = [*name.notices, *date_notices(born)]
    if len(name.parts) == 1 + last_names:
        message = (
            f"There is no middle name: {rows[2].letters} serves the mental and the spiritual transit and counts twice."
        )
        notices.append(Notice("NO_MIDDLE_NAME", message))
    years = tuple(_year(rows, born, age, options, inputs, explain=explain) for age in ages)
    return Transits(rows[0].letters, rows[1].letters, rows[2].letters, years, tuple(notices))


def _rows(name: Name, last_names: int) -> tuple[_Row, _Row, _Row]:
    parts = name.parts
    if len(parts) < 2:
        raise invalid(
            "name", "needs a first and a last name: transits are not defined for one name", rule="transits.two_names"
        )
    if not 1 <= last_names < len(parts):
        raise invalid(
            "last_names",
            f"must be within 1-{len(parts) - 1}, for the name has {len(parts)} parts and the first is the first name",
            rule="transits.last_names",
        )
    middle, last = "".join(parts[1:-last_names]), "".join(parts[-last_names:])
    spiritual = _Row(last)
    return _Row(parts[0]), _Row(middle) if middle else spiritual, spiritual


def _year(
    rows: tuple[_Row, _Row, _Row],
    born: date,
    age: int,
    options: NumerologyOptions,
    inputs: dict[str, str],
    *,
    explain: bool,
) -> EssenceYear:
    physical, mental, spiritual = (row.at(age) for row in rows)
    total = physical.value + mental.value + spiritual.value
    visited = chain(total, options.masters())
    value = visited[-1]
    essence = NumberResult(
        value=value,
        root=root(value),
        is_master=value > 9,
        total=total,
        chain=visited,
        rule_id="essence.three_letters",
        school=School.DECOZ,
        inputs_used={**inputs, "age": str(age)},
        components=tuple(
            Component(label, each.letter, each.value, each.value, (each.value,))
            for label, each in (("physical", physical), ("mental", mental), ("spiritual", spiritual))
        )
        if explain
        else (),
    )
    overlaps = tuple(
        YearOverlap(year, personal, personal == essence.root)
        for year in _calendar_years(born, age, options.personal_year_span)
        for personal in (root(born.month + born.day + year),)
    )
    return EssenceYear(age, born.year + age, physical, mental, spiritual, essence, _mark(total), overlaps)


def _mark(total: int) -> EssenceMark:
    if total in _MASTER_TOTALS:
        return EssenceMark.MASTER
    return EssenceMark.KARMIC_DEBT if total in DEBT_NUMBERS else EssenceMark.NONE


def _calendar_years(born: date, age: int, span: PersonalYearSpan) -> tuple[int, ...]:
    """Returns the calendar years whose personal years fall into the year of life that begins at `age`."""
    first = born.year + age
    if span is PersonalYearSpan.BIRTHDAY or (born.month, born.day) == (1, 1):
        return (first,)
    return first, first + 1
