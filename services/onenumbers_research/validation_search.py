"""Searches of the knowledge server for the validation of claims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc
from onenumbers_research.claim_evidence import Passage
from onenumbers_research.knowledge_client import DOWN, does_not_answer
from onenumbers_runtime.calls import outgoing_metadata, outgoing_timeout

_LIMIT_S = 20.0
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

        Raises:
            UnavailableError: The knowledge server is down or did not answer in time.
            grpc.aio.AioRpcError: Any other status of it, passed on unchanged.
        """
        text = query[:_LONGEST_QUERY].strip() or "number"
        while True:
            request = knowledge_pb2.SemanticSearchRequest(
                query=text, top_k=limit, numbers=numbers, sources=sources, categories=categories
            )
            try:
                answer = await self._stub.SemanticSearch(
                    request, timeout=outgoing_timeout(_LIMIT_S), metadata=outgoing_metadata(self._token)
                )
                return [_passage(hit) for hit in answer.hits]
            except grpc.aio.AioRpcError as error:
                if error.code() in DOWN:
                    raise does_not_answer() from None
                if error.code() is not grpc.StatusCode.INVALID_ARGUMENT or len(text) <= _SHORTEST_QUERY:
                    raise
                text = text[: len(text) // 2].strip() or "number"


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
