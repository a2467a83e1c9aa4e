"""Maturity: the number of date and name together."""

from __future__ import annotations

from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, School
from onenumbers_utilities.numerology.primitives import chain, root
from onenumbers_utilities.numerology.results import Component, NumberResult


def maturity(
    life_path: NumberResult,
    expression: NumberResult,
    options: NumerologyOptions = DEFAULTS,
    *,
    explain: bool = True,
) -> NumberResult:
    """Returns life path + expression, both as they stand, reduced with masters kept.

    Args:
        life_path: A number with a value.
        expression: A number with a value; every name that can be read has one.
        options: Gives the master numbers.
        explain: Whether the two parts are returned.
    """
    parts = (("life_path", life_path.value or 0), ("expression", expression.value or 0))
    visited = chain(parts[0][1] + parts[1][1], options.masters())
    value = visited[-1]
    return NumberResult(
        value=value,
        root=root(value),
        is_master=value > 9,
        total=visited[0],
        chain=visited,
        rule_id="maturity.life_path_plus_expression",
        school=School.DECOZ,
        inputs_used={**life_path.inputs_used, **expression.inputs_used},
        components=tuple(Component(label, str(part), part, part, (part,)) for label, part in parts) if explain else (),
    )
