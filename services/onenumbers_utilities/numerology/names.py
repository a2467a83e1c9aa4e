"""Names as they are counted: titles and suffixes removed, letters A-Z, one part for each name."""

from __future__ import annotations

import unicodedata
from typing import Final

from onenumbers_runtime.errors import invalid
from onenumbers_utilities.numerology.letters import LETTER_MAPS, UNKNOWN, refusal
from onenumbers_utilities.numerology.options import LetterPolicy, Transliteration
from onenumbers_utilities.numerology.records import record
from onenumbers_utilities.numerology.results import Notice
from onenumbers_utilities.numerology.transliteration import (
    transliterate,
    transliteration_inputs,
    transliteration_notices,
)

MAX_NAME_LENGTH: Final = 200
"""Characters (code points) that a name may have."""

_TITLES: Final = frozenset(
    "DL DNA DR DRA FRAU HERR HON ING MISS MLLE MME MR MRS MS MX PROF REV SIR".split()  # noqa: SIM905 - reads better
)
"""Titles that may open a name. Each is removed only where a name follows."""
_SUFFIXES: Final = frozenset({"JR", "SR", "JNR", "SNR"})
_NUMERALS: Final = frozenset({"II", "III", "IV"})
"""Suffixes of a generation; only in capitals, for Ii is a surname."""


@record
class Name:
    """A name ready to be counted."""

    raw: str
    """As it was sent."""
    parts: tuple[str, ...]
    """Its names in letters A-Z; at least one, none empty."""
    policy: LetterPolicy
    """How letters with marks were read."""
    notices: tuple[Notice, ...] = ()
    """What was left out."""
    transliteration: Transliteration | None = None
    """The standard that made it Latin; None for names that were."""
    latin: str = ""
    """What the standard wrote, with its marks; "" without one."""

    @property
    def text(self) -> str:
        """The name as it is counted: "IOANA BRANDUSA TURCANU"."""
        return " ".join(self.parts)

    def inputs(self) -> dict[str, str]:
        """Returns the inputs that a number of this name used."""
        inputs = {"name": self.raw}
        if self.policy is not LetterPolicy.DIRECT:
            inputs["letter_policy"] = self.policy.value
        if self.transliteration is not None:
            inputs |= transliteration_inputs(self.transliteration, self.latin)
        return inputs


def read_name(
    raw: str,
    policy: LetterPolicy = LetterPolicy.DIRECT,
    *,
    transliteration: Transliteration | None = None,
    field: str = "name",
) -> Name:
    """Reads a name.

    Whitespace, full stops and commas separate names; hyphens and apostrophes join. Titles before and generational
    suffixes after the name are left out with a notice.

    Args:
        raw: The name as people write it, in Latin letters with or without marks.
        policy: How letters with marks become A-Z.
        transliteration: The standard for a name of another script; None refuses such a name. Names that are Latin
            already are read as they are.
        field: Where errors say that the name is.

    Raises:
        InvalidArgumentError: The name is empty, too long, without letters, or has a character that does not count; the
            error names the character, its script and its position.
    """
    if len(raw) > MAX_NAME_LENGTH:
        raise invalid(field, f"has {len(raw)} characters, at most {MAX_NAME_LENGTH} may be", rule="name.max_length")
    text = raw if raw.isascii() else unicodedata.normalize("NFC", raw)
    table = LETTER_MAPS[policy]
    letters = text.translate(table)
    if UNKNOWN in letters:
        if transliteration is not None:
            latin = transliterate(raw, transliteration, policy, field=field)
            if latin is not None:
                return _from_latin(raw, latin, transliteration, policy, field)
        # A composed character cannot be counted where one of its parts cannot, so the fault is in the text as sent.
        raise refusal(raw, policy, field) or AssertionError("a character that cannot be counted was not found again")
    parts = letters.split()
    if not parts:
        if not raw.strip():
            raise invalid(field, "must not be empty", rule="name.required")
        raise invalid(field, "has no letters", rule="name.no_letters")
    if parts[0] in _TITLES or parts[-1] in _SUFFIXES or parts[-1] in _NUMERALS:
        parts, notices = _without_titles(parts, text)
        return Name(raw, tuple(parts), policy, notices)
    return Name(raw, tuple(parts), policy)


def _from_latin(raw: str, latin: str, standard: Transliteration, policy: LetterPolicy, field: str) -> Name:
    """Reads what a standard wrote. Titles are not looked for: bare consonants may spell one by chance."""
    parts = unicodedata.normalize("NFC", latin).translate(LETTER_MAPS[policy]).split()
    if any(UNKNOWN in part for part in parts):
        raise AssertionError(f"{standard.name} wrote a character that does not count")
    if not parts:
        raise invalid(field, f"has no letters that {standard.name} writes as Latin ones", rule="name.no_letters")
    notices = transliteration_notices(standard, " ".join(parts))
    return Name(raw, tuple(parts), policy, notices, standard, " ".join(latin.split()))


def _without_titles(parts: list[str], text: str) -> tuple[list[str], tuple[Notice, ...]]:
    notices: list[Notice] = []
    while len(parts) > 1 and parts[0] in _TITLES:
        notices.append(Notice("TITLE_LEFT_OUT", f"{parts[0]} was read as a title and left out."))
        parts = parts[1:]
    capitals = text.replace(".", " ").replace(",", " ").split()
    while len(parts) > 1:
        last = parts[-1]
        if last not in _SUFFIXES and not (last in _NUMERALS and capitals and capitals[-1] == last):
            break
        notices.append(Notice("SUFFIX_LEFT_OUT", f"{last} was read as a suffix of the generation and left out."))
        parts, capitals = parts[:-1], capitals[:-1]
    return parts, tuple(notices)
