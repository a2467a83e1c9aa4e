"""DateNumbersService over gRPC, on a real server."""

from __future__ import annotations

from datetime import date

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from google.type import date_pb2

from onenumbers.options.v1 import options_pb2
from onenumbers.utilities.v1 import calculation_pb2, dates_pb2_grpc
from onenumbers.utilities.v1 import dates_pb2 as pb
from onenumbers_runtime.testing import running
from onenumbers_utilities.dates_service import DateNumbersServicer, date_numbers_service

TODAY = date(2026, 1, 31)
IOANA = "Ioana Brândușa Țurcanu"
TOM = {"name": "Thomas Cruise Mapother", "day": 3, "month": 7, "year": 1962}
AUTUMN = {"day": 29, "month": 9, "year": 1974}
METHODS = tuple(pb.DESCRIPTOR.services_by_name["DateNumbersService"].methods)
DATED = {
    "CalculateKarmicDebts": {"name": "Ana Pop"},
    "CalculatePeriodCycles": {},
    "CalculatePinnacles": {},
    "CalculateChallenges": {},
    "CalculatePersonalCycles": {"as_of": date_pb2.Date(year=2025, month=1, day=1)},
    "CalculateTransitsAndEssence": {"name": "Ana Pop"},
}
"""Methods that take a birth date, with what else they need."""


@pytest.fixture
async def stub():
    async with running([date_numbers_service(DateNumbersServicer(clock=lambda: TODAY))]) as (_, channel):
        yield dates_pb2_grpc.DateNumbersServiceStub(channel)


def on(year, month, day):
    return date_pb2.Date(year=year, month=month, day=day)


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


@pytest.mark.parametrize(("day", "value", "debts"), [(29, 11, []), (31, 4, []), (19, 1, [19]), (22, 22, [])])
async def test_the_birthday_is_the_day_and_its_reduction(stub, day, value, debts):
    result = (await stub.CalculateBirthdayNumber(pb.CalculateBirthdayNumberRequest(day=day))).result
    assert (result.value, result.total, dict(result.inputs_used)) == (value, day, {"day": str(day)})
    assert [debt.number for debt in result.karmic_debts] == debts


async def test_the_attitude_of_21_december_is_33(stub):
    result = (await stub.CalculateAttitude(pb.CalculateAttitudeRequest(day=21, month=12))).result
    assert (result.value, result.is_master, result.root) == (33, True, 6)


async def test_karmic_debts_say_where_they_were_met(stub):
    response = await stub.CalculateKarmicDebts(pb.CalculateKarmicDebtsRequest(**TOM))
    assert [(debt.number, debt.position, debt.origin) for debt in response.debts] == [
        (19, "life_path", calculation_pb2.KARMIC_DEBT_ORIGIN_DIRECT),
        (13, "personality", calculation_pb2.KARMIC_DEBT_ORIGIN_DIRECT),
    ]
    assert response.rule_id == "karmic_debt.chain"
    assert response.personality.total == 13
    request = pb.CalculateKarmicDebtsRequest(**TOM, debt_numbers=pb.KARMIC_DEBT_NUMBERS_MALEFIC)
    assert [debt.number for debt in (await stub.CalculateKarmicDebts(request)).debts] == [19]


async def test_period_cycles_of_both_timings(stub):
    request = pb.CalculatePeriodCyclesRequest(**AUTUMN, as_of=on(2031, 6, 17))
    response = await stub.CalculatePeriodCycles(request)
    assert [cycle.number.value for cycle in response.cycles] == [9, 11, 3]
    assert [(cycle.start_age, cycle.end_age, cycle.current) for cycle in response.cycles] == [
        (0, 31, False),
        (32, 58, True),
        (59, 0, False),
    ]
    assert not response.cycles[2].HasField("end_age")
    assert (response.rule_id, response.school) == ("period_cycle.life_path_table", calculation_pb2.SCHOOL_DECOZ)
    request.timing = pb.PERIOD_CYCLE_TIMING_PERSONAL_YEAR_ONE
    response = await stub.CalculatePeriodCycles(request)
    assert (response.timing, response.school) == (request.timing, calculation_pb2.SCHOOL_GOODWIN)
    assert [each.code for each in response.warnings] == ["SECOND_CHANGE_GENERAL_KNOWLEDGE"]


async def test_pinnacles_of_all_rules_with_the_one_in_force(stub):
    request = pb.CalculatePinnaclesRequest(**AUTUMN, as_of=on(2031, 6, 17))
    found = (await stub.CalculatePinnacles(request)).pinnacles
    assert [period.number.value for period in found] == [2, 5, 7, 3]
    assert [period.current for period in found] == [False, False, False, True]
    for rule, number in pb.PinnacleRule.items():
        request.rule = number
        identifier = (await stub.CalculatePinnacles(request)).pinnacles[0].number.rule_id
        expected = rule.removeprefix("PINNACLE_RULE_").lower() if number else "component_masters"
        assert identifier == f"pinnacle.{expected}"


async def test_challenges_carry_ages_only_when_asked(stub):
    request = pb.CalculateChallengesRequest(**AUTUMN)
    found = (await stub.CalculateChallenges(request)).challenges
    assert [(period.number.value, period.main) for period in found] == [(7, False), (1, False), (6, True), (6, False)]
    assert not any(period.HasField("start_age") for period in found)
    request.challenge_ages = calculation_pb2.CHALLENGE_AGES_PINNACLE_AGES
    request.as_of.CopyFrom(on(2010, 1, 1))
    found = (await stub.CalculateChallenges(request)).challenges
    assert [period.current for period in found] == [False, True, False, False]


async def test_personal_cycles_of_the_specification(stub):
    request = pb.CalculatePersonalCyclesRequest(**AUTUMN, as_of=on(2031, 6, 17))
    response = await stub.CalculatePersonalCycles(request)
    numbers = (response.personal_year, response.personal_month, response.personal_day)
    assert ([number.value for number in numbers], response.age) == ([8, 5, 4], 56)
    request.personal_year_span = calculation_pb2.PERSONAL_YEAR_SPAN_BIRTHDAY
    response = await stub.CalculatePersonalCycles(request)
    assert (response.personal_year.value, response.personal_year.rule_id) == (7, "personal_year.birthday")


async def test_masters_of_cycles_are_kept_only_when_asked(stub):
    request = pb.CalculateUniversalCyclesRequest(as_of=on(2009, 1, 1))
    assert (await stub.CalculateUniversalCycles(request)).universal_year.value == 2
    request.master_numbers = calculation_pb2.MASTER_NUMBERS_11_22
    assert (await stub.CalculateUniversalCycles(request)).universal_year.value == 11


async def test_a_whole_timeline_has_121_years(stub):
    response = await stub.CalculateTransitsAndEssence(pb.CalculateTransitsAndEssenceRequest(**TOM))
    assert [year.age for year in response.years] == list(range(121))
    assert response.years[20].physical.letter == "A"
    assert response.years[20].essence.total == 18
    assert response.ByteSize() < 200_000
    short = await stub.CalculateTransitsAndEssence(pb.CalculateTransitsAndEssenceRequest(**TOM, explain=False))
    assert not any(year.essence.components for year in short.years)


async def test_a_timeline_of_a_date_is_the_year_of_life_that_it_falls_into(stub):
    request = pb.CalculateTransitsAndEssenceRequest(name=IOANA, **AUTUMN, as_of=on(2014, 9, 29))
    (year,) = (await stub.CalculateTransitsAndEssence(request)).years
    assert (year.age, year.start_year, year.mark) == (40, 2014, pb.ESSENCE_MARK_KARMIC_DEBT)
    assert [each.year for each in year.personal_years] == [2014, 2015]


async def test_two_last_names_are_one_transit(stub):
    request = pb.CalculateTransitsAndEssenceRequest(
        name="Ana Maria Pop Ionescu", **AUTUMN, from_age=0, to_age=0, last_names=2
    )
    response = await stub.CalculateTransitsAndEssence(request)
    assert (response.physical_name, response.mental_name, response.spiritual_name) == ("ANA", "MARIA", "POPIONESCU")


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", sorted(DATED))
@pytest.mark.parametrize(
    ("day", "month", "year", "field", "rule"),
    [
        (31, 4, 2000, "day", "date.exists"),
        (29, 2, 1900, "day", "date.exists"),
        (0, 1, 2000, "day", "int32.gte_lte"),
        (32, 1, 2000, "day", "int32.gte_lte"),
        (1, 13, 2000, "month", "int32.gte_lte"),
        (1, 1, 0, "year", "int32.gte_lte"),
        (1, 1, -5, "year", "int32.gte_lte"),
        (1, 2, 2026, "month", "date.not_in_future"),
        (1, 1, 2999, "year", "date.not_in_future"),
    ],
)
async def test_birth_dates_that_do_not_exist_or_lie_ahead_name_the_field(stub, method, day, month, year, field, rule):
    request = getattr(pb, f"{method}Request")(day=day, month=month, year=year, **DATED[method])
    assert await refused(getattr(stub, method)(request)) == {field: rule}


@pytest.mark.parametrize("method", ["CalculateKarmicDebts", "CalculateTransitsAndEssence"])
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "string.min_len"),
        ("x" * 10_000, "string.max_len"),
        ("12345", "name.digit"),
        ("...", "name.no_letters"),
        ("Ελένη", "name.unsupported_script"),
    ],
)
async def test_names_that_cannot_be_read_name_the_rule(stub, method, name, rule):
    request = getattr(pb, f"{method}Request")(name=name, **AUTUMN)
    assert await refused(getattr(stub, method)(request)) == {"name": rule}


@pytest.mark.parametrize(("day", "month", "field"), [(30, 2, "day"), (31, 6, "day"), (0, 1, "day"), (1, 0, "month")])
async def test_an_attitude_needs_a_day_that_some_year_has(stub, day, month, field):
    assert list(await refused(stub.CalculateAttitude(pb.CalculateAttitudeRequest(day=day, month=month)))) == [field]


@pytest.mark.parametrize("day", [0, 32, -1])
async def test_a_birthday_needs_a_day_of_a_month(stub, day):
    request = pb.CalculateBirthdayNumberRequest(day=day)
    assert await refused(stub.CalculateBirthdayNumber(request)) == {"day": "int32.gte_lte"}


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
    needs = {
        "CalculateBirthdayNumber": {"day": 1},
        "CalculateAttitude": {"day": 1, "month": 1},
        "CalculateUniversalCycles": {"as_of": on(2020, 1, 1)},
    }.get(method) or {**AUTUMN, **DATED[method]}
    request = getattr(pb, f"{method}Request")(**needs, **{field: 99})
    assert await refused(getattr(stub, method)(request)) == {field: "enum.defined_only"}


@pytest.mark.parametrize(
    "method",
    ["CalculatePeriodCycles", "CalculatePinnacles", "CalculatePersonalCycles", "CalculateTransitsAndEssence"],
)
@pytest.mark.parametrize(
    ("as_of", "field", "rule"),
    [
        (on(2026, 2, 30), "as_of.day", "date.exists"),
        (on(2026, 13, 1), "as_of.month", "date.month"),
        (on(0, 1, 1), "as_of.year", "date.year"),
        (on(1974, 9, 28), "as_of", "as_of.after_birth"),
    ],
)
async def test_a_date_to_ask_about_that_cannot_be_names_its_part(stub, method, as_of, field, rule):
    needs = {**DATED[method], "as_of": as_of}
    request = getattr(pb, f"{method}Request")(**AUTUMN, **needs)
    assert await refused(getattr(stub, method)(request)) == {field: rule}


@pytest.mark.parametrize("method", ["CalculatePersonalCycles", "CalculateUniversalCycles"])
async def test_no_clock_stands_in_for_a_date_that_is_missing(stub, method):
    request = getattr(pb, f"{method}Request")(**(AUTUMN if method == "CalculatePersonalCycles" else {}))
    assert await refused(getattr(stub, method)(request)) == {"as_of": "required"}


async def test_a_date_contradicts_challenges_without_ages(stub):
    request = pb.CalculateChallengesRequest(**AUTUMN, as_of=on(2020, 1, 1))
    assert await refused(stub.CalculateChallenges(request)) == {"as_of": "challenges.as_of_needs_ages"}


@pytest.mark.parametrize(
    ("options", "field", "rule"),
    [
        ({"from_age": 3, "as_of": on(2000, 1, 1)}, "as_of", "timeline.as_of_or_ages"),
        ({"to_age": 3, "as_of": on(2000, 1, 1)}, "as_of", "timeline.as_of_or_ages"),
        ({"from_age": 5, "to_age": 4}, "to_age", "timeline.order"),
        ({"from_age": -1}, "from_age", "int32.gte_lte"),
        ({"to_age": 121}, "to_age", "int32.gte_lte"),
        ({"last_names": 2}, "last_names", "transits.last_names"),
        ({"last_names": 11}, "last_names", "int32.gte_lte"),
        ({"as_of": on(2095, 9, 29)}, "as_of", "timeline.age"),
    ],
)
async def test_options_of_a_timeline_that_contradict_each_other_are_refused(stub, options, field, rule):
    request = pb.CalculateTransitsAndEssenceRequest(name="Ana Pop", **AUTUMN, **options)
    assert await refused(stub.CalculateTransitsAndEssence(request)) == {field: rule}


async def test_one_name_has_no_transits(stub):
    request = pb.CalculateTransitsAndEssenceRequest(name="Ana", **AUTUMN)
    assert await refused(stub.CalculateTransitsAndEssence(request)) == {"name": "transits.two_names"}
