"""The servicer of CompatibilityService: converts, calls the domain, converts back."""
# ruff: noqa: N802 - gRPC names the methods of a servicer after the contract.

from __future__ import annotations

from datetime import date
from typing import Any, Final

from onenumbers.utilities.v1 import compatibility_pb2 as pb
from onenumbers.utilities.v1 import compatibility_pb2_grpc
from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_runtime.server import Service
from onenumbers_utilities import convert_compatibility as convert
from onenumbers_utilities.batches import located
from onenumbers_utilities.clock import Clock
from onenumbers_utilities.convert import LIFE_PATH_METHODS, SCHOOLS, YEAR_SPANS
from onenumbers_utilities.convert_systems import warnings
from onenumbers_utilities.explained import Explained
from onenumbers_utilities.numerology.comparison import compare_names
from onenumbers_utilities.numerology.compatibility import Person, compare, compare_people, read_person
from onenumbers_utilities.numerology.correspondences import correspondences
from onenumbers_utilities.numerology.dates import read_date, require_born_by
from onenumbers_utilities.numerology.favourable_dates import favourable_dates
from onenumbers_utilities.numerology.options import NumerologyOptions, School
from onenumbers_utilities.numerology.results import Notice
from onenumbers_utilities.systems_service import explained

_MIN_REASONS: Final = 2
"""Reasons that a date needs where the request does not say."""
_NO_PREDICTION: Final = Notice(
    "NO_PREDICTION",
    "A date is listed because numbers agree by the rules named in its reasons; nothing shows that such dates turn out "
    "better.",
)
_TRADITION: Final = Notice(
    "TRADITION", "Lists of Cheiro's tradition, reported as such: no advice, and nothing here concerns health."
)


class CompatibilityServicer(compatibility_pb2_grpc.CompatibilityServiceServicer):
    """Serves the comparisons.

    Args:
        clock: Tells today's date, after which nobody can be born.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def CompareCompatibility(
        self,
        request: pb.CompareCompatibilityRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CompareCompatibilityResponse:
        """Compares two people by the groupings in print."""
        options = convert.people_options(request)
        first, second = (
            self._person(getattr(request, field), options, field, explain=explained(request))
            for field in ("first", "second")
        )
        return pb.CompareCompatibilityResponse(
            first=convert.person(first),
            second=convert.person(second),
            comparison=convert.comparison(compare(first, second, score=_scored(request))),
            table=convert.points_table() if request.include_table else (),
        )

    async def ComparePeople(
        self,
        request: pb.ComparePeopleRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ComparePeopleResponse:
        """Compares all pairs of two to twenty people."""
        options, explain = convert.people_options(request), explained(request, default=False)
        people = [
            self._person(person, options, f"people[{index}]", explain=explain)
            for index, person in enumerate(request.people)
        ]
        return pb.ComparePeopleResponse(
            people=[convert.person(person) for person in people],
            pairs=convert.pairs(compare_people(people, score=_scored(request))),
        )

    async def CompareNames(
        self,
        request: pb.CompareNamesRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.CompareNamesResponse:
        """Shows the numbers of two spellings side by side."""
        options = convert.spelling_options(request)
        found = compare_names(request.first_name, request.second_name, options, explain=explained(request))
        return convert.spellings(found)

    async def FindFavourableDates(
        self,
        request: pb.FindFavourableDatesRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.FindFavourableDatesResponse:
        """Finds dates in a range that agree with a person's numbers."""
        found = favourable_dates(
            self._born(request),
            _date(request.from_date, "from_date."),
            _date(request.to_date, "to_date."),
            NumerologyOptions(
                life_path_method=LIFE_PATH_METHODS[request.life_path_method],
                personal_year_span=YEAR_SPANS[request.personal_year_span],
            ),
            basis=convert.DATE_BASES[request.basis],
            min_reasons=request.min_reasons if request.HasField("min_reasons") else _MIN_REASONS,
        )
        return pb.FindFavourableDatesResponse(
            dates=[convert.favourable_date(each) for each in found.dates],
            days_examined=found.days_examined,
            life_path_root=found.life_path_root,
            birth_number=found.birth_number,
            warnings=warnings((_NO_PREDICTION,)),
        )

    async def GetWeekdayCorrespondences(
        self,
        request: pb.GetWeekdayCorrespondencesRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.GetWeekdayCorrespondencesResponse:
        """Returns planet, weekdays and colours that Cheiro's tradition sets beside numbers."""
        found = correspondences(request.number if request.HasField("number") else None)
        return pb.GetWeekdayCorrespondencesResponse(
            correspondences=[convert.correspondence(each) for each in found],
            school=SCHOOLS[School.CHEIRO],
            warnings=warnings((_TRADITION,)),
        )

    def _person(self, person: pb.ComparedPerson, options: NumerologyOptions, field: str, *, explain: bool) -> Person:
        try:
            own = convert.person_options(person, options)
            return read_person(person.name, self._born(person), own, explain=explain)
        except InvalidArgumentError as error:
            raise located(error, row=field) from None

    def _born(self, request: Any) -> date:
        born = read_date(request.day, request.month, request.year)
        require_born_by(born, self._clock())
        return born


def compatibility_service(servicer: CompatibilityServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["CompatibilityService"].full_name,
        add=compatibility_pb2_grpc.add_CompatibilityServiceServicer_to_server,
        servicer=Explained(servicer),
    )


def _date(value: Any, prefix: str) -> date:
    return read_date(value.day, value.month, value.year, prefix=prefix)


def _scored(request: pb.CompareCompatibilityRequest | pb.ComparePeopleRequest) -> bool:
    return bool(request.include_score) if request.HasField("include_score") else True
