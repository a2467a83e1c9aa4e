"""Personal and universal years, months and days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from onenumbers_utilities.numerology.dates import age_on, date_inputs
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, PersonalYearSpan, School
from onenumbers_utilities.numerology.primitives import NO_MASTERS, chain, root
from onenumbers_utilities.numerology.results import Component, Cycles, NumberResult


def cycles(born: date, as_of: date, options: NumerologyOptions = DEFAULTS, *, explain: bool = True) -> Cycles:
    """Returns all cycles on a date.

    Results are 1-9: cycles have no master numbers unless the options name a set.

    Raises:
        InvalidArgumentError: The birth lies after `as_of`.
    """
    age = age_on(born, as_of)
    masters = options.masters(NO_MASTERS)
    span = options.personal_year_span
    year = as_of.year
    if span is PersonalYearSpan.BIRTHDAY and (as_of.month, as_of.day) < (born.month, born.day):
        year -= 1
    universal_inputs = {"as_of": as_of.isoformat()}
    if options.master_set is not None:
        universal_inputs["master_numbers"] = options.master_set.value
    personal_inputs = {**date_inputs(born), **universal_inputs}
    personal_inputs.pop("year")

    def number(rule: str, inputs: Mapping[str, str], *parts: tuple[str, int, int]) -> NumberResult:
        visited = chain(sum(part[2] for part in parts), masters)
        value = visited[-1]
        return NumberResult(
            value=value,
            root=root(value),
            is_master=value > 9,
            total=visited[0],
            chain=visited,
            rule_id=f"{rule}.{span.value}" if rule.startswith("personal") else rule,
            school=School.DECOZ,
            inputs_used=inputs,
            components=tuple(_part(*part) for part in parts) if explain else (),
        )

    personal_year = number(
        "personal_year",
        personal_inputs,
        ("birth_month", born.month, root(born.month)),
        ("birth_day", born.day, root(born.day)),
        ("year", year, root(year)),
    )
    month, day = ("month", as_of.month, as_of.month), ("day", as_of.day, as_of.day)
    personal_month = number(
        "personal_month", personal_inputs, ("personal_year", personal_year.root, personal_year.root), month
    )
    universal_year = number("universal_year", universal_inputs, ("year", as_of.year, root(as_of.year)))
    universal_month = number(
        "universal_month", universal_inputs, ("universal_year", universal_year.root, universal_year.root), month
    )
    return Cycles(
        as_of=as_of,
        age=age,
        personal_year=personal_year,
        personal_month=personal_month,
        personal_day=number(
            "personal_day", personal_inputs, ("personal_month", personal_month.root, personal_month.root), day
        ),
        universal_year=universal_year,
        universal_month=universal_month,
        universal_day=number(
            "universal_day", universal_inputs, ("universal_month", universal_month.root, universal_month.root), day
        ),
    )


def _part(label: str, number: int, value: int) -> Component:
    visited = chain(number) if number != value else (value,)
    return Component(label, str(number), visited[0], value, visited)
