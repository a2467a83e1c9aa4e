"""Names of other scripts: by a named standard as it is published, and never silently."""

from __future__ import annotations

import re
from datetime import date
from importlib.metadata import version

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from onenumbers.utilities.v1 import calculation_pb2 as common
from onenumbers.utilities.v1 import names_pb2, names_pb2_grpc, utilities_pb2, utilities_pb2_grpc
from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_runtime.testing import running
from onenumbers_utilities.names_service import NameNumbersServicer, name_numbers_service
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import Transliteration
from onenumbers_utilities.numerology.transliteration import transliterate
from onenumbers_utilities.numerology.transliteration_standards import STANDARDS, standards_for
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

T = Transliteration
TODAY = date(2026, 1, 31)


@pytest.mark.parametrize("name", ["Σωκράτης", "Σωκρὰτης", "Σωκρᾶτης"])
def test_greek_of_older_spelling_is_read_as_todays(name):
    assert read_name(name, transliteration=T.ELOT_743).text == "SOKRATIS"


def test_a_dot_of_sin_or_shin_belongs_to_its_letter_wherever_it_stands():
    typed, composed = "מֹשֶׁה", "מֹשׁ\u05b6ה"
    assert typed != composed
    assert {read_name(each, transliteration=T.ISO_259_2).latin for each in (typed, composed)} == {"Mošeh"}


@pytest.mark.parametrize("standard", list(Transliteration))
def test_every_letter_of_a_standard_becomes_letters_or_nothing(standard):
    chosen = STANDARDS[standard]
    base = {"Cyrillic": "а", "Greek": "β", "Hebrew": "ב", "Arabic": "ب"}[chosen.script]
    for letter in chosen.alphabet or chosen.letters:
        for written in (letter, letter.upper(), letter + base, base + letter + base):
            assert read_name(base + written, transliteration=standard).text.replace(" ", "").isalpha()


@given(
    standard=st.sampled_from(Transliteration),
    name=st.text(
        st.one_of(
            st.sampled_from("аяїђщъαύςγבוּדׁمّةأ Aăß'-.2\u200f\u0301\x07😀王"),
            *(
                st.characters(min_codepoint=first, max_codepoint=last)
                for first, last in (
                    (0x300, 0x52F),
                    (0x590, 0x6FF),
                    (0x1F00, 0x1FFF),
                    (0x2DE0, 0x2DFF),
                    (0xFB1D, 0xFB4F),
                )
            ),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_any_text_is_read_or_refused_precisely(standard, name):
    try:
        found = read_name(name, transliteration=standard)
    except InvalidArgumentError as error:
        fields = [each.field for each in error.violations]
    else:
        fields = ["name"] if found.text.replace(" ", "").isascii() else [found.text]
    assert fields == ["name"]


def test_decomposed_names_give_the_same_letters():
    one = read_name("Андрей", transliteration=T.ICAO_9303_RUSSIAN)
    assert read_name("Андреи\u0306", transliteration=T.ICAO_9303_RUSSIAN).parts == one.parts == ("ANDREI",)
    assert read_name("Андре\u0301й", transliteration=T.ICAO_9303_RUSSIAN).parts == one.parts


def test_latin_names_are_read_as_they_are():
    assert transliterate("Ana Țurcanu", T.ELOT_743) is None
    assert read_name("Dr. Ana", transliteration=T.ELOT_743).inputs() == {"name": "Dr. Ana"}


def test_unwritten_vowels_are_said_to_be_missing():
    found = read_name("דוד", transliteration=T.ISO_259_2)
    assert [each.code for each in found.notices] == ["TRANSLITERATED", "VOWELS_NOT_WRITTEN"]


def test_bare_consonants_that_spell_a_title_are_kept():
    """DR is a title in Latin letters; here it is a name."""
    assert read_name("דר כהן", transliteration=T.ISO_259_2).parts == ("DR", "KHN")


REFUSED = [
    ("Юлия", None, "name.unsupported_script", ["'Ю' (U+042E) at position 1", *standards_for("Cyrillic")]),
    ("Νίκος", None, "name.unsupported_script", ["Greek", "ELOT_743"]),
    ("משה", None, "name.unsupported_script", ["Hebrew", "ISO_259_2", "SBL_HEBREW"]),
    ("محمد", None, "name.unsupported_script", ["Arabic", "ISO_233", "ICAO_9303_ARABIC"]),
    ("王", None, "name.unsupported_script", ["Han"]),
    ("Юлия Pop", T.ICAO_9303_RUSSIAN, "name.mixed_scripts", ["Latin 'P' (U+0050) at position 6"]),
    ("Ana Юлия", T.ICAO_9303_RUSSIAN, "name.mixed_scripts", ["Latin 'A' (U+0041) at position 1"]),
    ("Αnna", T.ICAO_9303_RUSSIAN, "name.mixed_scripts", ["Greek"]),
    ("Юлия Ωμέγα", T.ELOT_743, "name.mixed_scripts", ["Cyrillic 'Ю'"]),
    ("Νίκος", T.ICAO_9303_RUSSIAN, "transliteration.script", ["for Cyrillic", "ELOT_743"]),
    ("王", T.ELOT_743, "transliteration.script", ["Han '王'"]),
    ("Їжак", T.ICAO_9303_RUSSIAN, "transliteration.letter", ["'Ї' (U+0407)", "UKRAINIAN_2010"]),
    ("پری", T.ISO_233, "transliteration.letter", ["'پ' (U+067E) at position 1"]),
    ("Юл\u200fия", T.ICAO_9303_RUSSIAN, "name.bidi_mark", ["U+200F at position 3"]),
    ("\u202bדוד", T.ISO_259_2, "name.bidi_mark", ["U+202B at position 1"]),
    ("م\u200cحمد", T.ISO_233, "name.invisible_character", ["U+200C at position 2"]),
    ("Юлия\x07", T.ICAO_9303_RUSSIAN, "name.control_character", ["U+0007 at position 5"]),
    ("Юлия 😀", T.ICAO_9303_RUSSIAN, "name.emoji", ["U+1F600 at position 6"]),
    ("Юлия 2", T.ICAO_9303_RUSSIAN, "name.digit", ["'2' at position 6"]),
    ("Иван\u0483", T.ICAO_9303_RUSSIAN, "name.letter_without_value", ["U+0483"]),
    ("Ик\u0327а", T.ICAO_9303_RUSSIAN, "name.letter_without_value", ["U+0327", "position 3"]),
    ("דוד\u05bd", T.ISO_259_2, "transliteration.letter", ["U+05BD", "SBL_HEBREW"]),
    ("ь", T.ICAO_9303_RUSSIAN, "name.no_letters", ["ICAO_9303_RUSSIAN"]),
    ("א ע", T.ISO_259_2, "name.no_letters", ["ISO_259_2"]),
    ("Ю" * 201, T.ICAO_9303_RUSSIAN, "name.max_length", ["201"]),
]
"""A name, a standard or none, the rule that it breaks, and what the error says."""


@pytest.mark.parametrize(("name", "standard", "rule", "said"), REFUSED)
def test_what_cannot_be_read_is_refused_by_name_and_position(name, standard, rule, said):
    with pytest.raises(InvalidArgumentError) as caught:
        read_name(name, transliteration=standard, field="current_name")
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("current_name", rule)
    for part in said:
        assert part in violation.description
    place = re.search(r"U\+([0-9A-F]{4,}).* at position (\d+)", violation.description)
    if place:
        assert ord(name[int(place[2]) - 1]) == int(place[1], 16)
        assert (caught.value.metadata["code_point"], caught.value.metadata["position"]) == (f"U+{place[1]}", place[2])


@pytest.mark.parametrize(("name", "standard", "rule", "said"), [REFUSED[0], REFUSED[5], REFUSED[-1]])
async def test_what_cannot_be_read_is_refused_over_grpc_by_name_and_position(name, standard, rule, said):
    async with running([utilities_service(UtilitiesServicer(clock=lambda: TODAY, max_response_bytes=1 << 20))]) as (
        _,
        channel,
    ):
        stub = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        value = common.Transliteration.Value(f"TRANSLITERATION_{standard.name}") if standard else 0
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CalculateExpressionNumber(
                utilities_pb2.CalculateExpressionNumberRequest(name=name, transliteration=value)
            )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    bad = error_details_pb2.BadRequest()
    violations = [item for detail in status.details if detail.Unpack(bad) for item in bad.field_violations]
    assert [item.field for item in violations] == ["name"]
    assert violations[0].reason == ("string.max_len" if rule == "name.max_length" else rule)
    if rule != "name.max_length":
        for part in said:
            assert part in violations[0].description


async def test_names_of_all_tools_follow_the_standard_and_say_so():
    value = common.TRANSLITERATION_ELOT_743
    async with running(
        [
            utilities_service(UtilitiesServicer(clock=lambda: TODAY, max_response_bytes=1 << 20)),
            name_numbers_service(NameNumbersServicer(clock=lambda: TODAY)),
        ]
    ) as (_, channel):
        utilities = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        names = names_pb2_grpc.NameNumbersServiceStub(channel)
        number = (
            await utilities.CalculateDestinyNumber(
                utilities_pb2.CalculateDestinyNumberRequest(
                    name="Άννα", transliteration=value, explanation_language="ro"
                )
            )
        ).result
        options = utilities_pb2.ProfileOptions(transliteration=value)
        profile = (
            await utilities.AnalyzeNumerologyProfile(
                utilities_pb2.AnalyzeNumerologyProfileRequest(name="Άννα", day=1, month=2, year=1990, options=options)
            )
        ).profile
        rows = await utilities.BatchCalculate(
            utilities_pb2.BatchCalculateRequest(
                options=options,
                profiles=[
                    utilities_pb2.ProfileInput(name=name, day=1, month=2, year=1990)
                    for name in ("Άννα", "Anna", "Анна")
                ],
            )
        )
        analysis = (
            await names.AnalyzeName(
                names_pb2.AnalyzeNameRequest(name="Άννα", current_name="Νίκη", transliteration=value)
            )
        ).analysis
    assert dict(number.inputs_used) == {
        "name": "Άννα",
        "transliteration": "elot_743",
        "latin_name": "Ánna",
        "transliterated_by": f"interscript {version('interscript')}, elot-ell-Grek-Latn-743-1982-ts",
    }
    assert "TRANSLITERATED" in {each.code for each in number.warnings}
    assert "standardul ales" in number.explanation
    assert profile.name == analysis.name == "ANNA"
    assert "TRANSLITERATED" in {each.code for each in profile.warnings}
    assert analysis.minor.current_name == "NIKI"
    assert [each.WhichOneof("outcome") for each in rows.items] == ["profile", "profile", "error"]
    assert "TRANSLITERATED" in {each.code for each in rows.items[0].profile.warnings}
    assert "TRANSLITERATED" not in {each.code for each in rows.items[1].profile.warnings}


async def test_an_unknown_standard_is_refused():
    async with running([utilities_service(UtilitiesServicer(clock=lambda: TODAY, max_response_bytes=1 << 20))]) as (
        _,
        channel,
    ):
        stub = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.CalculateExpressionNumber(
                utilities_pb2.CalculateExpressionNumberRequest(name="Ana", transliteration=999)
            )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "transliteration" in caught.value.details()
