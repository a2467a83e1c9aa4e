"""Explanations say what the trace says, in both languages, and every sum in them is right."""

import ast
import dataclasses
import re
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import onenumbers_utilities.numerology as package
from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers.utilities.v1 import utilities_pb2_grpc
from onenumbers_runtime.testing import running
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.explanation import LANGUAGES, explain, title
from onenumbers_utilities.numerology.explanation_words import DEBT_ORIGINS, NOTICES, PHRASES, SCHOOLS, TITLES
from onenumbers_utilities.numerology.kua import KuaFormula, kua
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.name_numbers import expression, mark_name, soul_urge
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.objects import plate_number
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.numerology.results import Component, DebtOrigin, Notice, NumberResult
from onenumbers_utilities.numerology.vedic import bhagyank
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

SUM = re.compile(r"((?:[A-Z] )?\(?-?\d+\)?(?: \+ (?:[A-Z] )?\(?-?\d+\)?)+) = (-?\d+)")
SOURCES = [path.read_text() for path in Path(package.__path__[0]).glob("*.py")]


def numbers_in(found):
    """All results inside a result."""
    if isinstance(found, NumberResult):
        yield found
    elif is_dataclass(found):
        for field in fields(found):
            yield from numbers_in(getattr(found, field.name))
    elif isinstance(found, tuple):
        for item in found:
            yield from numbers_in(item)


@pytest.mark.parametrize("language", LANGUAGES)
@given(
    born=st.dates(date(1900, 1, 1), date(2025, 12, 31)),
    name=st.lists(st.text("abcdeiouyzștâ", min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join),
)
def test_every_sum_in_an_explanation_is_right_and_the_value_is_named(language, born, name):
    for result in numbers_in(profile(name, born, as_of=date(2031, 6, 17))):
        text = explain(result, language)
        for left, right in SUM.findall(text):
            assert sum(map(int, re.findall(r"-?\d+", left))) == int(right), text
        if result.value is not None:
            assert text.startswith(f"{title(result.rule_id, language)}: {result.value}.")
        assert result.rule_id in text


def test_a_life_path_is_explained_in_english():
    assert explain(life_path(date(1968, 11, 14)), "en") == (
        "Life path: 22. Month 11. Day 14: 1 + 4 = 5. Year 1968: 1 + 9 + 6 + 8 = 24, 2 + 4 = 6. "
        "Together 11 + 5 + 6 = 22. 22 is a master number, so the reduction stops there; its root is 4. "
        "The rule is life_path.grouped_masters (Hans Decoz). Other documented methods differ: "
        "life_path.sum_all_digits: 4, life_path.month_day_year_sum: 4, life_path.grouped_plain: 4."
    )


def test_a_life_path_is_explained_in_romanian():
    assert explain(life_path(date(1990, 5, 15)), "ro").startswith(
        "Calea vieții: 3. Luna 5. Ziua 15: 1 + 5 = 6. Anul 1990: 1 + 9 + 9 + 0 = 19, 1 + 9 = 10, 1 + 0 = 1. "
        "Împreună 5 + 6 + 1 = 12, 1 + 2 = 3."
    )


def test_what_cannot_be_counted_is_said():
    found = profile("Brdl", date(1990, 5, 15)).soul_urge
    assert explain(found, "en").startswith("Soul urge number: none, for there is nothing to count.")
    assert "nu are vocale" in explain(found, "ro")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "Life path: 4. Month 10: 1 + 0 = 1. Day 14: 1 + 4 = 5. Year 1582: 1 + 5 + 8 + 2 = 16, 1 + 6 = 7. "
                "Together 1 + 5 + 7 = 13, 1 + 3 = 4. The karmic debt 13 appears: it is the total itself. "
                "The rule is life_path.grouped_masters (Hans Decoz). Other documented methods differ: "
                "life_path.sum_all_digits: 22. 1582-10-14 was read as a date of the Gregorian calendar, which began on "
                "1582-10-15; a date of the Julian calendar has to be converted first."
            ),
        ),
        (
            "ro",
            (
                "Calea vieții: 4. Luna 10: 1 + 0 = 1. Ziua 14: 1 + 4 = 5. Anul 1582: 1 + 5 + 8 + 2 = 16, 1 + 6 = 7. "
                "Împreună 1 + 5 + 7 = 13, 1 + 3 = 4. Apare datoria karmică 13: este chiar totalul. "
                "Regula este life_path.grouped_masters (Hans Decoz). Alte metode documentate dau altceva: "
                "life_path.sum_all_digits: 22. Data a fost citită în calendarul gregorian, deși este de dinaintea lui."
            ),
        ),
    ],
)
def test_debts_and_notices_are_told_in_the_language(language, words):
    assert explain(life_path(date(1582, 10, 14)), language) == words


def test_the_letters_of_a_name_are_added_one_by_one():
    assert explain(expression(mark_name(read_name("Lynn Mary"))), "en").startswith(
        "Expression number: 5. Name LYNN: L 3 + Y 7 + N 5 + N 5 = 20, 2 + 0 = 2. "
        "Name MARY: M 4 + A 1 + R 9 + Y 7 = 21, 2 + 1 = 3. Together 2 + 3 = 5. The rule is "
    )


def test_only_the_letters_that_count_are_shown():
    """Without a vowel but Y there is nothing to add where Y is a consonant, and the other rule says so."""
    found = soul_urge(mark_name(read_name("Lynn")))
    assert explain(found, "en").startswith("Soul urge number: 7. Name LYNN: Y 7 = 7. The total is 7. ")
    assert "soul_urge.per_name.y_always_consonant: none." in explain(found, "en")
    assert "soul_urge.per_name.y_always_consonant: niciunul." in explain(found, "ro")


def test_a_sum_of_one_part_is_called_the_total():
    assert explain(birthday(date(1968, 11, 29)), "en") == (
        "Birthday number: 11. Day 29. The total is 29, 2 + 9 = 11. "
        "11 is a master number, so the reduction stops there; its root is 2. The rule is birthday.day (Hans Decoz)."
    )


def test_parts_with_names_of_two_words_and_years_that_are_summed_by_digits():
    assert explain(cycles(date(1968, 11, 14), date(2009, 5, 29)).personal_year, "en").startswith(
        "Personal year: 9. Birth month 11: 1 + 1 = 2. Birth day 14: 1 + 4 = 5. "
        "Year 2009: 2 + 0 + 0 + 9 = 11, 1 + 1 = 2. Together 2 + 5 + 2 = 9. "
    )
    assert explain(bhagyank(date(1968, 11, 14)).number, "en").startswith(
        "Vedic number: 4. Day 14: 1 + 4 = 5. Month 11: 1 + 1 = 2. Year 1968: 1 + 9 + 6 + 8 = 24. "
        "Together 5 + 2 + 24 = 31, 3 + 1 = 4. "
    )


def test_what_is_taken_away_is_told_as_minus():
    """1959 has the root 6: 11 - 6 = 5, which is read as 2 and not reduced to it. 2 + 4 was said to be -6."""
    found = kua(date(1959, 6, 1), KuaFormula.MALE).number
    year = "1959: minus 1 + 9 + 5 + 9 = 24, 2 + 4 = 6."
    for language, words in (
        ("en", f"Kua number: 2. Constant 11. Year {year} Together 11 + (-6) = 5, 2. "),
        ("ro", f"Numărul Kua: 2. Constanta 11. Anul {year} Împreună 11 + (-6) = 5, 2. "),
    ):
        assert explain(found, language).startswith(words)


def test_a_part_of_zeros_adds_nothing():
    assert explain(plate_number("A 00"), "en").startswith(
        "Plate number: 1. Letters A: A 1 = 1. Digits 00: 0. Together 1 + 0 = 1. "
    )


def test_what_the_words_do_not_know_is_told_as_it_is_called():
    known = life_path(date(1990, 5, 15), explain=False)
    found = dataclasses.replace(
        known,
        rule_id="new_number.of_a_kind",
        components=(Component("some_part", "12", 12, 3, (12, 3)),),
        warnings=(Notice("NEW_CODE", "Something new."),),
    )
    assert title("new_number.of_a_kind", "en") == title("new_number.of_a_kind", "ro") == "New number"
    assert title("challenge.differences.pinnacle_ages", "en") == "Challenge"
    for language, rule in (("en", "The rule is new_number."), ("ro", "Regula este new_number.")):
        told = explain(found, language)
        assert told.startswith("New number: 3. Some part 12: 1 + 2 = 3. ")
        assert rule in told
        assert told.endswith(" Something new.")


def test_both_languages_have_the_same_words():
    assert PHRASES["en"].keys() == PHRASES["ro"].keys()
    assert TITLES["en"].keys() == TITLES["ro"].keys()
    for language in LANGUAGES:
        assert set(SCHOOLS[language]) == set(School)
        assert set(DEBT_ORIGINS[language]) == set(DebtOrigin)


def test_every_notice_of_the_domain_has_its_romanian_sentence():
    codes = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Notice":
                code = node.args[0]
                codes |= {code.value} if isinstance(code, ast.Constant) else {"NO_VOWELS", "NO_CONSONANTS"}
    assert codes == NOTICES.keys()


def test_every_family_of_rules_has_its_title():
    families = set(re.findall(r"rule_id=f?\"([a-z_]+)\.", "\n".join(SOURCES)))
    assert families <= TITLES["en"].keys()


@pytest.fixture
async def stub():
    servicer = UtilitiesServicer(clock=lambda: date(2026, 1, 31), max_response_bytes=1 << 22)
    async with running([utilities_service(servicer)]) as (_, channel):
        yield utilities_pb2_grpc.UtilitiesServiceStub(channel)


async def test_a_call_is_explained_in_the_language_that_it_asks_for_and_no_other(stub):
    asked = {"day": 14, "month": 11, "year": 1968}
    request = pb.CalculateLifePathRequest
    romanian = await stub.CalculateLifePath(request(**asked, explanation_language="ro"))
    assert romanian.result.explanation.startswith("Calea vieții: 22.")
    assert (await stub.CalculateLifePath(request(**asked))).result.explanation == ""
    english = await stub.CalculateLifePath(request(**asked, explanation_language="en"))
    assert english.result.explanation.startswith("Life path: 22.")
    short = await stub.CalculateLifePath(request(**asked, explanation_language="en", explain=False))
    assert short.result.explanation == ""


async def test_every_number_of_a_profile_is_explained(stub):
    request = pb.AnalyzeNumerologyProfileRequest(name="Ana", day=14, month=11, year=1968, explanation_language="en")
    profile = (await stub.AnalyzeNumerologyProfile(request)).profile
    numbers = [profile.life_path, profile.maturity, profile.pinnacles[2].number, profile.challenges[0].number]
    assert all(number.explanation for number in numbers)


async def test_an_unknown_language_is_refused(stub):
    with pytest.raises(grpc.aio.AioRpcError, match="explanation_language") as caught:
        await stub.CalculateLifePath(
            pb.CalculateLifePathRequest(day=14, month=11, year=1968, explanation_language="fr")
        )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
