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


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How often one value occurs among the letters of a name."""

    value: int
    """1-9."""
    letters: str
    """The letters with this value, in the order of the name."""
    average: float
    """Letters of the name divided by nine."""
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


RULES = (
    ("inclusion.counts", School.DECOZ),
    ("karmic_lessons.missing_values", School.DECOZ),
    ("hidden_passion.most_frequent", School.DECOZ),
    ("subconscious_self.nine_less_lessons", School.DECOZ),
    ("intensity.even_share", School.CONVENTION),
)
"""The rules of an inclusion table, and who documents them."""

_CONVENTION = Notice(
    "AVERAGES_ARE_A_CONVENTION",
    "Averages are the letters of the name divided by nine, a convention of this software; Goodwin prints a fixed table "
    "of averages instead.",
)


def inclusion(name: Name, table: LetterTable = PYTHAGOREAN, *, explain: bool = True) -> Inclusion:
    """Counts the values 1-9 among the letters of all names.

    Args:
        name: The name.
        table: Values of the letters.
        explain: Whether the trace of the subconscious self is returned.

    Raises:
        InvalidArgumentError: The table has no letter for one of the values (rule inclusion.table, field system).
    """
    parts = name_parts(name, table)
    letters = "".join(name.parts)
    return Inclusion(
        name=name.text,
        values=tuple(
            _value_count(value, "".join(letter for letter in letters if table.values[letter] == value), len(letters))
            for value in range(1, 10)
        ),
        parts=parts,
        subconscious_self=_subconscious_self(name, parts, explain=explain),
        notices=(*name.notices, _CONVENTION),
    )


def _value_count(value: int, letters: str, total: int) -> ValueCount:
    # Compared as whole numbers: 3 of 27 letters are exactly the average, whatever floating point makes of 27 / 9.
    excess = 9 * len(letters) - total
    level = IntensityLevel.ABOVE if excess > 0 else IntensityLevel.BELOW if excess else IntensityLevel.AVERAGE
    return ValueCount(value, letters, total / 9, excess / 9, level)


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
