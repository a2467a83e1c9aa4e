"""Characters, letter tables and native letters: what a mutation test found that no other suite had noticed."""

from __future__ import annotations

import unicodedata

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.letters import LetterMap, problem_of, refusal, script
from onenumbers_utilities.numerology.name_parts import name_parts
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.native_letters import NativeLetter, NativeSystem, NativeWord, native_letters
from onenumbers_utilities.numerology.options import LetterPolicy, School
from onenumbers_utilities.numerology.results import Component, Notice, NumberResult
from onenumbers_utilities.numerology.tables import LetterTable
from onenumbers_utilities.numerology.transliteration_standards import standards_for

UNNAMED = [chr(code) for code in range(0x17000, 0x18D09) if unicodedata.name(chr(code), None) is None][:1]
"""A Tangut letter: Unicode gives it a name by rule, which not every version of Python knows."""


def refused(call, *arguments, **options) -> InvalidArgumentError:
    """The error of a refused call."""
    with pytest.raises(InvalidArgumentError) as caught:
        call(*arguments, **options)
    return caught.value


# --- characters -----------------------------------------------------------------------------------------------------


def test_only_characters_with_a_meaning_are_kept_by_a_letter_map():
    """Hostile input would make the table grow otherwise."""
    table = LetterMap(LetterPolicy.DIRECT)
    assert [table[ord(char)] for char in "șæ -王1"] == ["S", "AE", " ", "", "\0", "\0"]
    assert sorted(table) == sorted(map(ord, "șæ -"))


def test_each_policy_has_a_table_of_its_own():
    direct, german = (LetterMap(policy) for policy in (LetterPolicy.DIRECT, LetterPolicy.DE_EXPANDED))
    assert [direct[ord(char)] for char in "ÄöüßA"] == ["A", "O", "U", "SS", "A"]
    assert [german[ord(char)] for char in "ÄöüßA"] == ["AE", "OE", "UE", "SS", "A"]


def test_diacritical_marks_end_where_letters_written_as_marks_begin():
    assert read_name("A\u0300n\u0362a").parts == ("ANA",)
    assert refused(read_name, "An\u0363a").violations[0].rule == "name.letter_without_value"
    assert refused(read_name, "An\u034fa").violations[0].rule == "name.invisible_character"


@pytest.mark.parametrize("sign", ["\u0387", "\u1fef", "\u1ffd"])
def test_a_sign_that_composition_makes_a_joiner_is_one_as_it_is_sent(sign):
    """A name with it was refused where it is transliterated, and blamed for another character in Latin ones."""
    assert read_name(f"Ana{sign}Maria").parts == ("ANAMARIA",)
    assert refused(read_name, f"Ana{sign}王").metadata["position"] == "5"


@pytest.mark.parametrize("char", UNNAMED)
def test_a_letter_without_a_name_is_of_an_unknown_script(char):
    assert script(char) == "unknown"
    rule, words = problem_of(char, latin=False)
    assert (rule, "the unknown '" in words) == ("name.unsupported_script", True)


@pytest.mark.parametrize("char", ["\u2195", "\u2bff", "\U0001f000", "\u20e3"])
def test_arrows_symbols_and_keycaps_are_pictographs(char):
    assert problem_of(char, latin=True)[0] == "name.emoji"


def test_a_refusal_offers_standards_only_where_there_are_some():
    found = refusal("王", LetterPolicy.DIRECT, "name")
    assert found is not None
    assert found.metadata == {"character": "王", "code_point": "U+738B", "script": "Han", "position": "1"}
    assert "standards" not in found.violations[0].description
    offered = refusal("Ю", LetterPolicy.DIRECT, "name")
    assert offered is not None
    assert offered.metadata["transliterations"] == ",".join(standards_for("Cyrillic"))
    assert f"Cyrillic has {', '.join(standards_for('Cyrillic'))}" in offered.violations[0].description


# --- tables ---------------------------------------------------------------------------------------------------------


def test_a_letter_table_translates_letters_vowels_and_consonants():
    """Y is a vowel where it is written in lower case."""
    groups = {1: "AY", 2: "B", 9: "W"}
    table = LetterTable(name="own", school=School.CONVENTION, groups=groups)
    assert (table.name, table.school) == ("own", School.CONVENTION)
    assert table.values == {"A": 1, "Y": 1, "B": 2, "W": 9}
    name = b"AYyBWaCZ\xff"
    assert len(name.translate(table.letters)) == len(name)
    assert list(name.translate(table.letters)) == [1, 1, 1, 2, 9, 0, 0, 0, 0]
    assert list(name.translate(table.vowels)) == [1, 0, 1, 0, 0, 0, 0, 0, 0]
    assert list(name.translate(table.consonants)) == [0, 1, 0, 2, 9, 0, 0, 0, 0]


@pytest.mark.parametrize("missing", [1, 5, 9])
def test_counts_name_the_value_that_a_table_has_no_letter_for(missing):
    groups = {value: letter for value, letter in zip(range(1, 10), "ABCDEFGHI", strict=True) if value != missing}
    table = LetterTable(name="own", school=School.CONVENTION, groups=groups)
    (violation,) = refused(name_parts, read_name("Abba"), table).violations
    words = f"the own table has no letter for {missing}: counts say nothing there"
    assert (violation.field, violation.rule, violation.description) == ("system", "inclusion.table", words)


def test_counts_follow_any_table_that_has_all_nine_values():
    groups = dict(zip(range(1, 10), "BADCEFGHI", strict=True))
    found = name_parts(read_name("Abba"), LetterTable(name="own", school=School.CONVENTION, groups=groups))
    assert found.counts == (2, 2, 0, 0, 0, 0, 0, 0, 0)
    assert (found.hidden_passions, found.subconscious_self) == ((1, 2), 2)


# --- native letters -------------------------------------------------------------------------------------------------


def letters(*each):
    return tuple(NativeLetter(letter, counted_as, value) for letter, counted_as, value in each)


@pytest.mark.parametrize("system", [None, NativeSystem.HEBREW_HECHRECHI])
def test_a_name_in_its_own_letters_is_a_whole_record(system):
    """Ben is 2 + 50, David 4 + 6 + 4: 66. A hyphen (maqaf) parts the words."""
    inputs = {"name": "בן־דוד"} | ({"system": "hebrew_hechrechi"} if system else {})
    found = native_letters("בן־דוד", system)
    assert found.words == (
        NativeWord("בן", 52, letters(("ב", "ב", 2), ("ן", "נ", 50))),
        NativeWord("דוד", 14, letters(("ד", "ד", 4), ("ו", "ו", 6), ("ד", "ד", 4))),
    )
    assert found.number == NumberResult(
        3,
        3,
        False,
        66,
        (66, 12, 3),
        "native_letters.hebrew_hechrechi",
        School.GEMATRIA,
        inputs,
        components=(Component("name", "בן", 52, 52, (52,)), Component("name", "דוד", 14, 14, (14,))),
    )
    assert (found.system, found.script) == (NativeSystem.HEBREW_HECHRECHI, "Hebrew")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("צ׳רלי", ["צרלי"]),  # a geresh
        ("צה״ל", ["צהל"]),  # gershayim
        ("محـمد", ["محمد"]),  # a stroke between letters
        ("Анна Мария", ["Анна", "Мария"]),
        ("Анна,Мария", ["Анна", "Мария"]),
        ("Анна-Мария", ["АннаМария"]),
        ("О'Нил", ["ОНил"]),
    ],
)
def test_signs_within_words_are_left_out_and_separators_part_them(name, words):
    assert [word.text for word in native_letters(name).words] == words


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("ד\u0591", 4),
        ("ד\u05c7", 4),
        ("د\u064b", 4),
        ("د\u065f", 4),
        ("δ\u0300", 4),
        ("δ\u0344", 4),
        ("г\u0300", 4),
        ("г\u0301", 4),
        ("\u0301г", 4),
    ],
)
def test_marks_from_the_first_to_the_last_are_left_out_with_a_notice(name, total):
    found = native_letters(name).number
    words = "Points, signs of vowels and accents have no value; none was counted."
    assert (found.total, found.warnings) == (total, (Notice("MARKS_NOT_COUNTED", words),))


def test_letters_about_which_authors_differ_are_listed_once():
    """Teh marbuta, twice, and alif maqsura, in the order of their code points."""
    words = "Authors differ about ة, ى; counted here as the letter of the same shape."
    found = native_letters("فاطمةةى").number
    assert found.warnings == (Notice("LETTER_VALUE_DISPUTED", words),)


def test_a_name_of_200_characters_is_counted():
    assert native_letters("א" * 200).number.total == 200


@pytest.mark.parametrize(
    ("name", "system", "rule", "words"),
    [
        ("-", None, "name.no_letters", "has no letters"),
        ("-", NativeSystem.GREEK_ISOPSEPHY, "name.no_letters", "has no letters"),
        ("\u0301", None, "name.no_letters", "has no letters"),
        (" ", None, "name.required", "must not be empty"),
        ("א" * 201, None, "name.max_length", "has 201 characters, at most 200 may be"),
        (
            "\U0001f600",
            None,
            "name.emoji",
            "has the emoji or pictograph U+1F600 at position 1; a name is written in letters",
        ),
        (
            "-Ana",
            None,
            "native_letters.script",
            (
                "has the Latin 'A' at position 2; the tools of names count Latin letters, "
                "this one Arabic, Cyrillic, Greek, Hebrew"
            ),
        ),
        (
            "דA",
            None,
            "name.mixed_scripts",
            (
                "has the Latin 'A' (U+0041) at position 2, where Hebrew letters are counted; "
                "a name is counted in one script"
            ),
        ),
    ],
)
def test_what_cannot_be_counted_natively_is_refused_in_these_words(name, system, rule, words):
    (violation,) = refused(native_letters, name, system).violations
    assert (violation.field, violation.rule, violation.description) == ("name", rule, words)


def test_a_latin_letter_is_pointed_at_for_programs_as_well():
    found = refused(native_letters, "-Ana").metadata
    assert found == {"character": "A", "code_point": "U+0041", "script": "Latin", "position": "2"}
