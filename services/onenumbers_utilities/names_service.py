"""The servicer of NameNumbersService: converts, calls the domain, converts back."""
# ruff: noqa: N802, ARG002 - gRPC names the methods after the contract and passes each one its context

from __future__ import annotations

from dataclasses import replace
from typing import Any

from onenumbers.utilities.v1 import names_pb2 as pb
from onenumbers.utilities.v1 import names_pb2_grpc
from onenumbers_runtime.server import Service
from onenumbers_utilities import convert, convert_names
from onenumbers_utilities.clock import Clock
from onenumbers_utilities.explained import Explained
from onenumbers_utilities.numerology.bridges import bridges, maturity_readings
from onenumbers_utilities.numerology.inclusion import inclusion
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.minor import minor_numbers
from onenumbers_utilities.numerology.name_analysis import analyze_name
from onenumbers_utilities.numerology.name_details import cornerstones, rational_thought
from onenumbers_utilities.numerology.name_numbers import (
    MarkedName,
    balance,
    expression,
    mark_name,
    personality,
    soul_urge,
)
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import NumerologyOptions
from onenumbers_utilities.numerology.planes import planes
from onenumbers_utilities.request_options import (
    birth_of,
    explain_of,
    marked_name_of,
    name_of,
    read_options,
    read_table,
)


class NameNumbersServicer(names_pb2_grpc.NameNumbersServiceServicer):
    """Serves the numbers of names.

    Args:
        clock: Tells today's date, after which nobody can be born.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def CalculateSoulUrge(
        self, request: pb.CalculateSoulUrgeRequest, context: Any
    ) -> pb.CalculateSoulUrgeResponse:
        """Calculates the soul urge number."""
        found = soul_urge(marked_name_of(request, read_options(request)), explain=explain_of(request))
        return pb.CalculateSoulUrgeResponse(result=convert.number(found))

    async def CalculatePersonality(
        self, request: pb.CalculatePersonalityRequest, context: Any
    ) -> pb.CalculatePersonalityResponse:
        """Calculates the personality number."""
        found = personality(marked_name_of(request, read_options(request)), explain=explain_of(request))
        return pb.CalculatePersonalityResponse(result=convert.number(found))

    async def CalculateBalance(self, request: pb.CalculateBalanceRequest, context: Any) -> pb.CalculateBalanceResponse:
        """Calculates the balance number."""
        found = balance(marked_name_of(request, read_options(request)), explain=explain_of(request))
        return pb.CalculateBalanceResponse(result=convert.number(found))

    async def CalculateInclusionTable(
        self, request: pb.CalculateInclusionTableRequest, context: Any
    ) -> pb.CalculateInclusionTableResponse:
        """Counts the values among the letters of a name."""
        averages = convert_names.INTENSITY_AVERAGES[request.intensity_averages]
        found = inclusion(name_of(request, read_options(request)), read_table(request), averages)
        return pb.CalculateInclusionTableResponse(result=convert_names.inclusion(found))

    async def CalculateCornerstones(
        self, request: pb.CalculateCornerstonesRequest, context: Any
    ) -> pb.CalculateCornerstonesResponse:
        """Returns the letters of a first name that have a meaning of their own."""
        found = cornerstones(marked_name_of(request, read_options(request)))
        return pb.CalculateCornerstonesResponse(result=convert_names.cornerstones(found))

    async def CalculateRationalThought(
        self, request: pb.CalculateRationalThoughtRequest, context: Any
    ) -> pb.CalculateRationalThoughtResponse:
        """Calculates the rational thought number."""
        name = name_of(request, read_options(request))
        found = rational_thought(name, request.day, explain=explain_of(request))
        return pb.CalculateRationalThoughtResponse(result=convert.number(found))

    async def CalculateBridges(self, request: pb.CalculateBridgesRequest, context: Any) -> pb.CalculateBridgesResponse:
        """Calculates the bridge numbers."""
        options, explain = read_options(request), explain_of(request)
        name = marked_name_of(request, options)
        found = bridges(
            life_path(birth_of(request, self._clock), options, explain=False),
            expression(name, explain=False),
            soul_urge(name, explain=False),
            personality(name, explain=False),
            explain=explain,
        )
        return pb.CalculateBridgesResponse(
            life_path_expression=convert.number(found.life_path_expression),
            soul_urge_personality=convert.number(found.soul_urge_personality),
        )

    async def CalculateMaturity(
        self, request: pb.CalculateMaturityRequest, context: Any
    ) -> pb.CalculateMaturityResponse:
        """Calculates the maturity number in both readings of its masters."""
        options, explain = read_options(request), explain_of(request)
        of_name = expression(marked_name_of(request, options), explain=explain)
        of_date = life_path(birth_of(request, self._clock), options, explain=explain)
        found = maturity_readings(of_date, of_name, options, explain=explain)
        return pb.CalculateMaturityResponse(
            result=convert.number(found.number),
            reduced_reading=found.reduced_reading,
            life_path=convert.number(of_date),
            expression=convert.number(of_name),
        )

    async def CalculateMinorNumbers(
        self, request: pb.CalculateMinorNumbersRequest, context: Any
    ) -> pb.CalculateMinorNumbersResponse:
        """Calculates the numbers of the name in daily use."""
        current = _current_name(request.current_name, read_options(request))
        return pb.CalculateMinorNumbersResponse(
            result=convert_names.minor(minor_numbers(current, explain=explain_of(request)))
        )

    async def CalculatePlanesOfExpression(
        self, request: pb.CalculatePlanesOfExpressionRequest, context: Any
    ) -> pb.CalculatePlanesOfExpressionResponse:
        """Sorts the letters of a name into planes."""
        options = read_options(request)
        found = planes(
            name_of(request, options),
            convert_names.PLANE_SYSTEMS[request.plane_system],
            options,
            table=read_table(request),
            explain=explain_of(request),
        )
        return pb.CalculatePlanesOfExpressionResponse(result=convert_names.planes(found))

    async def AnalyzeName(self, request: pb.AnalyzeNameRequest, context: Any) -> pb.AnalyzeNameResponse:
        """Calculates everything that a name alone gives."""
        options = read_options(request)
        name = marked_name_of(request, options)
        current = None
        if request.current_name:
            # Positions of overrides count the letters of the full name.
            current = _current_name(request.current_name, replace(options, y_overrides=()))
        found = analyze_name(name, current, explain=explain_of(request))
        return pb.AnalyzeNameResponse(analysis=convert_names.analysis(found))


def name_numbers_service(servicer: NameNumbersServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["NameNumbersService"].full_name,
        add=names_pb2_grpc.add_NameNumbersServiceServicer_to_server,
        servicer=Explained(servicer),
    )


def _current_name(text: str, options: NumerologyOptions) -> MarkedName:
    name = read_name(text, options.letter_policy, transliteration=options.transliteration, field="current_name")
    return mark_name(name, options)
