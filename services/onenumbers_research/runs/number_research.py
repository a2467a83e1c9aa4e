"""The run that researches a number: how often it occurs, and a cited summary of the passages about it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Final

import grpc

from onenumbers.knowledge.v1 import knowledge_pb2
from onenumbers.research.v1 import discovery_pb2
from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_research.analysis.convert import patterns
from onenumbers_research.analysis.pattern_analysis import Analysis, Question, Source, run_analysis
from onenumbers_research.analysis.patterns import Context, read_context
from onenumbers_research.analysis.statistics import holm
from onenumbers_research.answers import answering
from onenumbers_research.answers.answering import Source as Passage
from onenumbers_research.discovery.clients import KnowledgeBase
from onenumbers_research.discovery.definitions import Refused
from onenumbers_research.discovery.patient_client import PATIENCE
from onenumbers_research.runs.records import Change
from onenumbers_research.runs.running import RunContext
from onenumbers_research.utilities_client import UtilitiesClient
from onenumbers_runtime.errors import FailedPreconditionError, InvalidArgumentError, UnavailableError

_PASSAGES: Final = 8


class NumberResearch:
    """What a run of the kind "number" does.

    Args:
        knowledge: Where passages are found.
        utilities: Calculates numbers and base rates.
        today: Tells today's date.
        patience: Seconds between attempts while the utilities server does not answer.
        clock: Seconds, for the time that it took.
    """

    def __init__(
        self,
        *,
        knowledge: KnowledgeBase,
        utilities: UtilitiesClient,
        today: Callable[[], date],
        patience: Sequence[float] = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._knowledge = knowledge
        self._utilities = utilities
        self._today = today
        self._patience = tuple(patience)
        self._clock = clock

    async def __call__(self, context: RunContext) -> None:
        """Counts the number in each context, searches documents about it, and stores a cited summary.

        Counts that cannot be made are told of and left out: the passages do not depend on them.

        Raises:
            MeshError: The knowledge server does not answer or cannot search.
        """
        started = self._clock()
        number = int(context.run.request["number"])
        where = str(context.run.request["context"])
        for each in [read_context(where)] if where else [each for each in Context if each.counts_people]:
            if _counted(each) in context.run.done:
                continue
            if not await self._count(context, number, each):
                break
        words = where.replace("_", " ").strip()
        question = f"What does the {words} number {number} mean?" if words else f"What does the number {number} mean?"
        try:
            found = await self._knowledge.passages(question, numbers=[number], limit=_PASSAGES)
            about = f"documents about {number}"
            if not found.hits:
                found = await self._knowledge.passages(question, numbers=[], limit=_PASSAGES)
                about = "all documents, for none is about this number"
        except Refused as refused:
            raise FailedPreconditionError(refused.message, reason="SEARCH_REFUSED") from refused
        await context.record("search", f"Found {len(found.hits)} passages in {about}.", Change())
        answer = _summary(question, found)
        answer.elapsed.FromTimedelta(timedelta(seconds=self._clock() - started))
        await context.record(
            "summary",
            f"Summary of {len(answer.sentences)} sentences from {len(answer.citations)} passages.",
            Change(summary=answer.SerializeToString()),
        )

    async def _count(self, context: RunContext, number: int, where: Context) -> bool:
        """Counts in one context; returns whether another one is worth trying."""
        question = Question(context=where, number=number, source=Source.BUNDLED)
        label = where.value.replace("_", " ")
        try:
            found = await self._analysed(question)
        except InvalidArgumentError as error:
            reason = error.violations[0].description if error.violations else error.message
            await context.record("patterns", f"No count of {label}: {reason}.", Change(done=_counted(where)))
            return True
        except (UnavailableError, grpc.aio.AioRpcError) as error:
            told = error.message if isinstance(error, UnavailableError) else f"it was refused with {error.code().name}"
            await context.record("patterns", f"Counts from {label} on are missing: {told}.", Change())
            return False
        statement = stated(question, found)
        pattern = discovery_pb2.CountedPattern(
            context=where.value, statement=statement, analysis=patterns(question, found, (), ())
        )
        await context.record("patterns", statement, Change(pattern=pattern.SerializeToString(), done=_counted(where)))
        return True

    async def _analysed(self, question: Question) -> Analysis:
        for pause in self._patience:
            try:
                return await run_analysis(question, utilities=self._utilities, today=self._today)
            except UnavailableError:
                await asyncio.sleep(pause)
        return await run_analysis(question, utilities=self._utilities, today=self._today)


def _counted(context: Context) -> str:
    return f"pattern:{context.value}"


def stated(question: Question, found: Analysis) -> str:
    """Returns a count in words: what was observed, what was expected and from what, and the test."""
    pattern = found.pattern
    label = question.context.value.replace("_", " ")
    if found.personal_year_in is not None:
        label = f"{label} in {found.personal_year_in}"
    cases = "people" if question.context.counts_people else "pairs of people"
    share = pattern.observed / pattern.cases if pattern.cases else 0.0
    told = (
        f"{label.capitalize()} {question.number}: {pattern.observed} of {pattern.cases} {cases} ({share:.1%}, 95 % "
        f"interval {pattern.low:.1%} to {pattern.high:.1%}), counted among {found.population}"
    )
    if found.base is None or found.counts is None:
        return f"{told}; names cannot be enumerated, so there is no base rate and no test."
    return (
        f"{told}; {pattern.expected:.1f} are expected by the rate {pattern.rate:.4f} over all {found.counts.dates} "
        f"dates of {found.period[0]}-{found.period[1]} ({pattern.test}, p = {pattern.p_value:.3f}; Cohen's h "
        f"{pattern.effect_size:.3f})."
    )


def adjusted(counted: Iterable[discovery_pb2.CountedPattern]) -> list[float]:
    """Returns the probabilities of some counts, corrected by Holm's method for all of them; NaN without a test."""
    values = [each.analysis.p_value for each in counted]
    tested = iter(holm([value for value in values if not math.isnan(value)]))
    return [math.nan if math.isnan(value) else next(tested) for value in values]


def report(run: discovery_pb2.ResearchRun) -> str:
    """Returns counts and summary as one text: counts first, then what tradition says, with its sources."""
    lines = [each.statement for each in run.patterns]
    tested = [each for each in run.patterns if not math.isnan(each.adjusted_p_value)]
    if len(tested) > 1:
        least = min(each.adjusted_p_value for each in tested)
        lines.append(
            f"Smallest probability of the {len(tested)} tests after Holm's correction: {least:.3f}. Base rates hold if "
            "every date of the period is equally likely; the list was chosen by fame."
        )
    if run.HasField("summary"):
        lines += ["", run.summary.text]
        lines += [f"[{item.marker}] {item.title} ({item.document_id})" for item in run.summary.citations]
    return "\n".join(lines)


def _summary(question: str, found: knowledge_pb2.SemanticSearchResponse) -> pb.Answer:
    citations = _citations(found.hits)
    sources = [Passage(item.marker, item.title, item.excerpt, item.similarity) for item in citations]
    composed = answering.extracted(question, sources)
    answer = pb.Answer(
        text=composed.text if composed.sentences else answering.NOT_COVERED,
        engine=pb.ANSWER_ENGINE_EXTRACTIVE,
        embedding_model=found.embedding_model,
        method=answering.METHOD,
        covered=answering.covered(sources),
        citations=[item for item in citations if item.marker in composed.markers],
    )
    for item in composed.sentences:
        answer.sentences.add(text=item.text, markers=[item.marker], support=item.support)
    return answer


def _citations(hits: Sequence[knowledge_pb2.SearchHit]) -> list[pb.Citation]:
    return [
        pb.Citation(
            marker=marker,
            document_id=hit.passage.document_id,
            title=hit.passage.title,
            section=hit.passage.section,
            passage_id=hit.passage.passage_id,
            start_offset=hit.passage.start_offset,
            end_offset=hit.passage.end_offset,
            excerpt=hit.passage.text,
            similarity=hit.cosine if hit.HasField("cosine") else hit.score,
            category=hit.category,
            source=hit.source,
        )
        for marker, hit in enumerate(hits, start=1)
    ]
