"""The servicer of ResearchService: splits the question, retrieves, lets the model write, checks, cites."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from onenumbers.research.v1 import research_pb2 as pb
from onenumbers.research.v1 import research_pb2_grpc
from onenumbers_models.errors import ModelError
from onenumbers_models.generation.generator import Generator
from onenumbers_research.answers import answering
from onenumbers_research.answers.answering import Composed, Source
from onenumbers_research.answers.asked import AskedQuestion, Found, Told
from onenumbers_research.answers.decomposition import decompose
from onenumbers_research.citations import of_hits
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.model_slot import ModelSlot
from onenumbers_research.together import together
from onenumbers_runtime.calls import outgoing_timeout
from onenumbers_runtime.errors import DeadlineExceededError, MeshError
from onenumbers_runtime.server import Service

log = structlog.get_logger()

_DEFAULT_LIMIT = 5
_DEFAULT_TOKENS = 256
_LEAST_TOKENS = 16
_MOST_FOUND = 50
"""Passages that are looked through when some have to be left out."""
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
            results=of_hits(found.hits),
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
        queries = decompose(request.question)
        limit = request.max_passages if request.HasField("max_passages") else answering.passages_for(len(queries))
        found = await together([self._found(query, limit) for query in queries])
        asked = AskedQuestion(queries, found, limit)
        yield pb.AnswerQuestionResponse(retrieved=asked.retrieved())
        answer = pb.Answer(
            engine=pb.ANSWER_ENGINE_EXTRACTIVE,
            embedding_model=asked.embedding_model,
            method=answering.METHOD,
            withheld_passages=asked.withheld,
        )
        generator = self._generator(request.engine, answer)
        end = started + outgoing_timeout(_LONGEST_S) - _RESERVE_S
        drafted = False
        for place, query in enumerate(queries):
            sources = asked.sources(place)
            covered = answering.covered(sources, query)
            composed, generated = Composed((), 0), False
            if covered and generator is not None:
                draft = ""
                share = _share(request, generator, end=end, parts=len(queries), left=len(queries) - place)
                async with aclosing(self._draft(query, sources, generator, answer, share)) as pieces:
                    async for piece in pieces:
                        # Between the words on two parts stands an empty line.
                        yield pb.AnswerQuestionResponse(draft_delta=f"\n\n{piece}" if drafted and not draft else piece)
                        draft += piece
                drafted = drafted or bool(draft)
                composed = answering.checked(draft, sources)
                answer.dropped_sentences += composed.dropped
                generated = bool(composed.sentences)
                if generated:
                    answer.engine, answer.model = pb.ANSWER_ENGINE_GENERATIVE, generator.model_id
                elif not answer.engine_reason:
                    answer.engine_reason = f"no sentence of {generator.model_id} was supported by a passage"
            if covered and not generated:
                composed = answering.extracted(query, sources)
            asked.tell(Told(covered, composed, generated))
        asked.complete(answer)
        answer.elapsed.FromTimedelta(timedelta(seconds=time.monotonic() - started))
        yield pb.AnswerQuestionResponse(answer=answer)

    async def _found(self, query: str, limit: int) -> Found:
        """Returns the passages for a part; where some are withheld, others take their places."""
        found = Found.of(await self._knowledge.search(query, limit=limit))
        if found.withheld:
            found = Found.of(await self._knowledge.search(query, limit=_MOST_FOUND))
        return found.first(limit)

    def _generator(self, engine: int, answer: pb.Answer) -> Generator | None:
        """Returns the model that is to write, or None; says why where the caller might expect one."""
        if engine == pb.ANSWER_ENGINE_EXTRACTIVE:
            return None
        if self._slot.generator is None:
            answer.engine_reason = self._slot.reason
        return self._slot.generator

    async def _draft(
        self, query: str, sources: Sequence[Source], generator: Generator, answer: pb.Answer, share: _Share
    ) -> AsyncGenerator[str, None]:
        """Yields the model's words until it ends or time is nearly up; a model that fails ends in the reason."""
        try:
            messages = answering.prompt(query, sources, generator, max_tokens=share.tokens)
            left = max(0.001, share.end - time.monotonic())
            async with aclosing(generator.generate(messages, max_tokens=share.tokens, deadline_s=left)) as pieces:
                async for piece in pieces:
                    yield piece
                    if time.monotonic() > share.end:
                        answer.engine_reason = f"{generator.model_id} was stopped before the deadline"
                        return
        except DeadlineExceededError:
            answer.engine_reason = f"{generator.model_id} was stopped before the deadline"
        except MeshError as error:
            answer.engine_reason = error.message
        except ModelError as error:
            log.error("generation_failed", reason=str(error))
            answer.engine_reason = str(error)


@dataclass(frozen=True, slots=True)
class _Share:
    """What a part may take of the answer's length and time."""

    tokens: int
    end: float
    """By the clock of `time.monotonic`, in seconds."""


def _share(request: pb.AnswerQuestionRequest, generator: Generator, *, end: float, parts: int, left: int) -> _Share:
    """Returns the share of the next part: an equal one of the tokens, and of the time that is left."""
    whole = request.max_tokens if request.HasField("max_tokens") else _DEFAULT_TOKENS
    tokens = min(max(_LEAST_TOKENS, whole // parts), generator.context_length // 2)
    now = time.monotonic()
    return _Share(tokens, now + (end - now) / left)


def research_service(servicer: ResearchServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=pb.DESCRIPTOR.services_by_name["ResearchService"].full_name,
        add=research_pb2_grpc.add_ResearchServiceServicer_to_server,
        servicer=servicer,
    )
