"""How often a number occurs among people, against how often it should.

The base rate of a number of a birth date is exact: every date of the period is counted. The number of a name has no
exact base rate, for names are not drawn from anything that could be enumerated; its rate is reported without a test
unless the caller asks for an assumption by name.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from onenumbers_research.analysis.compatibility_data import LEAST_PEOPLE, TRIADS, triad_of, triad_rates
from onenumbers_research.analysis.statistics import (
    DistributionTest,
    RateTest,
    distribution_test,
    holm,
    rate_test,
    wilson,
)
from onenumbers_runtime.errors import invalid

NAME_VALUES: Final = (*range(1, 10), 11, 22, 33)
"""Values that the numbers of a name, and the maturity number, can have."""
DEFAULT_PERIOD: Final = (1900, 1999)
"""Years that are counted where there is neither a period nor a population."""

_PERIOD: Final = re.compile(r"\s*(\d{1,4})\s*(?:(?:-|–|\.\.|to)\s*(\d{1,4})\s*)?\Z", re.ASCII)
_HALVES: Final = 2


@unique
class Context(Enum):
    """Where a number occurs."""

    LIFE_PATH = "life_path"
    BIRTHDAY = "birthday"
    ATTITUDE = "attitude"
    PERSONAL_YEAR = "personal_year"
    EXPRESSION = "expression"
    SOUL_URGE = "soul_urge"
    PERSONALITY = "personality"
    MATURITY = "maturity"
    COMPATIBILITY = "compatibility"
    """Pairs of people whose life paths lie in one concord triad."""

    @property
    def of_name(self) -> bool:
        """Whether the number needs a name."""
        return self in _OF_NAMES

    @property
    def counts_people(self) -> bool:
        """Whether cases are people, and not pairs of them."""
        return self is not Context.COMPATIBILITY

    @property
    def label(self) -> str:
        """The number in words."""
        return "life path" if self is Context.COMPATIBILITY else self.value.replace("_", " ")


_OF_NAMES: Final = frozenset({Context.EXPRESSION, Context.SOUL_URGE, Context.PERSONALITY, Context.MATURITY})


@unique
class BaseRate(Enum):
    """What the base rates are."""

    ALL_DATES = "counted over every date of the period"
    UNIFORM = "assumed: all values equally often"


@dataclass(frozen=True, slots=True)
class ValueCount:
    """A value with what was counted, and its test where there is a base rate."""

    number: int
    observed: int
    rate: float
    """Base rate; 0 without one."""
    low: float
    high: float
    test: RateTest | None
    adjusted: float
    """Corrected by Holm for all values; NaN without a test."""


@dataclass(frozen=True, slots=True)
class FieldCount:
    """The number among people of one field."""

    field: str
    observed: int
    cases: int
    rate: float
    low: float
    high: float
    test: RateTest | None
    adjusted: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """A number among people."""

    observed: int
    cases: int
    expected: float
    rate: float
    low: float
    """Lower end of the 95 % interval of the observed rate; 0 without cases."""
    high: float
    p_value: float
    test: str
    effect_size: float
    effect_measure: str
    values: tuple[ValueCount, ...]
    distribution: DistributionTest | None
    fields: tuple[FieldCount, ...]


def read_context(text: str) -> Context:
    """Returns the context of a name.

    Raises:
        InvalidArgumentError: There is no such context.
    """
    try:
        return Context(text.strip().casefold().replace(" ", "_"))
    except ValueError:
        known = ", ".join(context.value for context in Context)
        raise invalid("context", f"must be one of {known}, not {text[:50]!r}", rule="context.known") from None


def read_period(text: str) -> tuple[int, int] | None:
    """Returns the first and the last year of a period such as "1900-1999" or "1968"; None for an empty text.

    Raises:
        InvalidArgumentError: It is no period of the years 1-9999.
    """
    if not text.strip():
        return None
    match = _PERIOD.match(text)
    if match is None:
        raise invalid("time_period", f'must be years such as "1900-1999", not {text[:50]!r}', rule="time_period.form")
    first = int(match[1])
    last = int(match[2]) if match[2] is not None else first
    if first < 1:
        raise invalid("time_period", "years begin with 1", rule="time_period.years")
    if last < first:
        raise invalid("time_period", f"ends in {last}, before it begins in {first}", rule="time_period.order")
    return first, last


def require_value(number: int, values: Sequence[int], context: Context) -> None:
    """Does nothing for a number that the context has.

    Raises:
        InvalidArgumentError: No such number exists there.
    """
    known = range(1, 10) if context is Context.COMPATIBILITY else values
    if number not in known:
        there = ", ".join(str(value) for value in known)
        raise invalid("number", f"no {context.label} is {number}: it can be {there}", rule="number.reachable")


def uniform(values: Sequence[int]) -> dict[int, float]:
    """Returns equal rates for all values: an assumption."""
    return dict.fromkeys(values, 1 / len(values))


def analyse(
    number: int, people: Sequence[tuple[str, int]], values: Sequence[int], rates: Mapping[int, float] | None
) -> Pattern:
    """Counts a number among people and tests the count.

    Args:
        number: One of the values.
        people: Field (may be empty) and number of each.
        values: All values that the number can have, ascending.
        rates: Base rates of the values, or None where there are none.
    """
    counts = Counter(value for _, value in people)
    counted = _value_counts(values, counts, rates)
    asked = next(each for each in counted if each.number == number)
    tested = asked.test
    return Pattern(
        observed=asked.observed,
        cases=len(people),
        expected=asked.rate * len(people),
        rate=asked.rate,
        low=asked.low,
        high=asked.high,
        p_value=tested.p_value if tested is not None else math.nan,
        test="exact binomial, two-sided" if tested is not None else "none",
        effect_size=tested.effect_size if tested is not None else math.nan,
        effect_measure="Cohen's h of the observed rate and the base rate" if tested is not None else "",
        values=counted,
        distribution=_distribution(counted),
        fields=_field_counts(people, lambda value: value == number, asked.rate if rates is not None else None),
    )


def analyse_pairs(number: int, people: Sequence[tuple[str, int]], rates: Mapping[int, float]) -> Pattern:
    """Counts pairs of people whose numbers lie in the triad of a number, and tests the count.

    Pairs share people, so they are no independent cases. But the pairs within a triad grow with the people in it, so
    that the exact binomial probability of the people is that of the pairs; interval and effect follow from the people.

    Args:
        number: 1-9; its triad is meant.
        people: Field (may be empty) and life path of each.
        rates: Base rates of the life paths.
    """
    place = triad_of(number)
    shares = triad_rates(rates)
    counts = Counter(triad_of(value) for _, value in people)
    least = [triad[0] for triad in TRIADS]
    counted = _value_counts(
        least, {triad[0]: counts[at] for at, triad in enumerate(TRIADS)}, dict(zip(least, shares, strict=True))
    )
    asked = counted[place]
    tested = asked.test
    pairs = math.comb(len(people), _HALVES)
    return Pattern(
        observed=math.comb(asked.observed, _HALVES),
        cases=pairs,
        expected=pairs * asked.rate**_HALVES,
        rate=asked.rate**_HALVES,
        low=asked.low**_HALVES,
        high=asked.high**_HALVES,
        p_value=tested.p_value if tested is not None else math.nan,
        test="exact binomial of the people in the triad, two-sided" if tested is not None else "none",
        effect_size=tested.effect_size if tested is not None else math.nan,
        effect_measure="Cohen's h of the share of people in the triad and its base rate" if tested is not None else "",
        values=counted,
        distribution=_distribution(counted),
        fields=_field_counts(people, lambda value: triad_of(value) == place, asked.rate),
    )


def matched_test(
    number: int, people: Sequence[tuple[str, int]], rates: Mapping[int, float], *, pairs: bool
) -> RateTest:
    """Tests the count of a number (of people in its triad, where pairs are asked for) against other rates.

    Args:
        number: One of the values.
        people: Field and number of each; at least one.
        rates: Rates of all values.
        pairs: Whether the triad of the number is meant.
    """
    if not pairs:
        return rate_test(sum(value == number for _, value in people), len(people), rates[number])
    place = triad_of(number)
    observed = sum(triad_of(value) == place for _, value in people)
    return rate_test(observed, len(people), triad_rates(rates)[place])


def _value_counts(
    values: Sequence[int], counts: Mapping[int, int], rates: Mapping[int, float] | None
) -> tuple[ValueCount, ...]:
    cases = sum(counts.values())
    tests = [
        rate_test(counts.get(value, 0), cases, rates[value]) if rates is not None and cases else None
        for value in values
    ]
    return tuple(
        ValueCount(
            value,
            counts.get(value, 0),
            rates[value] if rates is not None else 0.0,
            *_interval(counts.get(value, 0), cases),
            test,
            adjusted,
        )
        for value, test, adjusted in zip(values, tests, _adjusted(tests), strict=True)
    )


def _field_counts(
    people: Sequence[tuple[str, int]], has: Callable[[int], bool], rate: float | None
) -> tuple[FieldCount, ...]:
    cases = Counter(field for field, _ in people if field)
    observed = Counter(field for field, value in people if field and has(value))
    fields = sorted(field for field, count in cases.items() if count >= LEAST_PEOPLE)
    if len(fields) < _HALVES:
        return ()
    tests = [rate_test(observed[field], cases[field], rate) if rate is not None else None for field in fields]
    return tuple(
        FieldCount(
            field,
            observed[field],
            cases[field],
            rate if rate is not None else 0.0,
            *_interval(observed[field], cases[field]),
            test,
            adjusted,
        )
        for field, test, adjusted in zip(fields, tests, _adjusted(tests), strict=True)
    )


def _interval(observed: int, cases: int) -> tuple[float, float]:
    return wilson(observed, cases) if cases else (0.0, 0.0)


def _adjusted(tests: Sequence[RateTest | None]) -> tuple[float, ...]:
    p_values = [test.p_value for test in tests if test is not None]
    return holm(p_values) if len(p_values) == len(tests) else (math.nan,) * len(tests)


def _distribution(counted: Sequence[ValueCount]) -> DistributionTest | None:
    if any(each.test is None for each in counted):
        return None
    return distribution_test([each.observed for each in counted], [each.rate for each in counted])
