"""The knowledge server, as research uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from onenumbers.knowledge.v1 import knowledge_pb2, knowledge_pb2_grpc
from onenumbers_runtime.calls import outgoing_metadata, outgoing_timeout
from onenumbers_runtime.errors import UnavailableError

_LIMIT_S = 20.0
DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
"""Statuses of a server that is down or late."""


class KnowledgeClient:
    """Searches through the knowledge server.

    Args:
        channel: Channel to it.
        token: Bearer token that it asks for, or None.
    """

    def __init__(self, channel: grpc.aio.Channel, *, token: str | None) -> None:
        self._stub: Any = knowledge_pb2_grpc.KnowledgeServiceStub(channel)
        self._token = token

    async def search(
        self, query: str, *, limit: int, sources: Sequence[str] = ()
    ) -> knowledge_pb2.SemanticSearchResponse:
        """Returns the passages nearest to a query, best first.

        Raises:
            UnavailableError: It is down or did not answer in time.
            grpc.aio.AioRpcError: Any other status of it, passed on unchanged.
        """
        try:
            response: knowledge_pb2.SemanticSearchResponse = await self._stub.SemanticSearch(
                knowledge_pb2.SemanticSearchRequest(query=query, top_k=limit, sources=sources),
                timeout=outgoing_timeout(_LIMIT_S),
                metadata=outgoing_metadata(self._token),
            )
        except grpc.aio.AioRpcError as error:
            if error.code() in DOWN:
                raise does_not_answer() from None
            raise
        return response


def does_not_answer() -> UnavailableError:
    """Returns what callers are told when the knowledge server is down or late."""
    return UnavailableError(
        "the knowledge server does not answer",
        reason="KNOWLEDGE_UNAVAILABLE",
        metadata={"server": "knowledge"},
        retry_after=1.0,
    )
