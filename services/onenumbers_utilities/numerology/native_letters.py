"""Names counted in their own letters: Hebrew, Arabic, Greek and Cyrillic. Each is a school of its own."""

from __future__ import annotations

import unicodedata
from enum import Enum, unique
from typing import Final

from onenumbers_runtime.errors import InvalidArgumentError, invalid
from onenumbers_utilities.numerology.letters import LETTER_MAPS, place, problem_of, script
from onenumbers_utilities.numerology.names import MAX_NAME_LENGTH
from onenumbers_utilities.numerology.options import LetterPolicy, School
from onenumbers_utilities.numerology.primitives import chain
from onenumbers_utilities.numerology.records import record
from onenumbers_utilities.numerology.results import Component, Notice, NumberResult


@unique
class NativeSystem(Enum):
    """A system of values for the letters of a script."""

    HEBREW_HECHRECHI = "hebrew_hechrechi"
    """Mispar hechrechi: alef 1 to tav 400; final forms count as their letters."""
    ARABIC_MASHRIQI = "arabic_mashriqi"
    """The abjad in its eastern order: alif 1 to ghayn 1000."""
    GREEK_ISOPSEPHY = "greek_isopsephy"
    """Isopsephy: alpha 1 to omega 800, with digamma (stigma) 6, koppa 90 and sampi 900."""
    CYRILLIC_CYCLE = "cyrillic_cycle"
    """The 33 Russian letters counted 1-9 again and again: a convention."""


@record
class NativeLetter:
    """A letter of a name and what it counts."""

    letter: str
    """As it stands in the name, without marks."""
    counted_as: str
    """The letter of the system whose value it has."""
    value: int


@record
class NativeWord:
    """One word of a name."""

    text: str
    total: int
    letters: tuple[NativeLetter, ...]


@record
class NativeLetters:
    """A name in its own letters."""

    system: NativeSystem
    script: str
    source: str
    """Where the values come from."""
    number: NumberResult
    """The total, its reduction to 1-9 (these systems keep no masters), rule and warnings."""
    words: tuple[NativeWord, ...]


_UNITS: Final = (*range(1, 10), *range(10, 100, 10), *range(100, 1001, 100))


def _values(letters: str) -> dict[str, int]:
    return dict(zip(letters, _UNITS, strict=False))


class _Table:
    def __init__(
        self, script_name: str, school: School, source: str, values: dict[str, int], same: dict[str, str], doubtful: str
    ) -> None:
        self.script, self.school, self.source, self.values = script_name, school, source, values
        self.same, self.doubtful = same, doubtful
        self.counted = {letter: letter for letter in values} | same


_ALPHABET: Final = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
TABLES: Final = {
    NativeSystem.HEBREW_HECHRECHI: _Table(
        "Hebrew",
        School.GEMATRIA,
        "Mispar hechrechi, the standard values of gematria (Wikipedia, Gematria; Jewish Encyclopedia 1906, Gematria)",
        _values("אבגדהוזחטיכלמנסעפצקרשת"),
        dict(zip("ךםןףץ", "כמנפצ", strict=True)),
        "",
    ),
    NativeSystem.ARABIC_MASHRIQI: _Table(
        "Arabic",
        School.ABJAD,
        "Abjad numerals in the eastern (mashriqi) order (Wikipedia, Abjad numerals)",
        _values("ابجدهوزحطيكلمنسعفصقرشتثخذضظغ"),
        {"ء": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه"},
        "ءىة",
    ),
    NativeSystem.GREEK_ISOPSEPHY: _Table(
        "Greek",
        School.ISOPSEPHY,
        "Milesian (Ionic) numerals as isopsephy uses them (Wikipedia, Isopsephy; Greek numerals)",
        _values("αβγδεϝζηθικλμνξοπϟρστυφχψωϡ"),
        {"ς": "σ", "ϛ": "ϝ", "ϙ": "ϟ"},
        "",
    ),
    NativeSystem.CYRILLIC_CYCLE: _Table(
        "Cyrillic",
        School.CONVENTION,
        "The 33 letters of the Russian alphabet numbered in order, each number reduced to 1-9; a convention",
        {letter: place_of % 9 + 1 for place_of, letter in enumerate(_ALPHABET)},
        {},
        "",
    ),
}
"""The table of each system."""
_BY_SCRIPT: Final = {table.script: system for system, table in TABLES.items()}
_MAQAF: Final = "\u05be"
"""The Hebrew hyphen: what it joins are words of their own."""
_SIGNS: Final = frozenset("\u05f3\u05f4\u0640")
"""Geresh, gershayim and tatweel: signs of writing without a value, within words."""
_SIGNS_AND_APOSTROPHES: Final = ("", "Modifier")
"""Scripts of what is no letter in a name: the Ukrainian apostrophe is a letter by Unicode."""
_NO_SCRIPTS: Final = (*_SIGNS_AND_APOSTROPHES, "Inherited")
_MARKS: Final = {
    "Hebrew": ("\u0591", "\u05c7"),
    "Arabic": ("\u064b", "\u065f"),
    "Greek": ("\u0300", "\u0344"),
    "Cyrillic": ("\u0300", "\u0301"),
}
"""First and last mark of each script that has no value: points, signs of vowels, accents and breathings."""


def native_letters(raw: str, system: NativeSystem | None = None, *, explain: bool = True) -> NativeLetters:
    """Counts a name in its own letters.

    Marks of vowels, points, accents and breathings have no value and are left out with a notice.

    Args:
        raw: The name in one script.
        system: The system; None takes the one of the name's script.
        explain: Whether words and letters are returned.

    Raises:
        InvalidArgumentError: The name is empty, too long, mixes scripts, is of a script without a system or of another
            than the system's, or has a character without a value; the error names it, its script and its position in
            the composed form (NFC) of the name.
    """
    if len(raw) > MAX_NAME_LENGTH:
        raise invalid("name", f"has {len(raw)} characters, at most {MAX_NAME_LENGTH} may be", rule="name.max_length")
    if not raw.strip():
        raise invalid("name", "must not be empty", rule="name.required")
    chosen = system or _system_of(raw)
    table = TABLES[chosen]
    words, marks = _words(raw, table)
    if not words:
        raise invalid("name", "has no letters", rule="name.no_letters")
    visited = chain(sum(word.total for word in words))
    inputs = {"name": raw} if system is None else {"name": raw, "system": system.value}
    number = NumberResult(
        value=visited[-1],
        root=visited[-1],
        is_master=False,
        total=visited[0],
        chain=visited,
        rule_id=f"native_letters.{chosen.value}",
        school=table.school,
        inputs_used=inputs,
        warnings=_notices(words, table, marks=marks),
        components=tuple(Component("name", word.text, word.total, word.total, (word.total,)) for word in words)
        if explain
        else (),
    )
    return NativeLetters(chosen, table.script, table.source, number, words if explain else ())


def _system_of(raw: str) -> NativeSystem:
    """Returns the system of the first letter's script."""
    for position, char in enumerate(raw, start=1):
        where = script(char)
        if where in _BY_SCRIPT:
            return _BY_SCRIPT[where]
        if where == "Latin":
            problem = (
                f"has the Latin '{char}' at position {position}; the tools of names count Latin letters, "
                f"this one {', '.join(sorted(_BY_SCRIPT))}"
            )
            raise invalid("name", problem, rule="native_letters.script", metadata=place(char, position))
        if where not in _NO_SCRIPTS or LETTER_MAPS[LetterPolicy.DIRECT].unknown(char):
            raise _refused(char, position)
    raise invalid("name", "has no letters", rule="name.no_letters")


def _words(raw: str, table: _Table) -> tuple[tuple[NativeWord, ...], bool]:
    """Returns the words, and whether marks were left out."""
    words: list[list[NativeLetter]] = [[]]
    first, last = _MARKS[table.script]
    signs = LETTER_MAPS[LetterPolicy.DIRECT]
    marks = False
    for position, sent in enumerate(unicodedata.normalize("NFC", raw), start=1):
        for char in _parts(sent, table):
            if (counted := table.counted.get(char.lower())) is not None:
                words[-1].append(NativeLetter(char, counted, table.values[counted]))
            elif first <= char <= last and unicodedata.category(char) == "Mn":
                marks = True
            elif char == _MAQAF or signs[ord(char)] == " ":
                words.append([])
            elif char not in _SIGNS and (script(char) not in _SIGNS_AND_APOSTROPHES or signs.unknown(char)):
                raise _refused(char if script(char) == "Inherited" else sent, position, table)
    found = tuple(
        NativeWord("".join(each.letter for each in word), sum(each.value for each in word), tuple(word))
        for word in words
        if word
    )
    return found, marks


def _parts(char: str, table: _Table) -> str:
    """Returns a letter and its marks; Ё and Й are letters of their own."""
    return char if char.lower() in table.counted else unicodedata.normalize("NFD", char)


def _refused(char: str, position: int, table: _Table | None = None) -> InvalidArgumentError:
    where = script(char)
    if table is None or where in ("", "Inherited"):
        rule, problem = problem_of(char, latin=False)
        text = problem.format(at=f"at position {position}")
    elif where == table.script:
        rule = "native_letters.letter"
        text = f"has the {where} '{char}' (U+{ord(char):04X}) at position {position}, which has no value in this system"
    else:
        rule = "name.mixed_scripts"
        text = (
            f"has the {where} '{char}' (U+{ord(char):04X}) at position {position}, where {table.script} letters are "
            "counted; a name is counted in one script"
        )
    return invalid("name", text, rule=rule, metadata=place(char, position))


def _notices(words: tuple[NativeWord, ...], table: _Table, *, marks: bool) -> tuple[Notice, ...]:
    found = []
    if marks:
        found.append(
            Notice("MARKS_NOT_COUNTED", "Points, signs of vowels and accents have no value; none was counted.")
        )
    doubtful = sorted({each.letter for word in words for each in word.letters if each.letter in table.doubtful})
    if doubtful:
        message = f"Authors differ about {', '.join(doubtful)}; counted here as the letter of the same shape."
        found.append(Notice("LETTER_VALUE_DISPUTED", message))
    return tuple(found)
