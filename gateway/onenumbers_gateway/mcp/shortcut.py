"""Answers plain tools/call requests without the SDK's machinery around each request.

The SDK costs four to ten times what the call itself costs: task groups, memory streams and several pydantic passes for
a request that asks for one thing and gets one answer. This ASGI application recognises such a request in both eras and
answers it with the same bytes that the SDK would send in JSON mode. Whatever is not exactly that (progress wanted, a
header that does not match, an unknown tool, a browser's Origin, a notification, any other method) goes to the SDK
untouched, so that the SDK alone decides what is refused and how.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import structlog
from grpc.aio import AioRpcError

from onenumbers_gateway.mcp.server import McpFace, failed
from onenumbers_runtime.calls import enter_call, read_call
from onenumbers_runtime.errors import MeshError

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MODERN = "2026-07-28"
EARLIER = frozenset({"2025-11-25", "2025-06-18"})
SESSION_FRESH_S = 60.0
"""A session that the SDK has not seen for this long goes through it again, so that its idle clock stays right."""
WATCH_AFTER_S = 0.05
"""A call that takes longer is cancelled when its client goes away; quicker ones are not worth a watcher."""
_META = "io.modelcontextprotocol/"
_PLAIN_PARAMS = frozenset({"name", "arguments", "_meta"})
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Shortcut:
    """Wraps the SDK's application.

    Args:
        face: The MCP face.
        app: The SDK's application.
        max_body_bytes: Largest body that is read here; a larger one is the SDK's to refuse.
        any_host: Whether Host headers other than loopback's may take the shortcut.
    """

    def __init__(self, face: McpFace, app: App, *, max_body_bytes: int, any_host: bool = False) -> None:
        self._face = face
        self._app = app
        self._max_body = max_body_bytes
        self._any_host = any_host
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._running: dict[tuple[str, Any], asyncio.Task[Any]] = {}
        info = face.server.server_info_stamp
        self._modern_tail = f',"_meta":{json.dumps({_META + "serverInfo": info})}}}}}'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or hands the request on."""
        if scope["type"] != "http" or scope["method"] != "POST":
            if scope.get("method") == "DELETE":
                self._forget(scope)
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = {}
        plain = True
        for name, value in scope["headers"]:
            if name in headers and name.startswith(b"mcp-"):
                plain = False
            headers[name] = value
        body = await self._read(headers, receive)
        if body is None:
            await self._app(scope, receive, send)
            return
        call = self._recognise(headers, body) if plain and self._trusted(headers) else None
        if call is None:
            self._cancel_named(headers, body)
            await self._app(scope, _replay(body, receive), self._noting_session(headers, send))
            return
        await self._answer(call, headers, receive, send)

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """Returns the body, or None where its length is not stated or too large to be read here."""
        length = headers.get(b"content-length", b"")
        if not length.isdigit() or int(length) > self._max_body:
            return None
        message = await receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            return body
        chunks = [body]
        while message.get("more_body"):
            message = await receive()
            chunks.append(message.get("body", b""))
        return b"".join(chunks)

    def _trusted(self, headers: dict[bytes, bytes]) -> bool:
        if b"origin" in headers or not headers.get(b"content-type", b"").startswith(b"application/json"):
            return False
        accept = headers.get(b"accept", b"")
        if b"application/json" not in accept or b"text/event-stream" not in accept:
            return False
        host = headers.get(b"host", b"").decode("latin-1").rpartition(":")[0]
        return self._any_host or host in _LOCAL_HOSTS

    def _recognise(self, headers: dict[bytes, bytes], body: bytes) -> _Call | None:
        version = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
        session = ""
        if version == MODERN:
            if headers.get(b"mcp-method") != b"tools/call" or b"mcp-session-id" in headers:
                return None
        elif version in EARLIER:
            session = headers.get(b"mcp-session-id", b"").decode("latin-1")
            if time.monotonic() - self._seen.get(session, -SESSION_FRESH_S) >= SESSION_FRESH_S:
                return None
        else:
            return None
        try:
            request = orjson.loads(body)
        except ValueError:
            return None
        if (
            not isinstance(request, dict)
            or request.get("method") != "tools/call"
            or request.get("jsonrpc") != "2.0"
            or type(request.get("id")) not in (int, str)
            or not isinstance(params := request.get("params"), dict)
            or not params.keys() <= _PLAIN_PARAMS
            or not isinstance(name := params.get("name"), str)
            or not isinstance(arguments := params.get("arguments", {}), dict)
            or not isinstance(meta := params.get("_meta", {}), dict)
            or "progressToken" in meta
            or self._face.tools.find(name) is None
        ):
            return None
        if version == MODERN and (
            headers.get(b"mcp-name") != name.encode()
            or meta.get(_META + "protocolVersion") != version
            or not isinstance(meta.get(_META + "clientCapabilities"), dict)
            or not isinstance(meta.get(_META + "clientInfo", {}), dict)
            or any(header.startswith(b"mcp-param-") for header in headers)
        ):
            return None
        return _Call(request["id"], name, arguments, session)

    async def _answer(self, call: _Call, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an ASGI application runs in a task
        key = (call.session, call.request_id)
        watcher: list[asyncio.Task[None]] = []
        gone = False

        async def watch() -> None:
            nonlocal gone
            while (await receive())["type"] != "http.disconnect":
                pass
            gone = True
            task.cancel()

        timer = loop.call_later(WATCH_AFTER_S, lambda: watcher.append(loop.create_task(watch())))
        if call.session:
            self._running[key] = task
        enter_call(
            read_call([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.items()], None)
        )
        try:
            payload = await self._result(call)
        except asyncio.CancelledError:
            if gone or task.cancelling() == 0 or key not in self._running:
                raise
            # The client of an earlier-era session cancelled this call by a notification of its own.
            task.uncancel()
            payload = b'"error":{"code":0,"message":"Request cancelled"}}'
        finally:
            timer.cancel()
            for one in watcher:
                one.cancel()
            self._running.pop(key, None)
        body = b'{"jsonrpc":"2.0","id":' + orjson.dumps(call.request_id) + b"," + payload
        start: list[tuple[bytes, bytes]] = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if call.session:
            start.append((b"mcp-session-id", call.session.encode("latin-1")))
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": body})

    async def _result(self, call: _Call) -> bytes:
        face = self._face
        tail = b"}}" if call.session else self._modern_tail
        try:
            result = await face.tools.call(call.name, call.arguments, limit_s=face.call_timeout_s)
        except (MeshError, AioRpcError) as error:
            dumped = failed(error).model_dump(mode="json", by_alias=True, exclude_none=True)
            return b'"result":' + json.dumps(dumped).encode()[:-1] + tail
        except Exception:
            log.exception("mcp_call_crashed", tool=call.name)
            return b'"error":{"code":-32603,"message":"Internal error"}}'
        text = orjson.dumps(result)
        return b"".join(
            (
                b'"result":{"content":[{"type":"text","text":',
                orjson.dumps(text.decode()),
                b'}],"isError":false,"resultType":"complete","structuredContent":',
                text,
                tail,
            )
        )

    def _cancel_named(self, headers: dict[bytes, bytes], body: bytes) -> None:
        """Cancels a call that runs here when its client says so by notifications/cancelled."""
        if not self._running or b"notifications/cancelled" not in body:
            return
        try:
            params = json.loads(body)["params"]
            key = (headers.get(b"mcp-session-id", b"").decode("latin-1"), params["requestId"])
            task = self._running.get(key)
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if task is not None:
            task.cancel()

    def _noting_session(self, headers: dict[bytes, bytes], send: Send) -> Send:
        """Notes which sessions the SDK has just accepted."""

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                session = headers.get(b"mcp-session-id")
                for name, value in message["headers"]:
                    if name.lower() == b"mcp-session-id":
                        session = value
                if session is not None:
                    self._note(session.decode("latin-1"), accepted=message["status"] < 300)
            await send(message)

        return noting

    def _note(self, session: str, *, accepted: bool) -> None:
        if not accepted:
            self._seen.pop(session, None)
            return
        self._seen[session] = time.monotonic()
        self._seen.move_to_end(session)
        if len(self._seen) > 10_000:
            self._seen.popitem(last=False)

    def _forget(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"mcp-session-id":
                self._seen.pop(value.decode("latin-1"), None)


class _Call:
    """A plain tools/call."""

    __slots__ = ("arguments", "name", "request_id", "session")

    def __init__(self, request_id: int | str, name: str, arguments: dict[str, Any], session: str) -> None:
        self.request_id = request_id
        self.name = name
        self.arguments = arguments
        self.session = session


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns a receive that yields the body that was read, then whatever comes."""
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
