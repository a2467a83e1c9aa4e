"""Karmic debts: 13, 14, 16 and 19 among the sums of a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from onenumbers_utilities.numerology.options import KarmicDebtScope
from onenumbers_utilities.numerology.primitives import chain
from onenumbers_utilities.numerology.results import DebtOrigin, KarmicDebt

DEBT_NUMBERS: Final = frozenset({13, 14, 16, 19})


def debts_of(
    position: str,
    visited: Sequence[int],
    scope: KarmicDebtScope,
    *,
    parts: Iterable[tuple[str, int]] = (),
    masters: frozenset[int] = frozenset(),
) -> tuple[KarmicDebt, ...]:
    """Returns the debts of a number, those of its total first.

    Args:
        position: The number, such as "life_path".
        visited: Its chain, total first. The last element is the number itself and no debt.
        scope: Which sums count.
        parts: Name and sum of each part, looked at only in the scope COMPONENTS.
        masters: Where the reduction of a part stops.
    """
    if len(visited) < 2 and scope is not KarmicDebtScope.COMPONENTS:
        return ()
    found = tuple(
        KarmicDebt(number, DebtOrigin.INTERMEDIATE if index else DebtOrigin.DIRECT, position)
        for index, number in enumerate(visited[:-1])
        if number in DEBT_NUMBERS and (not index or scope is not KarmicDebtScope.DIRECT)
    )
    if scope is KarmicDebtScope.COMPONENTS:
        found += tuple(
            KarmicDebt(number, DebtOrigin.COMPONENT, position, component=label)
            for label, total in parts
            for number in chain(total, masters)[:-1]
            if number in DEBT_NUMBERS
        )
    return found
