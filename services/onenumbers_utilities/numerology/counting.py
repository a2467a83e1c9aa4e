"""How many dates have each value of a number: every date of a range of years is counted.

A number of a date adds what month, day and year contribute each. The contributions of month and day are the same in
all common years and in all leap years, so their sums are enumerated once for each kind of year, and a year's dates
are those sums with the year's own contribution added. That is the same count as one date after another.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, unique
from typing import Final

from onenumbers_runtime.errors import InvalidArgumentError, invalid
from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.dates import read_date
from onenumbers_utilities.numerology.life_path import birthday, date_chains, life_path
from onenumbers_utilities.numerology.options import DEFAULTS, LifePathMethod, NumerologyOptions, School
from onenumbers_utilities.numerology.primitives import NO_MASTERS, chain, root

_PER_SLICE: Final = 64
"""Years counted between two looks at whether others want to run."""
_COMMON_YEAR: Final = 2001
_LEAP_YEAR: Final = 2000
_ROOTS: Final = tuple(range(1, 10))
_ROOTS_TO_22: Final = (*_ROOTS, 11, 22)
_ROOTS_TO_33: Final = (*_ROOTS_TO_22, 33)


@unique
class DateNumber(Enum):
    """A number that a date has."""

    LIFE_PATH = "life_path"
    BIRTHDAY = "birthday"
    """The day, reduced with masters kept."""
    ATTITUDE = "attitude"
    """Month + day, reduced with masters kept."""
    PERSONAL_YEAR = "personal_year"
    """The personal year in a calendar year, from January on; 1-9."""


@dataclass(frozen=True, slots=True)
class NumberOfDates:
    """Which number of dates is wanted."""

    number: DateNumber
    life_path_method: LifePathMethod = LifePathMethod.GROUPED_MASTERS
    """Of no effect but on the life path."""
    personal_year_in: int | None = None
    """Calendar year of the personal year; None for other numbers."""

    def checked(self) -> NumberOfDates:
        """Returns itself, or the same without what has no effect, so that equal counts are equal.

        Raises:
            InvalidArgumentError: The personal year has no calendar year, or another number has one.
        """
        if (self.number is DateNumber.PERSONAL_YEAR) != (self.personal_year_in is not None):
            needed = "is needed for the personal year" if self.personal_year_in is None else "is for the personal year"
            raise invalid("personal_year_in", needed, rule="date_number.personal_year_in")
        if self.number is DateNumber.LIFE_PATH:
            return self
        return NumberOfDates(self.number, personal_year_in=self.personal_year_in)

    def rule(self) -> tuple[str, School]:
        """Returns the identifier of the rule and the school that documents it."""
        example = date(2001, 1, 1)
        match self.number:
            case DateNumber.LIFE_PATH:
                found = life_path(example, NumerologyOptions(life_path_method=self.life_path_method), explain=False)
            case DateNumber.BIRTHDAY:
                found = birthday(example, explain=False)
            case DateNumber.ATTITUDE:
                found = attitude(example.day, example.month, explain=False)
            case DateNumber.PERSONAL_YEAR:
                found = cycles(example, example, explain=False).personal_year
        return found.rule_id, found.school


@dataclass(frozen=True, slots=True)
class DateCounts:
    """How many dates have each value."""

    counts: Mapping[int, int]
    """Dates by value, ascending; all values that the number can have, also those that no date has."""
    dates: int
    """All dates: the sum of the counts."""


def reachable(wanted: NumberOfDates) -> tuple[int, ...]:
    """Returns the values that the number has on some date of the years 1-9999, ascending."""
    plain = wanted.life_path_method is LifePathMethod.GROUPED_PLAIN
    match wanted.number:
        case DateNumber.PERSONAL_YEAR:
            return _ROOTS
        case DateNumber.BIRTHDAY:
            return _ROOTS_TO_22
        case DateNumber.LIFE_PATH if plain:
            # Three numbers of at most 9 add up to 27.
            return _ROOTS_TO_22
        case _:
            return _ROOTS_TO_33


def number_of(wanted: NumberOfDates, born: date) -> int:
    """Returns the number of one date."""
    reduce = _reducer(wanted.number)
    return reduce(_month_and_day(wanted, born) + _year(wanted, born))


def read_dates(days: Iterable[int], months: Iterable[int], years: Iterable[int]) -> Iterator[date]:
    """Yields the dates of equally long lists.

    Raises:
        InvalidArgumentError: A date does not exist; the field names it, such as "days[3]".
    """
    for index, (day, month, year) in enumerate(zip(days, months, years, strict=True)):
        try:
            yield read_date(day, month, year)
        except InvalidArgumentError as error:
            (broken,) = error.violations
            raise invalid(f"{broken.field}s[{index}]", broken.description, rule=broken.rule) from None


def count_dates(wanted: NumberOfDates, first_year: int, last_year: int) -> Iterator[DateCounts | None]:
    """Counts the dates of the years, both included; yields None now and then, and the counts at last.

    Whoever serves others meanwhile does so at each None.

    Args:
        wanted: The number.
        first_year: 1-9999.
        last_year: 1-9999, not before the first.
    """
    total: Counter[int] = Counter()
    for part in _counted(wanted, first_year, last_year):
        total.update(part)
        yield None
    yield DateCounts({value: total[value] for value in reachable(wanted)}, total.total())


def count_years(wanted: NumberOfDates, first_year: int, last_year: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yields each year with how many of its dates have each value, in the order of `reachable`.

    Args:
        wanted: The number.
        first_year: 1-9999.
        last_year: 1-9999, not before the first.
    """
    sums = {leap: _sums(wanted, leap=leap) for leap in (False, True)}
    reduce, values = _reducer(wanted.number), reachable(wanted)
    for year in range(first_year, last_year + 1):
        contribution = _year(wanted, date(year, 1, 1))
        counts: Counter[int] = Counter()
        for known, dates in sums[calendar.isleap(year)].items():
            counts[reduce(known + contribution)] += dates
        yield year, tuple(counts[value] for value in values)


def _counted(wanted: NumberOfDates, first_year: int, last_year: int) -> Iterator[Counter[int]]:
    """Yields counts of slices of the years."""
    sums = {leap: _sums(wanted, leap=leap) for leap in (False, True)}
    reduce = _reducer(wanted.number)
    for start in range(first_year, last_year + 1, _PER_SLICE):
        part: Counter[int] = Counter()
        alike = Counter(
            (calendar.isleap(year), _year(wanted, date(year, 1, 1)))
            for year in range(start, min(start + _PER_SLICE, last_year + 1))
        )
        for (leap, contribution), years in alike.items():
            for known, dates in sums[leap].items():
                part[reduce(known + contribution)] += dates * years
        yield part


def _sums(wanted: NumberOfDates, *, leap: bool) -> Counter[int]:
    """Returns how many dates of a kind of year have each sum of what month and day contribute."""
    first = date(_LEAP_YEAR if leap else _COMMON_YEAR, 1, 1)
    return Counter(_month_and_day(wanted, first + timedelta(days=day)) for day in range(366 if leap else 365))


def _month_and_day(wanted: NumberOfDates, born: date) -> int:
    match wanted.number:
        case DateNumber.LIFE_PATH:
            month, day, _ = date_chains(born, wanted.life_path_method, DEFAULTS.masters())
            return month[-1] + day[-1]
        case DateNumber.BIRTHDAY:
            return born.day
        case DateNumber.ATTITUDE:
            return born.month + born.day
        case DateNumber.PERSONAL_YEAR:
            return root(born.month) + root(born.day)


def _year(wanted: NumberOfDates, born: date) -> int:
    match wanted.number:
        case DateNumber.LIFE_PATH:
            return date_chains(born, wanted.life_path_method, DEFAULTS.masters())[2][-1]
        case DateNumber.PERSONAL_YEAR:
            return root(wanted.personal_year_in or 0)
        case _:
            return 0


def _reducer(number: DateNumber) -> Callable[[int], int]:
    masters = NO_MASTERS if number is DateNumber.PERSONAL_YEAR else DEFAULTS.masters()
    return lambda total: chain(total, masters)[-1]
