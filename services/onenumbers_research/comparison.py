"""Whether a calculation gives what one that is there gives, on its worked examples and on random inputs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import permutations
from random import Random
from typing import Any, Final, Protocol

from onenumbers_research.extraction import Input, Worked

ROWS: Final = 24
"""Random inputs on which two calculations are compared."""
LEAST_ROWS: Final = 8
"""Of them, those on which the other one must have a result for a comparison to count."""
_FIRST: Final = 3
"""Rows on which most others already differ."""
_FIRST_DAY: Final = date(1900, 1, 1)
_DAYS: Final = 130 * 365
_LARGEST: Final = 9_999
_VOWELS: Final = "aeiou"
_OTHERS: Final = "bcdfghjklmnprstvwxyz"


@dataclass(frozen=True, slots=True)
class Definition:
    """A calculation as it is sent to the registry."""

    utility_id: str
    title: str
    description: str
    inputs: tuple[Input, ...]
    formula: str
    category: str
    provenance: str
    examples: tuple[Worked, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A utility of the registry."""

    utility_id: str
    inputs: tuple[Input, ...]
    formula: str
    provenance: str
    status: str
    """proposed, validated, active or deprecated."""

    def inputs_alike(self, inputs: Sequence[Input]) -> bool:
        """Tells whether its inputs have these names and types."""
        return [(item.name, item.kind) for item in self.inputs] == [(item.name, item.kind) for item in inputs]


@dataclass(frozen=True, slots=True)
class Person:
    """Inputs of the built-in calculations."""

    name: str
    born: date
    as_of: date


@dataclass(frozen=True, slots=True)
class Probe:
    """What the registry's own check of a definition found."""

    given: int
    reproduced: int
    wrong: Mapping[int, str]
    """What is wrong with an example, by its place; at most 20."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A calculation that gives the same."""

    name: str
    inputs: int
    """Random inputs on which both were compared."""


class Refused(Exception):  # noqa: N818 - what it is, as a status
    """A server says that a request cannot be met; the message is its own, safe to show."""

    def __init__(
        self, message: str, *, reason: str, metadata: Mapping[str, str], violations: Sequence[tuple[str, str]]
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata)
        self.violations = tuple(violations)


class Registry(Protocol):
    """What is needed of the registry of utilities."""

    async def probe(self, definition: Definition) -> Probe:
        """Returns how many examples a definition reproduces, storing nothing. Raises Refused."""

    async def register(self, definition: Definition, *, proposer: str) -> str:
        """Registers a definition and returns its status. Raises Refused."""

    async def active(self) -> list[Known]:
        """Returns the utilities that are tools."""

    async def get(self, utility_id: str) -> Known | None:
        """Returns a utility of any status, or None."""

    async def evaluate(self, utility_id: str, inputs: Mapping[str, Any]) -> Any:
        """Returns what a utility gives, or None."""

    async def built_in(self, people: Sequence[Person]) -> dict[str, list[Any]]:
        """Returns what the built-in calculations give for people, by quantity."""


def contradiction(examples: Sequence[Worked]) -> tuple[dict[str, Any], Any, str]:
    """Returns inputs, result and source of an example that contradicts one of these: same inputs, another result."""
    chosen = next((item for item in examples if item.expected != []), examples[0])
    return dict(chosen.inputs), _other(chosen.expected), "contradicts another example on purpose"


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1 if abs(value) < 1e9 else value / 2
    if isinstance(value, str):
        try:
            return (date.fromisoformat(value) - timedelta(days=1)).isoformat()
        except (ValueError, OverflowError):
            return f"{value}x"
    return [*value, value[0]] if value else [1]


def random_rows(inputs: Sequence[Input], random: Random) -> list[dict[str, Any]]:
    """Returns random inputs: days of 1900-2029, names of two or three words, numbers of 0-9,999.

    Of several days the first is the earliest in one row and the latest in the next: a birth lies before the day of
    which something is asked, whichever of them comes first.
    """
    rows: list[dict[str, Any]] = []
    for place in range(ROWS):
        days = iter(sorted((_day(random) for _ in inputs), reverse=place % 2 == 1))
        row: dict[str, Any] = {}
        for item in inputs:
            if item.kind == "date":
                row[item.name] = next(days).isoformat()
            else:
                row[item.name] = _name(random) if item.kind == "string" else random.randint(0, _LARGEST)
        rows.append(row)
    return rows


def _day(random: Random) -> date:
    return _FIRST_DAY + timedelta(days=random.randrange(_DAYS))


def _name(random: Random) -> str:
    return " ".join(
        "".join(random.choice(_OTHERS) + random.choice(_VOWELS) for _ in range(random.randint(1, 4))).capitalize()
        + random.choice(("", *_OTHERS))
        for _ in range(random.randint(2, 3))
    )


async def duplicate_of(candidate: Definition, registry: Registry) -> Duplicate | None:
    """Returns the tool that gives the same as a candidate, or None.

    Rows are the candidate's worked examples and `ROWS` random inputs, drawn anew for each formula but always alike for
    the same one. The other calculation's results on them are sent to the registry as examples of the candidate.

    Raises:
        Refused: The candidate's formula cannot be used.
    """
    random = Random(candidate.formula)  # noqa: S311 - a sample, no secret
    rows = random_rows(candidate.inputs, random)
    for known in await registry.active():
        if known.provenance == candidate.provenance and known.utility_id == candidate.utility_id:
            # This very registration, made before a restart.
            continue
        for names in _mappings(candidate.inputs, known.inputs):
            if found := await _compared_with_utility(candidate, rows, known, names, registry):
                return found
    return await _compared_with_built_in(candidate, rows, random, registry)


def _mappings(ours: Sequence[Input], theirs: Sequence[Input]) -> list[dict[str, str]]:
    """Returns the ways to hand our inputs to theirs: our name by theirs, types fitting; at most 6."""
    if sorted(item.kind for item in ours) != sorted(item.kind for item in theirs):
        return []
    found = (
        [
            {their.name: our.name for their, our in zip(theirs, order, strict=True)}
            for order in permutations(ours)
            if all(their.kind == our.kind for their, our in zip(theirs, order, strict=True))
        ]
        if len(ours) <= 4
        else []
    )
    return found[:6]


async def _compared_with_utility(
    candidate: Definition, rows: Sequence[Mapping[str, Any]], known: Known, names: Mapping[str, str], registry: Registry
) -> Duplicate | None:
    async def theirs(row: Mapping[str, Any]) -> Any:
        return await registry.evaluate(known.utility_id, {their: row[our] for their, our in names.items()})

    for example in candidate.examples:
        if await theirs(example.inputs) != example.expected:
            return None
    results: list[Worked] = []
    for place, row in enumerate(rows, start=1):
        value = await theirs(row)
        if value is not None:
            results.append(Worked(row, value, ""))
        if place == _FIRST and results and not await _same(candidate, results, registry):
            return None
    if len(results) < LEAST_ROWS or not await _same(candidate, results, registry):
        return None
    return Duplicate(known.utility_id, len(results))


async def _compared_with_built_in(
    candidate: Definition, rows: Sequence[Mapping[str, Any]], random: Random, registry: Registry
) -> Duplicate | None:
    kinds = [item.kind for item in candidate.inputs]
    if "integer" in kinds or kinds.count("date") > 2 or kinds.count("string") > 1:
        return None
    dates = [item.name for item in candidate.inputs if item.kind == "date"]
    texts = [item.name for item in candidate.inputs if item.kind == "string"]
    told = [item for item in candidate.examples if not texts or str(item.inputs[texts[0]]).strip()]
    every = [*(item.inputs for item in told), *rows]
    for order in permutations(dates):
        people = [_person(row, order, texts, random) for row in every]
        for quantity, values in (await registry.built_in(people)).items():
            if any(value != item.expected for value, item in zip(values, told, strict=False)):
                continue
            pairs = zip(rows, values[len(told) :], strict=True)
            results = [Worked(row, value, "") for row, value in pairs if value is not None]
            if len(results) < LEAST_ROWS:
                continue
            if await _same(candidate, results[:_FIRST], registry) and await _same(candidate, results, registry):
                return Duplicate(f"built-in {quantity}", len(results))
    return None


def _person(row: Mapping[str, Any], dates: Sequence[str], texts: Sequence[str], random: Random) -> Person:
    days = [date.fromisoformat(row[name]) for name in dates]
    born = days[0] if days else _day(random)
    return Person(
        name=str(row[texts[0]]) if texts else _name(random),
        born=born,
        as_of=days[1] if len(days) > 1 else born + timedelta(days=random.randrange(_DAYS)),
    )


async def _same(candidate: Definition, results: Sequence[Worked], registry: Registry) -> bool:
    try:
        probe = await registry.probe(replace(candidate, examples=tuple(results)))
    except Refused as refusal:
        if any(field.startswith("definition.examples") for field, _ in refusal.violations):
            # The results are of another type.
            return False
        raise
    return probe.reproduced == probe.given
