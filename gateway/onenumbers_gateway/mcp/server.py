"""The MCP server on the official SDK: both eras of the protocol at one path."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import mcp_types as types
import structlog
from grpc.aio import AioRpcError
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.models import InitializationOptions
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from onenumbers_gateway.mcp.tools import Tools, described, failure, success
from onenumbers_runtime.errors import MeshError
from onenumbers_runtime.status import internal_status, status_of_call, to_status

log = structlog.get_logger()

SERVER_NAME = "onenumbers-mesh"
PAGE_SIZE = 500
"""Tools on one page of tools/list."""
LISTING_TTL_MS = 60_000
"""How long a client may keep a listing; changes are announced besides."""
MAX_SESSIONS = 1_000
"""Sessions of the earlier era that are kept at once."""

INSTRUCTIONS = (
    "Tools of 1Numbers Mesh: exact numerology calculations with their sums, retrieval from a documented knowledge "
    "base, and cited answers. Numerology is a tradition: the tools state what each school prescribes and claim no "
    "prediction."
)


class MeshMcpServer(Server[Any]):
    """An SDK server that announces changed tool lists in the earlier era too, where sessions carry them."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """Returns the SDK's options with listChanged for tools."""
        options = notification_options or NotificationOptions(tools_changed=True)
        return super().create_initialization_options(options, experimental_capabilities, extensions)


class McpFace:
    """Serves tools/list and tools/call over a catalog.

    Args:
        tools: The gateway's tools.
        version: Version of the product.
        call_timeout_s: Longest tool call in seconds.
    """

    def __init__(self, tools: Tools, *, version: str, call_timeout_s: float) -> None:
        self.tools = tools
        self.call_timeout_s = call_timeout_s
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._sessions: OrderedDict[str, ServerSession] = OrderedDict()
        self._listing: tuple[int, list[types.Tool]] = (-1, [])
        self.server = MeshMcpServer(
            SERVER_NAME,
            version=version,
            title="1Numbers Mesh",
            instructions=INSTRUCTIONS,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_subscriptions_listen=self._listen,
            cache_hints={"tools/list": CacheHint(ttl_ms=LISTING_TTL_MS, scope="public")},
            get_tool_input_schema=self._input_schema,
        )

    async def announce_change(self) -> None:
        """Tells listeners of both eras that the tools changed."""
        await self._bus.publish(ToolsListChanged())
        for key, session in list(self._sessions.items()):
            try:
                async with asyncio.timeout(1):
                    await session.send_tool_list_changed()
            except Exception as error:  # noqa: BLE001 - a dead session must not keep the others from hearing
                log.debug("mcp_session_gone", session=key, error=type(error).__name__)
                self._sessions.pop(key, None)

    def close(self) -> None:
        """Ends the open subscription streams."""
        self._listen.close()

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self.tools.find(name)
        return tool.input_schema if tool is not None else None

    def _remember(self, context: ServerRequestContext[Any, Any]) -> None:
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS or context.request is None:
            return
        key = context.request.headers.get("mcp-session-id")
        if key:
            self._sessions[key] = context.session
            self._sessions.move_to_end(key)
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)

    def _described(self) -> list[types.Tool]:
        version = self.tools.version()
        if self._listing[0] != version:
            self._listing = (version, [described(tool) for tool in self.tools.listing()])
        return self._listing[1]

    async def _list_tools(
        self, context: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        self._remember(context)
        tools = self._described()
        cursor = params.cursor if params is not None else None
        start = 0
        if cursor:
            # The cursor is the last name of the page before: it stays right when tools come and go.
            after, found = cursor.partition(":")[2], cursor.startswith("after:")
            if not found:
                raise MCPError(types.INVALID_PARAMS, "cursor: is not one that this server gave out")
            start = next((index for index, tool in enumerate(tools) if tool.name > after), len(tools))
        page = tools[start : start + PAGE_SIZE]
        more = start + PAGE_SIZE < len(tools)
        return types.ListToolsResult(tools=page, next_cursor=f"after:{page[-1].name}" if more else None)

    async def _call_tool(
        self, context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        self._remember(context)
        if self.tools.find(params.name) is None:
            raise unknown_tool(self.tools, params.name)
        messages = 0

        async def on_message(message: Mapping[str, Any]) -> None:
            nonlocal messages
            messages += 1
            text = message.get("draft_delta")
            await context.session.report_progress(messages, None, text if isinstance(text, str) else None)

        streaming = context.meta is not None and context.meta.get("progress_token") is not None
        try:
            result = await self.tools.call(
                params.name,
                params.arguments or {},
                limit_s=self.call_timeout_s,
                on_message=on_message if streaming else None,
            )
        except (MeshError, AioRpcError) as error:
            return failed(error)
        except Exception:  # the SDK would send the exception's text to the client
            log.exception("mcp_call_crashed", tool=params.name)
            return failure(internal_status(""), "INTERNAL")
        return success(result)


def failed(error: MeshError | AioRpcError) -> types.CallToolResult:
    """Returns a failed call as a tool error."""
    if isinstance(error, MeshError):
        return failure(to_status(error), error.code)
    return failure(status_of_call(error), error.code().name)


def unknown_tool(tools: Tools, name: str) -> MCPError:
    """Returns the error for an unknown tool: -32602, as the specification wants, with the nearest names."""
    nearest = list(tools.nearest(name))
    hint = f"; nearest: {', '.join(nearest)}" if nearest else ""
    return MCPError(types.INVALID_PARAMS, f"Unknown tool: {name[:200]}{hint}", {"nearest": nearest})


@asynccontextmanager
async def announcing(face: McpFace, changes: AsyncIterator[object]) -> AsyncIterator[None]:
    """Announces every change that `changes` yields after its first item, while the context is open."""

    async def follow() -> None:
        first = True
        async for _ in changes:
            if not first:
                await face.announce_change()
            first = False

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        face.close()
