"""Names in their own letters: published sums come out, and what has no value is refused by name and position."""

from __future__ import annotations

import re
import unicodedata

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from onenumbers.utilities.v1 import native_pb2 as pb
from onenumbers.utilities.v1 import native_pb2_grpc
from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_runtime.testing import running
from onenumbers_utilities.native_service import NativeLettersServicer, native_letters_service
from onenumbers_utilities.numerology.native_letters import TABLES, NativeSystem, native_letters
from onenumbers_utilities.numerology.primitives import root


@pytest.fixture
async def stub():
    async with running([native_letters_service(NativeLettersServicer())]) as (_, channel):
        yield native_pb2_grpc.NativeLettersServiceStub(channel)


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("חי", 18),  # Wikipedia, Gematria: chai is 18
        ("דוד", 14),  # the fourteen generations of Matthew 1
        ("אברהם", 248),  # Midrash: Abraham and the 248 positive commandments
        ("אליעזר", 318),  # Genesis Rabbah 43:2: Eliezer and the 318 men
        ("נרון קסר", 666),  # Nero Caesar
        ("משיח", 358),
        ("Ἰησοῦς", 888),  # Sibylline Oracles 1.324-331: Iesous is 888
        ("ἄλφα", 532),
        ("Ἀβρασάξ", 365),  # Irenaeus, Against Heresies 1.24.7: Abrasax is 365
        ("ἀγάπη", 93),
        ("الله", 66),  # abjad numerals: Allah is 66
        ("محمد", 92),
        ("بسم الله الرحمن الرحيم", 786),  # the basmala
        ("علي", 110),
    ],
)
async def test_published_sums_come_out(stub, name, total):
    answer = await stub.CalculateNativeLetters(pb.CalculateNativeLettersRequest(name=name))
    assert answer.result.total == total
    assert answer.result.root == answer.result.value == root(total)
    assert next(iter(answer.result.chain)) == total
    assert sum(word.total for word in answer.words) == total
    for word in answer.words:
        assert sum(letter.value for letter in word.letters) == word.total
    assert native_letters(name).number.total == total
    assert answer.source
    assert answer.script in unicodedata.name(name[0]).capitalize()


def test_cyrillic_letters_cycle_and_are_called_a_convention():
    found = native_letters("Ёж Ий")
    assert [each.value for word in found.words for each in word.letters] == [7, 8, 1, 2]
    assert found.number.school.name == "CONVENTION"
    assert native_letters("Е\u0308ж Ии\u0306").words == found.words
    table = TABLES[NativeSystem.CYRILLIC_CYCLE].values
    assert (len(table), table["а"], table["з"], table["и"], table["с"], table["я"]) == (33, 1, 9, 1, 1, 6)


def test_final_forms_count_as_their_letters_and_points_do_not_count():
    plain, pointed = native_letters("שלום"), native_letters("שָׁלוֹם")
    assert plain.number.total == pointed.number.total == 376
    assert [each.counted_as for each in plain.words[0].letters] == list("שלומ")
    assert [each.code for each in pointed.number.warnings] == ["MARKS_NOT_COUNTED"]
    assert not plain.number.warnings


@pytest.mark.parametrize("apostrophe", ["\u02bc", "\u02bb", "'", "\u2019"])
def test_an_apostrophe_joins_a_name_whatever_its_sign(apostrophe):
    """U+02BC, which Ukrainian writes, is a letter by Unicode and was refused as one of another script."""
    plain = native_letters("Дарья")
    for name in (f"Дар{apostrophe}ья", f"{apostrophe}Дарья"):
        found = native_letters(name)
        assert [word.letters for word in found.words] == [word.letters for word in plain.words]


def test_letters_about_which_authors_differ_are_named():
    assert [each.code for each in native_letters("فاطمة").number.warnings] == ["LETTER_VALUE_DISPUTED"]


@given(system=st.sampled_from(NativeSystem), data=st.data())
def test_totals_are_sums_of_the_letters_whatever_their_order(system, data):
    letters = data.draw(st.lists(st.sampled_from(sorted(TABLES[system].values)), min_size=1, max_size=20))
    found = native_letters("".join(letters), system)
    assert found.number.total == sum(TABLES[system].values[each] for each in letters)
    assert native_letters(" ".join(reversed(letters)), system).number.total == found.number.total
    assert found.number.rule_id == f"native_letters.{system.value}"


@given(
    name=st.text(
        st.one_of(
            *(
                st.characters(min_codepoint=first, max_codepoint=last)
                for first, last in ((0x20, 0x7F), (0x300, 0x52F), (0x590, 0x6FF), (0x1F00, 0x1FFF), (0xFB1D, 0xFB4F))
            )
        ),
        max_size=6,
    )
)
def test_any_text_is_counted_or_refused_precisely(name):
    try:
        found = native_letters(name)
    except InvalidArgumentError as error:
        fields = [each.field for each in error.violations]
    else:
        fields = ["name"] if found.number.total == sum(word.total for word in found.words) > 0 else []
    assert fields == ["name"]


REFUSED = [
    ("Ana", 0, "native_letters.script", "Latin 'A'"),
    ("דוד Ana", 0, "name.mixed_scripts", "'A' (U+0041) at position 5"),
    ("Аνна", 0, "name.mixed_scripts", "Greek 'ν' (U+03BD) at position 2"),
    ("דוד", pb.NATIVE_SYSTEM_GREEK_ISOPSEPHY, "name.mixed_scripts", "Hebrew 'ד'"),
    ("Їжак", 0, "native_letters.letter", "'Ї' (U+0407) at position 1"),
    ("چنگیز", 0, "native_letters.letter", "'چ'"),
    ("ᾠδή", 0, "name.letter_without_value", "U+0345"),
    ("王", 0, "name.unsupported_script", "Han"),
    ("\u200fדוד", 0, "name.bidi_mark", "U+200F at position 1"),
    ("דו\u202eד", 0, "name.bidi_mark", "U+202E at position 3"),
    ("دا\u200dر", 0, "name.invisible_character", "U+200D"),
    ("Ан\x00на", 0, "name.control_character", "U+0000"),
    ("Анна 😀", 0, "name.emoji", "U+1F600 at position 6"),
    ("Анна 2", 0, "name.digit", "'2'"),
    ("Аннаʰ", 0, "name.mixed_scripts", "'ʰ' (U+02B0) at position 5"),
    ("ʰАнна", 0, "name.letter_without_value", "(U+02B0, MODIFIER LETTER SMALL H) at position 1"),
    ("--", 0, "name.no_letters", "no letters"),
    ("   ", 0, "name.required", "empty"),
]
"""A name, a system or none, the rule that it breaks, and what the error says."""


@pytest.mark.parametrize(("name", "system", "rule", "said"), [*REFUSED, ("א" * 201, 0, "name.max_length", "201")])
def test_what_has_no_value_is_refused_by_name_and_position(name, system, rule, said):
    with pytest.raises(InvalidArgumentError) as caught:
        native_letters(name, NativeSystem.GREEK_ISOPSEPHY if system == pb.NATIVE_SYSTEM_GREEK_ISOPSEPHY else None)
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("name", rule)
    assert said in violation.description
    place = re.search(r"U\+([0-9A-F]{4,}).* at position (\d+)", violation.description)
    if place:
        sent = name[int(place[2]) - 1]
        assert chr(int(place[1], 16)) in sent + unicodedata.normalize("NFD", sent)
        assert caught.value.metadata["position"] == place[2]


@pytest.mark.parametrize(
    ("name", "system", "rule", "said"),
    [
        *REFUSED[:3],
        ("א" * 201, 0, "string.max_len", "200"),
        ("אב", 99, "enum.defined_only", "defined"),
    ],
)
async def test_what_has_no_value_is_refused_over_grpc(stub, name, system, rule, said):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.CalculateNativeLetters(pb.CalculateNativeLettersRequest(name=name, system=system))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    bad = error_details_pb2.BadRequest()
    found = {
        item.reason: item.description
        for detail in status.details
        if detail.Unpack(bad)
        for item in bad.field_violations
    }
    assert list(found) == [rule]
    assert said in found[rule]


async def test_explanations_are_plain_and_explain_false_leaves_letters_out(stub):
    answer = await stub.CalculateNativeLetters(pb.CalculateNativeLettersRequest(name="דוד", explanation_language="ro"))
    assert "gematria ebraică" in answer.result.explanation
    assert "14" in answer.result.explanation
    bare = await stub.CalculateNativeLetters(pb.CalculateNativeLettersRequest(name="דוד", explain=False))
    assert (len(bare.words), bare.result.total) == (0, 14)
