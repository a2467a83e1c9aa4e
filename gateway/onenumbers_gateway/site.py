"""What the gateway shows over HTTP: the console for people, the OpenAPI document of the REST face for their tools."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any, Final

import orjson

from onenumbers.gateway.v1 import gateway_pb2
from onenumbers_gateway.arguments import ArgumentReader
from onenumbers_gateway.catalog import Catalog, ToolDefinition, define
from onenumbers_gateway.descriptors import build_contract
from onenumbers_gateway.mcp.shortcut import Scope, Send
from onenumbers_gateway.openapi.document import Operation, document
from onenumbers_gateway.openapi.files import FilePaths
from onenumbers_gateway.results import ResultWriter
from onenumbers_gateway.xds.contract import files_of

OPENAPI_PATH: Final = "/openapi.json"
CONSOLE_PATH: Final = "/console/"
_REDIRECTS: Final = ("/", "/console", "/docs", "/docs/")
_SERVICE: Final = "onenumbers.gateway.v1.GatewayService"
_KINDS: Final = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css"}
_WORTH_COMPRESSING: Final = 1_000
"""Bytes below which compressing costs more than it saves."""
_SAFE: Final = (
    # The page loads nothing from elsewhere, calls nothing but this mesh, and is shown in no other page.
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


@dataclass(frozen=True, slots=True)
class _File:
    """Something that is served, compressed once."""

    kind: str
    content: bytes
    compressed: bytes
    tag: bytes

    @classmethod
    def of(cls, kind: str, content: bytes) -> _File:
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'.encode()
        small = len(content) < _WORTH_COMPRESSING
        return cls(kind, content, b"" if small else gzip.compress(content, 6, mtime=0), tag)


class Site:
    """Serves the console and the OpenAPI document.

    Args:
        catalog: Returns the present catalog.
        version: Version of the mesh.
        authenticated: Whether calls carry a bearer token.
    """

    def __init__(self, catalog: Callable[[], Catalog], *, version: str, authenticated: bool) -> None:
        self._catalog = catalog
        self._version = version
        self._authenticated = authenticated
        self._console = _console_files()
        self._own = _gateway_operations()
        self._files = FilePaths()
        self._described: tuple[tuple[str, int], ...] | None = None
        self._document: _File | None = None
        self._making = asyncio.Lock()

    @staticmethod
    def knows(path: str) -> bool:
        """Tells whether a path is one of this site's."""
        return path in _REDIRECTS or path == OPENAPI_PATH or path.startswith(CONSOLE_PATH)

    @staticmethod
    def public(path: str) -> bool:
        """Tells whether a path is served without a token: the console's own files, which hold nothing of the mesh."""
        return path != OPENAPI_PATH

    async def serve(self, scope: Scope, send: Send) -> bool:
        """Answers a request; False where there is nothing under its path."""
        path = scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, [(b"allow", b"GET, HEAD"), (b"content-length", b"0")])
        elif path in _REDIRECTS:
            await _answer(send, 307, [(b"location", CONSOLE_PATH.encode()), (b"content-length", b"0")])
        else:
            file = await self.openapi() if path == OPENAPI_PATH else self._console.get(path)
            if file is None:
                return False
            await _send_file(scope, send, file)
        return True

    async def openapi(self) -> _File:
        """Returns the document; it is made when it is first asked for after a change of some contract."""
        async with self._making:
            tools = self._catalog().tools
            # What is available now does not belong to it: only another contract makes another document.
            described = tuple((tool.name, id(tool.definition)) for tool in tools)
            if self._document is None or described != self._described:
                operations = [Operation(tool.name, tool.server, tool.definition) for tool in tools]
                self._document = await asyncio.to_thread(self._make, [*operations, *self._own])
                self._described = described
            return self._document

    def _make(self, operations: list[Operation]) -> _File:
        # The first server of a service is the one that is asked.
        groups = {item.definition.method.service: item.group for item in reversed(operations)}
        beside = partial(self._files.items, groups=groups)
        made = document(operations, version=self._version, authenticated=self._authenticated, beside=beside)
        return _File.of("application/json", orjson.dumps(made))


def _gateway_operations() -> list[Operation]:
    """Returns the gateway's own methods, which are no tools."""
    contract = build_contract(files_of(gateway_pb2.DESCRIPTOR), [_SERVICE], "gateway")
    reader, writer = ArgumentReader(), ResultWriter(contract.pool)
    definitions: list[ToolDefinition] = [define(contract, method, reader, writer) for method in contract.methods]
    return [Operation(f"gateway_{item.method.tool_name}", "gateway", item) for item in definitions]


def _console_files() -> Mapping[str, _File]:
    found: dict[str, _File] = {}
    for entry in resources.files("onenumbers_gateway").joinpath("console").iterdir():
        kind = _KINDS.get(f".{entry.name.rsplit('.', 1)[-1]}")
        if kind is not None:
            found[f"{CONSOLE_PATH}{entry.name}"] = _File.of(kind, entry.read_bytes())
    found[CONSOLE_PATH] = found[f"{CONSOLE_PATH}index.html"]
    return found


async def _send_file(scope: Scope, send: Send, file: _File) -> None:
    asked: dict[bytes, bytes] = dict(scope["headers"])
    headers = [(b"etag", file.tag), (b"cache-control", b"no-cache"), (b"vary", b"accept-encoding"), *_SAFE]
    if file.tag in asked.get(b"if-none-match", b""):
        await _answer(send, 304, headers)
        return
    content = file.content
    if file.compressed and b"gzip" in asked.get(b"accept-encoding", b""):
        content = file.compressed
        headers.append((b"content-encoding", b"gzip"))
    headers += [(b"content-type", file.kind.encode()), (b"content-length", str(len(content)).encode())]
    await _answer(send, 200, headers, b"" if scope["method"] == "HEAD" else content)


async def _answer(send: Send, status: int, headers: list[Any], body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
