"""The minor numbers: expression, soul urge and personality of the name in daily use."""

from __future__ import annotations

from dataclasses import dataclass

from onenumbers_utilities.numerology.name_numbers import MarkedName, expression, personality, soul_urge
from onenumbers_utilities.numerology.records import changed
from onenumbers_utilities.numerology.results import NumberResult


@dataclass(frozen=True, slots=True)
class MinorNumbers:
    """The numbers of the name in daily use."""

    current_name: str
    """The name as it was counted."""
    expression: NumberResult
    soul_urge: NumberResult
    personality: NumberResult


def minor_numbers(current: MarkedName, *, explain: bool = True) -> MinorNumbers:
    """Returns the three numbers of the current name, by the rules of the full birth name.

    They carry no karmic debts: those are defined for the numbers of the birth name.
    """
    return MinorNumbers(
        current_name=current.name.text,
        expression=_minor(expression(current, explain=explain)),
        soul_urge=_minor(soul_urge(current, explain=explain)),
        personality=_minor(personality(current, explain=explain)),
    )


def _minor(number: NumberResult) -> NumberResult:
    inputs = {("current_name" if field == "name" else field): value for field, value in number.inputs_used.items()}
    return changed(
        number,
        rule_id=f"minor_{number.rule_id}",
        inputs_used=inputs,
        alternatives=tuple(changed(each, rule_id=f"minor_{each.rule_id}") for each in number.alternatives),
        karmic_debts=(),
    )
