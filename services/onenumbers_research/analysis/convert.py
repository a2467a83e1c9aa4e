"""Analyses as messages of the contract. No figure is made here."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from typing import IO, Final

from onenumbers.research.v1 import analysis_pb2 as pb
from onenumbers.research.v1 import research_pb2
from onenumbers_research.analysis.compatibility_data import Grouping, TriadCount
from onenumbers_research.analysis.pattern_analysis import Analysis, Question, Remark, Source
from onenumbers_research.analysis.patterns import BaseRate, FieldCount, ValueCount, read_context

MOST_BROKEN: Final = 100
"""Broken rows that are listed."""
_BASES: Final = {
    None: pb.BASE_RATE_KIND_UNSPECIFIED,
    BaseRate.ALL_DATES: pb.BASE_RATE_KIND_ALL_DATES,
    BaseRate.UNIFORM: pb.BASE_RATE_KIND_UNIFORM_ASSUMPTION,
}
_SOURCES: Final = {
    pb.POPULATION_BUNDLED: Source.BUNDLED,
    pb.POPULATION_UPLOADED: Source.UPLOADED,
    pb.POPULATION_DATES: Source.DATES,
}


def question(
    request: pb.AnalyzeNumberPatternsRequest | pb.DrawNumberHistogramRequest, population: IO[bytes] | None = None
) -> Question:
    """Returns what a request asks.

    Args:
        request: The question.
        population: The uploaded file, where it came beside the request and not within it.

    Raises:
        InvalidArgumentError: There is no such context.
    """
    if population is None and request.population_csv:
        population = io.BytesIO(request.population_csv)
    default = Source.UPLOADED if population is not None else Source.BUNDLED
    number: int | None = request.number
    if isinstance(request, pb.DrawNumberHistogramRequest) and not request.HasField("number"):
        number = None
    return Question(
        context=read_context(request.context),
        number=number,
        source=_SOURCES.get(request.population, default),
        time_period=request.time_period,
        csv=population,
        life_path_method=request.life_path_method,
        personal_year_in=request.personal_year_in if request.HasField("personal_year_in") else None,
        uniform=request.name_reference == pb.NAME_REFERENCE_UNIFORM,
        field=request.field,
    )


def patterns(
    asked: Question, found: Analysis, themes: Iterable[research_pb2.Citation], remarks: Iterable[Remark]
) -> pb.AnalyzeNumberPatternsResponse:
    """Returns an analysis as a message."""
    pattern = found.pattern
    return pb.AnalyzeNumberPatternsResponse(
        observed=pattern.observed,
        expected=pattern.expected,
        cases=pattern.cases,
        base_rate=pattern.rate,
        p_value=pattern.p_value,
        test=pattern.test,
        effect_size=pattern.effect_size,
        effect_measure=pattern.effect_measure,
        rate_low=pattern.low,
        rate_high=pattern.high,
        themes=themes,
        method=found.method,
        base_rate_kind=_BASES[found.base],
        observed_rate=pattern.observed / pattern.cases if pattern.cases else 0.0,
        first_year=found.period[0],
        last_year=found.period[1],
        dates=found.counts.dates if found.counts is not None else 0,
        dates_with_number=_dates_with_number(asked, found),
        values=[_value(each, found) for each in pattern.values],
        distribution=_distribution(found),
        fields=[_field(each, found) for each in pattern.fields],
        population_description=found.population,
        broken_rows=[
            pb.BrokenRow(line=row.line, column=row.column, message=row.message) for row in found.broken[:MOST_BROKEN]
        ],
        broken_row_count=len(found.broken),
        warnings=warnings((*found.remarks, *remarks)),
        rule_id=found.rule_id,
        matched_base_rate=_matched_rate(asked, found),
        matched_p_value=found.matched.p_value if found.matched is not None else math.nan,
    )


def warnings(remarks: Iterable[Remark]) -> list[pb.AnalysisWarning]:
    """Returns remarks as messages."""
    return [pb.AnalysisWarning(code=remark.code, message=remark.message) for remark in remarks]


def groupings(found: Iterable[Grouping]) -> list[pb.NumberGrouping]:
    """Returns groupings as messages."""
    return [
        pb.NumberGrouping(
            name=each.name,
            numbers=each.numbers,
            statement=each.statement,
            source=each.source,
            status=each.status,
            compares=each.compares,
        )
        for each in found
    ]


def historical(counts: Iterable[TriadCount]) -> list[pb.HistoricalCount]:
    """Returns counts of triads as messages."""
    return [
        pb.HistoricalCount(
            field=each.field,
            people=each.total,
            pairs=each.pairs,
            pairs_in_one_triad=each.pairs_in_one_triad,
            expected_pairs=each.expected_pairs,
            people_in_triads=each.people,
            p_value=each.p_value,
            adjusted_p_value=each.adjusted_p_value,
        )
        for each in counts
    ]


def _dates_with_number(asked: Question, found: Analysis) -> int:
    """Dates with the number; for pairs, where the number means a triad, there are none."""
    if found.counts is None or asked.number is None:
        return 0
    return found.counts.counts.get(asked.number, 0) if asked.context.counts_people else 0


def _matched_rate(asked: Question, found: Analysis) -> float:
    if found.matched is None:
        return 0.0
    return found.matched.rate if asked.context.counts_people else found.matched.rate**2


def _value(each: ValueCount, found: Analysis) -> pb.NumberPattern:
    return pb.NumberPattern(
        number=each.number,
        observed=each.observed,
        expected=each.test.expected if each.test is not None else 0.0,
        base_rate=each.rate if found.base is not None else 0.0,
        p_value=each.test.p_value if each.test is not None else math.nan,
        adjusted_p_value=each.adjusted,
        effect_size=each.test.effect_size if each.test is not None else math.nan,
        rate_low=each.low,
        rate_high=each.high,
    )


def _field(each: FieldCount, found: Analysis) -> pb.FieldPattern:
    return pb.FieldPattern(
        field=each.field,
        observed=each.observed,
        cases=each.cases,
        expected=each.cases * each.rate if found.base is not None else 0.0,
        p_value=each.test.p_value if each.test is not None else math.nan,
        adjusted_p_value=each.adjusted,
        effect_size=each.test.effect_size if each.test is not None else math.nan,
        rate_low=each.low,
        rate_high=each.high,
    )


def _distribution(found: Analysis) -> pb.DistributionTest | None:
    tested = found.pattern.distribution
    if tested is None:
        return None
    return pb.DistributionTest(
        chi_square=tested.chi_square,
        degrees_of_freedom=tested.degrees_of_freedom,
        p_value=tested.p_value,
        test=tested.test,
        smallest_expected=tested.smallest_expected,
        cramers_v=tested.cramers_v,
        simulations=tested.simulations,
    )
