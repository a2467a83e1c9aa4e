"""The servicer of NumberSystemsService: converts, calls the domain, converts back."""
# ruff: noqa: N802 - gRPC names the methods of a servicer after the contract.

from __future__ import annotations

from datetime import date
from typing import Any

from onenumbers.utilities.v1 import systems_pb2 as pb
from onenumbers.utilities.v1 import systems_pb2_grpc
from onenumbers_runtime.server import Service
from onenumbers_utilities import convert_systems as convert
from onenumbers_utilities.clock import Clock
from onenumbers_utilities.explained import Explained
from onenumbers_utilities.numerology.chaldean import chaldean_birth, chaldean_name
from onenumbers_utilities.numerology.compounds import compound_meaning
from onenumbers_utilities.numerology.dates import read_date, require_born_by
from onenumbers_utilities.numerology.kua import kua
from onenumbers_utilities.numerology.lo_shu import lo_shu_grid
from onenumbers_utilities.numerology.phillips import phillips_chart
from onenumbers_utilities.numerology.vedic import vedic_numbers
from onenumbers_utilities.request_options import name_of, read_options


class NumberSystemsServicer(systems_pb2_grpc.NumberSystemsServiceServicer):
    """Serves the number systems beside the Pythagorean one.

    Args:
        clock: Tells today's date, after which nobody can be born.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def CalculateChaldeanName(
        self,
        request: pb.CalculateChaldeanNameRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateChaldeanNameResponse:
        """Calculates compound and root of a name on the Chaldean table."""
        name = name_of(request, read_options(request))
        method = convert.COMPOUND_METHODS[request.compound_method]
        return convert.chaldean_name(chaldean_name(name, method, explain=explained(request)))

    async def GetCompoundMeaning(
        self,
        request: pb.GetCompoundMeaningRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.GetCompoundMeaningResponse:
        """Returns what Cheiro's tradition says of a compound number."""
        found = compound_meaning(request.number)
        return pb.GetCompoundMeaningResponse(meaning=convert.meaning(found), warnings=convert.warnings(found.notices))

    async def CalculateChaldeanBirthNumber(
        self,
        request: pb.CalculateChaldeanBirthNumberRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateChaldeanBirthNumberResponse:
        """Calculates the birth number of Cheiro's system."""
        born = self._born(request)
        return convert.chaldean_birth(chaldean_birth(born.day, explain=explained(request)))

    async def CalculateVedicNumbers(
        self,
        request: pb.CalculateVedicNumbersRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateVedicNumbersResponse:
        """Calculates mulank, bhagyank and, with a name, namank."""
        born = self._born(request)
        name = name_of(request, read_options(request)) if request.name else None
        return convert.vedic_numbers(vedic_numbers(born, name, explain=explained(request)))

    async def CalculateLoShuGrid(
        self,
        request: pb.CalculateLoShuGridRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateLoShuGridResponse:
        """Calculates the Lo Shu grid of a birth date."""
        found = lo_shu_grid(
            self._born(request),
            convert.GRID_DIGITS[request.digits],
            formula=convert.FORMULAS.get(request.formula),
            turn=convert.YEAR_TURNS[request.year_turn],
        )
        return convert.lo_shu_grid(found)

    async def CalculatePhillipsChart(
        self,
        request: pb.CalculatePhillipsChartRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculatePhillipsChartResponse:
        """Calculates the birth chart by Phillips."""
        return convert.phillips_chart(phillips_chart(self._born(request)))

    async def CalculateKua(
        self,
        request: pb.CalculateKuaRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateKuaResponse:
        """Calculates the kua number of a birth date."""
        turn = convert.YEAR_TURNS[request.year_turn]
        found = kua(self._born(request), convert.FORMULAS[request.formula], turn, explain=explained(request))
        return convert.kua(found)

    def _born(self, request: Any) -> date:
        born = read_date(request.day, request.month, request.year)
        require_born_by(born, self._clock())
        return born


def number_systems_service(servicer: NumberSystemsServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["NumberSystemsService"].full_name,
        add=systems_pb2_grpc.add_NumberSystemsServiceServicer_to_server,
        servicer=Explained(servicer),
    )


def explained(request: Any, *, default: bool = True) -> bool:
    """Returns whether a request wants the sums."""
    return bool(request.explain) if request.HasField("explain") else default
