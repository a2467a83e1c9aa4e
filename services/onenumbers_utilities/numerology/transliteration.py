"""Names of other scripts in Latin letters, by a named standard and never without one."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from onenumbers_runtime.errors import InvalidArgumentError, invalid
from onenumbers_utilities.numerology.letters import LETTER_MAPS, place, problem_of, refusal, script
from onenumbers_utilities.numerology.options import LetterPolicy, Transliteration
from onenumbers_utilities.numerology.results import Notice
from onenumbers_utilities.numerology.transliteration_libraries import provenance, write
from onenumbers_utilities.numerology.transliteration_standards import (
    ARABIC_MARKS,
    STANDARDS,
    Library,
    Standard,
    standards_for,
)

_SIGNS: Final = str.maketrans("ёЁ", "ëË", "ʹʺʾʿˈˌ”“\"'’`ʼ׳״")
"""Signs for soft and hard sign, alef, hamza and ayin are no letters. iuliia writes ë as the Cyrillic ё."""
_TURNED_E: Final = str.maketrans("ǝ", "ĕ")
"""The Handbook's second edition writes a sounded sheva as a turned e, the first as an e with a mark: an E here."""
_APOSTROPHES: Final = str.maketrans("’ʼ`", "'''")
_WORD: Final = re.compile(r"[^\W\d_]+")
_GREEK_ACCENTS: Final = str.maketrans(
    {"\u0300": "\u0301", "\u0342": "\u0301", "\u0304": "", "\u0306": "", "\u0313": "", "\u0314": "", "\u0345": ""}
    | {"\u00b7": ""}
)
"""One kind of accent, no breathings, and no middle dot, which the maps write as the semicolon that it is in Greek."""
_MARKS: Final = {
    "Cyrillic": "\u0300\u0301",
    "Greek": "\u0300\u0301\u0304\u0306\u0308\u0313\u0314\u0342\u0345",
}
"""Marks that leave a letter what it is: of stress, length, breathing and hiatus, and the iota subscript."""
_SHADDA: Final = "\u0651"
_FINAL_TEH_MARBUTA: Final = re.compile(r"ة(?!\w)")
"""Doc 9303 writes XTA, and XAH where it ends a word."""
_POINTS: Final = "\u05b0-\u05bb\u05c1\u05c2"
_HEBREW_PAIRS: Final = (
    (re.compile(f"ש([{_POINTS}\u05bc]*)\u05c1"), "\ufb2a\\1"),
    (re.compile(f"ש([{_POINTS}\u05bc]*)\u05c2"), "\ufb2b\\1"),
    (re.compile("ו\u05bc"), "\ufb35"),
    (re.compile("ו\u05b9"), "\ufb4b"),
    (re.compile(f"([בהכךפף])([{_POINTS}]*)\u05bc"), "\\1\u0307\\2"),
)
"""Letters with a point that ISO 259-2 writes as one, in whatever order the points stand; the last is the dagesh."""


def transliterate(
    raw: str, standard: Transliteration, policy: LetterPolicy = LetterPolicy.DIRECT, *, field: str = "name"
) -> str | None:
    """Returns a name in Latin letters as the standard writes it; None where it has none of the standard's script.

    Args:
        raw: The name in one script.
        standard: The standard that the caller chose.
        policy: How letters with marks become A-Z afterwards; decides which other characters a name may have.
        field: Where errors say that the name is.

    Raises:
        InvalidArgumentError: It mixes scripts, is of a script that the standard does not read, or has a character that
            neither the standard nor any name has; the error names the character, its script and its position.
    """
    chosen = STANDARDS[standard]
    found = [script(char) for char in raw]
    if chosen.script not in found:
        _require_readable(raw, found, standard, policy, field)
        return None
    text = unicodedata.normalize("NFC", raw)
    # Errors are looked for in the text as it was sent, so that positions are the sender's.
    for checked in (raw, text) if raw != text else (text,):
        _check(checked, standard, policy, field, composed=checked == text)
    return _latin(text, chosen).translate(_SIGNS)


def transliteration_inputs(standard: Transliteration, latin: str) -> dict[str, str]:
    """Returns what a number of a name used beside the name: the standard, what it wrote, and whose table or library."""
    return {
        "transliteration": standard.value,
        "latin_name": latin,
        "transliterated_by": provenance(STANDARDS[standard]),
    }


def transliteration_notices(standard: Transliteration, counted: str) -> tuple[Notice, ...]:
    """Returns what a reader should know of a name that a standard wrote.

    Args:
        standard: The standard.
        counted: The name in letters A-Z.
    """
    chosen = STANDARDS[standard]
    read = f"The name was read by {chosen.title} ({provenance(chosen)}) and counted as {counted}."
    if chosen.vowels_written:
        return (Notice("TRANSLITERATED", read),)
    vowels = f"{chosen.script} leaves vowels out; none were added, so numbers of vowels and consonants say little."
    return Notice("TRANSLITERATED", read), Notice("VOWELS_NOT_WRITTEN", vowels)


def _require_readable(raw: str, found: list[str], standard: Transliteration, policy: LetterPolicy, field: str) -> None:
    """Refuses a name of a script that the standard does not read; Latin names pass, whatever is wrong with them."""
    if "Latin" in found:
        return
    table = LETTER_MAPS[policy]
    for position, (char, where) in enumerate(zip(raw, found, strict=True), start=1):
        if where not in ("", "Inherited") and table.unknown(char):
            raise _error(
                char,
                position,
                field,
                "transliteration.script",
                f"which {standard.name} does not read: it is for {STANDARDS[standard].script}" + _offer(where),
            )


def _check(text: str, standard: Transliteration, policy: LetterPolicy, field: str, *, composed: bool) -> None:
    chosen, table = STANDARDS[standard], LETTER_MAPS[policy]
    for position, char in enumerate(text, start=1):
        where = script(char)
        # The apostrophe of Ukrainian and its like are letters by Unicode and signs in every name.
        if where == "Modifier" and not table.unknown(char):
            continue
        if where in ("", "Inherited") and not chosen.has(char):
            found = refusal(text, policy, field, start=position) if table.unknown(char) else None
            if found is None and composed and where and char not in _MARKS.get(chosen.script, ""):
                rule, problem = problem_of(char, latin=False)
                found = invalid(
                    field, problem.format(at=f"at position {position}"), rule=rule, metadata=place(char, position)
                )
            if found is not None:
                raise found
        elif where not in ("", chosen.script):
            raise _error(
                char,
                position,
                field,
                "name.mixed_scripts",
                f"among {chosen.script} letters; write the whole name in one script",
            )
        elif composed and not _has(chosen, char):
            raise _error(
                char,
                position,
                field,
                "transliteration.letter",
                f"which {standard.name} does not have"
                + _offer(where, {each.name for each, other in STANDARDS.items() if _has(other, char)}),
            )


def _has(chosen: Standard, char: str) -> bool:
    if chosen.has(char.lower()):
        return True
    return chosen.script == "Greek" and all(
        chosen.has(part) or part in _MARKS["Greek"] for part in unicodedata.normalize("NFD", char.lower())
    )


def _latin(text: str, chosen: Standard) -> str:
    if chosen.script == "Cyrillic":
        return _cyrillic(text, chosen)
    if chosen.script == "Greek":
        # The maps are those of today's spelling.
        accented = unicodedata.normalize("NFD", text).translate(_GREEK_ACCENTS)
        return _capitals(text, write(unicodedata.normalize("NFC", accented), chosen))
    if chosen.library is Library.BIBLICAL_TRANSLITERATION:
        return _named(write(text, chosen).translate(_TURNED_E))
    if chosen.script == "Hebrew":
        text = unicodedata.normalize("NFD", text)
        for pattern, letter in _HEBREW_PAIRS:
            text = pattern.sub(letter, text)
    elif chosen.library is None:
        # Unicode orders the mark of a doubled letter after those of vowels; it belongs to the letter.
        text = re.sub(f"([\u064b-\u0650]){_SHADDA}", rf"{_SHADDA}\1", text)
    else:
        return _machine_readable(text, chosen)
    return _named("".join(chosen.letters.get(char, char) for char in text))


def _named(latin: str) -> str:
    """Returns words of a script without capitals as names: each begins with one, signs that are no letters left out."""
    return " ".join(word[:1].upper() + word[1:] for word in latin.translate(_SIGNS).split())


def _cyrillic(text: str, chosen: Standard) -> str:
    # A stress accent is no letter; composed letters such as й have none left.
    bare = "".join(char for char in text if unicodedata.category(char) != "Mn").translate(_APOSTROPHES)
    if chosen.library is Library.IULIIA:
        bare = bare.replace("'", "")
    if chosen.endings:
        bare = _WORD.sub(lambda word: _ending(word[0], chosen), bare)
    return _capitals(text, write(bare, chosen))


def _ending(word: str, chosen: Standard) -> str:
    for ending, written in chosen.endings.items():
        if word.lower().endswith(ending):
            stem = word[: -len(ending)]
            return stem + (written.upper() if word.isupper() else written)
    return word


def _machine_readable(text: str, chosen: Standard) -> str:
    """Writes Arabic letters as Doc 9303 does: marks of vowels are left out, and a shadda doubles its letter."""
    bare = re.sub(f"[{ARABIC_MARKS.replace(_SHADDA, '')}ـ]", "", text)
    doubled = re.sub(f"(.){_SHADDA}", r"\1\1", bare)
    return write(_FINAL_TEH_MARBUTA.sub("XAH", doubled).replace("ة", "XTA"), chosen)


def _capitals(text: str, latin: str) -> str:
    """Returns Latin letters in capitals where the name was: maps write a capital that becomes two letters as "Ps"."""
    return latin.upper() if text.isupper() and len(text) > 1 else latin


def _offer(where: str, names: set[str] | None = None) -> str:
    found = [each for each in standards_for(where) if names is None or each in names]
    return f"; standards that do: {', '.join(found)}" if found else ""


def _error(char: str, position: int, field: str, rule: str, problem: str) -> InvalidArgumentError:
    where = script(char)
    return invalid(
        field,
        f"has the {where} '{char}' (U+{ord(char):04X}) at position {position}, {problem}"
        if rule != "name.mixed_scripts"
        else f"mixes scripts: it has the {where} '{char}' (U+{ord(char):04X}) at position {position} {problem}",
        rule=rule,
        metadata=place(char, position),
    )
