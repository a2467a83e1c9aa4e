"""The servicer of ObjectNumbersService: converts, calls the domain, converts back."""
# ruff: noqa: N802 - gRPC names the methods of a servicer after the contract.

from __future__ import annotations

from typing import Any

from onenumbers.utilities.v1 import objects_pb2 as pb
from onenumbers.utilities.v1 import objects_pb2_grpc
from onenumbers_runtime.server import Service
from onenumbers_utilities import convert_objects as convert
from onenumbers_utilities.convert import LETTER_POLICIES, TRANSLITERATIONS, number
from onenumbers_utilities.explained import Explained
from onenumbers_utilities.numerology.objects import business_name, house_number, phone_number, plate_number
from onenumbers_utilities.systems_service import explained


class ObjectNumbersServicer(objects_pb2_grpc.ObjectNumbersServiceServicer):
    """Serves the numbers of things."""

    async def CalculateHouseNumber(
        self,
        request: pb.CalculateHouseNumberRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateHouseNumberResponse:
        """Calculates the number of a dwelling."""
        found = house_number(
            request.number,
            request.unit,
            convert.UNIT_RULES[request.unit_rule],
            masters=convert.masters(request.master_numbers),
            explain=explained(request),
        )
        return pb.CalculateHouseNumberResponse(result=number(found))

    async def CalculatePhoneNumber(
        self,
        request: pb.CalculatePhoneNumberRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculatePhoneNumberResponse:
        """Calculates the number of a telephone."""
        found = phone_number(request.phone, masters=convert.masters(request.master_numbers), explain=explained(request))
        return pb.CalculatePhoneNumberResponse(result=number(found))

    async def CalculatePlateNumber(
        self,
        request: pb.CalculatePlateNumberRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculatePlateNumberResponse:
        """Calculates the number of a vehicle plate."""
        found = plate_number(request.plate, masters=convert.masters(request.master_numbers), explain=explained(request))
        return pb.CalculatePlateNumberResponse(result=number(found))

    async def CalculateBusinessName(
        self,
        request: pb.CalculateBusinessNameRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CalculateBusinessNameResponse:
        """Calculates the number of a business from its name."""
        found, compound = business_name(
            request.name,
            convert.LETTER_VALUES[request.letter_values],
            masters=convert.chosen_masters(request.master_numbers),
            policy=LETTER_POLICIES[request.letter_policy],
            transliteration=TRANSLITERATIONS[request.transliteration],
            explain=explained(request),
        )
        return pb.CalculateBusinessNameResponse(
            result=number(found),
            compound=convert.compound_of_total("name", compound, found.root) if compound is not None else None,
        )


def object_numbers_service(servicer: ObjectNumbersServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["ObjectNumbersService"].full_name,
        add=objects_pb2_grpc.add_ObjectNumbersServiceServicer_to_server,
        servicer=Explained(servicer),
    )
