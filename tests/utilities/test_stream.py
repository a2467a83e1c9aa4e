"""Any number of profiles: in order, one outcome each, with the reader setting the pace."""

from __future__ import annotations

import asyncio
from datetime import date

import grpc
import pytest
from google.type import date_pb2

from onenumbers.utilities.v1 import calculation_pb2, utilities_pb2_grpc
from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers_runtime.testing import running
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

PERSON = {"name": "Ioana Brândușa Țurcanu", "day": 14, "month": 11, "year": 1968}
NUMBERS = ("life_path", "expression", "soul_urge", "personality", "birthday", "maturity", "balance")
AS_OF = date_pb2.Date(year=2031, month=6, day=17)


@pytest.fixture
async def stub():
    servicer = UtilitiesServicer(clock=lambda: date(2026, 1, 31), max_response_bytes=4 * 1024 * 1024)
    async with running([utilities_service(servicer)]) as (_, channel):
        yield utilities_pb2_grpc.UtilitiesServiceStub(channel)


def row(number: int) -> pb.ProfileInput:
    """A person; every tenth was born on a day that does not exist."""
    day = 31 if number % 10 == 9 else 1 + number % 28
    return pb.ProfileInput(name="Ana Pop", day=day, month=4, year=1900 + number % 120, id=str(number))


async def answers(call) -> tuple[list[pb.BatchItem], list[pb.ProfileRule]]:
    items: list[pb.BatchItem] = []
    rules: list[pb.ProfileRule] = []
    async for response in call:
        items.extend(response.items)
        rules.extend(response.rules)
    return items, rules


async def test_every_row_gets_its_outcome_in_order_whatever_the_sizes_of_messages(stub):
    async def requests():
        start = 0
        for size in (0, 1, 1000, 7, 492):
            yield pb.StreamProfilesRequest(profiles=[row(number) for number in range(start, start + size)])
            start += size

    items, rules = await answers(stub.StreamProfiles(requests(), timeout=60))
    assert [item.index for item in items] == list(range(1500))
    assert [item.id for item in items] == [str(number) for number in range(1500)]
    assert sum(item.HasField("error") for item in items) == 150
    assert "profiles[9].day" in items[9].error.message
    assert {rule.position: rule.rule_id for rule in rules}["life_path"] == "life_path.grouped_masters"


async def test_results_without_sums_have_the_same_numbers_as_those_with_them(stub):
    """What the rows leave out stands in the rules, once."""
    for method in calculation_pb2.LifePathMethod.values():
        options = pb.ProfileOptions(life_path_method=method)
        request = {"profiles": [pb.ProfileInput(**PERSON)], "options": options, "as_of": AS_OF}
        lean = await stub.BatchCalculate(pb.BatchCalculateRequest(**request), timeout=20)
        full = await stub.BatchCalculate(pb.BatchCalculateRequest(**request, explain=True), timeout=20)
        assert not full.rules
        rules = {rule.position: rule for rule in lean.rules}
        one, other = lean.items[0].profile, full.items[0].profile
        pairs = [(name, getattr(one, name), getattr(other, name)) for name in NUMBERS]
        pairs += [(f"cycles.{name.name}", number, getattr(other.cycles, name.name))
                  for name, number in one.cycles.ListFields() if name.name not in ("as_of", "age")]  # fmt: skip
        pairs += [("pinnacles", a.number, b.number) for a, b in zip(one.pinnacles, other.pinnacles, strict=True)]
        pairs += [("challenges", a.number, b.number) for a, b in zip(one.challenges, other.challenges, strict=True)]
        assert len(pairs) == 21
        for position, short, long in pairs:
            assert (short.value, short.root, short.is_master, short.total, list(short.chain)) == (
                (long.value, long.root, long.is_master, long.total, list(long.chain))
            )
            assert (rules[position].rule_id, rules[position].school) == (long.rule_id, long.school)
            assert not short.rule_id
        for field in ("name", "birth_date", "inclusion", "karmic_lessons", "hidden_passions", "subconscious_self"):
            assert getattr(one, field) == getattr(other, field)
        assert one.karmic_debts == other.karmic_debts
        assert one.master_numbers == other.master_numbers
        assert [(p.ordinal, p.start_age, p.end_age, p.current) for p in one.pinnacles] == [
            (p.ordinal, p.start_age, p.end_age, p.current) for p in other.pinnacles
        ]


async def test_a_batch_of_ten_thousand_rows_fits_into_one_answer(stub):
    rows = [pb.ProfileInput(**PERSON, id=str(number)) for number in range(10_000)]
    answer = await stub.BatchCalculate(pb.BatchCalculateRequest(profiles=rows), timeout=60)
    assert (answer.succeeded, len(answer.items)) == (10_000, 10_000)
    with pytest.raises(grpc.aio.AioRpcError, match="profiles"):
        await stub.BatchCalculate(pb.BatchCalculateRequest(profiles=[*rows, rows[0]]), timeout=60)


async def test_settings_may_only_come_first(stub):
    async def requests():
        yield pb.StreamProfilesRequest(profiles=[row(0)])
        yield pb.StreamProfilesRequest(settings=pb.StreamProfilesSettings(explain=True))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answers(stub.StreamProfiles(requests(), timeout=20))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "settings" in caught.value.details()


async def test_a_message_with_too_many_rows_is_refused(stub):
    async def requests():
        yield pb.StreamProfilesRequest(profiles=[row(number) for number in range(1001)])

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answers(stub.StreamProfiles(requests(), timeout=20))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_sums_of_many_rows_are_split_over_messages():
    limit = 256 * 1024
    servicer = UtilitiesServicer(clock=lambda: date(2026, 1, 31), max_response_bytes=limit)
    settings = pb.StreamProfilesSettings(explain=True, as_of=AS_OF)
    request = pb.StreamProfilesRequest(profiles=[pb.ProfileInput(**PERSON)] * 200, settings=settings)
    async with running([utilities_service(servicer)]) as (_, channel):
        stub = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        answered = [response async for response in stub.StreamProfiles(iter([request]), timeout=60)]
    assert sum(len(response.items) for response in answered) == 200
    assert len(answered) > 1
    assert all(response.ByteSize() <= limit for response in answered)


async def test_a_client_that_does_not_read_is_waited_for(stub):
    """With nothing read, flow control must stop the sender long before it has sent everything, 1 GB."""
    whole, sent = 20_000, 0
    message = pb.StreamProfilesRequest(profiles=[row(number) for number in range(1_000)])

    async def requests():
        nonlocal sent
        for _ in range(whole):
            sent += 1
            yield message

    call = stub.StreamProfiles(requests(), timeout=60)
    before = -1
    while sent != before:
        before = sent
        await asyncio.sleep(0.5)
    assert 0 < sent < whole / 4
    call.cancel()
