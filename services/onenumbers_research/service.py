"""The servicer of ResearchService: retrieves, lets the model write, checks, cites."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import structlog

from onenumbers.knowledge.v1 import knowledge_pb2
from onenumbers.research.v1 import research_pb2 as pb
from onenumbers.research.v1 import research_pb2_grpc
from onenumbers_models.errors import ModelError
from onenumbers_models.generator import Generator
from onenumbers_research import answering
from onenumbers_research.answering import Composed, Source
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.model_slot import ModelSlot
from onenumbers_runtime.calls import outgoing_timeout
from onenumbers_runtime.errors import DeadlineExceededError, MeshError
from onenumbers_runtime.server import Service

log = structlog.get_logger()

_DEFAULT_LIMIT = 5
_DEFAULT_PASSAGES = 4
_DEFAULT_TOKENS = 256
_RESERVE_S = 1.0
"""Time before the deadline at which the model is stopped, so that what it wrote can still be checked and sent."""
_LONGEST_S = 600.0


class ResearchServicer(research_pb2_grpc.ResearchServiceServicer):
    """Serves search and answers.

    Args:
        knowledge: Where passages come from.
        slot: The generation model, or why there is none.
    """

    def __init__(self, *, knowledge: KnowledgeClient, slot: ModelSlot) -> None:
        self._knowledge = knowledge
        self._slot = slot

    async def SearchNumerologyKnowledge(
        self,
        request: pb.SearchNumerologyKnowledgeRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.SearchNumerologyKnowledgeResponse:
        """Searches the knowledge base by kind of source."""
        found = await self._knowledge.search(
            request.query,
            limit=request.limit if request.HasField("limit") else _DEFAULT_LIMIT,
            sources=[request.source] if request.source else [],
        )
        return pb.SearchNumerologyKnowledgeResponse(
            results=_citations(found.hits),
            embedding_model=found.embedding_model,
            passages_searched=found.passages_searched,
        )

    async def AnswerQuestion(
        self,
        request: pb.AnswerQuestionRequest,
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[pb.AnswerQuestionResponse]:
        """Answers a question: the passages first, then the model's words as they come, then the checked answer."""
        started = time.monotonic()
        limit = request.max_passages if request.HasField("max_passages") else _DEFAULT_PASSAGES
        found = await self._knowledge.search(request.question, limit=limit)
        citations = _citations(found.hits)
        yield pb.AnswerQuestionResponse(retrieved=pb.RetrievedPassages(citations=citations))
        sources = [Source(item.marker, item.title, item.excerpt, item.similarity) for item in citations]
        answer = pb.Answer(
            engine=pb.ANSWER_ENGINE_EXTRACTIVE, embedding_model=found.embedding_model, method=answering.METHOD
        )
        composed = Composed((), 0)
        answer.covered = answering.covered(sources)
        generator = self._generator(request.engine, answer)
        if answer.covered and generator is not None:
            draft = ""
            async with aclosing(self._draft(request, sources, generator, answer)) as pieces:
                async for piece in pieces:
                    draft += piece
                    yield pb.AnswerQuestionResponse(draft_delta=piece)
            composed = answering.checked(draft, sources)
            answer.dropped_sentences = composed.dropped
            if composed.sentences:
                answer.engine, answer.model = pb.ANSWER_ENGINE_GENERATIVE, generator.model_id
            elif not answer.engine_reason:
                answer.engine_reason = f"no sentence of {generator.model_id} was supported by a passage"
        if answer.covered and not composed.sentences:
            composed = answering.extracted(request.question, sources)
        _complete(answer, composed, citations)
        answer.elapsed.FromTimedelta(timedelta(seconds=time.monotonic() - started))
        yield pb.AnswerQuestionResponse(answer=answer)

    def _generator(self, engine: int, answer: pb.Answer) -> Generator | None:
        """Returns the model that is to write, or None; says why where the caller might expect one."""
        if engine == pb.ANSWER_ENGINE_EXTRACTIVE:
            return None
        if self._slot.generator is None:
            answer.engine_reason = self._slot.reason
        return self._slot.generator

    async def _draft(
        self, request: pb.AnswerQuestionRequest, sources: Sequence[Source], generator: Generator, answer: pb.Answer
    ) -> AsyncGenerator[str, None]:
        """Yields the model's words until it ends or time is nearly up; a model that fails ends in the reason."""
        max_tokens = min(
            request.max_tokens if request.HasField("max_tokens") else _DEFAULT_TOKENS, generator.context_length // 2
        )
        end = time.monotonic() + outgoing_timeout(_LONGEST_S) - _RESERVE_S
        try:
            messages = answering.prompt(request.question, sources, generator, max_tokens=max_tokens)
            left = max(0.001, end - time.monotonic())
            async with aclosing(generator.generate(messages, max_tokens=max_tokens, deadline_s=left)) as pieces:
                async for piece in pieces:
                    yield piece
                    if time.monotonic() > end:
                        answer.engine_reason = f"{generator.model_id} was stopped before the deadline"
                        return
        except DeadlineExceededError:
            answer.engine_reason = f"{generator.model_id} was stopped before the deadline"
        except MeshError as error:
            answer.engine_reason = error.message
        except ModelError as error:
            log.error("generation_failed", reason=str(error))
            answer.engine_reason = str(error)


def research_service(servicer: ResearchServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["ResearchService"].full_name,
        add=research_pb2_grpc.add_ResearchServiceServicer_to_server,
        servicer=servicer,
    )


def _complete(answer: pb.Answer, composed: Composed, citations: Sequence[pb.Citation]) -> None:
    answer.text = composed.text if composed.sentences else answering.NOT_COVERED
    for item in composed.sentences:
        answer.sentences.add(text=item.text, markers=[item.marker], support=item.support)
    answer.citations.extend(item for item in citations if item.marker in composed.markers)


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
            similarity=hit.cosine,
            category=hit.category,
            source=hit.source,
        )
        for marker, hit in enumerate(hits, start=1)
    ]
