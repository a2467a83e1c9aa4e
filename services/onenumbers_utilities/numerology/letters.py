"""How single characters become letters A-Z, and what is wrong with those that do not."""

from __future__ import annotations

import unicodedata
from typing import Final

from onenumbers_runtime.errors import InvalidArgumentError, invalid
from onenumbers_utilities.numerology.options import LetterPolicy
from onenumbers_utilities.numerology.transliteration_standards import standards_for

UNKNOWN: Final = "\0"
"""What a character becomes that is neither a letter nor allowed between letters."""

_EXPLICIT: Final = {
    "ß": "SS",
    "ẞ": "SS",
    "æ": "AE",
    "Æ": "AE",
    "œ": "OE",
    "Œ": "OE",
    "ø": "O",
    "Ø": "O",
    "ł": "L",
    "Ł": "L",
    "đ": "D",
    "Đ": "D",
    "ð": "D",
    "Ð": "D",
    "þ": "TH",
    "Þ": "TH",
    "ı": "I",
    "ħ": "H",
    "Ħ": "H",
    "ŧ": "T",
    "Ŧ": "T",
    "ĳ": "IJ",
    "Ĳ": "IJ",
    "ŀ": "L",
    "Ŀ": "L",
}
"""Letters that Unicode does not decompose into a base letter and marks."""
_GERMAN: Final = {"ä": "AE", "Ä": "AE", "ö": "OE", "Ö": "OE", "ü": "UE", "Ü": "UE"}
_JOINERS: Final = frozenset("-\u2010\u2011\u2012\u2013'\u2019\u2018\u02bc\u02bb\u2032`\u00b4\u00b7\u0387\u1fef\u1ffd")
"""Hyphens, apostrophes and the Catalan middle dot: what they join is one name. The last three are the Greek signs that
composition (NFC) makes middle dot, grave and acute of."""
_SEPARATORS: Final = frozenset(" .,")
_BIDI_MARKS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FIRST_MARK, _LAST_MARK, _GRAPHEME_JOINER = "\u0300", "\u0362", "\u034f"
"""The diacritical marks. What follows them in Unicode are letters written as marks, which are never dropped."""


class LetterMap(dict[int, str]):
    """A table for str.translate that fills itself: letters to A-Z, separators to a space, marks and joiners to nothing.

    Only characters that have a meaning are kept, about two thousand at most, so that hostile input cannot make it grow.
    """

    __slots__ = ("_first",)

    def __init__(self, policy: LetterPolicy) -> None:
        super().__init__()
        self._first = {**_EXPLICIT, **_GERMAN} if policy is LetterPolicy.DE_EXPANDED else _EXPLICIT

    def __missing__(self, code: int) -> str:
        text = self._resolve(chr(code))
        if text is not UNKNOWN:
            self[code] = text
        return text

    def _resolve(self, char: str) -> str:
        if char in self._first:
            return self._first[char]
        if char in _JOINERS:
            return ""
        if char in _SEPARATORS or unicodedata.category(char) == "Zs":
            return " "
        letters = ""
        # No character is composed of more than one letter and its marks.
        for part in unicodedata.normalize("NFD", char):
            if part.isascii() and part.isalpha():
                letters = part.upper()
            elif part in _EXPLICIT:
                letters = _EXPLICIT[part]
            elif not _FIRST_MARK <= part <= _LAST_MARK or part == _GRAPHEME_JOINER:
                return UNKNOWN
        return letters

    def unknown(self, char: str) -> bool:
        """Returns whether a character is neither a letter of the policy nor allowed between letters."""
        return self[ord(char)] == UNKNOWN


LETTER_MAPS: Final = {policy: LetterMap(policy) for policy in LetterPolicy}
"""The table of each policy."""


def script(char: str) -> str:
    """Returns the script of a letter as Unicode's name of it tells: "Latin", "Cyrillic", "Han"; "" for no letter."""
    if not unicodedata.category(char).startswith(("L", "M")):
        return ""
    words = unicodedata.name(char, "UNNAMED").split()
    if "LATIN" in words[:2]:
        return "Latin"
    return {"CJK": "Han", "UNNAMED": "unknown", "COMBINING": "Inherited"}.get(words[0], words[0].capitalize())


def refusal(text: str, policy: LetterPolicy, field: str, *, start: int = 1) -> InvalidArgumentError | None:
    """Returns why the first character that cannot be counted cannot be, or None where all can.

    Positions count characters of the text as it was sent, from 1; those before `start` are not looked at.
    """
    table = LETTER_MAPS[policy]
    for position, char in enumerate(text[start - 1 :], start=start):
        if table[ord(char)] == UNKNOWN:
            latin = any(other.isalpha() and table[ord(other)] != UNKNOWN for other in text)
            rule, problem = problem_of(char, latin=latin)
            return invalid(
                field,
                problem.format(at=f"at position {position}"),
                rule=rule,
                metadata=place(char, position),
            )
    return None


def place(char: str, position: int) -> dict[str, str]:
    """Returns what an error says in machine-readable form about a character that a name may not have."""
    found = {
        "character": char if char.isprintable() else "",
        "code_point": f"U+{ord(char):04X}",
        "script": script(char),
        "position": str(position),
    }
    standards = standards_for(found["script"])
    return {**found, "transliterations": ",".join(standards)} if standards else found


def problem_of(char: str, *, latin: bool) -> tuple[str, str]:
    """Returns the rule that a character breaks, and the sentence that says so with a place for {at}."""
    code, category = f"U+{ord(char):04X}", unicodedata.category(char)
    if char in _BIDI_MARKS:
        return "name.bidi_mark", f"has the text direction mark {code} {{at}}; remove it"
    if category in ("Cc", "Zl", "Zp"):
        return "name.control_character", f"has the control character {code} {{at}}; remove it"
    if category in ("Cf", "Cs", "Co", "Cn") or char == _GRAPHEME_JOINER or "VARIATION SELECTOR" in _name(char):
        return "name.invisible_character", f"has the invisible character {code} {{at}}; remove it"
    if _is_emoji(char):
        return "name.emoji", f"has the emoji or pictograph {code} {{at}}; a name is written in letters"
    shown = char if char not in "{}" else char * 2
    if category.startswith("N"):
        return "name.digit", f"has the digit or number '{shown}' {{at}}; write it in letters as the name is spoken"
    where = script(char)
    if where in ("Latin", "Inherited", "Mathematical", "Modifier", "Feminine", "Masculine"):
        return "name.letter_without_value", (
            f"has '{shown}' ({code}, {_name(char)}) {{at}}, which no letter policy maps to A-Z; "
            "write the name with the Latin letters that its bearer uses"
        )
    if where and latin:
        return "name.mixed_scripts", (
            f"mixes Latin letters with the {where} '{shown}' ({code}) {{at}}; write the whole name in Latin letters"
        )
    if where:
        standards = standards_for(where)
        offer = f"; where a tool takes a transliteration, {where} has {', '.join(standards)}" if standards else ""
        return "name.unsupported_script", (
            f"has the {where} '{shown}' ({code}) {{at}}; write the name in Latin letters as its bearer spells it{offer}"
        )
    return "name.character", (
        f"has '{shown}' ({code}) {{at}}; a name has letters, spaces, hyphens, apostrophes, commas and full stops"
    )


def _name(char: str) -> str:
    return unicodedata.name(char, "unnamed")


def _is_emoji(char: str) -> bool:
    return unicodedata.category(char) in ("So", "Sk", "Me") and (
        ord(char) >= 0x1F000 or "\u2190" <= char <= "\u2bff" or char == "\u20e3"
    )
