"""Digit sums and reductions, the ground of every calculation."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

MASTERS_11_22_33: Final = frozenset({11, 22, 33})
"""Master numbers of Decoz."""
MASTERS_11_22: Final = frozenset({11, 22})
"""Master numbers of Goodwin."""
NO_MASTERS: Final[frozenset[int]] = frozenset()
"""No master numbers: every reduction ends at 1-9."""

_CHAIN_CACHE: Final = 16_384
"""Chains kept. A name of 400 letters sums to at most 3,600 and a date to at most 10,041, so all fit that occur."""


def ds(number: int) -> int:
    """Returns the sum of the decimal digits of a number >= 0."""
    total = 0
    while number:
        number, digit = divmod(number, 10)
        total += digit
    return total


def root(number: int) -> int:
    """Returns the number reduced to 1-9 by repeated digit sums; 0 for 0."""
    return 1 + (number - 1) % 9 if number else 0


@lru_cache(maxsize=_CHAIN_CACHE)
def chain(number: int, masters: frozenset[int] = NO_MASTERS) -> tuple[int, ...]:
    """Returns every value visited while a number is reduced, the number itself first.

    The reduction stops at a value of at most 9 or at a master number, so the last element is the reduced number.
    """
    visited = [number]
    while number > 9 and number not in masters:
        number = ds(number)
        visited.append(number)
    return tuple(visited)


def red(number: int, masters: frozenset[int] = NO_MASTERS) -> int:
    """Returns the number reduced by repeated digit sums until it is at most 9 or a master number."""
    return chain(number, masters)[-1]
