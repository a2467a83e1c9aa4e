"""Two spellings of a name side by side. Which of them is better is no question that numerology in print answers."""

from __future__ import annotations

from dataclasses import dataclass

from onenumbers_utilities.numerology.chaldean import chaldean_name
from onenumbers_utilities.numerology.name_numbers import balance, expression, mark_name, personality, soul_urge
from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import Name, read_name
from onenumbers_utilities.numerology.options import DEFAULTS, NumerologyOptions
from onenumbers_utilities.numerology.results import NameParts, Notice, NumberResult


@dataclass(frozen=True, slots=True)
class NumberPair:
    """One number of both spellings."""

    position: str
    """Such as "expression"."""
    first: NumberResult
    second: NumberResult

    @property
    def differs(self) -> bool:
        """Whether the numbers differ."""
        return self.first.value != self.second.value

    @property
    def total_differs(self) -> bool:
        """Whether the sums before the reduction differ, even where the numbers agree."""
        return self.first.total != self.second.total


@dataclass(frozen=True, slots=True)
class LetterDifference:
    """A letter that one spelling has more often than the other."""

    letter: str
    first_count: int
    second_count: int


@dataclass(frozen=True, slots=True)
class NameComparison:
    """Two spellings compared."""

    first: Name
    second: Name
    numbers: tuple[NumberPair, ...]
    first_parts: NameParts
    second_parts: NameParts
    letters: tuple[LetterDifference, ...]
    """Letters whose counts differ, A-Z."""
    warnings: tuple[Notice, ...]


def compare_names(
    first: str, second: str, options: NumerologyOptions = DEFAULTS, *, explain: bool = True
) -> NameComparison:
    """Compares the numbers of two spellings.

    Raises:
        InvalidArgumentError: A name cannot be read; the field is "first_name" or "second_name".
    """
    one, other = (
        read_name(text, options.letter_policy, transliteration=options.transliteration, field=field)
        for text, field in ((first, "first_name"), (second, "second_name"))
    )
    of_one, of_other = _numbers(one, options, explain=explain), _numbers(other, options, explain=explain)
    warnings = [*one.notices, *other.notices]
    if one.parts == other.parts:
        message = f"Both spellings are counted as {one.text}, so every number is the same."
        warnings.append(Notice("SAME_LETTERS", message))
    return NameComparison(
        first=one,
        second=other,
        numbers=tuple(NumberPair(position, of_one[position], of_other[position]) for position in of_one),
        first_parts=name_parts(one),
        second_parts=name_parts(other),
        letters=tuple(_letters(one, other)),
        warnings=tuple(warnings),
    )


def _numbers(name: Name, options: NumerologyOptions, *, explain: bool) -> dict[str, NumberResult]:
    marked = mark_name(name, options)
    return {
        "expression": expression(marked, explain=explain),
        "soul_urge": soul_urge(marked, explain=explain),
        "personality": personality(marked, explain=explain),
        "balance": balance(marked, explain=explain),
        "chaldean_name": chaldean_name(name, explain=explain).number,
    }


def _letters(one: Name, other: Name) -> list[LetterDifference]:
    first, second = "".join(one.parts), "".join(other.parts)
    counts = ((letter, first.count(letter), second.count(letter)) for letter in sorted({*first, *second}))
    return [LetterDifference(letter, before, after) for letter, before, after in counts if before != after]
