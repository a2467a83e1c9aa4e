"""The inclusion table with what is read from it, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique

from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.results import Component, NameParts, Notice, NumberResult
from onenumbers_utilities.numerology.tables import PYTHAGOREAN, LetterTable


@unique
class IntensityLevel(Enum):
    """Where a count lies against the average."""

    BELOW = "below"
    AVERAGE = "average"
    ABOVE = "above"


@unique
class IntensityAverages(Enum):
    """What counts are measured against."""

    EVEN_SHARE = "even_share"
    """The letters of the name divided by nine; a convention of this software."""
    SIKKA = "sikka"
    """The table in Deepak Sikka, Play With Numbers, part 6, for names of any length."""


SIKKA_AVERAGES = (3, 1, 2, 1, 4, 2, 1, 1, 3)
"""Averages of the values 1 to 9 as Sikka prints them.

Goodwin (The Complete Guide, chapter 12) has a table of the same kind. In the copies that can be read four of its rows
are left: 3 for 1, 3 to 5 for 5, 0 or 1 for 7, and 3 for 9; they agree with this one, but for the ranges.
"""


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How often one value occurs among the letters of a name."""

    value: int
    """1-9."""
    letters: str
    """The letters with this value, in the order of the name."""
    average: float
    """What the count is measured against: letters of the name divided by nine, or a table's number."""
    deviation: float
    """Count less average."""
    intensity: IntensityLevel

    @property
    def count(self) -> int:
        """Letters with this value."""
        return len(self.letters)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The counts of a name and what follows from them."""

    name: str
    """The name as it was counted."""
    values: tuple[ValueCount, ...]
    """Nine entries, for 1 to 9."""
    parts: NameParts
    subconscious_self: NumberResult
    notices: tuple[Notice, ...]
    rules: tuple[tuple[str, School], ...]
    """The rules that were applied, and who documents them."""


_RULES = (
    ("inclusion.counts", School.DECOZ),
    ("karmic_lessons.missing_values", School.DECOZ),
    ("hidden_passion.most_frequent", School.DECOZ),
    ("subconscious_self.nine_less_lessons", School.DECOZ),
)
_INTENSITY = {
    IntensityAverages.EVEN_SHARE: (
        ("intensity.even_share", School.CONVENTION),
        Notice(
            "AVERAGES_ARE_A_CONVENTION",
            "Averages are the letters of the name divided by nine, a convention of this software; Goodwin and Sikka "
            "print fixed tables of averages instead.",
        ),
    ),
    IntensityAverages.SIKKA: (
        ("intensity.sikka_table", School.PYTHAGOREAN),
        Notice(
            "AVERAGES_OF_ANY_NAME",
            "Averages are 3, 1, 2, 1, 4, 2, 1, 1, 3 for the values 1 to 9 as Sikka prints them, for any length.",
        ),
    ),
}
"""The rule of the intensity points, and what a reader should know of it."""


def inclusion(
    name: Name,
    table: LetterTable = PYTHAGOREAN,
    averages: IntensityAverages = IntensityAverages.EVEN_SHARE,
    *,
    explain: bool = True,
) -> Inclusion:
    """Counts the values 1-9 among the letters of all names.

    Args:
        name: The name.
        table: Values of the letters.
        averages: What the counts are measured against.
        explain: Whether the trace of the subconscious self is returned.

    Raises:
        InvalidArgumentError: The table has no letter for one of the values (rule inclusion.table, field system).
    """
    parts = name_parts(name, table)
    letters = "".join(name.parts)
    rule, notice = _INTENSITY[averages]
    # Ninths, so that whole numbers are compared: 3 of 27 letters are the average, whatever floats make of 27 / 9.
    ninths = [len(letters)] * 9 if averages is IntensityAverages.EVEN_SHARE else [9 * each for each in SIKKA_AVERAGES]
    return Inclusion(
        name=name.text,
        values=tuple(
            _value_count(value, "".join(letter for letter in letters if table.values[letter] == value), average)
            for value, average in enumerate(ninths, start=1)
        ),
        parts=parts,
        subconscious_self=_subconscious_self(name, parts, explain=explain),
        notices=(*name.notices, notice),
        rules=(*_RULES, rule),
    )


def _value_count(value: int, letters: str, ninths: int) -> ValueCount:
    excess = 9 * len(letters) - ninths
    level = IntensityLevel.ABOVE if excess > 0 else IntensityLevel.BELOW if excess else IntensityLevel.AVERAGE
    return ValueCount(value, letters, ninths / 9, excess / 9, level)


def _subconscious_self(name: Name, parts: NameParts, *, explain: bool) -> NumberResult:
    value, lessons = parts.subconscious_self, len(parts.karmic_lessons)
    components = (
        Component("values", "1-9", 9, 9, (9,)),
        Component("karmic_lessons", ", ".join(map(str, parts.karmic_lessons)), lessons, lessons, (lessons,)),
    )
    return NumberResult(
        value=value,
        root=value,
        is_master=False,
        total=value,
        chain=(value,),
        rule_id="subconscious_self.nine_less_lessons",
        school=School.DECOZ,
        inputs_used=name.inputs(),
        components=components if explain else (),
    )
