"""The utilities server, as the analyses use it: counts over calendars, numbers of many people, the convention table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from onenumbers.utilities.v1 import (
    compatibility_pb2,
    compatibility_pb2_grpc,
    counting_pb2,
    counting_pb2_grpc,
    utilities_pb2,
    utilities_pb2_grpc,
)
from onenumbers_runtime.calls import outgoing_metadata, outgoing_timeout
from onenumbers_runtime.errors import UnavailableError

_LIMIT_S: Final = 120.0
_ROWS_A_MESSAGE: Final = 1_000
_COUPLE: Final = (
    compatibility_pb2.ComparedPerson(name="Ana Pop", day=14, month=11, year=1968),
    compatibility_pb2.ComparedPerson(name="Ion Rusu", day=29, month=9, year=1974),
)
"""Any two people: the table is the same for all."""
_DATE_NUMBERS: Final = {
    name.removeprefix("DATE_NUMBER_").lower(): value for name, value in counting_pb2.DateNumber.items()
}


@dataclass(frozen=True, slots=True)
class DateNumberCounts:
    """How many dates of a period have each value of a number."""

    counts: Mapping[int, int]
    dates: int
    rule_id: str
    years: Mapping[int, Sequence[int]]
    """Counts of each year in the order of `counts`; empty where they were not asked for."""

    def rates(self) -> dict[int, float]:
        """Returns the share of each value."""
        return {value: count / self.dates for value, count in self.counts.items()}

    def matched_rates(self, born_in: Mapping[int, int]) -> dict[int, float]:
        """Returns the mean share of each value over people, each by the dates of the own year.

        Args:
            born_in: People by year of birth, at least one; all years were counted.
        """
        people = sum(born_in.values())
        found = dict.fromkeys(self.counts, 0.0)
        for year, born in born_in.items():
            counts = self.years[year]
            for value, count in zip(found, counts, strict=True):
                found[value] += born / people * count / sum(counts)
        return found


@dataclass(frozen=True, slots=True)
class WhichNumber:
    """Which number of a date is wanted."""

    name: str
    """life_path, birthday, attitude or personal_year."""
    life_path_method: int = 0
    """A LifePathMethod of the contract."""
    personal_year_in: int | None = None


@dataclass(frozen=True, slots=True)
class NameNumber:
    """What became of one person: a value, or why there is none."""

    value: int | None
    """None where there is nothing to count, such as vowels, and where the row is broken."""
    column: str = ""
    error: str = ""
    """Empty where the row is not broken."""


class UtilitiesClient:
    """Calculates through the utilities server.

    Args:
        channel: Channel to it.
        token: Bearer token that it asks for, or None.

    Raises:
        UnavailableError: From every method, when it does not answer. Other refusals are passed on unchanged.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None) -> None:
        self._counting: Any = counting_pb2_grpc.CountingServiceStub(channel)
        self._utilities: Any = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        self._compatibility: Any = compatibility_pb2_grpc.CompatibilityServiceStub(channel)
        self._token = token

    async def count(
        self, which: WhichNumber, first_year: int, last_year: int, *, by_year: bool = False
    ) -> DateNumberCounts:
        """Returns how many dates of the years, both included, have each value of a number."""
        request = counting_pb2.CountDateNumbersRequest(
            number=_DATE_NUMBERS[which.name],
            first_year=first_year,
            last_year=last_year,
            life_path_method=which.life_path_method,  # type: ignore[arg-type]
            personal_year_in=which.personal_year_in,
            by_year=by_year,
        )
        found = await self._call(self._counting.CountDateNumbers, request)
        return DateNumberCounts(
            {each.value: each.dates for each in found.counts},
            found.dates,
            found.rule_id,
            {each.year: each.dates for each in found.years},
        )

    async def number_dates(self, which: WhichNumber, dates: Sequence[date]) -> list[int]:
        """Returns the number of each date, in order."""
        request = counting_pb2.NumberDatesRequest(
            number=_DATE_NUMBERS[which.name],
            days=[each.day for each in dates],
            months=[each.month for each in dates],
            years=[each.year for each in dates],
            life_path_method=which.life_path_method,  # type: ignore[arg-type]
            personal_year_in=which.personal_year_in,
        )
        return list((await self._call(self._counting.NumberDates, request)).values)

    async def number_names(
        self, position: str, people: Sequence[tuple[str, date]], *, life_path_method: int = 0
    ) -> tuple[list[NameNumber], str]:
        """Returns a number of each person, in order, and the rule by which it was calculated.

        Args:
            position: expression, soul_urge, personality or maturity.
            people: Name and birth date of each.
            life_path_method: A LifePathMethod of the contract; of effect on the maturity.
        """
        found: list[NameNumber] = []
        rule_id = ""
        call = self._utilities.StreamProfiles(
            _profiles(people, life_path_method),
            timeout=outgoing_timeout(_LIMIT_S),
            metadata=outgoing_metadata(self._token),
        )
        try:
            async for response in call:
                rule_id = next((rule.rule_id for rule in response.rules if rule.position == position), rule_id)
                found += (_name_number(item, position) for item in response.items)
        except grpc.aio.AioRpcError as error:
            _refuse(error)
        return found, rule_id

    async def convention_table(self) -> list[tuple[int, int, int]]:
        """Returns both numbers and the points of every cell of the convention table, row by row."""
        request = compatibility_pb2.CompareCompatibilityRequest(
            first=_COUPLE[0], second=_COUPLE[1], include_table=True, explain=False
        )
        found = await self._call(self._compatibility.CompareCompatibility, request)
        return [
            (row.number, second, points) for row in found.table for second, points in enumerate(row.points, start=1)
        ]

    async def _call(self, method: Any, request: Message) -> Any:
        try:
            return await method(request, timeout=outgoing_timeout(_LIMIT_S), metadata=outgoing_metadata(self._token))
        except grpc.aio.AioRpcError as error:
            _refuse(error)


def _refuse(error: grpc.aio.AioRpcError) -> NoReturn:
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        raise UnavailableError(
            "the utilities server does not answer, and analyses calculate with it",
            reason="UTILITIES_UNAVAILABLE",
            retry_after=1.0,
        ) from error
    raise error


async def _profiles(
    people: Sequence[tuple[str, date]], life_path_method: int
) -> AsyncIterator[utilities_pb2.StreamProfilesRequest]:
    settings = utilities_pb2.StreamProfilesSettings(
        options=utilities_pb2.ProfileOptions(life_path_method=life_path_method)  # type: ignore[arg-type]
    )
    for start in range(0, len(people), _ROWS_A_MESSAGE):
        yield utilities_pb2.StreamProfilesRequest(
            profiles=[
                utilities_pb2.ProfileInput(name=name, day=born.day, month=born.month, year=born.year)
                for name, born in people[start : start + _ROWS_A_MESSAGE]
            ],
            settings=settings if not start else None,
        )


def _name_number(item: utilities_pb2.BatchItem, position: str) -> NameNumber:
    if item.HasField("error"):
        return NameNumber(None, *_broken(item.error))
    number = getattr(item.profile, position)
    return NameNumber(number.value if number.HasField("value") else None)


def _broken(status: status_pb2.Status) -> tuple[str, str]:
    """Returns the column and what is wrong with it."""
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad) and bad.field_violations:
            violation = bad.field_violations[0]
            return violation.field.rpartition(".")[2], violation.description
    return "", status.message
