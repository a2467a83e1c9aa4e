"""Names as they are read and refused, and attitudes: what a mutation test found that no other suite had noticed."""

from __future__ import annotations

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.karmic import debts_of
from onenumbers_utilities.numerology.letters import problem_of, script
from onenumbers_utilities.numerology.name_numbers import mark_name
from onenumbers_utilities.numerology.names import MAX_NAME_LENGTH, read_name
from onenumbers_utilities.numerology.options import KarmicDebtScope, MasterSet, NumerologyOptions, School, YOverride
from onenumbers_utilities.numerology.results import Component, DebtOrigin, KarmicDebt, NumberResult


def violation_of(call, *arguments, **options):
    """The one violation of a refused call: field, rule and sentence."""
    with pytest.raises(InvalidArgumentError) as caught:
        call(*arguments, **options)
    (violation,) = caught.value.violations
    return violation.field, violation.rule, violation.description


# --- how names are read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parts", "words"),
    [
        ("Mr Pop", ("POP",), ["MR was read as a title and left out."]),
        (
            "Prof. Dr. Ana Pop",
            ("ANA", "POP"),
            ["PROF was read as a title and left out.", "DR was read as a title and left out."],
        ),
        ("Dr", ("DR",), []),
        ("Dr Mr", ("MR",), ["DR was read as a title and left out."]),
        ("Pop Jr", ("POP",), ["JR was read as a suffix of the generation and left out."]),
        ("Pop,III.", ("POP",), ["III was read as a suffix of the generation and left out."]),
        ("Jr", ("JR",), []),
        (
            "Ana Pop II Jr.",
            ("ANA", "POP"),
            [f"{s} was read as a suffix of the generation and left out." for s in ("JR", "II")],
        ),
        (
            "Ana Pop.Jr,II",
            ("ANA", "POP"),
            [f"{s} was read as a suffix of the generation and left out." for s in ("II", "JR")],
        ),
        ("Ana Pop Ii", ("ANA", "POP", "II"), []),
    ],
)
def test_titles_and_suffixes_are_left_out_one_after_another_and_never_the_last_name(name, parts, words):
    found = read_name(name)
    assert (found.parts, [each.message for each in found.notices]) == (parts, words)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", ("of", "name.required", "must not be empty")),
        ("--", ("of", "name.no_letters", "has no letters")),
        ("a" * 201, ("of", "name.max_length", f"has 201 characters, at most {MAX_NAME_LENGTH} may be")),
    ],
)
def test_a_name_without_letters_or_end_is_refused_in_these_words(name, expected):
    assert violation_of(read_name, name, field="of") == expected


LATIN_ONLY = "which no letter policy maps to A-Z; write the name with the Latin letters that its bearer uses"


@pytest.mark.parametrize(
    ("char", "latin", "rule", "words"),
    [
        ("\u200e", True, "bidi_mark", "has the text direction mark U+200E {at}; remove it"),
        ("\x07", True, "control_character", "has the control character U+0007 {at}; remove it"),
        ("\u2029", True, "control_character", "has the control character U+2029 {at}; remove it"),
        ("\u0378", True, "invisible_character", "has the invisible character U+0378 {at}; remove it"),
        ("\u20e3", True, "emoji", "has the emoji or pictograph U+20E3 {at}; a name is written in letters"),
        ("\U0001f000", True, "emoji", "has the emoji or pictograph U+1F000 {at}; a name is written in letters"),
        ("\u2195", True, "emoji", "has the emoji or pictograph U+2195 {at}; a name is written in letters"),
        ("7", True, "digit", "has the digit or number '7' {at}; write it in letters as the name is spoken"),
        ("ə", True, "letter_without_value", f"has 'ə' (U+0259, LATIN SMALL LETTER SCHWA) {{at}}, {LATIN_ONLY}"),
        (
            "\u0363",
            True,
            "letter_without_value",
            f"has '\u0363' (U+0363, COMBINING LATIN SMALL LETTER A) {{at}}, {LATIN_ONLY}",
        ),
        (
            "\u1ab0",
            True,
            "letter_without_value",
            f"has '\u1ab0' (U+1AB0, COMBINING DOUBLED CIRCUMFLEX ACCENT) {{at}}, {LATIN_ONLY}",
        ),
        ("ʹ", True, "letter_without_value", f"has 'ʹ' (U+02B9, MODIFIER LETTER PRIME) {{at}}, {LATIN_ONLY}"),
        ("º", True, "letter_without_value", f"has 'º' (U+00BA, MASCULINE ORDINAL INDICATOR) {{at}}, {LATIN_ONLY}"),
        (
            "李",
            True,
            "mixed_scripts",
            "mixes Latin letters with the Han '李' (U+674E) {at}; write the whole name in Latin letters",
        ),
        (
            "李",
            False,
            "unsupported_script",
            "has the Han '李' (U+674E) {at}; write the name in Latin letters as its bearer spells it",
        ),
    ],
)
def test_each_kind_of_character_is_refused_in_these_words(char, latin, rule, words):
    assert problem_of(char, latin=latin) == (f"name.{rule}", words)


def test_braces_are_shown_as_they_were_sent():
    """They would be places for values in the sentence otherwise."""
    for char in "{}":
        _, rule, words = violation_of(read_name, f"Ana {char}")
        assert (rule, words.startswith(f"has '{char}' (U+{ord(char):04X}) at position 5;")) == ("name.character", True)


def test_the_script_of_a_letter_is_that_of_its_unicode_name():
    found = {char: script(char) for char in "aəЖ李\u0363\u17b4\u20e3ªﬁ7 "}
    assert found["a"] == found["ə"] == found["ﬁ"] == "Latin"
    assert (found["Ж"], found["李"], found["7"], found[" "]) == ("Cyrillic", "Han", "", "")
    assert found["ª"] == "Feminine"


# --- which Y is a vowel ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            [(0, True)],
            ("y_overrides[0].position", "y_override.within_name", "must be within 1-7, the letters of the name"),
        ),
        (
            [(8, True)],
            ("y_overrides[0].position", "y_override.within_name", "must be within 1-7, the letters of the name"),
        ),
        ([(2, True), (1, True)], ("y_overrides[1].position", "y_override.is_y", "letter 1 is L, not Y")),
        ([(2, True), (2, False)], ("y_overrides[1].position", "y_override.unique", "letter 2 is decided twice")),
    ],
)
def test_an_override_that_does_not_fit_is_refused_in_these_words(overrides, expected):
    options = NumerologyOptions(y_overrides=tuple(YOverride(*each) for each in overrides))
    assert violation_of(mark_name, read_name("Lyn Mary"), options) == expected


def test_overrides_reach_the_third_name_and_leave_the_others_alone():
    options = NumerologyOptions(y_overrides=(YOverride(9, vowel=False),))
    assert mark_name(read_name("Ty Ann Bary Ny"), options).marked == (b"Ty", b"ANN", b"BARY", b"Ny")


# --- attitude -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "masters", "chain"),
    [(29, MasterSet.NONE, (40, 4)), (18, None, (29, 11)), (1, None, (12, 3)), (7, None, (18, 9))],
)
def test_an_attitude_is_a_whole_record(day, masters, chain):
    """November, 11, and the day as whole numbers."""
    inputs = {"day": str(day), "month": "11"} | ({"master_numbers": "none"} if masters else {})
    part = Component("day", str(day), day, day, (day,))
    expected = NumberResult(
        chain[-1],
        {4: 4, 11: 2, 3: 3, 9: 9}[chain[-1]],
        chain[-1] == 11,
        day + 11,
        chain,
        "attitude.month_and_day",
        School.PYTHAGOREAN,
        inputs,
        components=(Component("month", "11", 11, 11, (11,)), part),
    )
    options = NumerologyOptions(master_set=masters)
    assert attitude(day, 11, options) == expected
    assert attitude(day, 11, options, explain=False).components == ()


@pytest.mark.parametrize(
    ("day", "month", "expected"),
    [
        (1, 13, ("month", "date.month", "must be within 1-12, not 13")),
        (30, 2, ("day", "date.exists", "must be within 1-29 in month 2, not 30")),
        (0, 4, ("day", "date.exists", "must be within 1-30 in month 4, not 0")),
    ],
)
def test_an_attitude_of_no_day_is_refused_in_these_words(day, month, expected):
    assert violation_of(attitude, day, month) == expected


def test_a_debt_that_the_reduction_of_a_part_passes_through_is_found():
    """49 is no debt, but 4 + 9 = 13 is."""
    found = debts_of("expression", (5,), KarmicDebtScope.COMPONENTS, parts=[("RRRRRD", 49)])
    assert found == (KarmicDebt(13, DebtOrigin.COMPONENT, "expression", "RRRRRD"),)
