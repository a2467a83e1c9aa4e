"""The servicer of AnalysisService: patterns, histograms and compatibility data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from typing import Any, Final

import grpc
import structlog
from google.api import httpbody_pb2

from onenumbers.research.v1 import analysis_pb2 as pb
from onenumbers.research.v1 import analysis_pb2_grpc, research_pb2
from onenumbers_research.analysis import compatibility_data as data
from onenumbers_research.analysis import convert
from onenumbers_research.analysis.histogram import Caption, histogram_svg
from onenumbers_research.analysis.pattern_analysis import Analysis, Question, Remark, Source, run_analysis
from onenumbers_research.analysis.patterns import BaseRate
from onenumbers_research.analysis.people import bundled_people
from onenumbers_research.analysis.population import MAX_BYTES
from onenumbers_research.citations import of_hits
from onenumbers_research.claims.service import ValidationMethods
from onenumbers_research.claims.validating import ClaimValidator
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.utilities_client import UtilitiesClient, WhichNumber
from onenumbers_runtime.errors import UnavailableError, invalid
from onenumbers_runtime.server import Service
from onenumbers_runtime.spooled import Arrivals, take

log = structlog.get_logger()

_THEMES: Final = 5
"""Passages of tradition beside an analysis."""
_READ: Final = 20
_NO_READINGS: Final = frozenset({"calculation", "validation"})
"""Categories of documents that say how a number is found, and whether it tells anything."""
"""Passages that are looked through for them."""
_SMALL: Final = 4 * 1024 * 1024
"""Bytes up to which populations are analysed beside each other: what people of larger ones take is taken once."""
_SVG: Final = "image/svg+xml"


def utc_today() -> date:
    """Returns today's date in UTC."""
    return datetime.now(UTC).date()


class PatternMethods:
    """The methods that count: patterns, histograms, compatibility data.

    Args:
        utilities: Calculates numbers and base rates.
        knowledge: Where passages come from.
        today: Tells today's date.
        max_bytes: Size of a population that is sent in pieces at most.
    """

    def __init__(
        self,
        *,
        utilities: UtilitiesClient,
        knowledge: KnowledgeClient,
        today: Callable[[], date] = utc_today,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._utilities_client = utilities
        self._knowledge_client = knowledge
        self._today = today
        self.arrivals = Arrivals(max_bytes)
        """Populations that come in pieces."""
        self._large = asyncio.Lock()

    async def AnalyzeNumberPatterns(
        self,
        request: pb.AnalyzeNumberPatternsRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.AnalyzeNumberPatternsResponse:
        """Compares how often a number occurs with how often it should."""
        return await self._analysed(convert.question(request))

    async def AnalyzePopulation(
        self,
        request_iterator: AsyncIterator[pb.AnalyzePopulationRequest],
        context: Any,  # noqa: ARG002
    ) -> pb.AnalyzePopulationResponse:
        """Takes a population in pieces, and does with it what AnalyzeNumberPatterns does."""
        with self.arrivals.receiving() as received:
            asked: pb.AnalyzeNumberPatternsRequest = await take(request_iterator, received, described="question")
            if asked.population_csv:
                raise invalid(
                    "population_csv", "comes in pieces: the question may not hold one too", rule="population_csv.once"
                )
            if not received.size:
                raise invalid("population_csv", "is missing: the file is empty", rule="population_csv.given")
            question = convert.question(asked, received.file)
            async with self._large if received.size > _SMALL else nullcontext():
                return pb.AnalyzePopulationResponse(analysis=await self._analysed(question))

    async def DrawNumberHistogram(
        self,
        request: pb.DrawNumberHistogramRequest,
        context: Any,  # noqa: ARG002
    ) -> httpbody_pb2.HttpBody:
        """Draws how often each value of a number occurs, as an SVG image."""
        question = convert.question(request)
        if not question.context.counts_people:
            raise invalid("context", "compatibility counts pairs, which have no histogram", rule="context.histogram")
        found = await run_analysis(question, utilities=self._utilities_client, today=self._today)
        image = await asyncio.to_thread(
            histogram_svg, found.pattern.values, _caption(question, found), marked=question.number
        )
        return httpbody_pb2.HttpBody(content_type=_SVG, data=image)

    async def FetchCompatibilityData(
        self,
        request: pb.FetchCompatibilityDataRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.FetchCompatibilityDataResponse:
        """Returns documented groupings of numbers and a published convention table."""
        table = await self._utilities_client.convention_table()
        remarks: list[Remark] = []
        if notice := data.notice(request.type):
            remarks.append(Remark("NO_GROUPINGS_OF_ITS_OWN", notice))
        counts = await self._historical(request.type) if request.include_historical else ()
        if request.include_historical:
            remarks.append(
                Remark(
                    "NO_COUPLES",
                    "The bundled list holds people and no couples. The historical cases are counts of concord triads "
                    "among all pairs of people of one field, who mostly never met; they say nothing about relations.",
                )
            )
        citations, missing = await self._themes(
            f"{request.type.replace('_', ' ')} compatibility concord triads of numbers"
        )
        number = data.NAME if request.type == "expression" else data.LIFE_PATH
        return pb.FetchCompatibilityDataResponse(
            groupings=convert.groupings(data.groupings(request.type)),
            convention=[
                pb.CompatibilityCell(first=first, second=second, score=points) for first, second, points in table
            ],
            convention_method=data.CONVENTION_METHOD,
            citations=citations,
            historical_cases=[each.sentence(number) for each in counts],
            historical_counts=convert.historical(counts),
            warnings=convert.warnings((*remarks, *missing)),
        )

    async def _analysed(self, question: Question) -> pb.AnalyzeNumberPatternsResponse:
        found = await run_analysis(question, utilities=self._utilities_client, today=self._today)
        themes, remarks = await self._themes(
            f"{question.context.value.replace('_', ' ')} {question.number}", number=question.number
        )
        return convert.patterns(question, found, themes, remarks)

    async def _historical(self, kind: str) -> tuple[data.TriadCount, ...]:
        people = bundled_people()
        if kind == "expression":
            found, _ = await self._utilities_client.number_names(
                "expression", [(person.name, person.born) for person in people]
            )
            numbered = [
                (person.field, number.value)
                for person, number in zip(people, found, strict=True)
                if number.value is not None
            ]
            return data.triad_counts(numbered, None)
        which = WhichNumber("life_path")
        years = [person.born.year for person in people]
        counts = await self._utilities_client.count(which, min(years), max(years))
        numbers = await self._utilities_client.number_dates(which, [person.born for person in people])
        return await asyncio.to_thread(
            data.triad_counts,
            [(person.field, number) for person, number in zip(people, numbers, strict=True)],
            data.triad_rates(counts.rates()),
        )

    async def _themes(
        self, query: str, *, number: int | None = None
    ) -> tuple[list[research_pb2.Citation], list[Remark]]:
        """Returns passages about a number (or about the query); the lack of them is a remark and no error."""
        try:
            found = await self._knowledge_client.search(query, limit=_READ)
        except (grpc.aio.AioRpcError, UnavailableError) as error:
            log.warning(
                "themes_left_out", reason=str(error) if isinstance(error, UnavailableError) else error.code().name
            )
            return [], [
                Remark(
                    "KNOWLEDGE_UNAVAILABLE",
                    "The knowledge server did not answer, so that what tradition says was left out.",
                )
            ]
        hits = found.hits if number is None else _readings(found.hits, number)
        if not hits:
            return [], [Remark("NO_THEMES", "The knowledge base has no passage about it.")]
        return of_hits(hits[:_THEMES]), []


class AnalysisServicer(PatternMethods, ValidationMethods, analysis_pb2_grpc.AnalysisServiceServicer):
    """Serves AnalysisService.

    Args:
        utilities: Calculates numbers and base rates.
        knowledge: Where passages come from.
        validator: Checks claims.
        today: Tells today's date.
        max_bytes: Size of a population that is sent in pieces at most.
    """

    def __init__(
        self,
        *,
        utilities: UtilitiesClient,
        knowledge: KnowledgeClient,
        validator: ClaimValidator,
        today: Callable[[], date] = utc_today,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        PatternMethods.__init__(self, utilities=utilities, knowledge=knowledge, today=today, max_bytes=max_bytes)
        ValidationMethods.__init__(self, validator=validator)


def analysis_service(servicer: analysis_pb2_grpc.AnalysisServiceServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["AnalysisService"].full_name,
        add=analysis_pb2_grpc.add_AnalysisServiceServicer_to_server,
        servicer=servicer,
    )


def _readings(hits: Sequence[Any], number: int) -> list[Any]:
    """Returns the passages about a number, readings before rules and evidence, each document from its beginning.

    What is nearest to a question of few words is often what a document says of itself at its end.
    """
    about = [hit for hit in hits if _is_about(hit, number)]
    places = {name: place for place, name in reversed(list(enumerate(hit.passage.document_id for hit in about)))}
    return sorted(
        about,
        key=lambda hit: (hit.category in _NO_READINGS, places[hit.passage.document_id], hit.passage.start_offset),
    )


def _is_about(hit: Any, number: int) -> bool:
    """Whether a passage names the number, and its document is about it where the document says what it is about."""
    listed = list(hit.numbers)
    return (not listed or number in listed) and re.search(rf"\b{number}\b", hit.passage.text) is not None


def _probability(p_value: float) -> str:
    return f"= {p_value:.3f}" if p_value >= 0.001 else "< 0.001"


def _caption(question: Question, found: Analysis) -> Caption:
    label = question.context.label.capitalize()
    if found.personal_year_in is not None:
        label = f"{label} in {found.personal_year_in}"
    first, last = found.period
    tested = found.pattern.distribution
    if question.source is Source.DATES:
        footnote = f"{found.counts.dates if found.counts is not None else 0} dates, each counted; nothing estimated"
    elif tested is None:
        footnote = "No test: the numbers of names have no exact base rate"
    else:
        simulated = f" ({tested.simulations} simulated samples)" if tested.simulations else ""
        footnote = (
            f"chi-square {tested.chi_square:.2f}, {tested.degrees_of_freedom} degrees of freedom, "
            f"p {_probability(tested.p_value)}{simulated}, V = {tested.cramers_v:.3f}"
        )
    expected = {
        None: "",
        BaseRate.ALL_DATES: f"exact base rate over the dates of {first}-{last}",
        BaseRate.UNIFORM: "assumed: all values equally often",
    }[found.base]
    return Caption(f"{label}: how often each value occurs", found.population, footnote, expected)
