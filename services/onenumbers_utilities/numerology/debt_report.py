"""The karmic debts of a person, number by number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from typing import Final

from onenumbers_utilities.numerology.karmic import DEBT_NUMBERS
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.name_numbers import MarkedName, expression, personality, soul_urge
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.records import changed
from onenumbers_utilities.numerology.results import KarmicDebt, NumberResult


@unique
class KarmicDebtNumbers(Enum):
    """Which numbers are karmic debts."""

    FOUR = "four"
    """13, 14, 16 and 19."""
    MALEFIC = "malefic"
    """14, 16 and 19, as some authors list them."""


_NUMBERS: Final = {KarmicDebtNumbers.FOUR: DEBT_NUMBERS, KarmicDebtNumbers.MALEFIC: DEBT_NUMBERS - {13}}


@dataclass(frozen=True, slots=True)
class DebtReport:
    """The karmic debts of a person, and the numbers that were looked through."""

    debts: tuple[KarmicDebt, ...]
    rule_id: str
    school: School
    life_path: NumberResult
    expression: NumberResult
    soul_urge: NumberResult
    personality: NumberResult
    birthday: NumberResult


def debt_report(
    name: MarkedName,
    born: date,
    *,
    numbers: KarmicDebtNumbers = KarmicDebtNumbers.FOUR,
    explain: bool = True,
) -> DebtReport:
    """Returns the debts of life path, expression, soul urge, personality and birthday, in this order.

    Args:
        name: The full name; its options decide the methods and which sums count.
        born: Birth date.
        numbers: Which numbers are debts.
        explain: Whether parts and other methods' values are returned.
    """
    options = name.options
    keep = _filter(_NUMBERS[numbers])
    found = (
        keep(life_path(born, options, explain=explain)),
        keep(expression(name, explain=explain)),
        keep(soul_urge(name, explain=explain)),
        keep(personality(name, explain=explain)),
        keep(birthday(born, options, explain=explain)),
    )
    variant = "" if numbers is KarmicDebtNumbers.FOUR else f".{numbers.value}"
    return DebtReport(
        tuple(debt for number in found for debt in number.karmic_debts),
        f"karmic_debt.{options.karmic_debt_scope.value}{variant}",
        School.DECOZ if numbers is KarmicDebtNumbers.FOUR else School.PYTHAGOREAN,
        *found,
    )


def _filter(numbers: frozenset[int]) -> Callable[[NumberResult], NumberResult]:
    def keep(result: NumberResult) -> NumberResult:
        debts = tuple(debt for debt in result.karmic_debts if debt.number in numbers)
        return result if len(debts) == len(result.karmic_debts) else changed(result, karmic_debts=debts)

    return keep
