"""Dates in a range that agree with a person's numbers, each with the reasons. No score and no prediction.

Cheiro's line prints for each birth number the days of the month of its own series, next to them those of the numbers
that are interchangeable with it, and days of the week (free-numerology.org). What is read from the personal day is a
convention of this software: the cycles are documented, taking a date for favourable because they agree is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, unique
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.correspondences import CORRESPONDENCES, Weekday
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.groupings import Relation, cheiro, concord
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, School
from onenumbers_utilities.numerology.primitives import root

MAX_DAYS: Final = 366
"""Days of the longest range."""
MAX_REASONS: Final = 5
"""Reasons that a date can be asked to have at least."""


@unique
class DateBasis(Enum):
    """Which rules are looked at."""

    PERSONAL_CYCLES = "personal_cycles"
    """The personal day against life path, month and year: a convention of this software."""
    CHEIRO = "cheiro"
    """The day of the month and of the week against the birth number."""
    BOTH = "both"


@unique
class ReasonKind(Enum):
    """Why a date is listed."""

    PERSONAL_DAY_IS_LIFE_PATH = "personal_day_is_life_path"
    PERSONAL_DAY_IN_CONCORD = "personal_day_in_concord"
    """Personal day and life path are different numbers of one concord triad."""
    PERSONAL_DAY_IS_PERSONAL_MONTH = "personal_day_is_personal_month"
    PERSONAL_DAY_IS_PERSONAL_YEAR = "personal_day_is_personal_year"
    DAY_OF_BIRTH_SERIES = "day_of_birth_series"
    """The day of the month has the root of the day of birth."""
    DAY_OF_RELATED_SERIES = "day_of_related_series"
    """The root of the day is interchangeable with the birth number, or of its family."""
    WEEKDAY_OF_BIRTH_NUMBER = "weekday_of_birth_number"
    """The day of the week stands in the list of the birth number; counted only beside one of the two series."""


_CHEIRO_KINDS: Final = frozenset(
    {ReasonKind.DAY_OF_BIRTH_SERIES, ReasonKind.DAY_OF_RELATED_SERIES, ReasonKind.WEEKDAY_OF_BIRTH_NUMBER}
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a date is listed."""

    kind: ReasonKind
    text: str
    """The sentence for a reader."""

    @property
    def rule_id(self) -> str:
        """The rule."""
        return f"favourable_dates.{self.kind.value}"

    @property
    def school(self) -> School:
        """Cheiro for his lists; our convention for the cycles."""
        return School.CHEIRO if self.kind in _CHEIRO_KINDS else School.CONVENTION


@dataclass(frozen=True, slots=True)
class FavourableDate:
    """A date with its reasons."""

    day: date
    weekday: Weekday
    personal_year: int
    personal_month: int
    personal_day: int
    reasons: tuple[Reason, ...]
    """At least as many as were asked for."""


@dataclass(frozen=True, slots=True)
class FavourableDates:
    """The dates of a range."""

    dates: tuple[FavourableDate, ...]
    """Ascending."""
    days_examined: int
    life_path_root: int
    birth_number: int


def favourable_dates(
    born: date,
    first: date,
    last: date,
    options: NumerologyOptions = DEFAULTS,
    *,
    basis: DateBasis = DateBasis.PERSONAL_CYCLES,
    min_reasons: int = 2,
) -> FavourableDates:
    """Returns the dates of a range, both ends included, that have at least `min_reasons` reasons.

    Args:
        born: Birth date.
        first: First date, not before the birth.
        last: Last date, at most 365 days later.
        options: Gives the span of the personal year. Master numbers are reduced.
        basis: Which rules are looked at.
        min_reasons: 1-5.

    Raises:
        InvalidArgumentError: The range is empty, too long or begins before the birth, or `min_reasons` is out of range.
    """
    if first < born:
        raise invalid("from_date", f"{first} lies before the birth date {born}", rule="favourable_dates.after_birth")
    if last < first:
        raise invalid("to_date", f"{last} lies before from_date {first}", rule="favourable_dates.order")
    days = (last - first).days + 1
    if days > MAX_DAYS:
        raise invalid("to_date", f"the range has {days} days, at most {MAX_DAYS}", rule="favourable_dates.range")
    if not 1 <= min_reasons <= MAX_REASONS:
        raise invalid("min_reasons", f"must be within 1-{MAX_REASONS}", rule="favourable_dates.min_reasons")
    # The root of the life path is the same by every method.
    path, birth = root(born.month + born.day + born.year), root(born.day)
    found: list[FavourableDate] = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        now = cycles(born, day, options, explain=False)
        year, month, personal_day = now.personal_year.root, now.personal_month.root, now.personal_day.root
        reasons: list[Reason] = []
        if basis is not DateBasis.CHEIRO:
            reasons.extend(_of_cycles(path, year, month, personal_day))
        if basis is not DateBasis.PERSONAL_CYCLES:
            reasons.extend(_of_cheiro(birth, day))
        if len(reasons) >= min_reasons:
            weekday = Weekday(day.weekday() + 1)
            found.append(FavourableDate(day, weekday, year, month, personal_day, tuple(reasons)))
    return FavourableDates(tuple(found), days, path, birth)


def _of_cycles(path: int, year: int, month: int, day: int) -> Iterator[Reason]:
    relation = concord(path, day).relation
    if relation is Relation.SAME:
        yield Reason(ReasonKind.PERSONAL_DAY_IS_LIFE_PATH, f"The personal day {day} is the root of the life path.")
    elif relation is Relation.CONCORD:
        yield Reason(
            ReasonKind.PERSONAL_DAY_IN_CONCORD,
            f"The personal day {day} and the root of the life path {path} are of one concord triad.",
        )
    if day == month:
        yield Reason(ReasonKind.PERSONAL_DAY_IS_PERSONAL_MONTH, f"Personal day and personal month are both {day}.")
    if day == year:
        yield Reason(ReasonKind.PERSONAL_DAY_IS_PERSONAL_YEAR, f"Personal day and personal year are both {day}.")


def _of_cheiro(birth: int, day: date) -> Iterator[Reason]:
    series = root(day.day)
    relation = cheiro(birth, series).relation
    if relation is Relation.SAME:
        yield Reason(ReasonKind.DAY_OF_BIRTH_SERIES, f"Day {day.day} is of the series of the birth number {birth}.")
    elif relation in (Relation.INTERCHANGEABLE, Relation.FAMILY):
        yield Reason(
            ReasonKind.DAY_OF_RELATED_SERIES,
            f"Day {day.day} is of the series {series}, which goes with the birth number {birth}.",
        )
    else:
        return
    weekday = Weekday(day.weekday() + 1)
    if weekday in CORRESPONDENCES[birth].weekdays:
        yield Reason(
            ReasonKind.WEEKDAY_OF_BIRTH_NUMBER,
            f"{weekday.name.capitalize()} stands in the list of the birth number {birth}.",
        )
