"""The servicer of CountingService: converts, counts in slices, converts back."""
# ruff: noqa: N802 - gRPC names the methods of a servicer after the contract.

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any, Final

from onenumbers.utilities.v1 import counting_pb2 as pb
from onenumbers.utilities.v1 import counting_pb2_grpc
from onenumbers_runtime.server import Service
from onenumbers_utilities.convert import LIFE_PATH_METHODS, SCHOOLS
from onenumbers_utilities.numerology.counting import (
    DateCounts,
    DateNumber,
    NumberOfDates,
    count_dates,
    count_years,
    number_of,
    read_dates,
)

_SLICE_S: Final = 0.005
"""Seconds that a count may hold the event loop before other calls run, and a cancellation is noticed."""
_MOST_KEPT: Final = 1_000
"""Counts that are kept: a dozen figures each."""
_NUMBERS: Final = {pb.DateNumber.Value(f"DATE_NUMBER_{number.name}"): number for number in DateNumber}


class CountingServicer(counting_pb2_grpc.CountingServiceServicer):
    """Serves counts over calendars. Counts never change, so the last ones are kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[NumberOfDates, int, int], DateCounts] = OrderedDict()

    async def CountDateNumbers(
        self,
        request: pb.CountDateNumbersRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CountDateNumbersResponse:
        """Counts every value of a number over all dates of a range of years."""
        wanted = _wanted(request)
        found = await self._count(wanted, request.first_year, request.last_year)
        rule_id, school = wanted.rule()
        years: list[pb.YearCounts] = []
        slice_end = time.monotonic() + _SLICE_S
        for year, counts in count_years(wanted, request.first_year, request.last_year) if request.by_year else ():
            years.append(pb.YearCounts(year=year, dates=counts))
            if time.monotonic() >= slice_end:
                await asyncio.sleep(0)
                slice_end = time.monotonic() + _SLICE_S
        return pb.CountDateNumbersResponse(
            years=years,
            counts=[pb.DateNumberCount(value=value, dates=dates) for value, dates in found.counts.items()],
            dates=found.dates,
            rule_id=rule_id,
            school=SCHOOLS[school],
        )

    async def NumberDates(
        self,
        request: pb.NumberDatesRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.NumberDatesResponse:
        """Returns one number of many dates, in their order."""
        wanted = _wanted(request)
        values: list[int] = []
        slice_end = time.monotonic() + _SLICE_S
        for born in read_dates(request.days, request.months, request.years):
            values.append(number_of(wanted, born))
            if time.monotonic() >= slice_end:
                await asyncio.sleep(0)
                slice_end = time.monotonic() + _SLICE_S
        rule_id, school = wanted.rule()
        return pb.NumberDatesResponse(values=values, rule_id=rule_id, school=SCHOOLS[school])

    async def _count(self, wanted: NumberOfDates, first_year: int, last_year: int) -> DateCounts:
        key = (wanted, first_year, last_year)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found: DateCounts | None = None
        slice_end = time.monotonic() + _SLICE_S
        for found in count_dates(wanted, first_year, last_year):
            if found is None and time.monotonic() >= slice_end:
                await asyncio.sleep(0)
                slice_end = time.monotonic() + _SLICE_S
        if found is None:
            raise AssertionError("a count ends with its result")
        self._kept[key] = found
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found


def counting_service(servicer: CountingServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["CountingService"].full_name,
        add=counting_pb2_grpc.add_CountingServiceServicer_to_server,
        servicer=servicer,
    )


def _wanted(request: pb.CountDateNumbersRequest | pb.NumberDatesRequest) -> NumberOfDates:
    return NumberOfDates(
        number=_NUMBERS[request.number],
        life_path_method=LIFE_PATH_METHODS[request.life_path_method],
        personal_year_in=request.personal_year_in if request.HasField("personal_year_in") else None,
    ).checked()
