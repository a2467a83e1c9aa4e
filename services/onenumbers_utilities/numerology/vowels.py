"""Which letters of a name are vowels. Only Y is in question; W is a consonant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.options import YOverride, YRule
from onenumbers_utilities.numerology.tables import VOWEL_Y

_Y: Final = ord("Y")
_PLAIN_VOWELS: Final = frozenset(b"AEIOU")


def mark(parts: Sequence[str], rule: YRule, overrides: Sequence[YOverride] = ()) -> tuple[bytes, ...]:
    """Returns the names as bytes in which every Y that is a vowel is written in lower case.

    Args:
        parts: Names of letters A-Z.
        rule: Decides every Y that no override decides.
        overrides: Single Ys by position among all letters, from 1.

    Raises:
        InvalidArgumentError: an override names a position that is past the end, no Y, or named twice.
    """
    marked = tuple(part.encode("ascii") for part in parts)
    if any(b"Y" in part for part in marked) and rule is not YRule.ALWAYS_CONSONANT:
        marked = tuple(_by_rule(part, rule) if b"Y" in part else part for part in marked)
    return _override(marked, overrides) if overrides else marked


def _by_rule(part: bytes, rule: YRule) -> bytes:
    if rule is YRule.ALWAYS_VOWEL:
        return part.replace(b"Y", b"y")
    letters = bytearray(part)
    for index, letter in enumerate(part):
        if letter != _Y:
            continue
        neighbour = index - 1 if index else 1
        consonant = neighbour < len(part) and part[neighbour] in _PLAIN_VOWELS
        if not consonant:
            letters[index] = VOWEL_Y
    return bytes(letters)


def _override(marked: tuple[bytes, ...], overrides: Sequence[YOverride]) -> tuple[bytes, ...]:
    letters = bytearray(b"".join(marked))
    seen: set[int] = set()
    for index, override in enumerate(overrides):
        field = f"y_overrides[{index}].position"
        place = override.position - 1
        if not 0 <= place < len(letters):
            raise invalid(
                field, f"must be within 1-{len(letters)}, the letters of the name", rule="y_override.within_name"
            )
        if letters[place] not in (_Y, VOWEL_Y):
            raise invalid(field, f"letter {override.position} is {chr(letters[place])}, not Y", rule="y_override.is_y")
        if override.position in seen:
            raise invalid(field, f"letter {override.position} is decided twice", rule="y_override.unique")
        seen.add(override.position)
        letters[place] = VOWEL_Y if override.vowel else _Y
    ends: list[bytes] = []
    start = 0
    for part in marked:
        ends.append(bytes(letters[start : start + len(part)]))
        start += len(part)
    return tuple(ends)
