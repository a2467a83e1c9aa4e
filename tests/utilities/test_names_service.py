"""NameNumbersService over gRPC, on a real server."""

from __future__ import annotations

from datetime import date

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from onenumbers.options.v1 import options_pb2
from onenumbers.utilities.v1 import calculation_pb2, names_pb2_grpc
from onenumbers.utilities.v1 import names_pb2 as pb
from onenumbers_runtime.testing import running
from onenumbers_utilities.names_service import NameNumbersServicer, name_numbers_service

TODAY = date(2026, 1, 31)
IOANA = "Ioana Brândușa Țurcanu"
METHODS = tuple(pb.DESCRIPTOR.services_by_name["NameNumbersService"].methods)
NAMED = {
    "CalculateSoulUrge": {},
    "CalculatePersonality": {},
    "CalculateBalance": {},
    "CalculateInclusionTable": {},
    "CalculateCornerstones": {},
    "CalculateRationalThought": {"day": 1},
    "CalculateBridges": {"day": 1, "month": 1, "year": 2000},
    "CalculateMaturity": {"day": 1, "month": 1, "year": 2000},
    "CalculatePlanesOfExpression": {},
    "AnalyzeName": {},
}
"""Methods that take a full name, with what else they need."""


@pytest.fixture
async def stub():
    async with running([name_numbers_service(NameNumbersServicer(clock=lambda: TODAY))]) as (_, channel):
        yield names_pb2_grpc.NameNumbersServiceStub(channel)


async def refused(call) -> dict[str, str]:
    """Returns the rules that were broken, by field, of a call that has to fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, caught.value.details()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    found: dict[str, str] = {}
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            found.update({item.field: item.reason for item in bad.field_violations})
    for field in found:
        assert field in caught.value.details()
    return found


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_the_example_of_every_tool_works(stub, method):
    tool = method.GetOptions().Extensions[options_pb2.tool]
    request = json_format.Parse(tool.example, getattr(pb, method.input_type.name)())
    response = await getattr(stub, method.name)(request)
    assert response.ByteSize() > 20
    assert tool.cache_ttl.seconds == 86400
    assert set(tool.arguments) == {field.name for field in method.input_type.fields}


async def test_the_soul_urge_of_the_specification(stub):
    result = (await stub.CalculateSoulUrge(pb.CalculateSoulUrgeRequest(name=IOANA))).result
    assert (result.value, result.total, result.rule_id) == (2, 20, "soul_urge.per_name")
    assert [(each.rule_id, each.value) for each in result.alternatives] == [("soul_urge.letter_total", 11)]
    total = pb.CalculateSoulUrgeRequest(name=IOANA, summing_method=calculation_pb2.SUMMING_METHOD_LETTER_TOTAL)
    assert (await stub.CalculateSoulUrge(total)).result.value == 11


async def test_a_name_without_vowels_has_no_value_rather_than_zero(stub):
    result = (await stub.CalculateSoulUrge(pb.CalculateSoulUrgeRequest(name="Ng"))).result
    assert not result.HasField("value")
    assert [each.code for each in result.warnings] == ["NO_VOWELS"]


async def test_an_override_of_y_moves_a_letter_between_the_two_numbers(stub):
    override = calculation_pb2.YOverride(position=3, vowel=True)
    vowels = (await stub.CalculateSoulUrge(pb.CalculateSoulUrgeRequest(name="Maya", y_overrides=[override]))).result
    assert (vowels.value, vowels.inputs_used["y_overrides"]) == (9, "3 vowel")
    request = pb.CalculatePersonalityRequest(name="Maya", y_overrides=[override])
    assert (await stub.CalculatePersonality(request)).result.value == 4


async def test_sums_are_left_out_where_they_are_not_wanted(stub):
    result = (await stub.CalculateBalance(pb.CalculateBalanceRequest(name=IOANA, explain=False))).result
    assert (result.value, len(result.components)) == (4, 0)


async def test_the_inclusion_table_of_the_specification(stub):
    result = (await stub.CalculateInclusionTable(pb.CalculateInclusionTableRequest(name=IOANA))).result
    assert (result.name, result.letter_count) == ("IOANA BRANDUSA TURCANU", 20)
    assert [each.count for each in result.values] == [6, 2, 4, 1, 3, 1, 0, 0, 3]
    assert (list(result.karmic_lessons), list(result.hidden_passions)) == ([7, 8], [1])
    assert result.subconscious_self.value == 7
    conventions = [each.rule_id for each in result.rules if each.school == calculation_pb2.SCHOOL_CONVENTION]
    assert conventions == ["intensity.even_share"]


async def test_the_averages_in_print_are_an_option_of_the_inclusion_table(stub):
    request = pb.CalculateInclusionTableRequest(name=IOANA, intensity_averages=pb.INTENSITY_AVERAGES_SIKKA)
    result = (await stub.CalculateInclusionTable(request)).result
    assert [each.average for each in result.values] == [3, 1, 2, 1, 4, 2, 1, 1, 3]
    assert "intensity.sikka_table" in [each.rule_id for each in result.rules]
    assert not [each for each in result.rules if each.school == calculation_pb2.SCHOOL_CONVENTION]


async def test_stones_that_do_not_exist_are_unset(stub):
    result = (await stub.CalculateCornerstones(pb.CalculateCornerstonesRequest(name="Ng Pop"))).result
    assert (result.cornerstone.letter, result.capstone.letter) == ("N", "G")
    assert not result.HasField("first_vowel")
    assert not result.HasField("keystone")


async def test_a_master_maturity_has_both_readings(stub):
    request = pb.CalculateMaturityRequest(name=IOANA, day=14, month=11, year=1968)
    response = await stub.CalculateMaturity(request)
    assert (response.result.value, response.reduced_reading) == (33, 6)
    assert (response.life_path.value, response.expression.value) == (22, 11)
    request.master_numbers = calculation_pb2.MASTER_NUMBERS_NONE
    response = await stub.CalculateMaturity(request)
    assert (response.result.value, response.HasField("reduced_reading")) == (6, False)


async def test_the_published_bridges_of_tom(stub):
    request = pb.CalculateBridgesRequest(name="Thomas Cruise Mapother", day=3, month=7, year=1962)
    response = await stub.CalculateBridges(request)
    assert (response.life_path_expression.value, response.soul_urge_personality.value) == (3, 5)


async def test_planes_of_both_systems(stub):
    request = pb.CalculatePlanesOfExpressionRequest(name="Norman Gene Macdonald")
    result = (await stub.CalculatePlanesOfExpression(request)).result
    assert [each.number.value for each in result.planes] == [8, 33, 3, 3]
    assert [each.plane for each in result.planes] == [1, 2, 3, 4]
    assert (result.system, len(result.energies)) == (pb.PLANE_SYSTEM_LETTERS, 3)
    request.plane_system = pb.PLANE_SYSTEM_VALUES
    result = (await stub.CalculatePlanesOfExpression(request)).result
    assert not any(each.HasField("number") for each in result.planes)
    assert sum(each.count for each in result.planes) == 19


async def test_the_analysis_holds_everything_it_promises(stub):
    analysis = (await stub.AnalyzeName(pb.AnalyzeNameRequest(name=IOANA, current_name="Ioana Țurcanu"))).analysis
    for field in analysis.DESCRIPTOR.fields:
        if field.name not in ("karmic_debts", "warnings"):
            assert analysis.HasField(field.name) if field.message_type else getattr(analysis, field.name), field.name
    assert analysis.minor.current_name == "IOANA TURCANU"
    assert not (await stub.AnalyzeName(pb.AnalyzeNameRequest(name=IOANA))).analysis.HasField("minor")


async def test_overrides_of_the_full_name_do_not_reach_the_current_one(stub):
    override = calculation_pb2.YOverride(position=7, vowel=True)
    request = pb.AnalyzeNameRequest(name="Ana Maya", current_name="Ana", y_overrides=[override])
    assert await refused(stub.AnalyzeName(request)) == {"y_overrides[0].position": "y_override.is_y"}
    override.position = 6
    request = pb.AnalyzeNameRequest(name="Ana Maya", current_name="Ana", y_overrides=[override])
    assert (await stub.AnalyzeName(request)).analysis.minor.soul_urge.value == 2


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(NAMED))
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "string.min_len"),
        ("x" * 10_000, "string.max_len"),
        ("12345", "name.digit"),
        ("...", "name.no_letters"),
        ("Иван", "name.unsupported_script"),
        ("Ana Жук", "name.mixed_scripts"),
        ("Ana 😀", "name.emoji"),
        ("Ana\u202epoP", "name.bidi_mark"),
        ("Ana\tPop", "name.control_character"),
    ],
)
async def test_names_that_cannot_be_read_name_the_rule(stub, method, name, rule):
    request = getattr(pb, f"{method}Request")(name=name, **NAMED[method])
    assert await refused(getattr(stub, method)(request)) == {"name": rule}


@pytest.mark.parametrize(
    ("name", "rule"), [("", "string.min_len"), ("7", "name.digit"), ("Й", "name.unsupported_script")]
)
async def test_a_current_name_that_cannot_be_read_is_named_as_such(stub, name, rule):
    assert await refused(stub.CalculateMinorNumbers(pb.CalculateMinorNumbersRequest(current_name=name))) == {
        "current_name": rule
    }


async def test_the_current_name_of_an_analysis_is_checked_too(stub):
    request = pb.AnalyzeNameRequest(name="Ana Pop", current_name="7")
    assert await refused(stub.AnalyzeName(request)) == {"current_name": "name.digit"}


@pytest.mark.parametrize("method", ["CalculateBridges", "CalculateMaturity"])
@pytest.mark.parametrize(
    ("day", "month", "year", "field", "rule"),
    [
        (31, 4, 2000, "day", "date.exists"),
        (29, 2, 1900, "day", "date.exists"),
        (0, 1, 2000, "day", "int32.gte_lte"),
        (1, 13, 2000, "month", "int32.gte_lte"),
        (1, 1, 0, "year", "int32.gte_lte"),
        (1, 2, 2026, "month", "date.not_in_future"),
    ],
)
async def test_dates_that_do_not_exist_or_lie_ahead_name_the_field(stub, method, day, month, year, field, rule):
    request = getattr(pb, f"{method}Request")(name="Ana Pop", day=day, month=month, year=year)
    assert await refused(getattr(stub, method)(request)) == {field: rule}


@pytest.mark.parametrize(
    ("method", "field"),
    [
        (method.name, field.name)
        for method in METHODS
        for field in method.input_type.fields
        if field.enum_type is not None
    ],
)
async def test_unknown_enum_numbers_are_refused(stub, method, field):
    needs = NAMED.get(method, {})
    name = {"current_name": "Ana"} if method == "CalculateMinorNumbers" else {"name": "Ana Pop"}
    request = getattr(pb, f"{method}Request")(**name, **needs, **{field: 99})
    assert await refused(getattr(stub, method)(request)) == {field: "enum.defined_only"}


@pytest.mark.parametrize(
    ("positions", "field", "rule"),
    [
        ([1], "y_overrides[0].position", "y_override.is_y"),
        ([3, 99], "y_overrides[1].position", "y_override.within_name"),
        ([3, 3], "y_overrides[1].position", "y_override.unique"),
        ([0], "y_overrides[0].position", "int32.gte_lte"),
        ([3] * 51, "y_overrides", "repeated.max_items"),
    ],
)
async def test_overrides_that_contradict_the_name_or_each_other_name_their_place(stub, positions, field, rule):
    overrides = [calculation_pb2.YOverride(position=place, vowel=True) for place in positions]
    request = pb.CalculateSoulUrgeRequest(name="Maya", y_overrides=overrides)
    assert await refused(stub.CalculateSoulUrge(request)) == {field: rule}


@pytest.mark.parametrize(
    ("method", "system", "rule"),
    [
        ("CalculateInclusionTable", "chaldean", "inclusion.table"),
        ("CalculatePlanesOfExpression", "chaldean", "planes.table"),
        ("CalculateInclusionTable", "klingon", "string.in"),
        ("CalculatePlanesOfExpression", "klingon", "string.in"),
    ],
)
async def test_letter_tables_that_mean_nothing_here_are_refused(stub, method, system, rule):
    request = getattr(pb, f"{method}Request")(name="Ana Pop", system=system)
    assert await refused(getattr(stub, method)(request)) == {"system": rule}
