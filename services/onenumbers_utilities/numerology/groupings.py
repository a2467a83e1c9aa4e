"""Which numbers go together: the groupings in print, and a table of ours made from them.

Documented are the concord triads 1-5-7, 2-4-8, 3-6-9 (Clement 1908) and, in Cheiro's line, the interchangeable pairs
1-4 and 2-7, the family 3-6-9 and the caution about 4 with 8. No percentage is documented anywhere; the points below are
a convention of this software, published and symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from onenumbers_utilities.numerology.options import School

TRIADS: Final = (frozenset({1, 5, 7}), frozenset({2, 4, 8}), frozenset({3, 6, 9}))
"""Clement's concords. Each number is in one of them."""
INTERCHANGEABLE: Final = (frozenset({1, 4}), frozenset({2, 7}))
"""Cheiro's pairs."""
FAMILY: Final = frozenset({3, 6, 9})
"""Cheiro's family."""
CAUTION: Final = frozenset({4, 8})
"""The pair that Cheiro is cautious about."""


@unique
class Relation(Enum):
    """How two numbers 1-9 stand to each other."""

    SAME = "same"
    """They are one number."""
    CONCORD = "concord"
    """Different numbers of one concord triad."""
    NO_CONCORD = "no_concord"
    """Numbers of two concord triads. It is no discord: the source names none."""
    INTERCHANGEABLE = "interchangeable"
    """Cheiro's 1 with 4, or 2 with 7."""
    FAMILY = "family"
    """Different numbers of Cheiro's family 3-6-9."""
    CAUTION = "caution"
    """Cheiro's 4 with 8."""
    UNNAMED = "unnamed"
    """Cheiro's line names no relation."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """What one documented grouping says of two numbers."""

    rule_id: str
    school: School
    relation: Relation
    members: tuple[int, ...]
    """The group that holds both; empty where none does."""


def concord(first: int, second: int) -> Grouping:
    """Returns what Clement's triads say of two numbers 1-9."""
    for triad in TRIADS:
        if first in triad and second in triad:
            relation = Relation.SAME if first == second else Relation.CONCORD
            return Grouping("compatibility.concord", School.CLEMENT, relation, tuple(sorted(triad)))
    return Grouping("compatibility.concord", School.CLEMENT, Relation.NO_CONCORD, ())


def cheiro(first: int, second: int) -> Grouping:
    """Returns what Cheiro's line says of two numbers 1-9."""
    rule_id, pair = "compatibility.cheiro", frozenset({first, second})
    if first == second:
        return Grouping(rule_id, School.CHEIRO, Relation.SAME, (first,))
    if pair in INTERCHANGEABLE:
        return Grouping(rule_id, School.CHEIRO, Relation.INTERCHANGEABLE, tuple(sorted(pair)))
    if pair <= FAMILY:
        return Grouping(rule_id, School.CHEIRO, Relation.FAMILY, tuple(sorted(FAMILY)))
    if pair == CAUTION:
        return Grouping(rule_id, School.CHEIRO, Relation.CAUTION, tuple(sorted(CAUTION)))
    return Grouping(rule_id, School.CHEIRO, Relation.UNNAMED, ())


# --- our convention -------------------------------------------------------------------------------------------------

BASE_POINTS: Final = 50
"""Points of two numbers of which no grouping says anything."""
POINTS: Final = {
    Relation.SAME: 25,
    Relation.CONCORD: 25,
    Relation.INTERCHANGEABLE: 20,
    Relation.FAMILY: 10,
    Relation.CAUTION: -25,
}
"""What each relation adds. Same numbers add it once, whichever source is asked."""


def convention_points(first: int, second: int) -> int:
    """Returns our points of two numbers 1-9: the base, and what their relations add; within 0-100.

    A convention of this software, no tradition.
    """
    relations = {concord(first, second).relation, cheiro(first, second).relation}
    return BASE_POINTS + sum(POINTS.get(relation, 0) for relation in relations)


CONVENTION_TABLE: Final = tuple(
    tuple(convention_points(first, second) for second in range(1, 10)) for first in range(1, 10)
)
"""Points of the numbers 1-9 (rows) with the numbers 1-9 (columns). Symmetric."""
