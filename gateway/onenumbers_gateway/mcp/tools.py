"""What the MCP face needs of the gateway, and how results and failures look to an agent."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import mcp_types as types
from google.protobuf import json_format
from google.rpc import status_pb2

OnMessage = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Told of each message of a streaming tool before the last."""


class ToolView(Protocol):
    """A tool as the catalog describes it."""

    @property
    def name(self) -> str:
        """Name, unique in the mesh."""
        ...

    @property
    def title(self) -> str:
        """Title for people; may be empty."""
        ...

    @property
    def description(self) -> str:
        """What it does."""
        ...

    @property
    def input_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the arguments."""
        ...

    @property
    def output_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the result."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether it changes nothing."""
        ...

    @property
    def idempotent(self) -> bool:
        """Whether calling it twice does the same as once."""
        ...

    @property
    def destructive(self) -> bool:
        """Whether it can delete or overwrite."""
        ...

    @property
    def open_world(self) -> bool:
        """Whether its result depends on more than the request and the mesh's data."""
        ...


class Tools(Protocol):
    """The tools of the mesh, as the MCP face uses them."""

    def version(self) -> int:
        """Returns the version of the catalog."""
        ...

    def listing(self) -> Sequence[ToolView]:
        """Returns all tools, ordered by name."""
        ...

    def find(self, name: str) -> ToolView | None:
        """Returns a tool, or None."""
        ...

    def nearest(self, name: str) -> Sequence[str]:
        """Returns the names nearest to an unknown one."""
        ...

    async def call(
        self, name: str, arguments: Mapping[str, Any], *, limit_s: float, on_message: OnMessage | None = None
    ) -> Mapping[str, Any]:
        """Calls a tool and returns its result as a JSON object.

        Raises:
            MeshError: The call was refused before it left.
            grpc.aio.AioRpcError: The server answered with a status.
        """
        ...


def described(tool: ToolView) -> types.Tool:
    """Returns a tool as tools/list shows it."""
    return types.Tool(
        name=tool.name,
        title=tool.title or None,
        description=tool.description,
        input_schema=dict(tool.input_schema),
        output_schema=dict(tool.output_schema),
        annotations=types.ToolAnnotations(
            title=tool.title or None,
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=tool.open_world,
        ),
    )


def success(result: Mapping[str, Any]) -> types.CallToolResult:
    """Returns a result: the object itself, and its JSON as text for clients that read only text."""
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=dict(result))


def failure_texts(status: status_pb2.Status, code: str) -> tuple[str, str]:
    """Returns a failure as one line for a reader, and as google.rpc.Status in JSON for a program."""
    return f"{code}: {status.message}", json.dumps(json_format.MessageToDict(status), ensure_ascii=False)


def failure(status: status_pb2.Status, code: str) -> types.CallToolResult:
    """Returns a failed call as a tool error, so that an agent reads why and can correct itself."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text) for text in failure_texts(status, code)], is_error=True
    )
