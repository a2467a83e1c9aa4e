"""Letter tables: what each letter A-Z counts."""

from __future__ import annotations

from typing import Final

from onenumbers_utilities.numerology.options import School

VOWEL_Y: Final = ord("y")
"""How a marked name writes a Y that is a vowel; a Y that is a consonant stays upper case."""
VOWELS: Final = b"AEIOUy"
"""The vowels of a marked name."""


class LetterTable:
    """Values of the letters A-Z in a school.

    Holds three translations of 256 bytes for marked names (see vowels.mark): of all letters, of the vowels alone and of
    the consonants alone, where a letter that does not count is 0. The sum of a name is `sum(name.translate(table))`.
    """

    __slots__ = ("consonants", "letters", "name", "school", "values", "vowels")

    def __init__(self, *, name: str, school: School, groups: dict[int, str]) -> None:
        self.name = name
        self.school = school
        self.values = {letter: value for value, letters in groups.items() for letter in letters}
        letters, vowels, consonants = bytearray(256), bytearray(256), bytearray(256)
        for letter, value in self.values.items():
            for code in {ord(letter), VOWEL_Y if letter == "Y" else ord(letter)}:
                letters[code] = value
                (vowels if code in VOWELS else consonants)[code] = value
        self.letters, self.vowels, self.consonants = bytes(letters), bytes(vowels), bytes(consonants)


PYTHAGOREAN: Final = LetterTable(
    name="pythagorean",
    school=School.PYTHAGOREAN,
    groups={1: "AJS", 2: "BKT", 3: "CLU", 4: "DMV", 5: "ENW", 6: "FOX", 7: "GPY", 8: "HQZ", 9: "IR"},
)
"""A-Z numbered 1 to 26, each number reduced to 1-9."""

CHALDEAN: Final = LetterTable(
    name="chaldean",
    school=School.CHEIRO,
    groups={1: "AIJQY", 2: "BKR", 3: "CGLS", 4: "DMT", 5: "EHNX", 6: "UVW", 7: "OZ", 8: "FP"},
)
"""Cheiro's table. No letter is 9, though totals may reduce to it."""
