"""Traces of the other systems and of things: inputs, parts that add up, and what `explain` leaves out."""

from __future__ import annotations

from datetime import date

import pytest

from onenumbers_utilities.numerology import objects
from onenumbers_utilities.numerology.chaldean import CompoundMethod, chaldean_birth, chaldean_name
from onenumbers_utilities.numerology.kua import KuaFormula, YearTurn, kua
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import LetterPolicy
from onenumbers_utilities.numerology.vedic import vedic_numbers

BORN = date(1982, 1, 28)
NAME = read_name("Dr Jürgen Öz", LetterPolicy.DE_EXPANDED)
BIRTH = {"day": "28", "month": "1", "year": "1982"}
NAMED = {"name": "Dr Jürgen Öz", "letter_policy": "de_expanded"}


def numbers(*, explain: bool):
    vedic = vedic_numbers(BORN, NAME, explain=explain)
    return {
        "chaldean_name.letter_total": chaldean_name(NAME, explain=explain).number,
        "chaldean_name.sum_of_roots": chaldean_name(NAME, CompoundMethod.SUM_OF_ROOTS, explain=explain).number,
        "chaldean_birth.day": chaldean_birth(28, explain=explain).number,
        "vedic.mulank": vedic.mulank.number,
        "vedic.bhagyank": vedic.bhagyank.number,
        "vedic.namank": vedic.namank.number,
        "kua.solar_year": kua(BORN, KuaFormula.MALE, explain=explain).number,
        "kua.lunar_year": kua(BORN, KuaFormula.FEMALE, YearTurn.LUNAR, explain=explain).number,
        "house.number": objects.house_number("12B", explain=explain),
        "house.unit_replaces": objects.house_number("12", "4", explain=explain),
        "house.unit_added": objects.house_number("12", "4", objects.UnitRule.ADDED, explain=explain),
        "phone.digit_sum": objects.phone_number("0721 123", explain=explain),
        "plate.sum": objects.plate_number("B 12", explain=explain),
        "business.pythagorean": objects.business_name("Ana 24", explain=explain)[0],
        "business.chaldean": objects.business_name("Ana 24", objects.LetterValues.CHALDEAN, explain=explain)[0],
    }


@pytest.fixture
def explained():
    return numbers(explain=True)


INPUTS = {
    "chaldean_name.letter_total": NAMED,
    "chaldean_name.sum_of_roots": {**NAMED, "compound_method": "sum_of_roots"},
    "chaldean_birth.day": {"day": "28"},
    "vedic.mulank": {"day": "28"},
    "vedic.bhagyank": BIRTH,
    "vedic.namank": NAMED,
    "kua.solar_year": {**BIRTH, "formula": "male"},
    "kua.lunar_year": {**BIRTH, "formula": "female", "year_turn": "lunar"},
    "house.number": {"number": "12B"},
    "house.unit_replaces": {"number": "12", "unit": "4"},
    "house.unit_added": {"number": "12", "unit": "4"},
    "phone.digit_sum": {"phone": "0721 123"},
    "plate.sum": {"plate": "B 12"},
    "business.pythagorean": {"name": "Ana 24"},
    "business.chaldean": {"name": "Ana 24"},
}


@pytest.mark.parametrize("rule", INPUTS)
def test_a_trace_names_rule_and_inputs_and_its_parts_add_up(rule, explained):
    found = explained[rule]
    assert found.rule_id == rule
    assert found.inputs_used == INPUTS[rule]
    assert found.components
    assert sum(part.value for part in found.components) == found.total == found.chain[0]
    assert found.chain[-1] == found.value
    for part in found.components:
        if part.letters:
            assert "".join(each.letter for each in part.letters) == part.text
            assert sum(each.value for each in part.letters) == part.total
            assert all(each.counted for each in part.letters)
            assert [each.letter for each in part.letters if each.vowel] == [
                each for each in part.text if each in "AEIOU"
            ]


@pytest.mark.parametrize("rule", INPUTS)
def test_explain_false_leaves_parts_and_alternatives_out_and_nothing_else(rule, explained):
    full, plain = explained[rule], numbers(explain=False)[rule]
    assert plain.components == ()
    assert plain.alternatives == ()
    for field in ("value", "root", "is_master", "total", "chain", "rule_id", "school", "inputs_used", "warnings"):
        assert getattr(plain, field) == getattr(full, field)


def test_a_single_name_adds_its_letters_by_both_methods():
    for method in CompoundMethod:
        (part,) = chaldean_name(read_name("Sunil"), method).number.components
        assert (part.total, part.value, part.chain) == (18, 18, (18,))


def test_titles_that_were_left_out_are_noted(explained):
    for rule in ("chaldean_name.letter_total", "vedic.namank"):
        assert "TITLE_LEFT_OUT" in [each.code for each in explained[rule].warnings]


def test_dates_before_the_gregorian_calendar_are_noted():
    assert [each.code for each in vedic_numbers(date(1500, 3, 1)).bhagyank.number.warnings] == [
        "BEFORE_GREGORIAN_CALENDAR"
    ]


def test_parts_of_a_kua_number_are_its_constant_and_the_year(explained):
    male, female = explained["kua.solar_year"], explained["kua.lunar_year"]
    assert [(part.label, part.text, part.value) for part in male.components] == [
        ("constant", "11", 11),
        ("year", "1981", -1),
    ]
    assert [(part.label, part.text, part.value) for part in female.components] == [
        ("constant", "4", 4),
        ("year", "1982", 2),
    ]
    assert female.components[1].chain == (1982, 20, 2)
    assert male.components[1].chain == (1981, 19, 10, -1)
