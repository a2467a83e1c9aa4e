"""The tools of systems, objects and comparisons over gRPC, on a real server."""

from __future__ import annotations

import json
from datetime import date

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from onenumbers.options.v1 import options_pb2
from onenumbers.utilities.v1 import (
    calculation_pb2,
    compatibility_pb2,
    compatibility_pb2_grpc,
    objects_pb2,
    objects_pb2_grpc,
    systems_pb2,
    systems_pb2_grpc,
)
from onenumbers_runtime.testing import running
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.objects_service import ObjectNumbersServicer, object_numbers_service
from onenumbers_utilities.systems_service import NumberSystemsServicer, number_systems_service

TODAY = date(2031, 1, 31)
MODULES = {
    "NumberSystemsService": systems_pb2,
    "ObjectNumbersService": objects_pb2,
    "CompatibilityService": compatibility_pb2,
}
METHODS = [method for name, module in MODULES.items() for method in module.DESCRIPTOR.services_by_name[name].methods]
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class Tools:
    """Calls tools by name with JSON arguments."""

    def __init__(self, channel) -> None:
        stubs = {
            "NumberSystemsService": systems_pb2_grpc.NumberSystemsServiceStub(channel),
            "ObjectNumbersService": objects_pb2_grpc.ObjectNumbersServiceStub(channel),
            "CompatibilityService": compatibility_pb2_grpc.CompatibilityServiceStub(channel),
        }
        self._calls = {
            tool_of(method).name: (
                getattr(stubs[method.containing_service.name], method.name),
                getattr(MODULES[method.containing_service.name], method.input_type.name),
            )
            for method in METHODS
        }

    async def call(self, tool: str, **arguments):
        call, request = self._calls[tool]
        return await call(json_format.ParseDict(arguments, request()))

    async def refused(self, tool: str, **arguments) -> dict[str, str]:
        """Returns the rules that were broken, by field, of a call that has to fail."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.call(tool, **arguments)
        assert caught.value.code() is INVALID, caught.value.details()
        status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
        found: dict[str, str] = {}
        for detail in status.details:
            bad = error_details_pb2.BadRequest()
            if detail.Unpack(bad):
                found.update({item.field: item.reason for item in bad.field_violations})
        for field in found:
            assert field in caught.value.details()
        return found


def tool_of(method):
    return method.GetOptions().Extensions[options_pb2.tool]


@pytest.fixture
async def tools():
    services = [
        number_systems_service(NumberSystemsServicer(clock=lambda: TODAY)),
        object_numbers_service(ObjectNumbersServicer()),
        compatibility_service(CompatibilityServicer(clock=lambda: TODAY)),
    ]
    async with running(services) as (_, channel):
        yield Tools(channel)


BIRTH = {"day": 29, "month": 9, "year": 1974}
ANA = {"name": "Ana Pop", "day": 14, "month": 11, "year": 1968}
ION = {"name": "Ion Rusu", **BIRTH}
JUNE = {"from_date": {"year": 2031, "month": 6, "day": 1}, "to_date": {"year": 2031, "month": 6, "day": 30}}


def test_the_tools_are_those_promised():
    assert {tool_of(method).name for method in METHODS} == {
        "calculate_chaldean_name", "get_compound_meaning", "calculate_chaldean_birth_number",
        "calculate_vedic_numbers", "calculate_lo_shu_grid", "calculate_phillips_chart", "calculate_kua",
        "calculate_house_number", "calculate_phone_number", "calculate_plate_number", "calculate_business_name",
        "compare_compatibility", "compare_people", "compare_names", "find_favourable_dates",
        "get_weekday_correspondences",
    }  # fmt: skip


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_every_tool_describes_its_arguments_and_its_example_works(tools, method):
    tool = tool_of(method)
    fields = {field.name for field in method.input_type.fields}
    assert set(tool.arguments) <= fields
    assert tool.title
    assert tool.description
    assert tool.cache_ttl.seconds == 86_400
    required = {name for name in fields if "name" not in name} & {"day", "month", "year", "number", "phone", "plate"}
    assert required <= set(tool.arguments)
    assert await tools.call(tool.name, **json.loads(tool.example))


async def test_a_chaldean_name_has_both_compounds_and_its_meanings(tools):
    found = await tools.call("calculate_chaldean_name", name="John Smith")
    assert [(each.label, each.number) for each in found.compounds] == [("letter_total", 35), ("sum_of_roots", 17)]
    assert (found.compound.meaning.meaning_of, found.compound.meaning.own) == (26, False)
    assert (found.result.value, found.planet) == (8, "Saturn")
    assert found.result.school == calculation_pb2.SCHOOL_CHEIRO
    other = await tools.call(
        "calculate_chaldean_name", name="John Smith", compound_method="COMPOUND_METHOD_SUM_OF_ROOTS"
    )
    assert (other.compound.number, other.compound.meaning.own, other.result.value) == (17, True, 8)


async def test_a_compound_above_52_has_no_meaning_and_says_so(tools):
    found = await tools.call("get_compound_meaning", number=66)
    assert not found.meaning.HasField("meaning_of")
    assert [each.code for each in found.warnings] == ["NO_COMPOUND_ABOVE_52"]
    assert (await tools.call("get_compound_meaning", number=42)).meaning.meaning_of == 24


async def test_vedic_numbers_without_a_name_have_no_namank(tools):
    found = await tools.call("calculate_vedic_numbers", **BIRTH)
    assert (found.mulank.result.value, found.bhagyank.result.value) == (2, 5)
    assert not found.HasField("namank")
    found = await tools.call("calculate_vedic_numbers", **BIRTH, name="Ram Sunil")
    assert (found.namank.result.total, found.namank.compound.meaning.meaning_of) == (25, 25)


async def test_grids_show_their_places_row_by_row(tools):
    grid = await tools.call("calculate_lo_shu_grid", day=12, month=7, year=1977)
    assert [(cell.number, cell.count) for cell in grid.cells] == [
        (4, 0), (9, 1), (2, 1), (3, 0), (5, 0), (7, 3), (8, 0), (1, 2), (6, 0)
    ]  # fmt: skip
    chart = await tools.call("calculate_phillips_chart", day=20, month=3, year=1978)
    assert [cell.number for cell in chart.cells] == [3, 6, 9, 2, 5, 8, 1, 4, 7]
    full = [line.name for line in chart.lines if line.state == systems_pb2.LINE_STATE_FULL]
    assert full == ["planner", "activity"]
    assert chart.warnings[0].code == "CENTURY_SHIFTS_FREQUENCIES"


async def test_kua_shows_the_year_that_was_counted(tools):
    arguments = {"day": 24, "month": 1, "year": 1982, "formula": "KUA_FORMULA_FEMALE"}
    found = await tools.call("calculate_kua", **arguments, year_turn="YEAR_TURN_LUNAR")
    assert (found.year, found.year_began.year, found.result.rule_id) == (1981, 1981, "kua.lunar_year")
    assert found.group == systems_pb2.KUA_GROUP_WEST
    assert found.result.value == 8


async def test_objects_are_counted(tools):
    assert (await tools.call("calculate_house_number", number="206", unit="3B")).result.value == 5
    phone = (await tools.call("calculate_phone_number", phone="0721 123 456", explain=False)).result
    assert (phone.total, phone.school, len(phone.components)) == (31, calculation_pb2.SCHOOL_CONVENTION, 0)
    plate = (await tools.call("calculate_plate_number", plate="B 123 ABC")).result
    assert [(part.text, part.total) for part in plate.components] == [("B", 2), ("123", 6), ("ABC", 6)]
    business = await tools.call("calculate_business_name", name="Ana Sunil", letter_values="LETTER_VALUES_CHALDEAN")
    assert business.compound.number == business.result.total == 25


async def test_two_people_are_compared_with_labelled_points_and_table_on_request(tools):
    found = await tools.call("compare_compatibility", first=ANA, second=ION, include_table=True)
    assert found.first.life_path.value == 22
    relations = {each.position: each for each in found.comparison.relations}
    path = relations[compatibility_pb2.COMPARED_NUMBER_LIFE_PATH]
    assert (path.first, path.first_root, path.second, path.relation) == (
        22,
        4,
        5,
        compatibility_pb2.RELATION_NO_CONCORD,
    )
    assert found.comparison.score.school == calculation_pb2.SCHOOL_CONVENTION
    assert [list(row.points) for row in found.table] == [
        list(column) for column in zip(*[row.points for row in found.table], strict=True)
    ]
    plain = await tools.call("compare_compatibility", first=ANA, second=ION, include_score=False)
    assert not plain.comparison.HasField("score")
    assert not plain.table


async def test_several_people_are_their_pairs(tools):
    found = await tools.call("compare_people", people=[ANA, ION, ANA])
    assert [(each.first_index, each.second_index) for each in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    assert not found.people[0].life_path.components
    same = found.pairs[1].comparison.relations
    assert all(each.relation == compatibility_pb2.RELATION_SAME for each in same)


async def test_twenty_people_fit_into_an_answer(tools):
    found = await tools.call("compare_people", people=[ANA] * 20, explain=True)
    assert len(found.pairs) == 190


async def test_spellings_are_shown_side_by_side(tools):
    found = await tools.call("compare_names", first_name="Ștefan", second_name="Stephan")
    assert (found.first, found.second) == ("STEFAN", "STEPHAN")
    assert [each.position for each in found.numbers] == [
        "expression", "soul_urge", "personality", "balance", "chaldean_name"
    ]  # fmt: skip
    assert [(each.letter, each.first_count, each.second_count) for each in found.letters] == [
        ("F", 1, 0), ("H", 0, 1), ("P", 0, 1)
    ]  # fmt: skip


async def test_favourable_dates_carry_their_reasons_and_the_caveat(tools):
    found = await tools.call("find_favourable_dates", **BIRTH, **JUNE)
    assert found.days_examined == 30
    assert all(len(each.reasons) >= 2 for each in found.dates)
    assert [each.code for each in found.warnings] == ["NO_PREDICTION"]
    eighteenth = next(each for each in found.dates if each.date.day == 18)
    assert eighteenth.weekday == compatibility_pb2.WEEKDAY_WEDNESDAY
    assert all(each.rule_id and each.text for each in eighteenth.reasons)


async def test_correspondences_of_one_number_or_of_all(tools):
    found = await tools.call("get_weekday_correspondences", number=7)
    assert [(each.planet, each.vedic_planet, each.chief_weekday) for each in found.correspondences] == [
        ("Neptune", "Ketu", compatibility_pb2.WEEKDAY_UNSPECIFIED)
    ]
    assert len((await tools.call("get_weekday_correspondences")).correspondences) == 9


DATED = [
    ("calculate_chaldean_birth_number", {}),
    ("calculate_vedic_numbers", {}),
    ("calculate_lo_shu_grid", {}),
    ("calculate_phillips_chart", {}),
    ("calculate_kua", {"formula": "KUA_FORMULA_MALE"}),
    ("find_favourable_dates", JUNE),
]


@pytest.mark.parametrize(("tool", "more"), DATED)
@pytest.mark.parametrize(
    ("day", "month", "year", "field"),
    [(31, 4, 2000, "day"), (29, 2, 1900, "day"), (0, 1, 2000, "day"), (1, 13, 2000, "month"), (1, 1, 0, "year"),
     (1, 2, 2031, "month"), (1, 1, 2999, "year")],
)  # fmt: skip
async def test_dates_that_do_not_exist_or_lie_ahead_name_the_field(tools, tool, more, day, month, year, field):
    broken = await tools.refused(tool, day=day, month=month, year=year, **more)
    assert broken.get(field)


NAMED = [
    ("calculate_chaldean_name", "name", {}),
    ("compare_names", "first_name", {"second_name": "Ana"}),
    ("compare_names", "second_name", {"first_name": "Ana"}),
]


@pytest.mark.parametrize(("tool", "field", "more"), NAMED)
@pytest.mark.parametrize(
    ("name", "rule"),
    [("", "string.min_len"), ("...", "name.no_letters"), ("Иван", "name.unsupported_script"), ("Ana 2", "name.digit"),
     ("Ana 😀", "name.emoji"), ("Ana\u202ePop", "name.bidi_mark"), ("x" * 10_000, "string.max_len")],
)  # fmt: skip
async def test_names_that_cannot_be_read_name_field_and_rule(tools, tool, field, more, name, rule):
    assert await tools.refused(tool, **{field: name}, **more) == {field: rule}


@pytest.mark.parametrize(
    ("tool", "arguments", "broken"),
    [
        ("get_compound_meaning", {"number": 9}, {"number": "int32.gte_lte"}),
        ("get_compound_meaning", {}, {"number": "int32.gte_lte"}),
        ("calculate_kua", BIRTH, {"formula": "enum.not_in"}),
        ("calculate_kua", {**BIRTH, "formula": 7}, {"formula": "enum.defined_only"}),
        ("calculate_kua", {**BIRTH, "formula": 1, "year_turn": 9}, {"year_turn": "enum.defined_only"}),
        (
            "calculate_kua",
            {"day": 1, "month": 1, "year": 1850, "formula": 1, "year_turn": 2},
            {"year": "kua.lunar_years"},
        ),
        ("calculate_lo_shu_grid", {**BIRTH, "digits": 3}, {"formula": "lo_shu.kua_formula"}),
        ("calculate_lo_shu_grid", {**BIRTH, "formula": 1}, {"formula": "lo_shu.formula_without_kua"}),
        ("calculate_lo_shu_grid", {**BIRTH, "year_turn": 2}, {"year_turn": "lo_shu.year_turn_without_kua"}),
        ("calculate_vedic_numbers", {**BIRTH, "name": "Ж"}, {"name": "name.unsupported_script"}),
        ("calculate_chaldean_name", {"name": "Ana", "compound_method": 9}, {"compound_method": "enum.defined_only"}),
        ("calculate_house_number", {"number": ""}, {"number": "string.min_len"}),
        ("calculate_house_number", {"number": "12", "unit": "Ж"}, {"unit": "name.unsupported_script"}),
        ("calculate_house_number", {"number": "12", "unit_rule": 2}, {"unit_rule": "house.unit_rule_without_unit"}),
        ("calculate_phone_number", {"phone": "12a345"}, {"phone": "phone.character"}),
        ("calculate_phone_number", {"phone": "1" * 10_000}, {"phone": "string.max_len"}),
        ("calculate_plate_number", {"plate": "000"}, {"plate": "object.nothing_to_add"}),
        ("calculate_plate_number", {"plate": "A", "master_numbers": 9}, {"master_numbers": "enum.defined_only"}),
        (
            "calculate_business_name",
            {"name": "Ana", "letter_values": 2, "master_numbers": 1},
            {"master_numbers": "business.chaldean_masters"},
        ),
        ("compare_compatibility", {"first": ANA}, {"second": "required"}),
        ("compare_compatibility", {"first": ANA, "second": {**ION, "name": "..."}}, {"second.name": "name.no_letters"}),
        ("compare_compatibility", {"first": {**ANA, "day": 31}, "second": ION}, {"first.day": "date.exists"}),
        (
            "compare_compatibility",
            {"first": {**ANA, "year": 2999}, "second": ION},
            {"first.year": "date.not_in_future"},
        ),
        ("compare_people", {"people": [ANA]}, {"people": "repeated.min_items"}),
        ("compare_people", {"people": [ANA] * 21}, {"people": "repeated.max_items"}),
        ("compare_people", {"people": [ANA, {**ION, "name": "Ж"}]}, {"people[1].name": "name.unsupported_script"}),
        ("compare_people", {"people": [ANA, {**ION, "month": 13}]}, {"people[1].month": "int32.gte_lte"}),
        ("find_favourable_dates", BIRTH, {"from_date": "required", "to_date": "required"}),
        (
            "find_favourable_dates",
            {**BIRTH, **JUNE, "to_date": {"year": 2032, "month": 6, "day": 2}},
            {"to_date": "favourable_dates.range"},
        ),
        (
            "find_favourable_dates",
            {**BIRTH, **JUNE, "to_date": {"year": 2031, "month": 5, "day": 31}},
            {"to_date": "favourable_dates.order"},
        ),
        (
            "find_favourable_dates",
            {**BIRTH, **JUNE, "from_date": {"year": 2031, "month": 2, "day": 30}},
            {"from_date.day": "date.exists"},
        ),
        ("find_favourable_dates", {**BIRTH, **JUNE, "min_reasons": 6}, {"min_reasons": "int32.gte_lte"}),
        ("get_weekday_correspondences", {"number": 10}, {"number": "int32.gte_lte"}),
    ],
)
async def test_what_breaks_a_rule_names_field_and_rule(tools, tool, arguments, broken):
    assert await tools.refused(tool, **arguments) == broken
