"""Names of other scripts as they are written and refused: what a mutation test found to be asserted nowhere."""

from __future__ import annotations

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import Transliteration
from onenumbers_utilities.numerology.transliteration import transliterate
from onenumbers_utilities.numerology.transliteration_standards import STANDARDS

T = Transliteration


@pytest.mark.parametrize(
    ("standard", "name", "latin"),
    [
        # An accent of stress is no letter.
        (T.ICAO_9303_RUSSIAN, "Андре\u0301й", "Andrei"),
        # BGN/PCGN writes е as ye where a word begins; what an apostrophe joins is one word.
        (T.BGN_PCGN_RUSSIAN, "Ерин Д'Ерин", "Yerin DErin"),
        # The act's ending is in capitals where its word is, whatever the other words are.
        (T.BULGARIAN_2009, "МАРИЯ Петрова", "MARIA Petrova"),
        (T.BULGARIAN_2009, "Мария ПЕТРОВА", "Maria PETROVA"),
        # One capital that becomes two letters is the beginning of a name; two of them are a name in capitals.
        (T.ELOT_743, "Ψ", "Ps"),
        (T.UKRAINIAN_2010, "АЖ", "AZH"),
        # Doc 9303 writes teh marbuta as XTA within a word and as XAH at its end.
        (T.ICAO_9303_ARABIC, "فاةمة", "FAXTAMXAH"),
        # Gershayim and the stroke between letters are written as nothing.
        (T.ISO_259_2, "צה״ל", "Ṣhl"),
        (T.SBL_HEBREW, "צה״ל", "Ṣhl"),
        (T.SBL_HEBREW, "ג\u05f3ורג\u05f3", "Gwrg"),
        (T.ISO_233, "محـمد", "Mḥmd"),
    ],
)
def test_what_a_rule_makes_of_a_name(standard, name, latin):
    assert read_name(name, transliteration=standard).latin == latin


@pytest.mark.parametrize("standard", Transliteration)
def test_every_standard_says_what_it_is_and_who_published_it(standard):
    found = STANDARDS[standard]
    assert all(isinstance(each, str) and each for each in (found.title, found.script, found.source))
    assert (found.library is None) == bool(found.letters) == (not found.map) == (not found.alphabet)
    assert found.endings == ({"ия": "иа"} if standard is T.BULGARIAN_2009 else {})


JOINERS = "-\u2010\u2011\u2012\u2013'\u2019\u2018\u02bc\u02bb\u2032`\u00b4\u00b7\u0387\u1fef\u1ffd"
SPELLINGS = {"Cyrillic": ("Ана", "мама"), "Greek": ("Άννα", "βάσω"), "Hebrew": ("דוד", "בן"), "Arabic": ("محمد", "علي")}


@pytest.mark.parametrize("standard", Transliteration)
def test_hyphens_apostrophes_and_dots_join_names_of_every_script(standard):
    """A Greek middle dot ended in an internal error, and the Ukrainian apostrophe U+02BC was refused as a letter."""
    first, second = SPELLINGS[STANDARDS[standard].script]
    joined = ("".join(read_name(f"{first} {second}", transliteration=standard).parts),)
    for sign in JOINERS:
        assert read_name(f"{first}{sign}{second}", transliteration=standard).parts == joined, f"U+{ord(sign):04X}"


def test_a_script_without_vowels_is_said_to_have_none():
    _, notice = read_name("דוד", transliteration=T.ISO_259_2).notices
    words = "Hebrew leaves vowels out; none were added, so numbers of vowels and consonants say little."
    assert (notice.code, notice.message) == ("VOWELS_NOT_WRITTEN", words)


@pytest.mark.parametrize(
    ("name", "standard", "rule", "words"),
    [
        # Positions are those of the text as it was sent, not of its composed form.
        (
            "Андреи\u0306 2",
            T.ICAO_9303_RUSSIAN,
            "name.digit",
            "has the digit or number '2' at position 9; write it in letters as the name is spoken",
        ),
        (
            "-王",
            T.ELOT_743,
            "transliteration.script",
            "has the Han '王' (U+738B) at position 2, which ELOT_743 does not read: it is for Greek",
        ),
        (
            "משה",
            T.ELOT_743,
            "transliteration.script",
            (
                "has the Hebrew 'מ' (U+05DE) at position 1, which ELOT_743 does not read: it is for Greek; "
                "standards that do: ISO_259_2, SBL_HEBREW"
            ),
        ),
        (
            "محمد",
            T.ELOT_743,
            "transliteration.script",
            (
                "has the Arabic 'م' (U+0645) at position 1, which ELOT_743 does not read: it is for Greek; "
                "standards that do: ISO_233, ICAO_9303_ARABIC"
            ),
        ),
        # Of the standards of the script only those that have the letter are offered.
        (
            "Їжак",
            T.ICAO_9303_RUSSIAN,
            "transliteration.letter",
            (
                "has the Cyrillic 'Ї' (U+0407) at position 1, which ICAO_9303_RUSSIAN does not have; "
                "standards that do: UKRAINIAN_2010"
            ),
        ),
        # No standard has a letter of this kind: an accent would be left out, the letter is another one.
        (
            "Ѐва",
            T.BULGARIAN_2009,
            "transliteration.letter",
            "has the Cyrillic 'Ѐ' (U+0400) at position 1, which BULGARIAN_2009 does not have",
        ),
        (
            "Νίϻος",
            T.ELOT_743,
            "transliteration.letter",
            "has the Greek 'ϻ' (U+03FB) at position 3, which ELOT_743 does not have",
        ),
        (
            "Юлия P",
            T.ICAO_9303_RUSSIAN,
            "name.mixed_scripts",
            (
                "mixes scripts: it has the Latin 'P' (U+0050) at position 6 among Cyrillic letters; "
                "write the whole name in one script"
            ),
        ),
        # What follows an apostrophe is looked at as well, and other letters above the line are no apostrophes.
        (
            "Дарʼя 2",
            T.UKRAINIAN_2010,
            "name.digit",
            "has the digit or number '2' at position 7; write it in letters as the name is spoken",
        ),
        (
            "Юʰ",
            T.ICAO_9303_RUSSIAN,
            "name.mixed_scripts",
            (
                "mixes scripts: it has the Modifier 'ʰ' (U+02B0) at position 2 among Cyrillic letters; "
                "write the whole name in one script"
            ),
        ),
        (
            "דו\u0301ד",
            T.ISO_259_2,
            "name.letter_without_value",
            (
                "has '\u0301' (U+0301, COMBINING ACUTE ACCENT) at position 3, which no letter policy maps to A-Z; "
                "write the name with the Latin letters that its bearer uses"
            ),
        ),
    ],
)
def test_what_a_standard_does_not_read_is_refused_in_these_words(name, standard, rule, words):
    with pytest.raises(InvalidArgumentError) as caught:
        transliterate(name, standard)
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule, violation.description) == ("name", rule, words)


@pytest.mark.parametrize(
    ("name", "rule"),
    [("2", "name.digit"), ("\u1ab0", "name.letter_without_value"), ("ə 王", "name.letter_without_value")],
)
def test_what_is_no_name_of_another_script_is_refused_as_in_a_latin_one(name, rule):
    assert transliterate(name, T.ELOT_743) is None
    with pytest.raises(InvalidArgumentError) as caught:
        read_name(name, transliteration=T.ELOT_743)
    assert [each.rule for each in caught.value.violations] == [rule]
