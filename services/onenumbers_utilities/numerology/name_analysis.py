"""Everything that a name alone gives."""

from __future__ import annotations

from dataclasses import dataclass

from onenumbers_utilities.numerology.inclusion import Inclusion, inclusion
from onenumbers_utilities.numerology.minor import MinorNumbers, minor_numbers
from onenumbers_utilities.numerology.name_details import Cornerstones, cornerstones
from onenumbers_utilities.numerology.name_numbers import (
    MarkedName,
    balance,
    expression,
    personality,
    soul_urge,
)
from onenumbers_utilities.numerology.planes import Planes, PlaneSystem, planes
from onenumbers_utilities.numerology.results import KarmicDebt, Notice, NumberResult


@dataclass(frozen=True, slots=True)
class NameAnalysis:
    """Everything that a name alone gives."""

    name: str
    """The name as it was counted."""
    expression: NumberResult
    soul_urge: NumberResult
    personality: NumberResult
    balance: NumberResult
    inclusion: Inclusion
    cornerstones: Cornerstones
    planes_by_letters: Planes
    planes_by_values: Planes
    karmic_debts: tuple[KarmicDebt, ...]
    """Of expression, soul urge and personality."""
    minor: MinorNumbers | None
    """None without a current name."""
    notices: tuple[Notice, ...]
    """What was left out of the name."""


def analyze_name(name: MarkedName, current: MarkedName | None = None, *, explain: bool = True) -> NameAnalysis:
    """Calculates everything that a full name gives, and the minor numbers of the name in daily use if there is one.

    Args:
        name: The full name as on the birth certificate.
        current: The name in daily use.
        explain: Whether parts and other methods' values are returned.
    """
    core = (
        expression(name, explain=explain),
        soul_urge(name, explain=explain),
        personality(name, explain=explain),
    )
    return NameAnalysis(
        name.name.text,
        *core,
        balance=balance(name, explain=explain),
        inclusion=inclusion(name.name, explain=explain),
        cornerstones=cornerstones(name),
        planes_by_letters=planes(name.name, PlaneSystem.LETTERS, name.options, explain=explain),
        planes_by_values=planes(name.name, PlaneSystem.VALUES),
        karmic_debts=tuple(debt for number in core for debt in number.karmic_debts),
        minor=None if current is None else minor_numbers(current, explain=explain),
        notices=name.name.notices,
    )
