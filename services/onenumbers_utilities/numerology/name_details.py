"""What the first name says by itself: cornerstone, capstone, first vowel, keystone, rational thought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onenumbers_utilities.numerology.name_numbers import MarkedName
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import School, YRule
from onenumbers_utilities.numerology.primitives import chain
from onenumbers_utilities.numerology.results import Component, LetterValue, Notice, NumberResult
from onenumbers_utilities.numerology.tables import PYTHAGOREAN, VOWELS
from onenumbers_utilities.numerology.vowels import mark


@dataclass(frozen=True, slots=True)
class StoneLetter:
    """A letter of the first name with a meaning of its own."""

    letter: str
    """A-Z."""
    value: int
    """Its value in the Pythagorean table, 1-9."""
    position: int
    """Place in the first name, from 1."""
    rule_id: str
    school: School


@dataclass(frozen=True, slots=True)
class Cornerstones:
    """The letters of a first name that have a meaning of their own."""

    first_name: str
    cornerstone: StoneLetter
    capstone: StoneLetter
    first_vowel: StoneLetter | None
    """None where the first name has no vowel."""
    keystone: StoneLetter | None
    """None where the first name has an even number of letters."""
    inputs_used: Mapping[str, str]
    notices: tuple[Notice, ...]


def cornerstones(name: MarkedName) -> Cornerstones:
    """Returns first letter, last letter, first vowel (Y by the rule in force) and middle letter of the first name."""
    first, marked = name.name.parts[0], name.marked[0]
    vowel = next((place for place, code in enumerate(marked) if code in VOWELS), None)
    notices = list(name.name.notices)
    if vowel is None:
        notices.append(Notice("NO_FIRST_VOWEL", f"{first} has no vowel, so it has no first vowel."))
    middle, even = divmod(len(first) - 1, 2)
    if even:
        notices.append(Notice("NO_KEYSTONE", f"{first} has {len(first)} letters, so none stands in the middle."))
    return Cornerstones(
        first_name=first,
        cornerstone=_stone(first, 0, "cornerstone.first_letter", School.DECOZ),
        capstone=_stone(first, len(first) - 1, "capstone.last_letter", School.DECOZ),
        first_vowel=None if vowel is None else _stone(first, vowel, "first_vowel.first_name", School.DECOZ),
        keystone=None if even else _stone(first, middle, "keystone.middle_letter", School.CLEMENT),
        inputs_used=name.vowel_inputs,
        notices=tuple(notices),
    )


def rational_thought(name: Name, day: int, *, explain: bool = True) -> NumberResult:
    """Returns the letters of the first name plus the day of birth, reduced to 1-9 whatever masters are in force.

    Both parts are reduced first; adding them in full gives the same number.

    Args:
        name: The full name; only its first part counts.
        day: Day of birth, 1-31.
        explain: Whether the parts are returned.
    """
    first = name.parts[0]
    of_name = chain(sum(PYTHAGOREAN.values[letter] for letter in first))
    of_day = chain(day)
    visited = chain(of_name[-1] + of_day[-1])
    letters = tuple(
        LetterValue(letter, PYTHAGOREAN.values[letter], code in VOWELS, counted=True)
        for letter, code in zip(first, mark((first,), YRule.ORTHOGRAPHIC)[0], strict=True)
    )
    return NumberResult(
        value=visited[-1],
        root=visited[-1],
        is_master=False,
        total=visited[0],
        chain=visited,
        rule_id="rational_thought.first_name_and_day",
        school=School.DECOZ,
        inputs_used={**name.inputs(), "day": str(day)},
        warnings=name.notices,
        components=(
            Component("first_name", first, of_name[0], of_name[-1], of_name, letters),
            Component("day", str(day), day, of_day[-1], of_day),
        )
        if explain
        else (),
    )


def _stone(first: str, place: int, rule_id: str, school: School) -> StoneLetter:
    return StoneLetter(first[place], PYTHAGOREAN.values[first[place]], place + 1, rule_id, school)
