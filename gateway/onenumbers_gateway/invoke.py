"""Calls tools: JSON arguments in, one RPC under one deadline, a JSON object out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message

from onenumbers_gateway.cache import CacheState, ResultCache
from onenumbers_gateway.catalog import Catalog, Tool
from onenumbers_gateway.discovery import Discovery
from onenumbers_gateway.statistics import ToolStatistics
from onenumbers_runtime.calls import outgoing_metadata, outgoing_timeout
from onenumbers_runtime.errors import (
    DeadlineExceededError,
    MeshError,
    NotFoundError,
    ResourceExhaustedError,
    UnavailableError,
)

OnMessage = Callable[[Mapping[str, Any]], Awaitable[None]]

MAX_STREAM_MESSAGES = 10_000
"""Messages of a stream that one result may hold."""
_RETRY_BASE_S = 0.02


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tool's result and where it came from."""

    result: Mapping[str, Any]
    server: str
    elapsed_s: float
    cache: CacheState
    age_s: float = 0.0
    """Age of a cached result in seconds."""


class Invoker:
    """Calls tools of the catalog.

    Args:
        discovery: Has the channels to the servers.
        cache: Results that may be served again.
        statistics: Told of each call.
        token: Bearer token that the servers ask for, or None.
        max_retries: How often a failed call of an idempotent method is sent again.
        max_result_bytes: Largest result of a stream that is collected.
    """

    def __init__(
        self,
        *,
        discovery: Discovery,
        cache: ResultCache,
        statistics: ToolStatistics,
        token: str | None,
        max_retries: int,
        max_result_bytes: int,
    ) -> None:
        self._discovery = discovery
        self._cache = cache
        self._statistics = statistics
        self._token = token
        self._max_retries = max_retries
        self._max_result_bytes = max_result_bytes
        self.catalog = Catalog()

    def find(self, name: str) -> Tool:
        """Returns a tool.

        Raises:
            NotFoundError: There is none of that name; the message holds the nearest names.
        """
        tool = self.catalog.by_name.get(name)
        if tool is None:
            raise unknown_tool(self.catalog, name)
        return tool

    async def call(
        self, name: str, arguments: Mapping[str, Any], *, limit_s: float, on_message: OnMessage | None = None
    ) -> Outcome:
        """Calls a tool and waits for its result.

        Args:
            name: Name of the tool.
            arguments: As its input schema describes them.
            limit_s: Longest time in seconds; the deadline of the call being served ends it too.
            on_message: Told of each message of a streaming tool before the last one.

        Raises:
            MeshError: Refused here: unknown tool, wrong arguments, no server, too large.
            grpc.aio.AioRpcError: The server answered with a status.
        """
        tool = self.find(name)
        started = time.perf_counter()
        try:
            outcome = await self._outcome(tool, arguments, limit_s, on_message, started)
        except MeshError as error:
            self._statistics.add(name, error.code, time.perf_counter() - started)
            raise
        except grpc.aio.AioRpcError as error:
            self._statistics.add(name, error.code().name, time.perf_counter() - started)
            raise
        except asyncio.CancelledError:
            self._statistics.add(name, "CANCELLED", time.perf_counter() - started)
            raise
        hit = outcome.cache in (CacheState.HIT, CacheState.STALE)
        self._statistics.add(name, "OK", outcome.elapsed_s, cache_hit=hit)
        return outcome

    async def _outcome(
        self, tool: Tool, arguments: Mapping[str, Any], limit_s: float, on_message: OnMessage | None, started: float
    ) -> Outcome:
        method = tool.definition.method
        request = method.request_class()
        tool.definition.reader.read(arguments, request)
        timeout_s = outgoing_timeout(limit_s)
        if timeout_s <= 0:
            raise DeadlineExceededError("the deadline passed before the call began", reason="DEADLINE_EXCEEDED")

        async def fetch() -> Mapping[str, Any]:
            return await self._fetch(tool, request, timeout_s, on_message)

        if tool.definition.cache_ttl_s <= 0 or not self._cache.enabled:
            result = await fetch()
            return Outcome(result, tool.server, time.perf_counter() - started, CacheState.NONE)
        key = self._cache.key(tool.definition.contract.descriptor_hash, method.full_name, request)
        found = await self._cache.get_or_fetch(key, tool.definition.cache_ttl_s, fetch, timeout_s=timeout_s)
        return Outcome(found.result, tool.server, time.perf_counter() - started, found.state, found.age_s)

    async def _fetch(
        self, tool: Tool, request: Message, timeout_s: float, on_message: OnMessage | None
    ) -> Mapping[str, Any]:
        """Makes the RPC; an idempotent method is tried again where the server was not reached."""
        method = tool.definition.method
        deadline = time.monotonic() + timeout_s
        attempts = 1 + (self._max_retries if method.idempotent else 0)
        used: grpc.aio.Channel | None = None
        for attempt in range(attempts):
            channel = self._discovery.channel(tool.server, avoid=used)
            if channel is None:
                raise self._unavailable(tool)
            used = channel
            remaining = max(0.001, deadline - time.monotonic())
            try:
                if method.server_streaming:
                    return await self._stream(tool, channel, request, remaining, on_message)
                return await self._unary(tool, channel, request, remaining)
            except grpc.aio.AioRpcError as error:
                pause = _RETRY_BASE_S * 2**attempt
                last = attempt + 1 == attempts or deadline - time.monotonic() <= pause
                if error.code() is not grpc.StatusCode.UNAVAILABLE or last:
                    raise
                await asyncio.sleep(pause)
        raise self._unavailable(tool)  # pragma: no cover - the loop returns or raises

    def _unavailable(self, tool: Tool) -> UnavailableError:
        server = self._discovery.current().server(tool.server)
        reason = (server.reason if server is not None else "") or "no instance of it serves"
        return UnavailableError(
            f"the server {tool.server} cannot take calls: {reason}",
            reason="SERVER_UNAVAILABLE",
            metadata={"server": tool.server, "tool": tool.name},
            retry_after=1.0,
        )

    async def _unary(
        self, tool: Tool, channel: grpc.aio.Channel, request: Message, timeout_s: float
    ) -> Mapping[str, Any]:
        method = tool.definition.method
        call = channel.unary_unary(
            method.path,
            request_serializer=_serialize,
            response_deserializer=method.response_class.FromString,
        )
        response = await call(request, timeout=timeout_s, metadata=outgoing_metadata(self._token))
        return _object(tool.definition.writer.write(response))

    async def _stream(
        self,
        tool: Tool,
        channel: grpc.aio.Channel,
        request: Message,
        timeout_s: float,
        on_message: OnMessage | None,
    ) -> Mapping[str, Any]:
        method = tool.definition.method
        call = channel.unary_stream(
            method.path,
            request_serializer=_serialize,
            response_deserializer=method.response_class.FromString,
        )(request, timeout=timeout_s, metadata=outgoing_metadata(self._token))
        messages: list[Mapping[str, Any]] = []
        last: Mapping[str, Any] | None = None
        size = 0
        try:
            async for response in call:
                if last is not None and on_message is not None:
                    await on_message(last)
                last = _object(tool.definition.writer.write(response))
                if tool.definition.collect:
                    size += response.ByteSize()
                    messages.append(last)
                    self._limit(tool, len(messages), size)
        finally:
            call.cancel()
        if tool.definition.collect:
            return {"messages": messages}
        return last if last is not None else {}

    def _limit(self, tool: Tool, messages: int, size: int) -> None:
        if messages > MAX_STREAM_MESSAGES or size > self._max_result_bytes:
            raise ResourceExhaustedError(
                f"the stream of {tool.name} is longer than one result may be ({MAX_STREAM_MESSAGES} messages, "
                f"{self._max_result_bytes} bytes): call {tool.definition.method.full_name} as a stream",
                reason="RESULT_TOO_LARGE",
                metadata={"tool": tool.name},
            )


def unknown_tool(catalog: Catalog, name: str) -> NotFoundError:
    """Returns the error for a name that no tool has, with the nearest names."""
    nearest = catalog.nearest(name)
    hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
    return NotFoundError(
        f"there is no tool named {name[:200]!r}{hint}", reason="UNKNOWN_TOOL", metadata={"nearest": ",".join(nearest)}
    )


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _object(value: Any) -> Mapping[str, Any]:
    """Returns a result that is an object; the few well-known responses that are not stand under "value"."""
    return value if isinstance(value, dict) else {"value": value}
