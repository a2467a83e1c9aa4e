"""Bad names and dates: each a precise error with field, rule and what is wrong."""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.dates import read_date, require_born_by
from onenumbers_utilities.numerology.names import MAX_NAME_LENGTH, read_name
from onenumbers_utilities.numerology.profile import profile


def violation_of(call, *arguments, **options):
    with pytest.raises(InvalidArgumentError) as caught:
        call(*arguments, **options)
    assert len(caught.value.violations) == 1
    return caught.value.violations[0], caught.value


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "name.required"),
        ("  \u00a0 ", "name.required"),
        ("-", "name.no_letters"),
        ("... '' --", "name.no_letters"),
        ("\u0301", "name.no_letters"),
        ("a" * 201, "name.max_length"),
        ("a" * 10_000, "name.max_length"),
        ("Ana\tPop", "name.control_character"),
        ("Ana\nPop", "name.control_character"),
        ("Ana\x00", "name.control_character"),
        ("Ana\x85Pop", "name.control_character"),
        ("Ana\u2028Pop", "name.control_character"),
        ("\u202eAna", "name.bidi_mark"),
        ("Ana\u200fPop", "name.bidi_mark"),
        ("Ana\u2067Pop", "name.bidi_mark"),
        ("Ana\u200bPop", "name.invisible_character"),
        ("Ana\u200dPop", "name.invisible_character"),
        ("\ufeffAna", "name.invisible_character"),
        ("Ana\u00adPop", "name.invisible_character"),
        ("A\u034fna", "name.invisible_character"),
        ("Ana\ufe0f", "name.invisible_character"),
        ("Ana \ue000", "name.invisible_character"),
        ("Ana \ud800", "name.invisible_character"),
        ("Ana 😀", "name.emoji"),
        ("Ana ❤", "name.emoji"),
        ("Ana \U0001f1f7\U0001f1f4", "name.emoji"),
        ("Ana \U0001f3fb", "name.emoji"),
        ("Ana 2", "name.digit"),
        ("Ana ²", "name.digit"),
        ("Ana ٣", "name.digit"),
        ("Ana Ⅳ", "name.digit"),
        ("Иван", "name.unsupported_script"),
        ("Ελένη", "name.unsupported_script"),
        ("דוד", "name.unsupported_script"),
        ("محمد", "name.unsupported_script"),
        ("李", "name.unsupported_script"),
        ("はなこ", "name.unsupported_script"),
        ("किरण", "name.unsupported_script"),
        ("Ivan Петров", "name.mixed_scripts"),
        ("Аna", "name.mixed_scripts"),
        ("Ana\u05b0", "name.mixed_scripts"),
        ("Əli", "name.letter_without_value"),
        ("Ａna", "name.letter_without_value"),
        ("𝐀na", "name.letter_without_value"),
        ("Mª", "name.letter_without_value"),
        ("A\u0363na", "name.letter_without_value"),
        ("Ana (Pop)", "name.character"),
        ("Ana {Pop}", "name.character"),
        ('Ana "Pop"', "name.character"),
        ("Ana@Pop", "name.character"),
        ("Ana © Pop", "name.character"),
        ("<script>", "name.character"),
    ],
)
def test_a_name_that_cannot_be_counted_is_refused_by_its_rule(name, rule):
    found, _ = violation_of(read_name, name)
    assert (found.field, found.rule) == ("name", rule)


def test_an_unknown_letter_is_named_with_script_and_position():
    found, error = violation_of(read_name, "Ana Жук")
    assert "Cyrillic 'Ж' (U+0416) at position 5" in found.description
    standards = error.metadata.pop("transliterations").split(",")
    assert {"ICAO_9303_RUSSIAN", "UKRAINIAN_2010"} < set(standards)
    assert error.metadata == {"character": "Ж", "code_point": "U+0416", "script": "Cyrillic", "position": "5"}
    assert error.message == f"name: {found.description}"


def test_positions_count_the_text_as_it_was_sent():
    _, error = violation_of(read_name, "S\u0326tefan Ж")
    assert error.metadata["position"] == "9"


def test_messages_never_carry_characters_that_change_how_text_is_shown():
    for char in "\u202e\u200f\x00\x1b\u200b":
        _, error = violation_of(read_name, f"Ana{char}")
        assert char not in error.message
        assert f"U+{ord(char):04X}" in error.message
        assert error.metadata["character"] == ""


def test_the_longest_name_is_accepted():
    assert len(read_name("a" * MAX_NAME_LENGTH).parts[0]) == MAX_NAME_LENGTH
    assert len(read_name("ß" * MAX_NAME_LENGTH).parts[0]) == 2 * MAX_NAME_LENGTH


def test_the_field_of_a_name_can_be_named():
    found, _ = violation_of(read_name, "", field="profiles[3].name")
    assert found.field == "profiles[3].name"


@pytest.mark.parametrize(
    ("day", "month", "year", "field", "rule"),
    [
        (31, 4, 1990, "day", "date.exists"),
        (29, 2, 1900, "day", "date.exists"),
        (29, 2, 2023, "day", "date.exists"),
        (30, 2, 2024, "day", "date.exists"),
        (0, 1, 1990, "day", "date.day"),
        (32, 1, 1990, "day", "date.day"),
        (-1, 1, 1990, "day", "date.day"),
        (1, 0, 1990, "month", "date.month"),
        (1, 13, 1990, "month", "date.month"),
        (1, 1, 0, "year", "date.year"),
        (1, 1, -44, "year", "date.year"),
        (1, 1, 10_000, "year", "date.year"),
    ],
)
def test_a_date_that_does_not_exist_is_refused(day, month, year, field, rule):
    found, _ = violation_of(read_date, day, month, year)
    assert (found.field, found.rule) == (field, rule)


def test_leap_days_exist_where_the_calendar_has_them():
    assert read_date(29, 2, 2000) == date(2000, 2, 29)
    assert read_date(29, 2, 2024) == date(2024, 2, 29)


def test_a_prefix_stands_before_the_field():
    found, _ = violation_of(read_date, 31, 4, 1990, prefix="as_of.")
    assert found.field == "as_of.day"


@pytest.mark.parametrize(
    ("born", "field"), [(date(2027, 1, 1), "year"), (date(2026, 12, 1), "month"), (date(2026, 11, 25), "day")]
)
def test_a_birth_in_the_future_is_refused_at_the_part_that_is(born, field):
    found, _ = violation_of(require_born_by, born, date(2026, 11, 24))
    assert (found.field, found.rule) == (field, "date.not_in_future")


def test_a_birth_today_is_accepted():
    require_born_by(date(2026, 11, 24), date(2026, 11, 24))


def test_a_profile_for_a_date_before_the_birth_is_refused():
    found, _ = violation_of(profile, "Ana Pop", date(1990, 5, 15), as_of=date(1990, 5, 14))
    assert (found.field, found.rule) == ("as_of", "as_of.after_birth")
