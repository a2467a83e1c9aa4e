"""Names of other scripts in Latin letters, by a named standard and never without one."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

import iuliia
from iuliia.schema import Schema, TranslitSchema

from onenumbers_runtime.errors import InvalidArgumentError, invalid
from onenumbers_utilities.numerology.letters import LETTER_MAPS, place, problem_of, refusal, script
from onenumbers_utilities.numerology.options import LetterPolicy, Transliteration
from onenumbers_utilities.numerology.transliteration_standards import RUSSIAN, STANDARDS, Standard, standards_for

_SIGNS: Final = str.maketrans("ёЁ", "ëË", "ʹʺʾʿ”“\"'’`ʼ")
"""Signs of the standards for soft and hard sign, alef and ayin are no letters. iuliia writes ë as the Cyrillic ё."""
_APOSTROPHES: Final = str.maketrans("", "", "'’ʼ`")
_WORD: Final = re.compile(r"[^\W\d_]+")
_VOICED: Final = "βγδζλμνραάεέηήιίϊΐοόυύϋΰωώ"
_GREEK_RULES: Final = (
    (re.compile(f"([αεη])[υύ](?=[{_VOICED}])"), r"\1v"),
    (re.compile("([αεη])[υύ]"), r"\1f"),
    (re.compile("ο[υύ]"), "ou"),
    (re.compile("γ(?=[γξχ])"), "n"),
    (re.compile("^μπ|μπ$"), "b"),
)
"""Letters that ELOT 743 reads together; an accent on the first, or a diaeresis, holds them apart."""
_GREEK_ACCENTS: Final = str.maketrans(
    {"\u0300": "\u0301", "\u0342": "\u0301", "\u0313": "", "\u0314": "", "\u0345": ""}
)
_FINAL_TEH_MARBUTA: Final = re.compile("ة(?=[\u064b-\u0650]*(?:\\W|$))")
"""Doc 9303 writes XTA, and XAH where it ends a word."""
_MARKS: Final = {
    "Cyrillic": "\u0300\u0301",
    "Greek": "\u0300\u0301\u0304\u0306\u0308\u0313\u0314\u0342\u0345",
}
"""Marks that leave a letter what it is: of stress, length, breathing and hiatus, and the iota subscript."""
_DIAERESIS_OR_ACCENT: Final = re.compile("[\u0301\u0308]")


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
    return _latin(text, chosen, standard).translate(_SIGNS)


def _require_readable(raw: str, found: list[str], standard: Transliteration, policy: LetterPolicy, field: str) -> None:
    """Refuses a name of a script that the standard does not read; Latin names pass, whatever is wrong with them."""
    table = LETTER_MAPS[policy]
    for position, (char, where) in enumerate(zip(raw, found, strict=True), start=1):
        if where not in ("", "Latin", "Inherited") and table.unknown(char):
            if any(other == "Latin" for other in found):
                return
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
        if where in ("", "Inherited") and char.lower() not in chosen.letters:
            found = refusal(text, policy, field, start=position) if table.unknown(char) else None
            if found is None and composed and where and char not in _MARKS.get(chosen.script, ""):
                rule, problem = problem_of(char, latin=False)
                found = invalid(
                    field, problem.format(at=f"at position {position}"), rule=rule, metadata=place(char, position)
                )
            if found is not None:
                raise found
        elif where not in ("", "Inherited", chosen.script):
            raise _error(
                char,
                position,
                field,
                "name.mixed_scripts",
                f"among {chosen.script} letters; write the whole name in one script",
            )
        elif composed and not _has(standard, char):
            raise _error(
                char,
                position,
                field,
                "transliteration.letter",
                f"which {standard.name} does not have"
                + _offer(where, {each.name for each in STANDARDS if each is not standard and _has(each, char)}),
            )


def _has(standard: Transliteration, char: str) -> bool:
    chosen = STANDARDS[standard]
    if chosen.schema:
        return char.lower() in RUSSIAN
    if char in chosen.letters or char.lower() in chosen.letters:
        return True
    return chosen.script == "Greek" and all(
        part in chosen.letters or part in _MARKS["Greek"]
        for part in unicodedata.normalize("NFD", char.lower()).replace("ς", "σ")
    )


def _latin(text: str, chosen: Standard, standard: Transliteration) -> str:
    if chosen.script == "Cyrillic":
        # A stress accent is no letter; composed letters such as й have none left.
        bare = "".join(char for char in text if unicodedata.category(char) != "Mn")
        return str(_schema(standard).translate(bare.translate(_APOSTROPHES)))
    if chosen.script == "Greek":
        return _WORD.sub(lambda word: _greek(word[0], chosen), _accented(text))
    # Unicode orders the mark of a doubled letter after those of vowels; it belongs to the letter.
    text = re.sub("([\u064b-\u0650])\u0651", "\u0651\\1", text)
    if standard is Transliteration.ICAO_9303_ARABIC:
        text = _FINAL_TEH_MARBUTA.sub("XAH", re.sub("(.)\u0651", r"\1\1", text))
    elif chosen.script == "Hebrew":
        # With holam, or a dot for u, vav is one letter of the standard with a mark.
        text = re.sub("ו[\u05b9\u05bc]", "ו", unicodedata.normalize("NFD", text))
    latin = "".join(chosen.letters.get(char, char) for char in text)
    return " ".join(word[:1].upper() + word[1:] for word in latin.split())


@cache
def _schema(standard: Transliteration) -> Schema:
    chosen = STANDARDS[standard]
    if chosen.schema:
        return getattr(iuliia, chosen.schema)
    return TranslitSchema(
        name=standard.value,
        mapping=dict(chosen.letters),
        prev_mapping=dict(chosen.after),
        ending_mapping=dict(chosen.endings),
    )


def _accented(text: str) -> str:
    """Returns Greek with one kind of accent and no breathings, composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).translate(_GREEK_ACCENTS))


def _greek(word: str, chosen: Standard) -> str:
    latin = word.lower().replace("ς", "σ")
    for pattern, replacement in _GREEK_RULES:
        latin = pattern.sub(replacement, latin)
    latin = _DIAERESIS_OR_ACCENT.sub("", unicodedata.normalize("NFD", latin))
    latin = "".join(chosen.letters.get(char, char) for char in latin)
    if word.isupper() and len(word) > 1:
        return latin.upper()
    return latin.capitalize() if word[0].isupper() else latin


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
