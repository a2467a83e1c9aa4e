"""Numbers of houses, telephones, plates and businesses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_utilities.numerology.objects import (
    LetterValues,
    UnitRule,
    business_name,
    house_number,
    phone_number,
    plate_number,
)
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.primitives import MASTERS_11_22_33, root


def violation(call, *arguments, **options):
    with pytest.raises(InvalidArgumentError) as caught:
        call(*arguments, **options)
    (found,) = caught.value.violations
    return found.field, found.rule


@pytest.mark.parametrize(
    ("number", "chain", "source"),
    [
        ("51", (6,), "mysticaldigits.com"),
        ("1408", (13, 4), "mysticaldigits.com"),
        ("305", (8,), "mysticaldigits.com"),
        ("88", (16, 7), "mysticaldigits.com"),
        ("27B", (11, 2), "mysticaldigits.com: with the letter 11, reduced 2"),
        ("1540", (10, 1), "mysticaldigits.com"),
        ("2211", (6,), "mysticaldigits.com"),
        ("504", (9,), "mysticaldigits.com"),
        ("38", (11, 2), "mysticaldigits.com, masters not kept"),
        ("4371", (15, 6), "sandiegofengshuiblog.wordpress.com"),
        ("86247", (27, 9), "sandiegofengshuiblog.wordpress.com"),
        ("206", (8,), "sandiegofengshuiblog.wordpress.com"),
    ],
)
def test_houses_in_print_have_the_sums_in_print(number, chain, source):
    assert house_number(number).chain == chain, source


def test_masters_are_an_option():
    """mysticaldigits.com: 38 is 11 where masters are kept."""
    found = house_number("38", masters=MASTERS_11_22_33)
    assert (found.value, found.is_master, found.root) == (11, True, 2)


def test_a_flat_replaces_its_house_and_the_other_rule_is_an_alternative():
    """206 West Elm Street, Apartment 3B (sandiegofengshuiblog.wordpress.com): 3B is what counts for the dwelling."""
    found = house_number("206", "3B")
    assert (found.total, found.value, found.rule_id) == (5, 5, "house.unit_replaces")
    assert [(each.rule_id, each.total, each.value) for each in found.alternatives] == [("house.unit_added", 13, 4)]
    added = house_number("206", "3B", UnitRule.ADDED)
    assert (added.total, added.value) == (13, 4)
    assert [part.text for part in added.components] == ["206", "3", "B"]
    assert [(each.rule_id, each.value) for each in added.alternatives] == [("house.unit_replaces", 5)]


@pytest.mark.parametrize(
    ("arguments", "field", "rule"),
    [
        (("",), "number", "object.required"),
        (("   ",), "number", "object.required"),
        (("/-",), "number", "object.nothing_to_count"),
        (("000",), "number", "object.nothing_to_add"),
        (("1" * 33,), "number", "object.max_length"),
        (("٣",), "number", "object.digit"),
        (("½",), "number", "object.digit"),
        (("12Ж",), "number", "name.unsupported_script"),
        (("12\u202e",), "number", "name.bidi_mark"),
        (("12\t",), "number", "name.control_character"),
        (("12😀",), "number", "name.emoji"),
        (("12*",), "number", "name.character"),
        (("12", "Я"), "unit", "name.unsupported_script"),
        (("12", "0"), "unit", "object.nothing_to_add"),
        (("12", "", UnitRule.ADDED), "unit_rule", "house.unit_rule_without_unit"),
    ],
)
def test_a_house_that_cannot_be_counted_names_field_and_rule(arguments, field, rule):
    assert violation(house_number, *arguments) == (field, rule)


def test_letters_with_marks_count_and_positions_are_those_sent():
    assert house_number("12Ș").total == house_number("12S").total == house_number("12S\u0326").total == 4
    with pytest.raises(InvalidArgumentError) as caught:
        house_number("12 Ж")
    assert "position 4" in caught.value.message


def test_a_telephone_adds_its_digits_as_given_and_says_that_this_is_a_convention():
    found = phone_number("+40 (721) 123-456")
    assert (found.total, found.chain, found.school) == (35, (35, 8), School.CONVENTION)
    assert [each.code for each in found.warnings] == ["COUNTRY_CODE_COUNTED"]
    assert phone_number("0721 123 456").total == 31
    assert phone_number("0721 123 456").warnings == ()


@pytest.mark.parametrize(
    ("phone", "rule"),
    [
        ("", "object.required"),
        ("12", "phone.digits"),
        ("000", "object.nothing_to_add"),
        ("12a34", "phone.character"),
        ("12+34", "phone.character"),
        ("++1234", "phone.character"),
        ("٠٧٢١", "phone.character"),
        ("1" * 33, "object.max_length"),
        ("1-800-FLOWERS", "phone.character"),
    ],
)
def test_a_telephone_that_cannot_be_counted_names_the_rule(phone, rule):
    assert violation(phone_number, phone) == ("phone", rule)


def test_positions_in_a_telephone_number_count_from_1():
    for phone, position in (("x123", 1), ("+40 7x", 6), (" +4+0 123", 4)):
        with pytest.raises(InvalidArgumentError) as caught:
            phone_number(phone)
        assert f"at position {position};" in caught.value.message


def test_marks_that_follow_a_letter_never_split_its_word():
    parts = plate_number("S\u0326T 1-2").components
    assert [(part.text, part.total) for part in parts] == [("ST", 3), ("1", 1), ("2", 2)]
    assert [part.text for part in business_name("Ana-Maria 24-7")[0].components] == ["ANAMARIA", "24", "7"]


def test_nine_is_no_master_and_eleven_is():
    assert not house_number("9", masters=MASTERS_11_22_33).is_master
    assert house_number("29", masters=MASTERS_11_22_33).is_master


def test_sums_are_shown_unless_they_are_left_out():
    assert phone_number("112").components
    assert business_name("Ana Ltd")[0].warnings[0].message.startswith("LTD was read as a legal form")


def test_a_plate_adds_digits_and_pythagorean_letters():
    found = plate_number("B 123 ABC")
    assert [(part.text, part.total) for part in found.components] == [("B", 2), ("123", 6), ("ABC", 6)]
    assert (found.chain, found.rule_id, found.school) == ((14, 5), "plate.sum", School.CONVENTION)
    assert plate_number("b-123-abc").total == found.total


def test_a_business_name_has_both_tables_and_no_score():
    found, compound = business_name("Blue River Books")
    assert (found.rule_id, compound) == ("business.pythagorean", None)
    assert [(each.rule_id, each.school) for each in found.alternatives] == [("business.chaldean", School.CONVENTION)]
    other, compound = business_name("Blue River Books", LetterValues.CHALDEAN)
    assert compound.number == other.total
    assert other.value == root(other.total)
    assert found.alternatives[0].total == other.total


def test_a_business_name_counts_digits_joins_apostrophes_and_notes_legal_forms_and_signs():
    found, _ = business_name("O'Neill & Sons 24 Ltd")
    assert [part.text for part in found.components] == ["ONEILL", "SONS", "24", "LTD"]
    assert {each.code for each in found.warnings} == {"LEGAL_FORM_COUNTED", "SIGN_NOT_COUNTED"}
    assert found.components[2].total == 6


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("Ana", []),
        ("Ana Srl", ["LEGAL_FORM_COUNTED"]),
        ("SRL", []),
        ("Ltd Ana", []),
        ("Ana & Ion", ["SIGN_NOT_COUNTED"]),
        ("Ana + Ion", ["SIGN_NOT_COUNTED"]),
    ],
)
def test_a_business_name_is_noted_for_what_it_has(name, codes):
    """A name that is nothing but the word of a legal form is a name."""
    assert [each.code for each in business_name(name)[0].warnings] == codes


def test_the_longest_texts_are_counted_and_longer_ones_refused():
    assert business_name("B" * 200)[0].total == 400
    assert business_name("B" * 200)[0].alternatives == ()
    assert violation(business_name, "B" * 201) == ("name", "object.max_length")
    assert house_number("1" * 32).total == 32
    assert phone_number("1" * 32).total == 32
    assert phone_number("112").total == 4


def test_masters_on_the_chaldean_table_contradict_each_other():
    assert violation(business_name, "Ana", LetterValues.CHALDEAN, masters=MASTERS_11_22_33) == (
        "master_numbers",
        "business.chaldean_masters",
    )
    assert business_name("Ana", LetterValues.CHALDEAN, masters=frozenset())[0].value


@given(st.text(alphabet="ABCXYZ 0123456789-", min_size=1, max_size=32).filter(lambda text: text.strip(" -0")))
def test_parts_add_up_and_order_of_characters_never_changes_the_total(text):
    found = plate_number(text)
    assert sum(part.total for part in found.components) == found.total
    assert found.value == found.root == root(found.total)
    assert plate_number(text[::-1]).total == found.total


@given(st.text(max_size=40))
def test_any_text_is_counted_or_refused_by_a_rule(text):
    for call in (house_number, phone_number, plate_number, business_name):
        rules = ["counted"]
        try:
            call(text)
        except InvalidArgumentError as error:
            rules = [violation.rule for violation in error.violations]
        assert all(rules)
