"""Personal and universal years, months and days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from onenumbers_utilities.numerology.dates import age_on, date_inputs
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, PersonalYearSpan, School
from onenumbers_utilities.numerology.primitives import NO_MASTERS, chain, ds, red, root
from onenumbers_utilities.numerology.results import Component, Cycles, NumberResult


def universal_cycles(
    as_of: date, options: NumerologyOptions = DEFAULTS, *, explain: bool = True
) -> tuple[NumberResult, NumberResult, NumberResult]:
    """Returns universal year, month and day: the same for everybody.

    Results are 1-9 unless the options name master numbers: 2009 is then 11.
    """
    masters = options.masters(NO_MASTERS)
    inputs = _inputs(as_of, options)
    year = _number(
        "universal_year", inputs, masters, ("year", as_of.year, red(ds(as_of.year), masters)), explain=explain
    )
    month = _number(
        "universal_month",
        inputs,
        masters,
        ("universal_year", year.root, year.root),
        ("month", as_of.month, as_of.month),
        explain=explain,
    )
    day = _number(
        "universal_day",
        inputs,
        masters,
        ("universal_month", month.root, month.root),
        ("day", as_of.day, as_of.day),
        explain=explain,
    )
    return year, month, day


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
    inputs = {**date_inputs(born), **_inputs(as_of, options)}
    inputs.pop("year")
    personal_year = _number(
        f"personal_year.{span.value}",
        inputs,
        masters,
        ("birth_month", born.month, root(born.month)),
        ("birth_day", born.day, root(born.day)),
        ("year", year, root(year)),
        explain=explain,
    )
    personal_month = _number(
        f"personal_month.{span.value}",
        inputs,
        masters,
        ("personal_year", personal_year.root, personal_year.root),
        ("month", as_of.month, as_of.month),
        explain=explain,
    )
    personal_day = _number(
        f"personal_day.{span.value}",
        inputs,
        masters,
        ("personal_month", personal_month.root, personal_month.root),
        ("day", as_of.day, as_of.day),
        explain=explain,
    )
    return Cycles(
        as_of, age, personal_year, personal_month, personal_day, *universal_cycles(as_of, options, explain=explain)
    )


def _inputs(as_of: date, options: NumerologyOptions) -> dict[str, str]:
    inputs = {"as_of": as_of.isoformat()}
    if options.master_set is not None:
        inputs["master_numbers"] = options.master_set.value
    return inputs


def _number(
    rule_id: str, inputs: Mapping[str, str], masters: frozenset[int], *parts: tuple[str, int, int], explain: bool
) -> NumberResult:
    """Adds the third value of each part; the first two are its name and what it was reduced from."""
    visited = chain(sum(part[2] for part in parts), masters)
    value = visited[-1]
    return NumberResult(
        value=value,
        root=root(value),
        is_master=value > 9,
        total=visited[0],
        chain=visited,
        rule_id=rule_id,
        school=School.DECOZ,
        inputs_used=inputs,
        components=tuple(_part(*part) for part in parts) if explain else (),
    )


def _part(label: str, number: int, value: int) -> Component:
    visited = chain(number)
    visited = visited[: visited.index(value) + 1]
    return Component(label, str(number), visited[0], value, visited)
