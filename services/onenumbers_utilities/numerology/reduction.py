"""A sum and its reduction as a result: what the systems beside the Pythagorean one, and objects, have in common."""

from __future__ import annotations

from collections.abc import Mapping

from onenumbers_utilities.numerology.names import Name
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.primitives import NO_MASTERS, chain, root
from onenumbers_utilities.numerology.results import Alternative, Component, LetterValue, Notice, NumberResult
from onenumbers_utilities.numerology.tables import LetterTable

_VOWELS = frozenset("AEIOU")


def reduced(
    total: int,
    *,
    rule_id: str,
    school: School,
    inputs: Mapping[str, str],
    masters: frozenset[int] = NO_MASTERS,
    warnings: tuple[Notice, ...] = (),
    components: tuple[Component, ...] = (),
    alternatives: tuple[Alternative, ...] = (),
) -> NumberResult:
    """Returns a sum > 0 reduced by repeated digit sums, stopping at `masters`, with its trace."""
    visited = chain(total, masters)
    value = visited[-1]
    return NumberResult(
        value=value,
        root=root(value),
        is_master=value > 9,
        total=total,
        chain=visited,
        rule_id=rule_id,
        school=school,
        inputs_used=inputs,
        warnings=warnings,
        components=components,
        alternatives=alternatives,
    )


def word(label: str, text: str, table: LetterTable, *, contributes_root: bool = False) -> Component:
    """Returns a word of letters A-Z as a part of a sum: its letters with their values in `table`, and their total.

    Args:
        label: What the part is, such as "name".
        text: Letters A-Z.
        table: Values of the letters.
        contributes_root: Whether the part adds its root to the sum, and not its total.
    """
    letters = tuple(LetterValue(letter, table.values[letter], letter in _VOWELS, counted=True) for letter in text)
    visited = chain(sum(each.value for each in letters))
    if not contributes_root:
        visited = visited[:1]
    return Component(label, text, visited[0], visited[-1], visited, letters)


def number_part(label: str, text: str, total: int) -> Component:
    """Returns a part that adds its total as it stands."""
    return Component(label, text, total, total, (total,))


def words(name: Name, table: LetterTable, *, contribute_roots: bool = False) -> tuple[Component, ...]:
    """Returns the names of a full name as parts of a sum; see word."""
    return tuple(word("name", part, table, contributes_root=contribute_roots) for part in name.parts)
