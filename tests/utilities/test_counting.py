"""Counts over calendars are what counting one date after another gives, over gRPC as well."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, timedelta

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from onenumbers.utilities.v1 import calculation_pb2, counting_pb2_grpc
from onenumbers.utilities.v1 import counting_pb2 as pb
from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_runtime.testing import running
from onenumbers_utilities.counting_service import CountingServicer, counting_service
from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.counting import (
    DateNumber,
    NumberOfDates,
    count_dates,
    count_years,
    number_of,
    reachable,
    read_dates,
)
from onenumbers_utilities.numerology.cycles import cycles
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.options import LifePathMethod, NumerologyOptions

WANTED = [
    *(NumberOfDates(DateNumber.LIFE_PATH, method) for method in LifePathMethod),
    NumberOfDates(DateNumber.BIRTHDAY),
    NumberOfDates(DateNumber.ATTITUDE),
    NumberOfDates(DateNumber.PERSONAL_YEAR, personal_year_in=2031),
]


@pytest.fixture
async def stub():
    async with running([counting_service(CountingServicer())]) as (_, channel):
        yield counting_pb2_grpc.CountingServiceStub(channel)


def one_by_one(wanted: NumberOfDates, born: date) -> int:
    """The number as its own calculation returns it, sums and all."""
    match wanted.number:
        case DateNumber.LIFE_PATH:
            return life_path(born, NumerologyOptions(life_path_method=wanted.life_path_method)).value
        case DateNumber.BIRTHDAY:
            return birthday(born).value
        case DateNumber.ATTITUDE:
            return attitude(born.day, born.month).value
        case DateNumber.PERSONAL_YEAR:
            return cycles(born, date(wanted.personal_year_in, 12, 31)).personal_year.value


def counted(wanted: NumberOfDates, first: int, last: int):
    *_, found = count_dates(wanted, first, last)
    return found


@pytest.mark.parametrize("wanted", WANTED, ids=lambda each: f"{each.number.value}-{each.life_path_method.value}")
def test_a_count_is_the_count_of_one_date_after_another(wanted):
    """1896-1904 holds two leap years and a year of a full century that is none."""
    first, days = date(1896, 1, 1), (date(1905, 1, 1) - date(1896, 1, 1)).days
    expected = Counter(one_by_one(wanted, first + timedelta(days=day)) for day in range(days))
    found = counted(wanted, 1896, 1904)
    assert found.dates == days
    assert {value: dates for value, dates in found.counts.items() if dates} == dict(expected)


@pytest.mark.parametrize("wanted", WANTED, ids=lambda each: f"{each.number.value}-{each.life_path_method.value}")
def test_the_values_that_can_be_reached_are_reached_and_no_others(wanted):
    found = counted(wanted, 1, 9999)
    assert found.dates == (date.max - date.min).days + 1
    assert tuple(found.counts) == reachable(wanted)
    assert all(found.counts.values())
    assert sum(found.counts.values()) == found.dates


@pytest.mark.parametrize("which", WANTED, ids=lambda each: f"{each.number.value}-{each.life_path_method.value}")
@given(born=st.dates(max_value=date(2031, 12, 31)))
def test_the_number_of_a_date_is_that_of_its_own_calculation(which, born):
    assert number_of(which, born) == one_by_one(which, born)


@pytest.mark.parametrize("years", [1, 2, 63, 64, 65, 66, 128, 129])
def test_every_year_of_a_range_is_counted_once(years):
    """Years are counted in slices, of which the last may be short."""
    wanted = NumberOfDates(DateNumber.BIRTHDAY)
    last = 2000 + years
    assert counted(wanted, 2001, last).dates == (date(last, 12, 31) - date(2000, 12, 31)).days


@pytest.mark.parametrize("wanted", WANTED, ids=lambda each: f"{each.number.value}-{each.life_path_method.value}")
def test_the_counts_of_each_year_are_those_of_its_dates(wanted):
    found = list(count_years(wanted, 1899, 1904))
    assert [year for year, _ in found] == list(range(1899, 1905))
    for year, dates in found:
        days = (date(year, 12, 31) - date(year - 1, 12, 31)).days
        expected = Counter(one_by_one(wanted, date(year, 1, 1) + timedelta(days=day)) for day in range(days))
        assert dates == tuple(expected[value] for value in reachable(wanted))


def test_lists_of_dates_are_read_in_their_order():
    assert list(read_dates([14, 29], [11, 2], [1968, 2000])) == [date(1968, 11, 14), date(2000, 2, 29)]
    assert list(read_dates([], [], [])) == []


@pytest.mark.parametrize(
    ("days", "months", "years", "field", "rule", "said"),
    [
        ([1, 31], [1, 4], [2000, 2000], "days[1]", "date.exists", "April has no day 31"),
        ([1], [13], [2000], "months[0]", "date.month", "must be within 1-12, not 13"),
        ([1, 1, 1], [1, 1, 1], [1, 2, 0], "years[2]", "date.year", "must be within 1-9999, not 0"),
    ],
)
def test_a_date_of_a_list_that_does_not_exist_is_refused_by_its_place(days, months, years, field, rule, said):
    with pytest.raises(InvalidArgumentError) as caught:
        list(read_dates(days, months, years))
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == (field, rule)
    assert said in violation.description


def test_lists_of_dates_must_be_equally_long():
    with pytest.raises(ValueError, match="shorter"):
        list(read_dates([1, 2], [1, 2], [2000]))


async def test_counts_come_over_grpc_with_rule_and_school(stub):
    request = pb.CountDateNumbersRequest(number=pb.DATE_NUMBER_BIRTHDAY, first_year=2001, last_year=2001)
    for _ in range(2):
        found = await stub.CountDateNumbers(request)
        counts = {each.value: each.dates for each in found.counts}
        # Days 1, 10, 19, 28 of twelve months; 29 is 11 in eleven months.
        assert (counts[1], counts[11], counts[22], found.dates) == (48, 12 + 11, 12, 365)
        assert (found.rule_id, found.school) == ("birthday.day", calculation_pb2.SCHOOL_DECOZ)


async def test_the_counts_of_the_years_add_up_to_those_of_the_range(stub):
    for number in (pb.DATE_NUMBER_LIFE_PATH, pb.DATE_NUMBER_ATTITUDE):
        found = await stub.CountDateNumbers(
            pb.CountDateNumbersRequest(number=number, first_year=1896, last_year=1905, by_year=True)
        )
        assert [each.year for each in found.years] == list(range(1896, 1906))
        assert [sum(each.dates) for each in found.years] == [366, 365, 365, 365, 365, 365, 365, 365, 366, 365]
        sums = [sum(column) for column in zip(*(each.dates for each in found.years), strict=True)]
        assert sums == [each.dates for each in found.counts]
    whole = pb.CountDateNumbersRequest(
        number=pb.DATE_NUMBER_LIFE_PATH, first_year=1, last_year=9999, by_year=True,
        life_path_method=calculation_pb2.LIFE_PATH_METHOD_STRAIGHT,
    )  # fmt: skip
    assert len((await stub.CountDateNumbers(whole)).years) == 9999


async def test_numbers_of_many_dates_come_in_their_order(stub):
    request = pb.NumberDatesRequest(
        number=pb.DATE_NUMBER_LIFE_PATH, days=[14, 29, 29], months=[11, 9, 6], years=[1968, 1974, 1947]
    )
    found = await stub.NumberDates(request)
    assert list(found.values) == [22, 5, 2]
    request.life_path_method = calculation_pb2.LIFE_PATH_METHOD_SUM_ALL_DIGITS
    found = await stub.NumberDates(request)
    assert list(found.values) == [4, 5, 11]
    assert found.rule_id == "life_path.sum_all_digits"


async def test_the_largest_request_is_answered_and_others_are_served_meanwhile(stub):
    many = 100_000
    request = pb.NumberDatesRequest(
        number=pb.DATE_NUMBER_ATTITUDE, days=[28] * many, months=[2] * many, years=[1999] * many
    )
    small = pb.CountDateNumbersRequest(number=pb.DATE_NUMBER_LIFE_PATH, first_year=1, last_year=9999)
    large, counts = await asyncio.gather(stub.NumberDates(request), stub.CountDateNumbers(small))
    assert len(large.values) == many
    assert set(large.values) == {3}
    assert counts.dates == 3_652_059
    request.days.append(1)
    request.months.append(1)
    request.years.append(1)
    with pytest.raises(grpc.aio.AioRpcError, match="days"):
        await stub.NumberDates(request)


DATES = {"days": [1], "months": [1], "years": [2000]}


@pytest.mark.parametrize(
    ("method", "fields", "field"),
    [
        ("CountDateNumbers", {"first_year": 1900, "last_year": 1999}, "number"),
        ("CountDateNumbers", {"number": 99, "first_year": 1900, "last_year": 1999}, "number"),
        ("CountDateNumbers", {"number": 1, "first_year": 0, "last_year": 1999}, "first_year"),
        ("CountDateNumbers", {"number": 1, "first_year": 1, "last_year": 10_000}, "last_year"),
        ("CountDateNumbers", {"number": 1, "first_year": 2000, "last_year": 1999}, "last_year"),
        ("CountDateNumbers", {"number": 4, "first_year": 2000, "last_year": 2000}, "personal_year_in"),
        (
            "CountDateNumbers",
            {"number": 1, "first_year": 2000, "last_year": 2000, "personal_year_in": 5},
            "personal_year_in",
        ),
        ("NumberDates", {"number": 1, "days": [1, 2], "months": [1], "years": [2000]}, "days, months and years"),
        ("NumberDates", {"number": 1, "days": [1, 31], "months": [1, 4], "years": [2000, 2000]}, "days[1]"),
        ("NumberDates", {"number": 1, "days": [1], "months": [13], "years": [2000]}, "months[0]"),
        ("NumberDates", {"number": 1, "days": [1], "months": [1], "years": [-1]}, "years[0]"),
        ("NumberDates", {**DATES, "number": 1, "life_path_method": 77}, "life_path_method"),
    ],
)
async def test_bad_requests_name_the_field(stub, method, fields, field):
    request = getattr(pb, f"{method}Request")(**fields)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(stub, method)(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in caught.value.details()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    assert any(detail.Is(error_details_pb2.BadRequest.DESCRIPTOR) for detail in status.details)
