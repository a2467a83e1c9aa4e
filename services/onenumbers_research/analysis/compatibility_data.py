"""Groupings of numbers that the literature documents, and how people of one field are spread over them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from onenumbers_research.analysis.statistics import distribution_test, holm

TRIADS: Final = ((1, 5, 7), (2, 4, 8), (3, 6, 9))
"""Clement's concords. Each root is in one of them."""
LEAST_PEOPLE: Final = 10
"""Fewest people of a field that are reported as a group."""

_CLEMENT: Final = "Clement 1908"
_CHEIRO: Final = "Cheiro's line"
_READ: Final = "read"
_KNOWN: Final = "general knowledge"
LIFE_PATH: Final = "life path"
NAME: Final = "expression"
BIRTH_NUMBER: Final = "birth number"


@dataclass(frozen=True, slots=True)
class Grouping:
    """Numbers that a source groups."""

    name: str
    numbers: tuple[int, ...]
    statement: str
    source: str
    status: str
    """"read": in the source. "general knowledge": still to be confirmed in it."""
    compares: str
    """Which number of a person it is applied to."""


def _triads() -> tuple[Grouping, ...]:
    return tuple(
        Grouping(
            "concord triad",
            triad,
            f"{triad[0]}, {triad[1]} and {triad[2]} are in concord. Numbers of two triads are not in discord: the "
            "source names none.",
            _CLEMENT,
            _READ,
            "numbers reduced to 1-9",
        )
        for triad in TRIADS
    )


_CHEIRO_GROUPINGS: Final = (
    Grouping("interchangeable pair", (1, 4), "1 and 4 are interchangeable.", _CHEIRO, _KNOWN, BIRTH_NUMBER),
    Grouping("interchangeable pair", (2, 7), "2 and 7 are interchangeable.", _CHEIRO, _KNOWN, BIRTH_NUMBER),
    Grouping("family", (3, 6, 9), "3, 6 and 9 are one family.", _CHEIRO, _KNOWN, BIRTH_NUMBER),
    Grouping(
        "caution",
        (4, 8),
        "Who has 4 or 8 is advised not to add the other by choice. The concord triads hold the two together with 2: "
        "the sources differ.",
        _CHEIRO,
        _KNOWN,
        BIRTH_NUMBER,
    ),
)

CONVENTION_METHOD: Final = (
    "A convention of this software, no tradition: 50 points for any two numbers reduced to 1-9, 25 more for one number "
    "or one concord triad, 20 for Cheiro's interchangeable pairs, 10 for his family, 25 less for his caution. "
    "Symmetric. The utilities server calculates the table. No school has a table of percentages, and no study shows "
    "that couples of one group stay together longer."
)


def groupings(kind: str) -> tuple[Grouping, ...]:
    """Returns the groupings for a type of compatibility: the triads for one number, all for the others."""
    return _triads() if kind in ("life_path", "expression") else (*_triads(), *_CHEIRO_GROUPINGS)


def notice(kind: str) -> str:
    """Returns what a reader should know about a type; empty where nothing."""
    if kind in ("romantic", "business"):
        return (
            f"No source in the knowledge base groups numbers for {kind} relations in particular: these are the general "
            "groupings."
        )
    return ""


def root(number: int) -> int:
    """Returns a number >= 1 reduced to 1-9."""
    return 1 + (number - 1) % 9


def triad_of(number: int) -> int:
    """Returns the place of a number's triad in TRIADS; masters count as their roots."""
    return next(place for place, triad in enumerate(TRIADS) if root(number) in triad)


def triad_rates(rates: Mapping[int, float]) -> tuple[float, float, float]:
    """Returns the rates of the triads from those of the numbers."""
    found = [0.0, 0.0, 0.0]
    for number, rate in rates.items():
        found[triad_of(number)] += rate
    return found[0], found[1], found[2]


@dataclass(frozen=True, slots=True)
class TriadCount:
    """How people of one field are spread over the triads."""

    field: str
    people: tuple[int, int, int]
    """In each triad."""
    expected_pairs: float
    """Pairs in one triad by the rates; 0 without rates."""
    p_value: float
    """NaN without rates."""
    adjusted_p_value: float

    @property
    def total(self) -> int:
        """People in all."""
        return sum(self.people)

    @property
    def pairs(self) -> int:
        """Unordered pairs of people."""
        return math.comb(self.total, 2)

    @property
    def pairs_in_one_triad(self) -> int:
        """Pairs whose numbers lie in one triad."""
        return sum(math.comb(count, 2) for count in self.people)

    def sentence(self, number: str) -> str:
        """Returns the count in words."""
        share = self.pairs_in_one_triad / self.pairs
        text = (
            f"Of the {self.pairs} pairs among {self.total} people of the field {self.field}, {self.pairs_in_one_triad} "
            f"({share:.1%}) have {number} numbers in one concord triad"
        )
        if math.isnan(self.p_value):
            return f"{text}; name numbers have no exact base rate to compare that with."
        return (
            f"{text}; {self.expected_pairs:.1f} ({self.expected_pairs / self.pairs:.1%}) are expected from the dates "
            f"alone (p = {self.p_value:.3f} for the spread over the triads, {self.adjusted_p_value:.3f} after "
            "correction for all fields)."
        )


def triad_counts(numbers: Iterable[tuple[str, int]], rates: Sequence[float] | None) -> tuple[TriadCount, ...]:
    """Counts people by field and triad, for fields of at least LEAST_PEOPLE people, by name of the field.

    Args:
        numbers: Field and number of each person.
        rates: Rates of the three triads, or None where there are no exact ones.
    """
    counted: dict[str, Counter[int]] = {}
    for field, number in numbers:
        counted.setdefault(field, Counter())[triad_of(number)] += 1
    large = {field: counts for field, counts in sorted(counted.items()) if counts.total() >= LEAST_PEOPLE}
    people = {field: (counts[0], counts[1], counts[2]) for field, counts in large.items()}
    if rates is None:
        return tuple(TriadCount(field, counts, 0.0, math.nan, math.nan) for field, counts in people.items())
    tests = [distribution_test(counts, rates) for counts in people.values()]
    p_values = [test.p_value if test is not None else 1.0 for test in tests]
    same = sum(rate * rate for rate in rates)
    return tuple(
        TriadCount(field, counts, math.comb(sum(counts), 2) * same, p_value, adjusted)
        for (field, counts), p_value, adjusted in zip(people.items(), p_values, holm(p_values), strict=True)
    )
