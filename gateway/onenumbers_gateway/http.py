"""The gateway's HTTP side: MCP, files, the site, and a clear 404 for everything else. REST is the edge's work."""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from onenumbers_gateway.joined_writes import JoinedWritesProtocol
from onenumbers_gateway.mcp.server import McpFace
from onenumbers_gateway.mcp.shortcut import App, Receive, Scope, Send, Shortcut
from onenumbers_gateway.site import Site
from onenumbers_runtime.server import PortInUseError

log = structlog.get_logger()

MCP_PATH = "/mcp"
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
_LOOPBACK_HOSTS = ["127.0.0.1:*", "localhost:*", "[::1]:*"]
_LOOPBACK_ORIGINS = ["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"]


def status_body(code: int, message: str) -> bytes:
    """Returns a google.rpc.Status as JSON."""
    return json.dumps({"code": code, "message": message, "details": []}).encode()


async def answer_status(send: Send, http_status: int, body: bytes, *extra: tuple[bytes, bytes]) -> None:
    """Sends a JSON body with its status."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class HttpApp:
    """Authenticates, and hands /mcp to the MCP face, files to their uploads, and the rest to the site.

    Args:
        face: The MCP face.
        site: The console and the OpenAPI document.
        uploads: Takes files, by path.
        token: Bearer token that requests must carry, or None.
        max_body_bytes: Largest request body.
        public: Whether clients other than this machine's may come, under any host name.
    """

    def __init__(
        self,
        face: McpFace,
        site: Site,
        uploads: Mapping[str, App],
        *,
        token: str | None,
        max_body_bytes: int,
        public: bool,
    ) -> None:
        self._site = site
        self._uploads = uploads
        self._public = public
        self._token = token.encode() if token is not None else None
        security = TransportSecuritySettings(
            enable_dns_rebinding_protection=not public,
            allowed_hosts=_LOOPBACK_HOSTS,
            allowed_origins=_LOOPBACK_ORIGINS,
        )
        self._sdk: Any = face.server.streamable_http_app(
            streamable_http_path=MCP_PATH,
            max_request_body_size=max_body_bytes,
            transport_security=security,
            session_idle_timeout=1800,
            max_sessions=1_000,
        )
        self._mcp: App = Shortcut(face, self._sdk, max_body_bytes=max_body_bytes, any_host=public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection's scope."""
        if scope["type"] == "lifespan":
            await self._sdk(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        face = path.rstrip("/")
        takes = self._uploads.get(face)
        guarded = face == MCP_PATH or takes is not None or (self._site.knows(path) and not self._site.public(path))
        if guarded and not self._authentic(scope):
            challenge = (b"www-authenticate", b"Bearer")
            await answer_status(send, 401, status_body(16, "this mesh asks for a bearer token"), challenge)
        elif face == MCP_PATH:
            await self._mcp(scope, receive, send)
        elif takes is not None:
            await self._file(takes, scope, receive, send)
        elif not (self._site.knows(path) and await self._site.serve(scope, send)):
            message = f"no such path: {path[:200]}; tools are listed at /v1/tools, MCP is at {MCP_PATH}"
            await answer_status(send, 404, status_body(5, message))

    async def _file(self, takes: App, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await answer_status(send, 405, status_body(12, "files are sent by POST"), (b"allow", b"POST"))
        elif self._foreign_page(scope):
            await answer_status(send, 403, status_body(7, "pages of other hosts may not send files to this mesh"))
        else:
            await takes(scope, receive, send)

    def _foreign_page(self, scope: Scope) -> bool:
        """Whether a page of another host sent the request: browsers send forms anywhere without asking first."""
        if self._token is not None or self._public:
            return False
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        return any(urlsplit(value.decode("latin-1")).hostname not in _LOOPBACK_NAMES for value in origins)

    def _authentic(self, scope: Scope) -> bool:
        if self._token is None:
            return True
        for name, value in scope["headers"]:
            if name == b"authorization":
                scheme, _, token = value.partition(b" ")
                return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)
        return False


@asynccontextmanager
async def serving_http(app: HttpApp, *, host: str, port: int, grace_s: float) -> AsyncIterator[int]:
    """Serves the application while the context is open; yields the bound port.

    Raises:
        PortInUseError: The port is taken.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="on",
        http=JoinedWritesProtocol,
        timeout_graceful_shutdown=max(1, int(grace_s)),
        timeout_keep_alive=75,
        server_header=False,
        date_header=False,
    )
    try:
        listener = config.bind_socket()
    except SystemExit as error:  # uvicorn's way to say that it cannot bind
        raise PortInUseError(host, port) from error
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        started = asyncio.create_task(server.ready.wait())
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if task.done():
            await task
        bound = listener.getsockname()[1]
        log.info("http_listening", host=host, port=bound)
        yield bound
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task
        listener.close()


class _QuietServer(uvicorn.Server):
    """Leaves signals to the runtime, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen."""
        await super().startup(sockets)
        self.ready.set()

    def capture_signals(self) -> Any:
        """Captures none."""
        return nullcontext()
