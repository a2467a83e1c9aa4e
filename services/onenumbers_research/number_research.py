"""The run that researches a number: passages about it, and a summary made of their own sentences, each cited."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from onenumbers.knowledge.v1 import knowledge_pb2
from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_research import answering
from onenumbers_research.answering import Source
from onenumbers_research.comparison import Refused
from onenumbers_research.discovery_clients import KnowledgeBase
from onenumbers_research.run_store import Change
from onenumbers_research.runs import RunContext
from onenumbers_runtime.errors import FailedPreconditionError

_PASSAGES: Final = 8


class NumberResearch:
    """What a run of the kind "number" does.

    Args:
        knowledge: Where passages are found.
        clock: Seconds, for the time that it took.
    """

    def __init__(self, *, knowledge: KnowledgeBase, clock: Callable[[], float] = time.monotonic) -> None:
        self._knowledge = knowledge
        self._clock = clock

    async def __call__(self, context: RunContext) -> None:
        """Searches documents about the number, then all documents, and stores a cited summary.

        Raises:
            MeshError: The knowledge server does not answer or cannot search.
        """
        started = self._clock()
        number = int(context.run.request["number"])
        where = str(context.run.request["context"]).replace("_", " ").strip()
        question = f"What does the {where} number {number} mean?" if where else f"What does the number {number} mean?"
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


def _summary(question: str, found: knowledge_pb2.SemanticSearchResponse) -> pb.Answer:
    citations = _citations(found.hits)
    sources = [Source(item.marker, item.title, item.excerpt, item.similarity) for item in citations]
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
