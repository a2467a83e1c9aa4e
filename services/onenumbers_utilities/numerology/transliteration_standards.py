"""Published standards by which names of other scripts become Latin letters, as data. Rules stand in transliteration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from onenumbers_utilities.numerology.options import Transliteration


class Library(Enum):
    """A library that carries standards, by the name of its distribution."""

    IULIIA = "iuliia"
    INTERSCRIPT = "interscript"
    BIBLICAL_TRANSLITERATION = "biblical-transliteration"


@dataclass(frozen=True, slots=True)
class Standard:
    """A published standard."""

    title: str
    """How people call it."""
    script: str
    """The script that it reads, as letters.script names it."""
    source: str
    """Who published it."""
    library: Library | None = None
    """The library that writes it; None where the table stands here."""
    map: str = ""
    """What the library calls it."""
    alphabet: str = ""
    """The small letters that a standard of a library has, and the signs among them."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Latin letters by the small letter of the script, for those whose table stands here."""
    endings: Mapping[str, str] = field(default_factory=dict)
    """Ends of words that the standard writes in a way of their own and the library's map does not: the letters that the
    map must be given, by those of the name."""
    vowels_written: bool = True
    """Whether the script writes its vowels."""

    def has(self, char: str) -> bool:
        """Returns whether the standard has a small letter or a sign of its script."""
        return char in self.letters or char in self.alphabet


def _table(script: str, latin: str) -> dict[str, str]:
    """Returns the pairs of two rows; "-" is nothing."""
    pairs = zip(script.split(), latin.split(), strict=True)
    return {letter: "" if text == "-" else text for letter, text in pairs}


# The half rings and lines of ayin, alef, alif and hamza are signs of the standards that stand for no letter A-Z. The
# presentation forms stand for shin and sin with their dots, and for vav with a dot for o or u.
_HEBREW: Final = _table(
    "א ב ג ד ה ו ז ח ט י כ ך ל מ ם נ ן ס ע פ ף צ ץ ק ר ש ת ׳ ״ \ufb2a \ufb2b \ufb35 \ufb4b",
    "ʾ b g d h w z ḥ ṭ y k k l m m n n s ʿ p p ṣ ṣ q r s\u0300 t ’ - š ś ẇ ŵ",
) | {
    "\u05be": "-",  # maqaf: a hyphen
    "\u05b0": "",  # sheva
    "\u05b1": "e",  # hataf segol
    "\u05b2": "a",  # hataf patah
    "\u05b3": "o",  # hataf qamats
    "\u05b4": "i",  # hiriq
    "\u05b5": "e",  # tsere
    "\u05b6": "e",  # segol
    "\u05b7": "a",  # patah
    "\u05b8": "a",  # qamats
    "\u05b9": "o",  # holam
    "\u05bb": "u",  # qubuts
    "\u05bc": "",  # dagesh, where the simplified standard does not write it
    "\u05c1": "",  # shin dot without a shin
    "\u05c2": "",  # sin dot without a shin
}
_HEBREW_SBL: Final = (
    "אבגדהוזחטיכךלמםנןסעפףצץקרשת׳״\u05be\u05bd\u05bf" + "".join(map(chr, range(0x5B0, 0x5BD))) + "\u05c1\u05c2\u05c7"
)
"""Letters, geresh and gershayim, hyphen, stress, the line of soft letters, points with the dagesh, and small qamats."""
_ARABIC_ISO: Final = _table(
    "ء ا ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق ك ل م ن ه ة و ي ى ـ",
    "ˌ ʾ b t ṯ ǧ ḥ ẖ d ḏ r z s š ṣ ḍ ṭ ẓ ʿ ġ f q k l m n h ẗ w y ỳ -",
) | {
    "أ": "ˈʾ",
    "إ": "ʾˈ",
    "آ": "ʾâ",
    "ؤ": "ˈw",
    "ئ": "ˈy",
    "\u064b": "á",  # fathatan
    "\u064c": "ú",  # dammatan
    "\u064d": "í",  # kasratan
    "\u064e": "a",  # fatha
    "\u064f": "u",  # damma
    "\u0650": "i",  # kasra
    "\u0651": "\u0304",  # shadda: a macron, which is a mark
    "\u0652": "",  # sukun
}
_ARABIC_SCRIPT: Final = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيٱٹټپځڅچڈډڑړږژښکګڭگںڼھۀہۂۃیۍېےۓـ"
"""The letters of Doc 9303, which are those of Arabic, Persian, Pashto and Urdu, and the stroke between letters."""
ARABIC_MARKS: Final = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670"
"""Tanwin, short vowels, shadda, sukun and the small alif."""
_RUSSIAN: Final = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_GREEK: Final = "αβγδεζηθικλμνξοπρσςτυφχψω"


def _iuliia(title: str, source: str, schema: str) -> Standard:
    return Standard(title, "Cyrillic", source, Library.IULIIA, schema, _RUSSIAN)


def _cyrillic(title: str, source: str, name: str, alphabet: str, endings: Mapping[str, str] | None = None) -> Standard:
    return Standard(title, "Cyrillic", source, Library.INTERSCRIPT, name, alphabet, endings=endings or {})


STANDARDS: Final[Mapping[Transliteration, Standard]] = {
    Transliteration.ICAO_9303_RUSSIAN: _iuliia(
        "ICAO Doc 9303 (Russian)", "ICAO Doc 9303 part 3, section 6 B", "ICAO_DOC_9303"
    ),
    Transliteration.BGN_PCGN_RUSSIAN: _iuliia(
        "BGN/PCGN 1947 (Russian)", "BGN/PCGN romanization of Russian", "BGN_PCGN"
    ),
    Transliteration.ISO_9_RUSSIAN: _iuliia("ISO 9:1995, GOST 7.79-2000 system A (Russian)", "ISO 9:1995", "GOST_779"),
    Transliteration.GOST_779_B_RUSSIAN: _iuliia("GOST 7.79-2000 system B (Russian)", "GOST 7.79-2000", "GOST_779_ALT"),
    Transliteration.UKRAINIAN_2010: _cyrillic(
        "Ukrainian national system of 2010",
        "Cabinet of Ministers of Ukraine, resolution 55 of 27 January 2010",
        "ua-ukr-Cyrl-Latn-2010",
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    ),
    Transliteration.BULGARIAN_2009: _cyrillic(
        "Bulgarian Transliteration Act of 2009",
        "Bulgarian Transliteration Act, State Gazette 19/2009",
        "bgna-bul-Cyrl-Latn-2009",
        "абвгдежзийклмнопрстуфхцчшщъьюя",
        # Article 6 of the act; the map's own sources leave it out.
        {"ия": "иа"},
    ),
    Transliteration.SERBIAN_LATIN: _cyrillic(
        "Serbian Latin alphabet (Gaj)",
        "the parallel Latin alphabet of Serbian orthography; BGN/PCGN 2005 agreement",
        "bgnpcgn-srp-Cyrl-Latn-2005",
        "абвгдђежзијклљмнњопрстћуфхцчџш",
    ),
    Transliteration.BGN_PCGN_MACEDONIAN: _cyrillic(
        "BGN/PCGN 2013 (Macedonian)",
        "BGN/PCGN romanization of Macedonian, 2013",
        "bgnpcgn-mkd-Cyrl-Latn-2013",
        "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
    ),
    Transliteration.BELARUSIAN_2007: _cyrillic(
        "Belarusian national system of 2007",
        "State Committee on Property of Belarus, resolution 38 of 11 June 2007",
        "by-bel-Cyrl-Latn-2007",
        "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
    ),
    Transliteration.ELOT_743: Standard(
        "ELOT 743 / ISO 843:1997 type 2",
        "Greek",
        "ELOT 743, transcription; ISO 843:1997 type 2; United Nations resolution V/19 of 1987",
        Library.INTERSCRIPT,
        "elot-ell-Grek-Latn-743-1982-ts",
        _GREEK,
    ),
    Transliteration.BGN_PCGN_GREEK: Standard(
        "BGN/PCGN 1962 (Greek)",
        "Greek",
        "BGN/PCGN romanization of Greek, 1962",
        Library.INTERSCRIPT,
        "bgnpcgn-ell-Grek-Latn-1962",
        _GREEK,
    ),
    Transliteration.ISO_259_2: Standard(
        "ISO 259-2:1994",
        "Hebrew",
        "ISO 259-2:1994, table as reported by Wikipedia's ISO 259",
        letters=_HEBREW,
        vowels_written=False,
    ),
    Transliteration.SBL_HEBREW: Standard(
        "SBL Handbook of Style, academic style (Hebrew)",
        "Hebrew",
        "The SBL Handbook of Style, section 5.1.1 (Society of Biblical Literature)",
        Library.BIBLICAL_TRANSLITERATION,
        "SBL",
        _HEBREW_SBL,
        vowels_written=False,
    ),
    Transliteration.ISO_233: Standard(
        "ISO 233:1984",
        "Arabic",
        "ISO 233:1984, table as reported by Wikipedia's ISO 233",
        letters=_ARABIC_ISO,
        vowels_written=False,
    ),
    Transliteration.ICAO_9303_ARABIC: Standard(
        "ICAO Doc 9303 (Arabic)",
        "Arabic",
        "ICAO Doc 9303 part 3, section 6 C (machine readable zone)",
        Library.INTERSCRIPT,
        "icao-fas-Arab-Latn-9303",
        _ARABIC_SCRIPT + ARABIC_MARKS,
        vowels_written=False,
    ),
}
"""Every standard. docs/rules-systems.md says why the tables of ISO 259-2 and ISO 233 stand here."""


def standards_for(script: str) -> tuple[str, ...]:
    """Returns the names of the standards that read a script, in the order of their declaration."""
    return tuple(each.name for each, standard in STANDARDS.items() if standard.script == script)
