"""Peer: a hand-written MCP server on the official SDK whose one tool calls the gRPC stub. One worker, JSON responses.

Usage: python bench/peers/mcp_sdk.py HTTP_PORT GRPC_TARGET
"""

from __future__ import annotations

import json
import sys

import grpc
import mcp_types as types
import uvicorn
from google.protobuf import json_format
from mcp.server.lowlevel import Server

from onenumbers.utilities.v1 import utilities_pb2, utilities_pb2_grpc

SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "integer"} for name in ("day", "month", "year")} | {"explain": {"type": "boolean"}},
    "required": ["day", "month", "year"],
}


def main() -> None:
    port, target = int(sys.argv[1]), sys.argv[2]
    stub: utilities_pb2_grpc.UtilitiesServiceStub | None = None

    async def list_tools(ctx: object, params: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[types.Tool(name="calculate_life_path", input_schema=SCHEMA)])

    async def call_tool(ctx: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        nonlocal stub
        if stub is None:
            stub = utilities_pb2_grpc.UtilitiesServiceStub(grpc.aio.insecure_channel(target))
        request = json_format.ParseDict(params.arguments or {}, utilities_pb2.CalculateLifePathRequest())
        response = await stub.CalculateLifePath(request, timeout=10)
        result = json_format.MessageToDict(response, preserving_proto_field_name=True)
        text = json.dumps(result)
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)], structured_content=result)

    server = Server("peer", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=lambda name: SCHEMA)
    app = server.streamable_http_app(json_response=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
