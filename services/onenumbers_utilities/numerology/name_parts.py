"""What the counts of letter values say: inclusion table, karmic lessons, hidden passion, subconscious self."""

from __future__ import annotations

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.results import NameParts
from onenumbers_utilities.numerology.tables import PYTHAGOREAN, LetterTable


def name_parts(name: Name, table: LetterTable = PYTHAGOREAN) -> NameParts:
    """Counts the values 1-9 among the letters of all names.

    Raises:
        InvalidArgumentError: the table has no letter for one of the values, as the Chaldean has none for 9: that value
            would be a lesson of everyone.
    """
    if table is not PYTHAGOREAN and (without := sorted(set(range(1, 10)) - set(table.values.values()))):
        raise invalid(
            "system",
            f"the {table.name} table has no letter for {without[0]}: counts say nothing there",
            rule="inclusion.table",
        )
    values = "".join(name.parts).encode("ascii").translate(table.letters)
    counts = tuple(values.count(value) for value in range(1, 10))
    most = max(counts)
    lessons = tuple(value for value, count in enumerate(counts, start=1) if not count)
    return NameParts(
        counts=counts,
        karmic_lessons=lessons,
        hidden_passions=tuple(value for value, count in enumerate(counts, start=1) if count == most),
        subconscious_self=9 - len(lessons),
    )
