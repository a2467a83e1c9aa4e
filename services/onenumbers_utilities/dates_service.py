"""The servicer of DateNumbersService: converts, calls the domain, converts back."""
# ruff: noqa: N802, ARG002 - gRPC names the methods after the contract and passes each one its context

from __future__ import annotations

from datetime import date
from typing import Any

from onenumbers.utilities.v1 import dates_pb2 as pb
from onenumbers.utilities.v1 import dates_pb2_grpc
from onenumbers_runtime.errors import invalid
from onenumbers_runtime.server import Service
from onenumbers_utilities import convert, convert_dates
from onenumbers_utilities.clock import Clock
from onenumbers_utilities.explained import Explained
from onenumbers_utilities.numerology.attitude import attitude
from onenumbers_utilities.numerology.cycles import cycles, universal_cycles
from onenumbers_utilities.numerology.dates import age_on, date_notices
from onenumbers_utilities.numerology.debt_report import debt_report
from onenumbers_utilities.numerology.life_path import birthday
from onenumbers_utilities.numerology.period_cycles import period_cycles, timing_notices, timing_school
from onenumbers_utilities.numerology.periods import challenges, pinnacles
from onenumbers_utilities.numerology.timeline import timeline_ages
from onenumbers_utilities.numerology.transits import transits
from onenumbers_utilities.request_options import (
    as_of_of,
    birth_of,
    explain_of,
    marked_name_of,
    name_of,
    read_options,
)


class DateNumbersServicer(dates_pb2_grpc.DateNumbersServiceServicer):
    """Serves the numbers of dates.

    Args:
        clock: Tells today's date, after which nobody can be born.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def CalculateBirthdayNumber(
        self, request: pb.CalculateBirthdayNumberRequest, context: Any
    ) -> pb.CalculateBirthdayNumberResponse:
        """Calculates the birthday number."""
        found = birthday(_any_month_with(request.day), read_options(request), explain=explain_of(request))
        return pb.CalculateBirthdayNumberResponse(result=convert.number(found))

    async def CalculateAttitude(
        self, request: pb.CalculateAttitudeRequest, context: Any
    ) -> pb.CalculateAttitudeResponse:
        """Calculates the attitude number."""
        found = attitude(request.day, request.month, read_options(request), explain=explain_of(request))
        return pb.CalculateAttitudeResponse(result=convert.number(found))

    async def CalculateKarmicDebts(
        self, request: pb.CalculateKarmicDebtsRequest, context: Any
    ) -> pb.CalculateKarmicDebtsResponse:
        """Finds the karmic debts of a person."""
        report = debt_report(
            marked_name_of(request, read_options(request)),
            birth_of(request, self._clock),
            numbers=convert_dates.DEBT_NUMBERS[request.debt_numbers],
            explain=explain_of(request),
        )
        return convert_dates.debts(report)

    async def CalculatePeriodCycles(
        self, request: pb.CalculatePeriodCyclesRequest, context: Any
    ) -> pb.CalculatePeriodCyclesResponse:
        """Calculates the period cycles."""
        born, timing = birth_of(request, self._clock), convert_dates.TIMINGS[request.timing]
        found = period_cycles(
            born, read_options(request), timing=timing, age=_age(request, born), explain=explain_of(request)
        )
        return pb.CalculatePeriodCyclesResponse(
            cycles=[convert_dates.period_cycle(each) for each in found],
            timing=convert_dates.TIMING_VALUES[timing],
            rule_id=found[0].number.rule_id,
            school=convert.SCHOOLS[timing_school(timing)],
            warnings=convert.warning_messages((*timing_notices(timing), *date_notices(born))),
        )

    async def CalculatePinnacles(
        self, request: pb.CalculatePinnaclesRequest, context: Any
    ) -> pb.CalculatePinnaclesResponse:
        """Calculates the pinnacles."""
        born = birth_of(request, self._clock)
        found = pinnacles(
            born,
            read_options(request),
            rule=convert_dates.PINNACLE_RULES[request.rule],
            age=_age(request, born),
            explain=explain_of(request),
        )
        return pb.CalculatePinnaclesResponse(pinnacles=[convert.period_message(each) for each in found])

    async def CalculateChallenges(
        self, request: pb.CalculateChallengesRequest, context: Any
    ) -> pb.CalculateChallengesResponse:
        """Calculates the challenges."""
        born, options = birth_of(request, self._clock), read_options(request)
        age = _age(request, born)
        found = challenges(born, options, age=age, explain=explain_of(request))
        if age is not None and found[0].start_age is None:
            raise invalid(
                "as_of",
                "needs challenge_ages: challenges without ages are not in force on a date",
                rule="challenges.as_of_needs_ages",
            )
        return pb.CalculateChallengesResponse(challenges=[convert.period_message(each) for each in found])

    async def CalculatePersonalCycles(
        self, request: pb.CalculatePersonalCyclesRequest, context: Any
    ) -> pb.CalculatePersonalCyclesResponse:
        """Calculates personal year, month and day."""
        born = birth_of(request, self._clock)
        found = cycles(born, _required(as_of_of(request)), read_options(request), explain=explain_of(request))
        return pb.CalculatePersonalCyclesResponse(
            as_of=convert.date_message(found.as_of),
            age=found.age,
            personal_year=convert.number(found.personal_year),
            personal_month=convert.number(found.personal_month),
            personal_day=convert.number(found.personal_day),
        )

    async def CalculateUniversalCycles(
        self, request: pb.CalculateUniversalCyclesRequest, context: Any
    ) -> pb.CalculateUniversalCyclesResponse:
        """Calculates universal year, month and day."""
        as_of = _required(as_of_of(request))
        year, month, day = universal_cycles(as_of, read_options(request), explain=explain_of(request))
        return pb.CalculateUniversalCyclesResponse(
            as_of=convert.date_message(as_of),
            universal_year=convert.number(year),
            universal_month=convert.number(month),
            universal_day=convert.number(day),
        )

    async def CalculateTransitsAndEssence(
        self, request: pb.CalculateTransitsAndEssenceRequest, context: Any
    ) -> pb.CalculateTransitsAndEssenceResponse:
        """Calculates transit letters and essence of the years of a life."""
        options, born = read_options(request), birth_of(request, self._clock)
        ages = timeline_ages(
            born,
            from_age=request.from_age if request.HasField("from_age") else None,
            to_age=request.to_age if request.HasField("to_age") else None,
            as_of=as_of_of(request),
        )
        found = transits(
            name_of(request, options),
            born,
            ages,
            options,
            last_names=request.last_names or 1,
            explain=explain_of(request),
        )
        return convert_dates.transits(found)


def date_numbers_service(servicer: DateNumbersServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["DateNumbersService"].full_name,
        add=dates_pb2_grpc.add_DateNumbersServiceServicer_to_server,
        servicer=Explained(servicer),
    )


def _any_month_with(day: int) -> date:
    """Returns a date with the day: the birthday number looks at nothing else, and January has every day."""
    return date(2000, 1, day)


def _age(request: Any, born: date) -> int | None:
    as_of = as_of_of(request)
    return None if as_of is None else age_on(born, as_of)


def _required(as_of: date | None) -> date:
    """Returns the date; the contract lets no request through without it."""
    if as_of is None:
        raise invalid("as_of", "must be given: no clock is read", rule="required")
    return as_of
