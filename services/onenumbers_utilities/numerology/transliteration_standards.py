"""Published standards by which names of other scripts become Latin letters, as data. Rules stand in transliteration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from onenumbers_utilities.numerology.options import Transliteration


@dataclass(frozen=True, slots=True)
class Standard:
    """A published standard."""

    title: str
    """How people call it."""
    script: str
    """The script that it reads, as letters.script names it."""
    source: str
    """Who published it, and where its table comes from."""
    schema: str = ""
    """Name of the schema in the library iuliia that carries its table; "" where the table stands here."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Latin letters by the small letter of the script, for those whose table stands here."""
    after: Mapping[str, str] = field(default_factory=dict)
    """Latin letters of the last character of a key after the ones before it; a single character starts a word."""
    endings: Mapping[str, str] = field(default_factory=dict)
    """Latin letters of the last two of a word."""
    vowels_written: bool = True
    """Whether the script writes its vowels."""


def _table(script: str, latin: str) -> dict[str, str]:
    """Returns the pairs of two rows; "-" is nothing."""
    pairs = zip(script.split(), latin.split(), strict=True)
    return {letter: "" if text == "-" else text for letter, text in pairs}


_UKRAINIAN: Final = _table(
    "а б в г ґ д е є ж з и і ї й к л м н о п р с т у ф х ц ч ш щ ь ю я",
    "a b v h g d e ie zh z y i i i k l m n o p r s t u f kh ts ch sh shch - iu ia",
)
_BULGARIAN: Final = _table(
    "а б в г д е ж з и ѝ й к л м н о п р с т у ф х ц ч ш щ ъ ь ю я",
    "a b v g d e zh z i i y k l m n o p r s t u f h ts ch sh sht a y yu ya",
)
_SERBIAN: Final = _table(
    "а б в г д ђ е ж з и ј к л љ м н њ о п р с т ћ у ф х ц ч џ ш",
    "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š",
)
_GREEK: Final = _table(
    "α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ τ υ φ χ ψ ω",
    "a v g d e z i th i k l m n x o p r s t y f ch ps o",
)
# The half rings of ayin, alef and alif are signs of the standards that stand for no letter A-Z.
_HEBREW: Final = _table(
    "א ב ג ד ה ו ז ח ט י כ ך ל מ ם נ ן ס ע פ ף צ ץ ק ר ש ת ׳ ״",
    "ʾ b g d h w z ḥ ṭ y k k l m m n n s ʿ p p ṣ ṣ q r š t ’ -",
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
    "\u05bc": "",  # dagesh: a dot above the letter, which is a mark
    "\u05c1": "",  # shin dot
    "\u05c2": "",  # sin dot
}
_ARABIC_ISO: Final = _table(
    "ء ا ب ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق ك ل م ن ه ة و ي ى ـ",
    "ʾ ʾ b t ṯ ǧ ḥ ẖ d ḏ r z s š ṣ ḍ ṭ ẓ ʿ ġ f q k l m n h ẗ w y ỳ -",
) | {
    "أ": "ʾ",
    "إ": "ʾ",
    "آ": "ʾâ",
    "ؤ": "w",
    "ئ": "y",
    "\u064b": "á",  # fathatan
    "\u064c": "ú",  # dammatan
    "\u064d": "í",  # kasratan
    "\u064e": "a",  # fatha
    "\u064f": "u",  # damma
    "\u0650": "i",  # kasra
    "\u0651": "\u0304",  # shadda: a macron, which is a mark
    "\u0652": "",  # sukun
}
_ARABIC_ICAO: Final = _table(
    "ء آ أ ؤ إ ئ ا ب ة ت ث ج ح خ د ذ ر ز س ش ص ض ط ظ ع غ ف ق ك ل م ن ه و ى ي ٱ ـ",
    "XE XAA XAE U I XI A B XTA T XTH J XH XKH D XDH R Z S XSH XSS XDZ XTT XZZ E G F Q K L M N H W XAY Y XXA -",
) | dict.fromkeys("\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670", "")
# Doc 9303 does not encode the marks of short vowels; a shadda doubles its letter (see transliteration) and has none.

STANDARDS: Final[Mapping[Transliteration, Standard]] = {
    Transliteration.ICAO_9303_RUSSIAN: Standard(
        "ICAO Doc 9303 (Russian)",
        "Cyrillic",
        "ICAO Doc 9303 part 3, section 6 B; library iuliia",
        schema="ICAO_DOC_9303",
    ),
    Transliteration.BGN_PCGN_RUSSIAN: Standard(
        "BGN/PCGN 1947 (Russian)", "Cyrillic", "BGN/PCGN romanization of Russian; library iuliia", schema="BGN_PCGN"
    ),
    Transliteration.ISO_9_RUSSIAN: Standard(
        "ISO 9:1995, GOST 7.79-2000 system A (Russian)", "Cyrillic", "ISO 9:1995; library iuliia", schema="GOST_779"
    ),
    Transliteration.GOST_779_B_RUSSIAN: Standard(
        "GOST 7.79-2000 system B (Russian)", "Cyrillic", "GOST 7.79-2000; library iuliia", schema="GOST_779_ALT"
    ),
    Transliteration.UKRAINIAN_2010: Standard(
        "Ukrainian national system of 2010",
        "Cyrillic",
        "Cabinet of Ministers of Ukraine, resolution 55 of 27 January 2010",
        letters=_UKRAINIAN,
        after={"є": "ye", "ї": "yi", "й": "y", "ю": "yu", "я": "ya", "зг": "gh"},
    ),
    Transliteration.BULGARIAN_2009: Standard(
        "Bulgarian Transliteration Act of 2009",
        "Cyrillic",
        "Bulgarian Transliteration Act, State Gazette 19/2009",
        letters=_BULGARIAN,
        endings={"ия": "ia"},
    ),
    Transliteration.SERBIAN_LATIN: Standard(
        "Serbian Latin alphabet (Gaj)",
        "Cyrillic",
        "the parallel Latin alphabet of Serbian orthography",
        letters=_SERBIAN,
    ),
    Transliteration.ELOT_743: Standard(
        "ELOT 743 / ISO 843:1997 type 2", "Greek", "ELOT 743, transcription; ISO 843:1997 type 2", letters=_GREEK
    ),
    Transliteration.ISO_259_2: Standard(
        "ISO 259-2:1994",
        "Hebrew",
        "ISO 259-2:1994, as reported by Wikipedia's ISO 259",
        letters=_HEBREW,
        vowels_written=False,
    ),
    Transliteration.ISO_233: Standard(
        "ISO 233:1984",
        "Arabic",
        "ISO 233:1984, as reported by Wikipedia's ISO 233",
        letters=_ARABIC_ISO,
        vowels_written=False,
    ),
    Transliteration.ICAO_9303_ARABIC: Standard(
        "ICAO Doc 9303 (Arabic)",
        "Arabic",
        "ICAO Doc 9303 part 3, section 6 C (machine readable zone)",
        letters=_ARABIC_ICAO,
        vowels_written=False,
    ),
}
"""Every standard. No acceptable library carries those whose table stands here."""

RUSSIAN: Final = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
"""The letters that the schemas of iuliia know."""


def standards_for(script: str) -> tuple[str, ...]:
    """Returns the names of the standards that read a script, in the order of their declaration."""
    return tuple(each.name for each, standard in STANDARDS.items() if standard.script == script)
