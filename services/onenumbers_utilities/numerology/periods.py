"""Pinnacles and challenges: four periods of life each."""

from __future__ import annotations

from datetime import date
from typing import Final

from onenumbers_utilities.numerology.dates import date_inputs
from onenumbers_utilities.numerology.life_path import DateChains, date_chains, date_components
from onenumbers_utilities.numerology.options import (
    DEFAULTS,
    ChallengeAges,
    LifePathMethod,
    NumerologyOptions,
    PinnacleRule,
    School,
)
from onenumbers_utilities.numerology.primitives import NO_MASTERS, chain, root
from onenumbers_utilities.numerology.results import Alternative, Component, LifePeriod, NumberResult

_AGES_OF_ONE_AND_PATH: Final = 36
"""First pinnacle's last age + root of the life path. Four cycles of nine years: that age is a personal year 9."""
_YEARS: Final = 9
"""Length of the second and of the third pinnacle."""

_PINNACLE_RULES: Final = {
    PinnacleRule.COMPONENT_MASTERS: (LifePathMethod.GROUPED_MASTERS, School.DECOZ),
    PinnacleRule.COMPONENT_ROOTS: (LifePathMethod.GROUPED_PLAIN, School.PYTHAGOREAN),
    PinnacleRule.FULL_NUMBERS: (LifePathMethod.STRAIGHT, School.PYTHAGOREAN),
}
"""How each rule takes the date apart, and who documents it."""

PeriodAges = tuple[tuple[int, int | None], ...]

_NO_PARTS: Final[tuple[tuple[Component, ...], ...]] = ((), (), (), ())


def period_ages(born: date) -> PeriodAges:
    """Returns first and last age of the four pinnacles, in completed years; the last one has no end.

    The first ends at 36 less the root of the life path, which is the same by every method.
    """
    first = _AGES_OF_ONE_AND_PATH - root(born.month + born.day + born.year)
    second, third = first + _YEARS, first + 2 * _YEARS
    return (0, first), (first + 1, second), (second + 1, third), (third + 1, None)


def pinnacles(
    born: date,
    options: NumerologyOptions = DEFAULTS,
    *,
    rule: PinnacleRule = PinnacleRule.COMPONENT_MASTERS,
    age: int | None = None,
    explain: bool = True,
) -> tuple[LifePeriod, ...]:
    """Returns the four pinnacles with their ages.

    Args:
        born: Birth date.
        options: Gives the master numbers.
        rule: What of the date is added.
        age: Completed years on the date asked for; marks the pinnacle in force.
        explain: Whether parts and other methods' values are returned.
    """
    masters = options.masters()
    method, school = _PINNACLE_RULES[rule]
    chains = date_chains(born, method, masters)
    totals = _pinnacle_totals(chains, masters)
    first, second = chain(totals[0], masters)[-1], chain(totals[1], masters)[-1]
    parts = _parts("pinnacle", born, chains, first, second) if explain else _NO_PARTS
    inputs = date_inputs(born)
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    rule_id = f"pinnacle.{rule.value}"
    periods: list[LifePeriod] = []
    for index, (total, (start, end)) in enumerate(zip(totals, period_ages(born), strict=True)):
        visited = chain(total, masters)
        value = visited[-1]
        number = NumberResult(
            value=value,
            root=root(value),
            is_master=value > 9,
            total=total,
            chain=visited,
            rule_id=rule_id,
            school=school,
            inputs_used=inputs,
            components=parts[index],
            alternatives=_pinnacle_alternatives(born, rule, index, value, masters) if explain else (),
        )
        current = age is not None and start <= age and (end is None or age <= end)
        periods.append(LifePeriod(index + 1, number, start, end, current=current))
    return tuple(periods)


def challenges(
    born: date, options: NumerologyOptions = DEFAULTS, *, age: int | None = None, explain: bool = True
) -> tuple[LifePeriod, ...]:
    """Returns the four challenges, 0-8 each; the third is the main one.

    They carry ages, and one is in force at `age`, only where the options borrow the ages of the pinnacles.
    """
    chains = date_chains(born, LifePathMethod.GROUPED_PLAIN, NO_MASTERS)
    month, day, year = chains[0][-1], chains[1][-1], chains[2][-1]
    first, second = abs(month - day), abs(day - year)
    values = (first, second, abs(first - second), abs(month - year))
    parts = _parts("challenge", born, chains, first, second) if explain else _NO_PARTS
    borrowed = options.challenge_ages is ChallengeAges.PINNACLE_AGES
    rule_id = "challenge.differences.pinnacle_ages" if borrowed else "challenge.differences"
    inputs = date_inputs(born)
    periods: list[LifePeriod] = []
    for index, (value, (start, end)) in enumerate(zip(values, period_ages(born), strict=True)):
        number = NumberResult(
            value=value,
            root=value,
            is_master=False,
            total=value,
            chain=(value,),
            rule_id=rule_id,
            school=School.PYTHAGOREAN if borrowed else School.DECOZ,
            inputs_used=inputs,
            components=parts[index],
        )
        current = borrowed and age is not None and start <= age and (end is None or age <= end)
        periods.append(
            LifePeriod(
                index + 1,
                number,
                start if borrowed else None,
                end if borrowed else None,
                current=current,
                main=index == 2,
            )
        )
    return tuple(periods)


def _pinnacle_totals(chains: DateChains, masters: frozenset[int]) -> tuple[int, int, int, int]:
    month, day, year = chains[0][-1], chains[1][-1], chains[2][-1]
    first, second = month + day, day + year
    return first, second, chain(first, masters)[-1] + chain(second, masters)[-1], month + year


def _parts(kind: str, born: date, chains: DateChains, first: int, second: int) -> tuple[tuple[Component, ...], ...]:
    """Returns the two parts of each period: of month, day and year, or for the third the two periods before it."""
    month, day, year = date_components(born, chains)
    earlier = (
        Component(f"{kind}_1", str(first), first, first, (first,)),
        Component(f"{kind}_2", str(second), second, second, (second,)),
    )
    return (month, day), (day, year), earlier, (month, year)


def _pinnacle_alternatives(
    born: date, rule: PinnacleRule, index: int, value: int, masters: frozenset[int]
) -> tuple[Alternative, ...]:
    found: list[Alternative] = []
    for other, (method, school) in _PINNACLE_RULES.items():
        if other is rule:
            continue
        visited = chain(_pinnacle_totals(date_chains(born, method, masters), masters)[index], masters)
        if visited[-1] != value:
            found.append(Alternative(f"pinnacle.{other.value}", school, visited[-1], visited[0]))
    return tuple(found)
