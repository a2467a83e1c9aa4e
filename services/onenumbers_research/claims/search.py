"""Searches of the knowledge server for the validation of claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc
from onenumbers_research.answers.instructions import instructs
from onenumbers_research.claims.evidence import Passage
from onenumbers_research.knowledge_client import DOWN, does_not_answer
from onenumbers_runtime.calls import outgoing_metadata, outgoing_timeout

_LIMIT_S = 20.0
_MOST_FOUND = 100
"""Passages that one search gives at most."""
_LONGEST_QUERY = 600
_SHORTEST_QUERY = 40
"""Characters. A claim that the model cannot read whole is searched by its beginning."""


class ClaimSearch:
    """Finds passages for claims.

    Args:
        channel: Channel to the knowledge server.
        token: Bearer token that it asks for, or None.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None) -> None:
        self._stub: Any = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        self._token = token

    async def find(
        self,
        query: str,
        *,
        limit: int,
        numbers: Sequence[int] = (),
        sources: Sequence[str] = (),
        categories: Sequence[str] = (),
    ) -> list[Passage]:
        """Returns passages, best first; those of documents on any of `numbers`, where some are given.

        Passages that give instructions are left out, and others take their places: however many of them were
        ingested, they must not crowd out what there is on the claim.

        Raises:
            UnavailableError: The knowledge server is down or did not answer in time.
            grpc.aio.AioRpcError: Any other status of it, passed on unchanged.
        """
        request = knowledge_pb2.SemanticSearchRequest(
            query=query[:_LONGEST_QUERY].strip() or "number",
            top_k=limit,
            numbers=numbers,
            sources=sources,
            categories=categories,
        )
        found = await self._asked(request)
        if any(_instructs(passage) for passage in found):
            request.top_k = _MOST_FOUND
            found = [passage for passage in await self._asked(request) if not _instructs(passage)][:limit]
        return found

    async def _asked(self, request: knowledge_pb2.SemanticSearchRequest) -> list[Passage]:
        """Returns what a search finds; a query that the model cannot read whole is cut, in the request too."""
        while True:
            try:
                answer = await self._stub.SemanticSearch(
                    request, timeout=outgoing_timeout(_LIMIT_S), metadata=outgoing_metadata(self._token)
                )
                return [_passage(hit) for hit in answer.hits]
            except grpc.aio.AioRpcError as error:
                if error.code() in DOWN:
                    raise does_not_answer() from None
                if error.code() is not grpc.StatusCode.INVALID_ARGUMENT or len(request.query) <= _SHORTEST_QUERY:
                    raise
                request.query = request.query[: len(request.query) // 2].strip() or "number"


def _instructs(passage: Passage) -> bool:
    return instructs(f"{passage.title}\n{passage.section}\n{passage.text}")


def _passage(hit: knowledge_pb2.SearchHit) -> Passage:
    passage = hit.passage
    return Passage(
        passage.passage_id,
        passage.document_id,
        passage.title,
        passage.section,
        passage.text,
        passage.start_offset,
        tuple(hit.numbers),
        hit.category,
        hit.source,
        hit.cosine if hit.HasField("cosine") else 0.0,
    )
