"""Chaldean numbers in Cheiro's system: of a name in current use, and of the day of birth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from typing import Final

from onenumbers_utilities.numerology.compounds import CompoundMeaning, compound_of
from onenumbers_utilities.numerology.correspondences import planet_of
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.primitives import root
from onenumbers_utilities.numerology.reduction import number_part, reduced, words
from onenumbers_utilities.numerology.results import Alternative, Component, NumberResult
from onenumbers_utilities.numerology.tables import CHALDEAN


@unique
class CompoundMethod(Enum):
    """How the compound of a full name is made. Both give one root."""

    LETTER_TOTAL = "letter_total"
    """All letters added."""
    SUM_OF_ROOTS = "sum_of_roots"
    """The roots of the single names added: Cheiro's own layout of several names."""


RULES: Final = {method: f"chaldean_name.{method.value}" for method in CompoundMethod}
"""Rule of each method."""


@dataclass(frozen=True, slots=True)
class Compound:
    """A sum of letters with its root and, from 10, its meaning."""

    label: str
    """The name it belongs to, or the method for a whole name."""
    number: int
    root: int
    meaning: CompoundMeaning | None
    """None for a sum of one digit."""


@dataclass(frozen=True, slots=True)
class ChaldeanName:
    """A name on the Chaldean table."""

    number: NumberResult
    """Its value is the root; its total the compound of the method asked for."""
    compound: Compound
    """The compound of the method asked for."""
    compounds: tuple[Compound, ...]
    """The compound of each method, labelled with it."""
    names: tuple[Compound, ...]
    """Compound and root of each single name."""
    planet: str


@dataclass(frozen=True, slots=True)
class ChaldeanBirth:
    """A day of birth in Cheiro's system."""

    number: NumberResult
    """Its value is the root of the day."""
    compound: Compound | None
    """The day itself, from 10."""
    planet: str


def chaldean_name(
    name: Name, method: CompoundMethod = CompoundMethod.LETTER_TOTAL, *, explain: bool = True
) -> ChaldeanName:
    """Returns the numbers of a name on Cheiro's table. Masters are never kept: the root is 1-9.

    A single name has nothing that roots could be added to, so its letters are its compound by both methods.
    """
    parts = words(name, CHALDEAN)
    names = tuple(_compound(part.text, part.total) for part in parts)
    total = sum(part.total for part in parts)
    sums = {
        CompoundMethod.LETTER_TOTAL: total,
        CompoundMethod.SUM_OF_ROOTS: total if len(parts) == 1 else sum(each.root for each in names),
    }
    compounds = {each: _compound(each.value, sums[each]) for each in CompoundMethod}
    chosen = compounds[method]
    warnings = name.notices
    if chosen.meaning is not None:
        warnings += chosen.meaning.notices
    inputs = name.inputs()
    if method is not CompoundMethod.LETTER_TOTAL:
        inputs["compound_method"] = method.value
    number = reduced(
        chosen.number,
        rule_id=RULES[method],
        school=School.CHEIRO,
        inputs=inputs,
        warnings=warnings,
        components=_parts(name, method) if explain else (),
        alternatives=tuple(
            Alternative(RULES[each], School.CHEIRO, compound.root, compound.number)
            for each, compound in compounds.items()
            if compound.number != chosen.number
        )
        if explain
        else (),
    )
    return ChaldeanName(number, chosen, tuple(compounds.values()), names, planet_of(number.root))


def chaldean_total(name: Name) -> int:
    """Returns the sum of all letters of a name on Cheiro's table."""
    return sum("".join(name.parts).encode("ascii").translate(CHALDEAN.letters))


def chaldean_birth(day: int, *, explain: bool = True) -> ChaldeanBirth:
    """Returns the birth number: the day of the month and its root. Month and year take no part.

    Args:
        day: 1-31, a day that exists in the month of birth.
        explain: Whether the parts are returned.
    """
    number = reduced(
        day,
        rule_id="chaldean_birth.day",
        school=School.CHEIRO,
        inputs={"day": str(day)},
        components=(number_part("day", str(day), day),) if explain else (),
    )
    meaning = compound_of(day)
    compound = Compound("day", day, number.root, meaning) if meaning is not None else None
    return ChaldeanBirth(number, compound, planet_of(number.root))


def birth_root(born: date) -> int:
    """Returns the root of the day of birth, 1-9."""
    return root(born.day)


def _parts(name: Name, method: CompoundMethod) -> tuple[Component, ...]:
    return words(name, CHALDEAN, contribute_roots=method is CompoundMethod.SUM_OF_ROOTS and len(name.parts) > 1)


def _compound(label: str, number: int) -> Compound:
    return Compound(label, number, root(number), compound_of(number))
