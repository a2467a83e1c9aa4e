"""The three period cycles of a life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from typing import Final

from onenumbers_utilities.numerology.dates import date_inputs
from onenumbers_utilities.numerology.life_path import date_chains, date_components
from onenumbers_utilities.numerology.options import DEFAULTS, LifePathMethod, NumerologyOptions, School
from onenumbers_utilities.numerology.primitives import root
from onenumbers_utilities.numerology.results import Notice, NumberResult


@unique
class PeriodCycleTiming(Enum):
    """When period cycles change."""

    LIFE_PATH_TABLE = "life_path_table"
    """The first ends at 36 less the root of the life path, or 27 less it for 1 and 2; the second lasts 27 years."""
    PERSONAL_YEAR_ONE = "personal_year_one"
    """In the personal years 1 nearest to the ages 28 and 56."""


@dataclass(frozen=True, slots=True)
class PeriodCycle:
    """A period cycle."""

    ordinal: int
    """1 to 3."""
    number: NumberResult
    start_age: int
    """Completed years."""
    end_age: int | None
    """None for the last cycle."""
    start_year: int
    """Calendar year in which `start_age` is reached."""
    current: bool
    """Whether it is in force at the age asked for."""


_SCHOOLS: Final = {
    PeriodCycleTiming.LIFE_PATH_TABLE: School.DECOZ,
    PeriodCycleTiming.PERSONAL_YEAR_ONE: School.GOODWIN,
}
_SECOND_LASTS: Final = 27
"""Years of the second cycle by the table: three times nine personal years."""
_NEAREST: Final = (28, 56)
"""Ages near which the cycles change in the variant of personal years."""
_UNCONFIRMED: Final = Notice(
    "SECOND_CHANGE_GENERAL_KNOWLEDGE",
    "The change near the age 28 is documented by Goodwin; the one near 56 is general knowledge of the literature.",
)


def timing_school(timing: PeriodCycleTiming) -> School:
    """Returns who documents a timing."""
    return _SCHOOLS[timing]


def timing_notices(timing: PeriodCycleTiming) -> tuple[Notice, ...]:
    """Returns what a reader should know about a timing."""
    return (_UNCONFIRMED,) if timing is PeriodCycleTiming.PERSONAL_YEAR_ONE else ()


def cycle_starts(born: date, timing: PeriodCycleTiming = PeriodCycleTiming.LIFE_PATH_TABLE) -> tuple[int, int]:
    """Returns the ages at which the second and the third cycle begin, each in a personal year 1 by the calendar.

    The root of the life path is the same by every method, and no master is subtracted.
    """
    whole = born.month + born.day + born.year
    path = root(whole)
    if timing is PeriodCycleTiming.LIFE_PATH_TABLE:
        second = (36 if path >= 3 else 27) - path + 1
        return second, second + _SECOND_LASTS
    # Nine personal years make a round, so within four years of any age exactly one is a personal year 1.
    second, third = (next(age for age in range(near - 4, near + 5) if root(whole + age) == 1) for near in _NEAREST)
    return second, third


def period_cycles(
    born: date,
    options: NumerologyOptions = DEFAULTS,
    *,
    timing: PeriodCycleTiming = PeriodCycleTiming.LIFE_PATH_TABLE,
    age: int | None = None,
    explain: bool = True,
) -> tuple[PeriodCycle, ...]:
    """Returns the three cycles: month, day and digit sum of the year, each reduced with masters kept.

    Args:
        born: Birth date.
        options: Gives the master numbers.
        timing: When the cycles change.
        age: Completed years on the date asked for; marks the cycle in force.
        explain: Whether the part of the date is returned.
    """
    chains = date_chains(born, LifePathMethod.GROUPED_MASTERS, options.masters())
    components = date_components(born, chains)
    second, third = cycle_starts(born, timing)
    inputs = date_inputs(born)
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    ages: tuple[tuple[int, int | None], ...] = ((0, second - 1), (second, third - 1), (third, None))
    found: list[PeriodCycle] = []
    for index, (visited, (start, end)) in enumerate(zip(chains, ages, strict=True)):
        number = NumberResult(
            value=visited[-1],
            root=root(visited[-1]),
            is_master=visited[-1] > 9,
            total=visited[0],
            chain=visited,
            rule_id=f"period_cycle.{timing.value}",
            school=_SCHOOLS[timing],
            inputs_used=inputs,
            components=(components[index],) if explain else (),
        )
        current = age is not None and start <= age and (end is None or age <= end)
        found.append(PeriodCycle(index + 1, number, start, end, born.year + start, current))
    return tuple(found)
