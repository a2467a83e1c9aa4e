"""The servicer of UtilitiesService: converts, calls the domain, converts back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, Final

from onenumbers.utilities.v1 import utilities_pb2 as pb
from onenumbers.utilities.v1 import utilities_pb2_grpc
from onenumbers_runtime.errors import (
    InvalidArgumentError,
    ResourceExhaustedError,
    invalid,
)
from onenumbers_runtime.server import Service
from onenumbers_utilities import convert
from onenumbers_utilities.batches import ProfileRows, located
from onenumbers_utilities.clock import Clock
from onenumbers_utilities.explained import Explained
from onenumbers_utilities.numerology.dates import read_date, require_born_by
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import destiny, expression
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.request_options import marked_name_of

_FRAME_BYTES: Final = 64
"""What a response needs beside its items: counts and tags, rounded up."""


class UtilitiesServicer(utilities_pb2_grpc.UtilitiesServiceServicer):
    """Serves the calculations.

    Args:
        clock: Tells today's date, after which nobody can be born.
        max_response_bytes: Largest response of a batch; a larger one would be lost on the way.
    """

    def __init__(self, *, clock: Clock, max_response_bytes: int) -> None:
        self._clock = clock
        self._max_response_bytes = max_response_bytes

    async def CalculateLifePath(
        self,
        request: pb.CalculateLifePathRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateLifePathResponse:
        """Calculates the life path number from a birth date."""
        born = self._born(request.day, request.month, request.year)
        found = life_path(born, convert.date_options(request), explain=_explain(request, default=True))
        return pb.CalculateLifePathResponse(result=convert.number(found))

    async def CalculateExpressionNumber(
        self,
        request: pb.CalculateExpressionNumberRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateExpressionNumberResponse:
        """Calculates the expression number from a full name."""
        options = convert.name_options(request)
        name = marked_name_of(request, options)
        found = expression(name, explain=_explain(request, default=True))
        return pb.CalculateExpressionNumberResponse(result=convert.number(found))

    async def CalculateDestinyNumber(
        self,
        request: pb.CalculateDestinyNumberRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateDestinyNumberResponse:
        """Calculates the destiny number: another name of the expression number."""
        options = convert.name_options(request)
        name = marked_name_of(request, options)
        found = destiny(name, explain=_explain(request, default=True))
        return pb.CalculateDestinyNumberResponse(result=convert.number(found))

    async def AnalyzeNumerologyProfile(
        self,
        request: pb.AnalyzeNumerologyProfileRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.AnalyzeNumerologyProfileResponse:
        """Calculates the whole profile of a person from name and birth date."""
        try:
            found = profile(
                request.name,
                self._born(request.day, request.month, request.year),
                convert.profile_options(request.options),
                as_of=convert.as_of(request),
                include_pinnacles=not request.HasField("include_pinnacles") or request.include_pinnacles,
                include_challenges=not request.HasField("include_challenges") or request.include_challenges,
                explain=_explain(request, default=True),
            )
        except InvalidArgumentError as error:
            raise located(error) from None
        return pb.AnalyzeNumerologyProfileResponse(profile=convert.profile(found))

    async def BatchCalculate(
        self,
        request: pb.BatchCalculateRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.BatchCalculateResponse:
        """Calculates many profiles; one bad row never fails the others."""
        explain = _explain(request, default=False)
        rows = ProfileRows(
            clock=self._clock,
            options=convert.profile_options(request.options),
            as_of=convert.as_of(request),
            explain=explain,
        )
        response = pb.BatchCalculateResponse(rules=rows.rules())
        size = response.ByteSize() + _FRAME_BYTES
        async for item in rows.items(request.profiles, first=0):
            if item.HasField("error"):
                response.failed += 1
            else:
                response.succeeded += 1
            size += item.ByteSize() + 6
            if size > self._max_response_bytes:
                raise _too_large(item.index, len(request.profiles), self._max_response_bytes, explain=explain)
            response.items.append(item)
        return response

    async def StreamProfiles(
        self,
        requests: AsyncIterator[pb.StreamProfilesRequest],
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[pb.StreamProfilesResponse]:
        """Calculates any number of profiles, in the order of their rows."""
        rows: ProfileRows | None = None
        done = 0
        async for request in requests:
            response = pb.StreamProfilesResponse()
            if rows is None:
                rows = ProfileRows(
                    clock=self._clock,
                    options=convert.profile_options(request.settings.options),
                    as_of=convert.as_of(request.settings),
                    explain=request.settings.explain,
                )
                response.rules.extend(rows.rules())
            elif request.HasField("settings"):
                raise invalid("settings", "may only be in the first message", rule="settings.first_message")
            size = _FRAME_BYTES
            async for item in rows.items(request.profiles, first=done):
                size += item.ByteSize() + 6
                if size > self._max_response_bytes and response.items:
                    yield response
                    response, size = pb.StreamProfilesResponse(), _FRAME_BYTES + item.ByteSize() + 6
                response.items.append(item)
            done += len(request.profiles)
            yield response

    def _born(self, day: int, month: int, year: int) -> date:
        born = read_date(day, month, year)
        require_born_by(born, self._clock())
        return born


def utilities_service(servicer: UtilitiesServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["UtilitiesService"].full_name,
        add=utilities_pb2_grpc.add_UtilitiesServiceServicer_to_server,
        servicer=Explained(servicer),
    )


def _explain(request: Any, *, default: bool) -> bool:
    return bool(request.explain) if request.HasField("explain") else default


def _too_large(index: int, rows: int, limit: int, *, explain: bool) -> ResourceExhaustedError:
    advice = "send fewer rows, or leave explain out" if explain else "send fewer rows"
    return ResourceExhaustedError(
        f"the results of rows 0-{index} of {rows} are larger than {limit} bytes, the most of one answer: {advice}",
        reason="RESPONSE_TOO_LARGE",
        metadata={"rows": str(rows), "limit_bytes": str(limit)},
    )
