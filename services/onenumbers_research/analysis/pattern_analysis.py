"""Runs an analysis: reads the population, asks the utilities server for numbers and base rates, tests the counts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from datetime import date
from enum import Enum, unique
from typing import IO, Final

from onenumbers_research.analysis.patterns import (
    DEFAULT_PERIOD,
    NAME_VALUES,
    BaseRate,
    Context,
    Pattern,
    analyse,
    analyse_pairs,
    matched_test,
    read_period,
    require_value,
    uniform,
)
from onenumbers_research.analysis.people import bundled_people
from onenumbers_research.analysis.population import (
    Broken,
    Member,
    PopulationRows,
    bundled_population,
    in_period,
    of_field,
    read_population,
)
from onenumbers_research.analysis.statistics import RateTest
from onenumbers_research.utilities_client import DateNumberCounts, UtilitiesClient, WhichNumber
from onenumbers_runtime.errors import invalid

_FEW: Final = 30
"""Below this a reader is told that intervals are wide."""


@unique
class Source(Enum):
    """Who is counted."""

    BUNDLED = "bundled"
    UPLOADED = "uploaded"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a population."""

    context: Context
    number: int | None
    """None where only the values are wanted."""
    source: Source
    time_period: str = ""
    csv: IO[bytes] | None = dataclass_field(default=None, repr=False)
    """An uploaded population. Left out of every representation: people are in it."""
    life_path_method: int = 0
    """A LifePathMethod of the contract."""
    personal_year_in: int | None = None
    uniform: bool = False
    """Whether name numbers are compared with equal rates."""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a reader should know."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The answer to a question."""

    pattern: Pattern
    matched: RateTest | None
    """The count against the rate of people matched by year of birth; None without people or exact rates."""
    base: BaseRate | None
    period: tuple[int, int]
    counts: DateNumberCounts | None
    """Counts over the dates of the period; None for name numbers."""
    population: str
    broken: tuple[Broken, ...]
    remarks: tuple[Remark, ...]
    rule_id: str
    method: str
    personal_year_in: int | None


@dataclass(frozen=True, slots=True)
class _Numbered:
    """People with their numbers."""

    people: tuple[tuple[str, int], ...]
    broken: tuple[Broken, ...]
    without: int
    """People whose name has nothing to count."""
    rule_id: str


async def run_analysis(question: Question, *, utilities: UtilitiesClient, today: Callable[[], date]) -> Analysis:
    """Answers a question.

    Raises:
        InvalidArgumentError: The question or its file breaks a rule.
        UnavailableError: The utilities server does not answer.
    """
    question = _checked(question, today())
    period = read_period(question.time_period)
    rows, members = await _members(question, period, today())
    if period is None:
        years = [member.born.year for member in members]
        period = (min(years), max(years)) if years else DEFAULT_PERIOD
    counts = await _counts(question, members, period, utilities)
    values = tuple(counts.counts) if counts is not None else NAME_VALUES
    if question.number is not None:
        require_value(question.number, values, question.context)
    numbered = await _numbered(question, members, utilities)
    rates = counts.rates() if counts is not None else uniform(values) if question.uniform else None
    base = BaseRate.ALL_DATES if counts is not None else BaseRate.UNIFORM if question.uniform else None
    pattern = await asyncio.to_thread(_pattern, question, numbered.people, values, rates)
    matched = None
    if counts is not None and members:
        born_in = Counter(member.born.year for member in members)
        matched = matched_test(question.number or values[0], numbered.people, counts.matched_rates(born_in),
                               pairs=question.context is Context.COMPATIBILITY)  # fmt: skip
    broken = tuple(sorted((*rows.broken, *numbered.broken), key=lambda row: row.line))
    return Analysis(
        pattern=pattern,
        matched=matched,
        base=base,
        period=period,
        counts=counts,
        population=_population(question, rows, len(members), period),
        broken=broken,
        remarks=tuple(_remarks(question, numbered, broken)),
        rule_id=counts.rule_id if counts is not None else numbered.rule_id,
        method=_method(question, period, base, counts, numbered),
        personal_year_in=question.personal_year_in,
    )


def _checked(question: Question, today: date) -> Question:
    """Returns the question with its defaults; refuses what does not fit together."""
    context, source = question.context, question.source
    if source is Source.UPLOADED and question.csv is None:
        raise invalid(
            "population_csv", "is empty, but an uploaded population is asked for", rule="population_csv.given"
        )
    if source is not Source.UPLOADED and question.csv is not None:
        raise invalid("population", "another population than the uploaded file is asked for", rule="population.one")
    if source is Source.DATES and context.of_name:
        raise invalid(
            "population", f"the {context.label} is a number of a name: dates do not have it", rule="population.dates"
        )
    if source is Source.DATES and question.field.strip():
        raise invalid("field", "dates have no field", rule="field.dates")
    if question.uniform and not context.of_name:
        raise invalid(
            "name_reference", f"the {context.label} has an exact base rate: it needs no assumption",
            rule="name_reference.names",
        )  # fmt: skip
    if context is Context.PERSONAL_YEAR:
        year = question.personal_year_in if question.personal_year_in is not None else today.year
        return replace(question, personal_year_in=year)
    if question.personal_year_in is not None:
        raise invalid("personal_year_in", "is for the context personal_year", rule="personal_year_in.context")
    return question


async def _members(
    question: Question, period: tuple[int, int] | None, today: date
) -> tuple[PopulationRows, tuple[Member, ...]]:
    if question.source is Source.DATES:
        return PopulationRows((), (), "no people: every date of the period"), ()
    if question.csv is None:
        rows = bundled_population()
    else:
        rows = await asyncio.to_thread(read_population, question.csv, today=today, names=question.context.of_name)
    members = rows.members
    if question.field.strip():
        members = of_field(members, question.field)
    if period is not None:
        members = in_period(members, *period)
        if not members:
            raise invalid(
                "time_period", f"nobody of the population was born in {period[0]}-{period[1]}",
                rule="time_period.people",
            )  # fmt: skip
    return rows, members


def _which(question: Question) -> WhichNumber:
    name = "life_path" if question.context is Context.COMPATIBILITY else question.context.value
    return WhichNumber(name, question.life_path_method, question.personal_year_in)


async def _counts(
    question: Question, members: Sequence[Member], period: tuple[int, int], utilities: UtilitiesClient
) -> DateNumberCounts | None:
    if question.context.of_name:
        return None
    if question.personal_year_in is not None:
        last = max((member.born.year for member in members), default=period[1])
        if last > question.personal_year_in:
            raise invalid(
                "personal_year_in", f"must not be before {last}, the last year of birth", rule="personal_year_in.born"
            )
    return await utilities.count(_which(question), *period, by_year=bool(members))


async def _numbered(question: Question, members: Sequence[Member], utilities: UtilitiesClient) -> _Numbered:
    if not members:
        return _Numbered((), (), 0, "")
    if not question.context.of_name:
        numbers = await utilities.number_dates(_which(question), [member.born for member in members])
        people = zip((member.field for member in members), numbers, strict=True)
        return _Numbered(tuple(people), (), 0, "")
    found, rule_id = await utilities.number_names(
        question.context.value,
        [(member.name, member.born) for member in members],
        life_path_method=question.life_path_method,
    )
    pairs = list(zip(members, found, strict=True))
    numbered = _Numbered(
        tuple((member.field, number.value) for member, number in pairs if number.value is not None),
        tuple(Broken(member.line, number.column, number.error) for member, number in pairs if number.error),
        sum(number.value is None and not number.error for number in found),
        rule_id,
    )
    if not numbered.people:
        first = f": line {numbered.broken[0].line}, {numbered.broken[0].message}" if numbered.broken else ""
        raise invalid("population_csv", f"has no name that can be counted{first}", rule="population_csv.names")
    return numbered


def _pattern(
    question: Question, people: Sequence[tuple[str, int]], values: Sequence[int], rates: Mapping[int, float] | None
) -> Pattern:
    number = question.number if question.number is not None else values[0]
    if question.context is Context.COMPATIBILITY:
        return analyse_pairs(number, people, rates or {})
    return analyse(number, people, values, rates)


def _population(question: Question, rows: PopulationRows, members: int, period: tuple[int, int]) -> str:
    if question.source is Source.DATES:
        return f"{rows.description}, {period[0]}-{period[1]}"
    parts = [f"{members} people of {rows.description}", f"born {period[0]}-{period[1]}"]
    if question.field.strip():
        parts.append(f"of the field {question.field.strip()}")
    return ", ".join(parts)


def _method(
    question: Question,
    period: tuple[int, int],
    base: BaseRate | None,
    counts: DateNumberCounts | None,
    numbered: _Numbered,
) -> str:
    label = question.context.label
    parts: list[str] = []
    if question.personal_year_in is not None:
        label = f"{label} in {question.personal_year_in}"
    if base is BaseRate.ALL_DATES and counts is not None:
        parts.append(
            f"Base rates: the {label} ({counts.rule_id}) of each of the {counts.dates} dates from 1 January "
            f"{period[0]} to 31 December {period[1]}, counted by the utilities server; they hold if every date of the "
            "period is equally likely."
        )
    elif base is BaseRate.UNIFORM:
        parts.append("Base rates: all values equally often, an assumption that was asked for; no count supports it.")
    else:
        parts.append(
            f"No base rate: the {label} depends on the name, and names cannot be enumerated; no test was made."
        )
    if question.context is Context.COMPATIBILITY:
        parts.append(
            "Cases are unordered pairs of people; a pair counts when both life paths lie in the concord triad of the "
            "number (Clement 1908). Pairs share people, so the test, the interval and the effect are those of the "
            "people in the triad, from which the pairs follow. Values and fields count people, values by the least "
            "number of their triad."
        )
    if numbered.people:
        parts.append(
            f"Observed: the {label} of {len(numbered.people)} people, calculated by the utilities server"
            f"{f' ({numbered.rule_id})' if numbered.rule_id else ''}. Intervals: Wilson, 95 %."
        )
    if numbered.people and base is not None:
        parts.append(
            "Tests: exact binomial for one value or field, with Holm's correction over all values and over all fields; "
            "Pearson's chi-square over all values, simulated where an expected count is below 5."
        )
    if numbered.people and base is BaseRate.ALL_DATES:
        parts.append("The matched rate compares each person with the dates of the own year of birth.")
    return " ".join(parts)


def _remarks(question: Question, numbered: _Numbered, broken: Sequence[Broken]) -> list[Remark]:
    found: list[Remark] = []
    label = question.context.label
    if question.context.of_name and not question.uniform:
        found.append(
            Remark(
                "NO_EXACT_BASE_RATE",
                f"The {label} has no exact base rate, so its rate is reported without a test. Comparing it with equal "
                "rates is possible (name_reference) and would be an assumption.",
            )
        )
    if question.uniform:
        found.append(
            Remark(
                "UNIFORM_ASSUMPTION",
                f"The {label} was compared with equal rates of all values. Letters and names are not equally frequent, "
                "so that a small probability says something about letters, not about people.",
            )
        )
    if question.source is Source.BUNDLED:
        unread = sum(person.status == "K" for person in bundled_people())
        found.append(
            Remark(
                "CHOSEN_SAMPLE",
                "The bundled list was chosen by fame: it is no random sample of anybody. Its dates are public; "
                f"{unread} of {len(bundled_people())} are given from general knowledge and name where to check them.",
            )
        )
        if question.context.of_name:
            found.append(
                Remark("NAMES_AS_KNOWN", "Names are those of works of reference, which are not always birth names.")
            )
    if broken:
        found.append(Remark("BROKEN_ROWS", f"{len(broken)} rows could not be used; they are listed."))
    if numbered.without:
        found.append(Remark("NOTHING_TO_COUNT", f"{numbered.without} names have no {label} and were left out."))
    if question.source is not Source.DATES and len(numbered.people) < _FEW:
        found.append(Remark("FEW_PEOPLE", f"Only {len(numbered.people)} people were counted: the interval is wide."))
    return found
