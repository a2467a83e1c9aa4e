"""Two people, or up to twenty, compared by the groupings in print, number by number.

Which number is compared by which grouping follows the sources: Cheiro compares birth numbers and names on his own
table, the triads are read over the numbers of the Pythagorean schools. The weighted points are a convention of this
software.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from itertools import combinations
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.chaldean import chaldean_birth, chaldean_name
from onenumbers_utilities.numerology.dates import date_notices
from onenumbers_utilities.numerology.groupings import Grouping, cheiro, concord, convention_points
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions, School
from onenumbers_utilities.numerology.results import Notice, NumberResult

MIN_PEOPLE: Final = 2
MAX_PEOPLE: Final = 20


@unique
class Position(Enum):
    """A number by which people are compared."""

    LIFE_PATH = "life_path"
    EXPRESSION = "expression"
    SOUL_URGE = "soul_urge"
    PERSONALITY = "personality"
    BIRTH_NUMBER = "birth_number"
    """Root of the day of birth."""
    CHALDEAN_NAME = "chaldean_name"
    """Root of the name on the Chaldean table."""


_BY_CHEIRO: Final = frozenset({Position.BIRTH_NUMBER, Position.CHALDEAN_NAME})
WEIGHTS: Final = {
    Position.LIFE_PATH: 30,
    Position.EXPRESSION: 20,
    Position.SOUL_URGE: 20,
    Position.PERSONALITY: 10,
    Position.BIRTH_NUMBER: 15,
    Position.CHALDEAN_NAME: 5,
}
"""Weights of our convention; together 100. A number that one of the two has not leaves its weight out."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person with the numbers that are compared."""

    name: str
    """The name as it was counted."""
    born: date
    numbers: dict[Position, NumberResult]
    """In the order of Position."""
    warnings: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class PositionRelation:
    """How two people stand to each other in one number."""

    position: Position
    first: int | None
    """The first one's number as it stands, a master number unreduced; None where there is none."""
    second: int | None
    first_root: int
    """What is compared, 1-9; 0 where there is no number."""
    second_root: int
    grouping: Grouping | None
    """What the source says; None where one has no number."""


@dataclass(frozen=True, slots=True)
class ScoreComponent:
    """What one number adds to the points of our convention."""

    position: Position
    points: int
    """0-100, from the published table."""
    weight: int


@dataclass(frozen=True, slots=True)
class ConventionScore:
    """Weighted mean of the points. A convention of this software; no school has one."""

    points: float
    """0-100."""
    components: tuple[ScoreComponent, ...]
    weight: int
    """Sum of the weights that took part."""
    rule_id: str = "compatibility.convention_score"
    school: School = School.CONVENTION


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two people compared."""

    relations: tuple[PositionRelation, ...]
    """One for each position, in order."""
    score: ConventionScore | None
    """None where it was not asked for."""
    warnings: tuple[Notice, ...]


def read_person(
    name: str, born: date, options: NumerologyOptions = DEFAULTS, *, field: str = "name", explain: bool = True
) -> Person:
    """Calculates the numbers of a person that are compared.

    Args:
        name: Full name; read by names.read_name.
        born: Birth date.
        options: Choices between schools.
        field: Where errors say that the name is.
        explain: Whether parts and other methods' values are returned.

    Raises:
        InvalidArgumentError: The name cannot be read.
    """
    read = read_name(name, options.letter_policy, transliteration=options.transliteration, field=field)
    marked = mark_name(read, options)
    return Person(
        name=read.text,
        born=born,
        numbers={
            Position.LIFE_PATH: life_path(born, options, explain=explain),
            Position.EXPRESSION: expression(marked, explain=explain),
            Position.SOUL_URGE: soul_urge(marked, explain=explain),
            Position.PERSONALITY: personality(marked, explain=explain),
            Position.BIRTH_NUMBER: chaldean_birth(born.day, explain=explain).number,
            Position.CHALDEAN_NAME: chaldean_name(read, explain=explain).number,
        },
        warnings=(*read.notices, *date_notices(born)),
    )


def compare(first: Person, second: Person, *, score: bool = True) -> Comparison:
    """Compares two people number by number. Symmetric: who is first makes no difference to relations and points."""
    relations = tuple(_relation(position, first, second) for position in Position)
    return Comparison(relations, _score(relations) if score else None, tuple(_notices(relations)))


def compare_people(people: Sequence[Person], *, score: bool = True) -> tuple[tuple[int, int, Comparison], ...]:
    """Compares all pairs of 2-20 people, each with the places of the two. A group has no number of its own.

    Raises:
        InvalidArgumentError: There are fewer than two people, or more than twenty.
    """
    if not MIN_PEOPLE <= len(people) <= MAX_PEOPLE:
        raise invalid(
            "people", f"must be {MIN_PEOPLE}-{MAX_PEOPLE} people, not {len(people)}", rule="compare_people.people"
        )
    return tuple(
        (one, other, compare(people[one], people[other], score=score))
        for one, other in combinations(range(len(people)), 2)
    )


def _relation(position: Position, first: Person, second: Person) -> PositionRelation:
    one, other = first.numbers[position], second.numbers[position]
    grouping = None
    if one.value is not None and other.value is not None:
        grouping = (cheiro if position in _BY_CHEIRO else concord)(one.root, other.root)
    return PositionRelation(position, one.value, other.value, one.root, other.root, grouping)


def _score(relations: Sequence[PositionRelation]) -> ConventionScore:
    components = tuple(
        ScoreComponent(each.position, convention_points(each.first_root, each.second_root), WEIGHTS[each.position])
        for each in relations
        if each.grouping is not None
    )
    weight = sum(each.weight for each in components)
    return ConventionScore(sum(each.points * each.weight for each in components) / weight, components, weight)


def _notices(relations: Sequence[PositionRelation]) -> list[Notice]:
    found: list[Notice] = []
    for each in relations:
        label = each.position.value.replace("_", " ")
        for value, root, who in ((each.first, each.first_root, "first"), (each.second, each.second_root, "second")):
            if value is None:
                found.append(Notice("NOTHING_TO_COMPARE", f"The {who} name has no {label}, so it was not compared."))
            elif value != root:
                found.append(Notice("MASTER_REDUCED", f"The {who} {label} {value} was compared as its root {root}."))
    return found
