"""Explanations say what the trace says, in both languages, and every sum in them is right."""

import ast
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
from onenumbers_utilities.numerology.explanation import LANGUAGES, explain, title
from onenumbers_utilities.numerology.explanation_words import DEBT_ORIGINS, NOTICES, PHRASES, SCHOOLS, TITLES
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.numerology.results import DebtOrigin, NumberResult
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
