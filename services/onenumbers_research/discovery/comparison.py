"""Whether a calculation gives what one that is there gives, on its worked examples and on random inputs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from random import Random
from typing import Any, Final

from onenumbers_research.discovery.definitions import BuiltIn, Definition, Duplicate, Known, Refused, Registry, Subject
from onenumbers_research.discovery.extraction import Input, Worked
from onenumbers_research.discovery.sample_inputs import bindings, random_rows

LEAST_ROWS: Final = 30
"""Of them, those on which the other one must have a result for a comparison to count."""
_FEW_EXAMPLES: Final = 8
_MOST_EXAMPLES: Final = 190
"""Examples that are sent at once: the registry takes 200."""
_SECOND: Final = 60
"""Rows on which those are compared that are alike on the first ones."""
_AT_ONCE: Final = 18
"""Values that are tried at once: fewer than a refusal of the registry names."""
_FIRST: Final = 3
"""Rows on which most others already differ."""


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


class DuplicateSearch:
    """Finds the tool that gives the same as a new calculation: one search for each run.

    Rows are the candidate's worked examples and `ROWS` random inputs, alike for all candidates of a run that have the
    same inputs. The other calculation's results on them are sent to the registry as examples of the candidate.

    Args:
        registry: Where calculations are verified and registered.
        built_in: The built-in calculations.
        seed: What the random inputs are drawn from, such as the id of the run.
    """

    def __init__(self, registry: Registry, *, built_in: BuiltIn, seed: str) -> None:
        self._registry = registry
        self._built_in = built_in
        self._seed = seed

    async def duplicate_of(self, candidate: Definition) -> Duplicate | None:
        """Returns the tool that gives the same as a candidate, or None.

        Raises:
            Refused: The candidate's formula cannot be used.
        """
        kinds = " ".join(f"{item.name} {item.kind}" for item in candidate.inputs)
        random = Random(f"{self._seed} {kinds}")  # noqa: S311 - a sample, no secret
        rows = random_rows(candidate.inputs, random)
        for known in await self._registry.active():
            if known.made_by(candidate) and known.utility_id == candidate.utility_id:
                # This very registration, made before a restart.
                continue
            for names in _mappings(candidate.inputs, known.inputs):
                if found := await _compared_with_utility(candidate, rows, known, names, self._registry):
                    return found
        return await self._among_built_in(candidate, rows)

    async def _among_built_in(self, candidate: Definition, rows: Sequence[Mapping[str, Any]]) -> Duplicate | None:
        for bind in bindings(candidate.inputs):
            subjects = [subject for row in rows if (subject := bind(row)) is not None]
            told = [(subject, item.expected) for item in candidate.examples
                    if (subject := bind(item.inputs)) is not None]  # fmt: skip
            if len(subjects) < len(rows) or len(told) < len(candidate.examples):
                continue
            if found := await self._compared(candidate, rows, subjects, told):
                return found
        return None

    async def _compared(
        self,
        candidate: Definition,
        rows: Sequence[Mapping[str, Any]],
        subjects: Sequence[Subject],
        told: Sequence[tuple[Subject, Any]],
    ) -> Duplicate | None:
        # A few rows first, on which nearly all quantities differ; then more, and all rows for what is left.
        expected = [value for _, value in told]
        shown = [subject for subject, _ in told[:_FEW_EXAMPLES]]
        found = await self._built_in.quantities([*shown, *subjects[:_FIRST]])
        told_few = expected[: len(shown)]
        first = {name: given[len(shown) :] for name, given in found.items() if given[: len(shown)] == told_few}
        for place, row in enumerate(rows[:_FIRST]):
            own = await self._value(candidate, row, [given[place] for given in first.values()])
            first = {name: given for name, given in first.items() if given[place] is None or given[place] == own}
        left = [name for name, given in first.items() if any(value is not None for value in given)]
        if left:
            left = await self._alike(candidate, rows[:_SECOND], subjects[:_SECOND], left)
        for name in sorted(left, key=lambda name: not name.endswith("result.value")):
            values = (await self._built_in.quantities([*(each for each, _ in told), *subjects], only=[name]))[name]
            if values[: len(told)] != expected:
                continue
            pairs = zip(rows, values[len(told) :], strict=True)
            results = [Worked(row, value, "") for row, value in pairs if value is not None]
            if len(results) >= LEAST_ROWS and await _same(candidate, results, self._registry):
                return Duplicate(name, len(results))
        return None

    async def _alike(
        self,
        candidate: Definition,
        rows: Sequence[Mapping[str, Any]],
        subjects: Sequence[Subject],
        names: Collection[str],
    ) -> list[str]:
        """Returns the quantities that a candidate gives on some rows."""
        found = await self._built_in.quantities(subjects, only=names)
        groups: dict[str, list[str]] = {}
        for name, values in found.items():
            groups.setdefault(repr(values), []).append(name)
        left: list[str] = []
        for group in groups.values():
            pairs = zip(rows, found[group[0]], strict=True)
            results = [Worked(row, value, "") for row, value in pairs if value is not None]
            if results and await _same(candidate, results, self._registry):
                left += group
        return left

    async def _value(self, candidate: Definition, row: Mapping[str, Any], values: Collection[Any]) -> Any:
        """Returns which of some values a candidate gives for a row; None where it gives none of them.

        They are sent to the registry as examples with the same inputs: its refusal names the wrong ones.
        """
        distinct = list({repr(value): value for value in values if value is not None}.values())
        for kind in (int, float, list):
            alike = [value for value in distinct if type(value) is kind]
            for start in range(0, len(alike), _AT_ONCE):
                chunk = alike[start : start + _AT_ONCE]
                examples = tuple(Worked(row, value, "") for value in chunk)
                try:
                    probe = await self._registry.probe(replace(candidate, examples=examples))
                except Refused as refused:
                    if not _of_another_type(refused):
                        raise
                    break
                right = [value for place, value in enumerate(chunk) if place not in probe.wrong]
                if right:
                    return right[0]
        return None


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


async def _same(candidate: Definition, results: Sequence[Worked], registry: Registry) -> bool:
    for start in range(0, len(results), _MOST_EXAMPLES):
        try:
            probe = await registry.probe(replace(candidate, examples=tuple(results[start : start + _MOST_EXAMPLES])))
        except Refused as refusal:
            if _of_another_type(refusal):
                return False
            raise
        if probe.reproduced < probe.given:
            return False
    return True


def _of_another_type(refusal: Refused) -> bool:
    """Tells whether a definition was refused because its formula gives no values like those of its examples."""
    return any(field.startswith("definition.examples") for field, _ in refusal.violations)
