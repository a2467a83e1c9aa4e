"""The five tools over gRPC, on a real server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import date

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from onenumbers.utilities.v1 import calculation_pb2, utilities_pb2_grpc
from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers_runtime.testing import running
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

TODAY = date(2026, 1, 31)
LIMIT = 4 * 1024 * 1024


@pytest.fixture
async def stub():
    servicer = UtilitiesServicer(clock=lambda: TODAY, max_response_bytes=LIMIT)
    async with running([utilities_service(servicer)]) as (_, channel):
        yield utilities_pb2_grpc.UtilitiesServiceStub(channel)


async def refused(call, code=grpc.StatusCode.INVALID_ARGUMENT) -> dict[str, str]:
    """Returns the rules that were broken, by field, of a call that has to fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is code, caught.value.details()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    found: dict[str, str] = {}
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            found.update({item.field: item.reason for item in bad.field_violations})
    for field in found:
        assert field in caught.value.details()
    return found


async def test_the_life_path_shows_every_sum(stub):
    """14 November 1968 by Decoz: 11 + (14 -> 5) + (1968 -> 24 -> 6) = 22, a master number that is kept."""
    result = (await stub.CalculateLifePath(pb.CalculateLifePathRequest(day=14, month=11, year=1968))).result
    assert (result.value, result.total, list(result.chain), result.is_master, result.root) == (22, 22, [22], True, 4)
    components = {item.label: (item.total, item.value, list(item.chain)) for item in result.components}
    assert components == {"month": (11, 11, [11]), "day": (14, 5, [14, 5]), "year": (24, 6, [24, 6])}
    assert result.rule_id
    assert result.school == calculation_pb2.SCHOOL_DECOZ
    assert dict(result.inputs_used) == {"day": "14", "month": "11", "year": "1968"}


async def test_explanations_can_be_left_out(stub):
    result = (
        await stub.CalculateLifePath(pb.CalculateLifePathRequest(day=14, month=11, year=1968, explain=False))
    ).result
    assert result.value == 22
    assert not result.components


@pytest.mark.parametrize(
    ("day", "month", "year", "field"),
    [
        (31, 4, 2000, "day"),
        (29, 2, 1900, "day"),
        (0, 1, 2000, "day"),
        (32, 1, 2000, "day"),
        (1, 13, 2000, "month"),
        (1, 0, 2000, "month"),
        (1, 1, 0, "year"),
        (1, 1, -5, "year"),
        (1, 2, 2026, "month"),
        (1, 1, 2999, "year"),
        (31, 12, 2025 + 1, "month"),
    ],
)
async def test_dates_that_do_not_exist_or_lie_ahead_name_the_field(stub, day, month, year, field):
    broken = await refused(stub.CalculateLifePath(pb.CalculateLifePathRequest(day=day, month=month, year=year)))
    assert field in broken
    assert all(broken.values()), "every violation names its rule"


async def test_today_is_a_birthday_that_exists(stub):
    request = pb.CalculateLifePathRequest(day=TODAY.day, month=TODAY.month, year=TODAY.year)
    assert (await stub.CalculateLifePath(request)).result.value


async def test_expression_and_destiny_are_one_number_and_letters_with_marks_count(stub):
    name = "Ioana Brândușa Țurcanu"
    expression = (await stub.CalculateExpressionNumber(pb.CalculateExpressionNumberRequest(name=name))).result
    destiny = (await stub.CalculateDestinyNumber(pb.CalculateDestinyNumberRequest(name=name))).result
    assert expression.value == destiny.value == 11
    letters = [letter for part in expression.components for letter in part.letters]
    assert len(letters) == 20
    assert sum(letter.value for letter in letters) == sum(part.total for part in expression.components)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "string.min_len"),
        ("...", "name.no_letters"),
        ("Иван Петров", "name.unsupported_script"),
        ("Ana 😀", "name.emoji"),
        ("Ana\u202epoP", "name.bidi_mark"),
        ("Ana\tPop", "name.control_character"),
        ("x" * 10_000, "string.max_len"),
    ],
)
async def test_names_that_cannot_be_read_name_the_rule(stub, name, rule):
    for call in (
        stub.CalculateExpressionNumber(pb.CalculateExpressionNumberRequest(name=name)),
        stub.CalculateDestinyNumber(pb.CalculateDestinyNumberRequest(name=name)),
        stub.AnalyzeNumerologyProfile(pb.AnalyzeNumerologyProfileRequest(name=name, day=1, month=1, year=2000)),
    ):
        assert await refused(call) == {"name": rule}


async def test_unknown_enum_values_are_refused(stub):
    broken = await refused(stub.CalculateLifePath(pb.CalculateLifePathRequest(day=1, month=1, year=2000, method=99)))
    assert list(broken) == ["method"]


async def test_the_profile_holds_everything_it_promises(stub):
    request = pb.AnalyzeNumerologyProfileRequest(name="Ioana Brândușa Țurcanu", day=14, month=11, year=1968)
    request.as_of.year, request.as_of.month, request.as_of.day = 2026, 1, 31
    found = (await stub.AnalyzeNumerologyProfile(request)).profile
    for field in ("life_path", "expression", "soul_urge", "personality", "birthday", "maturity", "balance"):
        assert getattr(found, field).value > 0, field
        assert getattr(found, field).rule_id, field
    assert found.hidden_passions
    assert found.subconscious_self == 9 - len(found.karmic_lessons)
    assert sum(found.inclusion.counts) == 20
    assert [item.ordinal for item in found.pinnacles] == [1, 2, 3, 4]
    assert [item.ordinal for item in found.challenges] == [1, 2, 3, 4]
    assert found.pinnacles[0].end_age == 36 - found.life_path.root
    assert sum(item.current for item in found.pinnacles) == 1
    assert found.cycles.age == 57
    for field in ("personal_year", "personal_month", "personal_day"):
        assert getattr(found.cycles, field).value > 0
    assert {item.position for item in found.master_numbers} >= {"life_path", "expression"}


async def test_periods_and_cycles_are_left_out_when_not_asked_for(stub):
    request = pb.AnalyzeNumerologyProfileRequest(
        name="Ana", day=1, month=1, year=2000, include_pinnacles=False, include_challenges=False
    )
    found = (await stub.AnalyzeNumerologyProfile(request)).profile
    assert not found.pinnacles
    assert not found.challenges
    assert not found.HasField("cycles")


async def test_an_as_of_date_that_does_not_exist_is_named(stub):
    request = pb.AnalyzeNumerologyProfileRequest(name="Ana", day=1, month=1, year=2000)
    request.as_of.year, request.as_of.month, request.as_of.day = 2026, 2, 30
    assert list(await refused(stub.AnalyzeNumerologyProfile(request))) == ["as_of.day"]


async def test_a_bad_row_never_fails_the_others_and_says_where_it_is(stub):
    rows = [
        pb.ProfileInput(id="a", name="Ana", day=1, month=1, year=2000),
        pb.ProfileInput(id="b", name="Иван", day=1, month=1, year=2000),
        pb.ProfileInput(id="c", name="Ion", day=31, month=4, year=2000),
        pb.ProfileInput(id="d", name="Ion", day=30, month=4, year=2000),
    ]
    answer = await stub.BatchCalculate(pb.BatchCalculateRequest(profiles=rows))
    assert (answer.succeeded, answer.failed) == (2, 2)
    assert [(item.index, item.id, item.WhichOneof("outcome")) for item in answer.items] == [
        (0, "a", "profile"),
        (1, "b", "error"),
        (2, "c", "error"),
        (3, "d", "profile"),
    ]
    assert "profiles[1].name" in answer.items[1].error.message
    assert "profiles[2].day" in answer.items[2].error.message
    assert all(item.error.code == 3 for item in answer.items[1:3])


async def test_a_batch_too_large_to_be_answered_says_so(stub):
    rows = [pb.ProfileInput(name="Anastasia " * 15, day=1, month=1, year=2000)] * 1000
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.BatchCalculate(pb.BatchCalculateRequest(profiles=rows, explain=True))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "send fewer rows" in caught.value.details()


async def test_many_clients_at_once_get_their_own_answers(stub):
    async def one(day: int) -> tuple[int, int]:
        request = pb.CalculateLifePathRequest(day=day, month=1, year=2000)
        result = (await stub.CalculateLifePath(request)).result
        return day, int(result.inputs_used["day"])

    for asked, answered in await asyncio.gather(*(one(1 + n % 28) for n in range(400))):
        assert asked == answered


async def test_the_process_starts_by_its_settings_and_drains_on_sigterm(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onenumbers_utilities"),
        env={**os.environ, "MCP_UTILITIES_PORT": "0", "MCP_LOG_FORMAT": "json", "MCP_DATA_DIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        async for line in process.stdout:
            if b"health_changed" in line:
                break
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


@pytest.mark.parametrize(("variable", "value"), [("MCP_UTILITIES_PORT", "many"), ("MCP_LOG_LEVEL", "loud")])
async def test_a_wrong_setting_ends_the_process_with_one_line_that_names_the_variable(variable, value):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onenumbers_utilities"),
        env={**os.environ, variable: value},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await process.communicate()
    assert process.returncode == 2
    assert len(error.decode().splitlines()) == 1
    assert variable in error.decode()
