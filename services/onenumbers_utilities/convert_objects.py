"""Contract to domain and back, for the numbers of things. No rule of numerology stands here."""

from __future__ import annotations

from typing import Final

from onenumbers.utilities.v1 import objects_pb2 as pb
from onenumbers_utilities.convert import MASTER_SETS, enum_values
from onenumbers_utilities.convert_systems import compound_of_total
from onenumbers_utilities.numerology.objects import LetterValues, UnitRule
from onenumbers_utilities.numerology.options import MASTER_NUMBERS
from onenumbers_utilities.numerology.primitives import NO_MASTERS

__all__ = ["LETTER_VALUES", "UNIT_RULES", "chosen_masters", "compound_of_total", "masters"]

UNIT_RULES: Final = enum_values(pb.UnitRule, UnitRule, UnitRule.REPLACES)
LETTER_VALUES: Final = enum_values(pb.LetterValues, LetterValues, LetterValues.PYTHAGOREAN)


def masters(chosen: int) -> frozenset[int]:
    """Returns the master numbers of a request whose rule has none of its own."""
    found = chosen_masters(chosen)
    return NO_MASTERS if found is None else found


def chosen_masters(chosen: int) -> frozenset[int] | None:
    """Returns the master numbers of a request, or None where the rule's own set is wanted."""
    found = MASTER_SETS[chosen]
    return None if found is None else MASTER_NUMBERS[found]
