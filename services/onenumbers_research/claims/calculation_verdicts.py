"""Judges a claim about a calculation by the values that documented methods give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onenumbers_research.claims.calculations import Calculation


class RefusedError(Exception):
    """The utilities refuse the input; the text is theirs and may be shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The value that a documented method gives."""

    tool: str
    """Tool that was called."""
    rule_id: str
    school: str
    """School that documents the rule, as the contract names it; empty for our own variant of it."""
    value: int | None
    """None where there is nothing to count."""
    chain: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CalculationJudgement:
    """What became of a claim, with what it rests on."""

    supported: bool | None
    """None where it cannot be calculated."""
    reason: str
    quantities: dict[str, float]
    """What the confidence is computed from."""


def judge_calculation(asked: Calculation, outcomes: Sequence[Outcome]) -> CalculationJudgement:
    """Returns whether the claimed number is what a documented method gives, and which one.

    A claim that names a method is judged by that method alone; `outcomes` then holds no other.
    """
    values = [outcome.value for outcome in outcomes if outcome.value is not None]
    if not values:
        return not_calculated(asked, "there is nothing to count: no letter or digit takes part")
    agreeing = [outcome for outcome in outcomes if outcome.value == asked.claimed]
    share = len(agreeing) / len(outcomes)
    quantities = {
        "agreeing_share": share,
        "methods": float(len({outcome.rule_id for outcome in outcomes})),
        "default_agrees": float(outcomes[0].value == asked.claimed),
        "distance": _distance(asked.claimed, values),
        "coverage": asked.coverage,
        "method_named": float(bool(asked.method or asked.table)),
    }
    if not agreeing:
        return CalculationJudgement(False, f"it is {_listed(outcomes)}", quantities)
    if len(agreeing) == len(outcomes):
        return CalculationJudgement(True, f"it is {_listed(outcomes)}", quantities)
    others = [outcome for outcome in outcomes if outcome.value != asked.claimed]
    reason = f"it holds by {_named(agreeing)} only; it is {_listed(others)}"
    return CalculationJudgement(True, reason, quantities)


def judge_sum(asked: Calculation) -> CalculationJudgement:
    """Returns whether a written sum is right; no school has a say in it."""
    total = sum(int(term) for term in asked.number.split("+"))
    outcome = Outcome("arithmetic", "plain addition", "", total, ())
    return judge_calculation(asked, [outcome])


def not_calculated(asked: Calculation, reason: str) -> CalculationJudgement:
    """Returns the judgement on a claim that cannot be calculated."""
    quantities = {
        "agreeing_share": 0.0,
        "methods": 0.0,
        "default_agrees": 0.0,
        "distance": 0.0,
        "coverage": asked.coverage,
        "method_named": float(bool(asked.method or asked.table)),
    }
    return CalculationJudgement(None, reason, quantities)


def _distance(claimed: int, values: Sequence[int]) -> float:
    """Returns how far the claimed number is from the nearest value, as a share of it, 0-1."""
    nearest = min(values, key=lambda value: abs(value - claimed))
    return min(1.0, abs(nearest - claimed) / max(1, abs(nearest), abs(claimed)))


def _listed(outcomes: Sequence[Outcome]) -> str:
    groups: dict[int | None, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.value, []).append(outcome)
    return "; ".join(f"{value} by {_named(group)}" for value, group in groups.items() if value is not None)


def _named(outcomes: Sequence[Outcome]) -> str:
    names = [f"{item.rule_id} ({item.school})" if item.school else item.rule_id for item in outcomes]
    return ", ".join(dict.fromkeys(names))
