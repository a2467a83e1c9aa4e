"""Commands over the gateway's own RPCs: list the tools, call one, show the health."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from rich.markup import escape
from rich.table import Table

from onenumbers.gateway.v1 import gateway_pb2 as pb
from onenumbers.gateway.v1 import gateway_pb2_grpc
from onenumbers_cli.client import Connection, connected
from onenumbers_cli.errors import CommandError, Exit
from onenumbers_cli.output import as_json as message_json
from onenumbers_cli.output import err, out, print_json

_MAX_ARGUMENT_BYTES = 4 * 1024 * 1024


def list_tools(*, query: str, server: str, to: Connection, as_json: bool) -> None:
    """Prints the tools, all or those that fit some words."""
    found: list[pb.Tool] = []
    with connected(to) as client:
        stub: Any = gateway_pb2_grpc.GatewayServiceStub(client.channel)
        if query:
            answer = client.call(stub.SearchTools, pb.SearchToolsRequest(query=query, limit=100))
            found = [tool for tool in answer.tools if server in ("", tool.server)]
        else:
            request = pb.ListToolsRequest(server=server)
            while True:
                page = client.call(stub.ListTools, request)
                found += page.tools
                if not page.next_page_token:
                    break
                request.page_token = page.next_page_token
    if as_json:
        print_json({"tools": [message_json(tool) for tool in found]})
        return
    table = Table(box=None, pad_edge=False)
    for column in ("tool", "server", "what it does"):
        table.add_column(column, overflow="fold", no_wrap=column != "what it does")
    for tool in found:
        state = "" if tool.available else f" [not available: {tool.unavailable_reason}]"
        table.add_row(tool.name, tool.server, escape(tool.title + state))
    out.print(table)
    if not found:
        err.print("no tool fits")


def call_tool(*, name: str, arguments: str, to: Connection, as_json: bool) -> None:
    """Calls a tool and prints its result, or with `as_json` the whole answer."""
    request = pb.CallToolRequest(tool_name=name)
    values = read_arguments(arguments)
    try:
        json_format.ParseDict(values, request.arguments)
    except (json_format.ParseError, ValueError, RecursionError) as error:  # half a surrogate pair, too deep
        raise CommandError(f"the arguments are not plain JSON: {error}", Exit.USAGE) from None
    request.arguments.SetInParent()
    request.timeout.FromMilliseconds(int(min(to.timeout_s, 600) * 1000))
    with connected(to) as client:
        stub: Any = gateway_pb2_grpc.GatewayServiceStub(client.channel)
        answer = client.call(stub.CallTool, request)
    shown = message_json(answer)
    shown["result"] = whole_numbers(shown.get("result", {}))
    print_json(shown if as_json else shown["result"])


def whole_numbers(value: Any) -> Any:
    """Returns a JSON value with 22 for 22.0: google.protobuf.Struct knows only floating-point numbers."""
    if isinstance(value, dict):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def read_arguments(text: str) -> dict[str, Any]:
    """Returns a JSON object from an argument, "@FILE" or "-".

    Raises:
        CommandError: It cannot be read, or is not a JSON object.
    """
    try:
        if text == "-":
            text = sys.stdin.buffer.read(_MAX_ARGUMENT_BYTES).decode()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        source = "standard input" if text == "-" else text[1:]
        raise CommandError(f"{source} cannot be read: {error}", Exit.USAGE) from None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"the arguments are not JSON: {error}", Exit.USAGE) from None
    if not isinstance(value, dict):
        raise CommandError('the arguments must be a JSON object, such as {"day": 14}', Exit.USAGE)
    return value


def _refuse_constant(word: str) -> Any:
    """Python reads NaN and Infinity; JSON has neither."""
    raise ValueError(f"{word} is no JSON value")


def show_health(*, to: Connection, as_json: bool) -> None:
    """Prints the health of the mesh.

    Raises:
        CommandError: Not every server serves.
    """
    with connected(to) as client:
        stub: Any = gateway_pb2_grpc.GatewayServiceStub(client.channel)
        answer = client.call(stub.GetServerHealth, pb.GetServerHealthRequest())
    if as_json:
        print_json(message_json(answer))
    else:
        table = Table(box=None, pad_edge=False)
        for column in ("server", "status", "response", "last check", "reason"):
            table.add_column(column)
        for name in sorted(answer.servers):
            health = answer.servers[name]
            status = pb.ServerStatus.Name(health.status).removeprefix("SERVER_STATUS_").lower()
            response = f"{health.response_time_ms:.1f} ms" if health.HasField("response_time_ms") else "-"
            checked = health.last_check.ToDatetime(UTC) if health.HasField("last_check") else None
            ago = f"{(datetime.now(UTC) - checked).total_seconds():.0f} s ago" if checked else "never"
            table.add_row(name, status, response, ago, escape(health.reason))
        out.print(table)
        out.print(f"mesh: {answer.status}; cache: {answer.cache}")
    if answer.status != "ok":
        raise CommandError(f"the mesh is {answer.status}", Exit.FAILED)
