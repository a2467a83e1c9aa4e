"""Life path and birthday: the numbers of the birth date."""

from __future__ import annotations

from datetime import date
from typing import Final

from onenumbers_utilities.numerology.dates import date_inputs, date_notices
from onenumbers_utilities.numerology.karmic import debts_of
from onenumbers_utilities.numerology.options import (
    DEFAULTS,
    KarmicDebtScope,
    LifePathMethod,
    NumerologyOptions,
    School,
)
from onenumbers_utilities.numerology.primitives import NO_MASTERS, chain, ds, root
from onenumbers_utilities.numerology.results import Alternative, Component, NumberResult

_LABELS: Final = ("month", "day", "year")
_RULES: Final = {
    LifePathMethod.GROUPED_MASTERS: ("life_path.grouped_masters", School.DECOZ),
    LifePathMethod.SUM_ALL_DIGITS: ("life_path.sum_all_digits", School.PYTHAGOREAN),
    LifePathMethod.STRAIGHT: ("life_path.straight", School.PYTHAGOREAN),
    LifePathMethod.MONTH_DAY_YEAR_SUM: ("life_path.month_day_year_sum", School.JAVANE_BUNKER),
    LifePathMethod.GROUPED_PLAIN: ("life_path.grouped_plain", School.PYTHAGOREAN),
}

DateChains = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def date_chains(born: date, method: LifePathMethod, masters: frozenset[int]) -> DateChains:
    """Returns the chains of month, day and year. Their last elements are what the method adds."""
    month, day, year = born.month, born.day, born.year
    match method:
        case LifePathMethod.GROUPED_MASTERS:
            return chain(month, masters), chain(day, masters), chain(ds(year), masters)
        case LifePathMethod.GROUPED_PLAIN:
            return chain(month, NO_MASTERS), chain(day, NO_MASTERS), chain(ds(year), NO_MASTERS)
        case LifePathMethod.SUM_ALL_DIGITS:
            return (ds(month),), (ds(day),), (ds(year),)
        case LifePathMethod.STRAIGHT:
            return (month,), (day,), (year,)
        case LifePathMethod.MONTH_DAY_YEAR_SUM:
            return (month,), (day,), (ds(year),)


def life_path(born: date, options: NumerologyOptions = DEFAULTS, *, explain: bool = True) -> NumberResult:
    """Returns the life path number by the method of the options."""
    masters = options.masters()
    chains = date_chains(born, options.life_path_method, masters)
    visited = chain(chains[0][-1] + chains[1][-1] + chains[2][-1], masters)
    value = visited[-1]
    rule_id, school = _RULES[options.life_path_method]
    inputs = date_inputs(born)
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    return NumberResult(
        value=value,
        root=root(value),
        is_master=value > 9,
        total=visited[0],
        chain=visited,
        rule_id=rule_id,
        school=school,
        inputs_used=inputs,
        warnings=date_notices(born),
        components=date_components(born, chains) if explain else (),
        alternatives=_alternatives(born, options.life_path_method, masters, value) if explain else (),
        karmic_debts=debts_of(
            "life_path",
            visited,
            options.karmic_debt_scope,
            parts=((label, part[0]) for label, part in zip(_LABELS, chains, strict=True)),
            masters=masters,
        )
        if len(visited) > 1 or options.karmic_debt_scope is KarmicDebtScope.COMPONENTS
        else (),
    )


def birthday(born: date, options: NumerologyOptions = DEFAULTS, *, explain: bool = True) -> NumberResult:
    """Returns the birthday number: the day of the month, reduced with masters kept. A debt is the day itself."""
    masters = options.masters()
    visited = chain(born.day, masters)
    value = visited[-1]
    inputs = {"day": str(born.day)}
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    return NumberResult(
        value=value,
        root=root(value),
        is_master=value > 9,
        total=born.day,
        chain=visited,
        rule_id="birthday.day",
        school=School.DECOZ,
        inputs_used=inputs,
        components=(Component("day", str(born.day), born.day, born.day, (born.day,)),) if explain else (),
        karmic_debts=debts_of("birthday", visited, KarmicDebtScope.DIRECT),
    )


def date_components(born: date, chains: DateChains) -> tuple[Component, ...]:
    """Returns month, day and year as parts of a sum."""
    texts = (str(born.month), str(born.day), str(born.year))
    return tuple(
        Component(label, text, part[0], part[-1], part)
        for label, text, part in zip(_LABELS, texts, chains, strict=True)
    )


def _alternatives(born: date, method: LifePathMethod, masters: frozenset[int], value: int) -> tuple[Alternative, ...]:
    found: list[Alternative] = []
    for other, (rule_id, school) in _RULES.items():
        if other is method:
            continue
        visited = chain(sum(part[-1] for part in date_chains(born, other, masters)), masters)
        if visited[-1] != value:
            found.append(Alternative(rule_id, school, visited[-1], visited[0]))
    return tuple(found)
