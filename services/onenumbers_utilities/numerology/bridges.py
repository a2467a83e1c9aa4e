"""Numbers between two numbers: bridges, and the readings of a maturity number."""

from __future__ import annotations

from dataclasses import dataclass

from onenumbers_utilities.numerology.maturity import maturity
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, School
from onenumbers_utilities.numerology.primitives import chain
from onenumbers_utilities.numerology.records import changed
from onenumbers_utilities.numerology.results import Alternative, Component, Notice, NumberResult


@dataclass(frozen=True, slots=True)
class Bridges:
    """The two bridge numbers of Decoz."""

    life_path_expression: NumberResult
    soul_urge_personality: NumberResult
    """Its value is None where the name has no vowel or no consonant."""


def bridges(
    life_path: NumberResult,
    expression: NumberResult,
    soul_urge: NumberResult,
    personality: NumberResult,
    *,
    explain: bool = True,
) -> Bridges:
    """Returns the differences of the roots of two core numbers each, 0-8.

    Roots do not depend on the method by which the four numbers were added.
    """
    return Bridges(
        _bridge(("life_path", life_path), ("expression", expression), explain=explain),
        _bridge(("soul_urge", soul_urge), ("personality", personality), explain=explain),
    )


@dataclass(frozen=True, slots=True)
class MaturityReadings:
    """A maturity number with its other reading."""

    number: NumberResult
    """Masters kept; with the sum of the roots as an alternative where that differs."""
    reduced_reading: int | None
    """The root of a master result, which one school reads beside it; None for other results."""


def maturity_readings(
    life_path: NumberResult,
    expression: NumberResult,
    options: NumerologyOptions = DEFAULTS,
    *,
    explain: bool = True,
) -> MaturityReadings:
    """Returns the maturity number (maturity.maturity) in both readings of its masters."""
    found = maturity(life_path, expression, options, explain=explain)
    visited = chain(life_path.root + expression.root, options.masters())
    if explain and visited[-1] != found.value:
        other = Alternative("maturity.component_roots", School.PYTHAGOREAN, visited[-1], visited[0])
        found = changed(found, alternatives=(*found.alternatives, other))
    return MaturityReadings(found, found.root if found.is_master else None)


def _bridge(left: tuple[str, NumberResult], right: tuple[str, NumberResult], *, explain: bool) -> NumberResult:
    sides = (left, right)
    missing = [name.replace("_", " ") for name, number in sides if number.value is None]
    value = None if missing else abs(left[1].root - right[1].root)
    notices = dict.fromkeys(_carried(name, notice) for name, number in sides for notice in number.warnings)
    if missing:
        notices[Notice("NO_BRIDGE", f"There is no {missing[0]}, so there is nothing to bridge.")] = None
    return NumberResult(
        value=value,
        root=value or 0,
        is_master=False,
        total=value or 0,
        chain=() if value is None else (value,),
        rule_id=f"bridge.{left[0]}_{right[0]}",
        school=School.DECOZ,
        inputs_used={**left[1].inputs_used, **right[1].inputs_used},
        warnings=tuple(notices),
        components=tuple(
            Component(name, str(number.value), number.value, number.root, chain(number.value))
            for name, number in sides
            if number.value is not None
        )
        if explain
        else (),
    )


def _carried(name: str, notice: Notice) -> Notice:
    """Returns a notice of a core number as a reader of the bridge needs it."""
    if notice.code != "Y_MODES_DISAGREE":
        return notice
    return Notice(notice.code, f"The {name.replace('_', ' ')} depends on what Y is, and the bridge with it.")
