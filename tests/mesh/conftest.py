"""The mesh as a user starts it, with the server that needs no model, and one caller for each of its faces."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import psutil
import pytest
from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2
from grpc_status import rpc_status
from mcp.client import Client
from mcp.shared.exceptions import MCPError

from onenumbers.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from onenumbers.utilities.v1 import utilities_pb2, utilities_pb2_grpc

FACES = ("grpc", "rest", "mcp", "call")
_INNER = ("MCP_RESEARCH_PORT", "MCP_KNOWLEDGE_PORT", "MCP_UTILITIES_PORT", "MCP_GATEWAY_PORT", "MCP_GATEWAY_HTTP_PORT")
_RPCS = {
    "calculate_life_path": ("CalculateLifePath", "/v1/numerology/life-path"),
    "calculate_expression_number": ("CalculateExpressionNumber", "/v1/numerology/expression"),
    "analyze_numerology_profile": ("AnalyzeNumerologyProfile", "/v1/numerology/profile"),
}


@dataclass(frozen=True)
class Outcome:
    """What a face answered: a status by its name, and its message or the result."""

    status: str
    message: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    """Fields that the error's BadRequest names."""


_DETAILS = error_details_pb2.DESCRIPTOR
"""Loaded, so that the details of a status can be read."""


def _refused(code: int, message: str, details: list[Any]) -> Outcome:
    fields = tuple(
        violation["field"]
        for detail in details
        if detail["@type"].endswith("BadRequest")
        for violation in detail.get("fieldViolations", detail.get("field_violations", []))
    )
    return Outcome(code_pb2.Code.Name(code), message, fields=fields)


class RunningMesh:
    """`onenumbers up --only utilities` on free ports."""

    def __init__(self, folder: Path) -> None:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
        *inner, self.port = [one.getsockname()[1] for one in sockets]
        for one in sockets:
            one.close()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self._out = folder / "out"
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "onenumbers_cli.main", "up", "--only", "utilities"),
                    *("--port", str(self.port), "--data-dir", str(folder / "data")),
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | dict(zip(_INNER, map(str, inner), strict=True)),
            )
        end = time.monotonic() + 60
        while "ready after" not in self.out:
            assert self.process.poll() is None, self.out
            assert time.monotonic() < end, self.out
            time.sleep(0.05)

    @property
    def out(self) -> str:
        """What it printed so far."""
        return self._out.read_text()

    def child(self, word: str) -> psutil.Process:
        """The child whose command line holds a word."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(one for one in children if any(word in part for part in one.cmdline()))

    async def printed(self, words: str) -> None:
        """Waits until it said something."""
        async with asyncio.timeout(20):
            while words not in self.out:  # noqa: ASYNC110 - what another process writes sets no event
                await asyncio.sleep(0.05)

    async def recovered(self, ask: Callable[[], Awaitable[Outcome]]) -> None:
        """Waits until a call succeeds again."""
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(grpc.aio.AioRpcError, httpx.HTTPError, OSError, MCPError, ExceptionGroup):
                    if (await ask()).status == "OK":
                        return
                await asyncio.sleep(0.1)

    def stop(self) -> None:
        """Ends it as Ctrl-C would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)


class Faces:
    """One call, by any face of the mesh."""

    def __init__(self, mesh: RunningMesh, channel: grpc.aio.Channel, http: httpx.AsyncClient) -> None:
        self._mesh = mesh
        self.channel = channel
        self.http = http
        self.utilities = utilities_pb2_grpc.UtilitiesServiceStub(channel)
        self.gateway = gateway_pb2_grpc.GatewayServiceStub(channel)

    async def call(self, face: str, tool: str, arguments: dict[str, Any]) -> Outcome:
        """Calls a tool through a face; what the face cannot express is a ParseError of protobuf."""
        return await getattr(self, f"_{face}")(tool, arguments)

    async def _grpc(self, tool: str, arguments: dict[str, Any]) -> Outcome:
        method, _ = _RPCS[tool]
        request = json_format.ParseDict(arguments, getattr(utilities_pb2, f"{method}Request")())
        return await self.native(getattr(self.utilities, method)(request, timeout=20))

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Outcome:
        request = gateway_pb2.CallToolRequest(tool_name=tool)
        json_format.ParseDict(arguments, request.arguments)
        outcome = await self.native(self.gateway.CallTool(request, timeout=20))
        # Seen from the generic call, the fields of the tool are parts of its own field.
        fields = tuple(name.removeprefix("arguments.") for name in outcome.fields)
        return Outcome(outcome.status, outcome.message, outcome.result.get("result", {}), fields)

    async def _rest(self, tool: str, arguments: dict[str, Any]) -> Outcome:
        answer = await self.http.post(_RPCS[tool][1], json=arguments)
        return self.json(answer)

    async def _mcp(self, tool: str, arguments: dict[str, Any]) -> Outcome:
        async with Client(f"{self._mesh.url}/mcp") as client:
            answer = await client.call_tool(tool, arguments)
        if not answer.is_error:
            return Outcome("OK", result=answer.structured_content)
        status = json.loads(answer.content[1].text)
        return _refused(status["code"], status["message"], status.get("details", []))

    @staticmethod
    def json(answer: httpx.Response) -> Outcome:
        """Reads an HTTP answer; the HTTP status must be the one that belongs to the code."""
        body = answer.json()
        if answer.status_code == 200:
            return Outcome("OK", result=body)
        outcome = _refused(body["code"], body["message"], body.get("details", []))
        assert answer.status_code in _HTTP[outcome.status], (answer.status_code, body)
        return outcome

    @staticmethod
    async def native(call: Awaitable[Any]) -> Outcome:
        """Awaits a gRPC call."""
        try:
            message = await call
        except grpc.aio.AioRpcError as error:
            status = rpc_status.from_call(error)
            if status is None:
                return Outcome(error.code().name, error.details() or "")
            details = [json_format.MessageToDict(detail) for detail in status.details]
            return _refused(status.code, status.message, details)
        return Outcome("OK", result=json_format.MessageToDict(message, preserving_proto_field_name=True))


_HTTP = {
    "INVALID_ARGUMENT": (400,),
    "NOT_FOUND": (404,),
    "UNIMPLEMENTED": (404, 501),
    "RESOURCE_EXHAUSTED": (413, 429, 431),
    "UNAVAILABLE": (503,),
    "DEADLINE_EXCEEDED": (504,),
}


@pytest.fixture(scope="module")
def mesh() -> Iterator[RunningMesh]:
    """A mesh that the tests of a module share."""
    folder = Path(tempfile.mkdtemp(prefix="mesh-"))
    running = RunningMesh(folder)
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def faces(mesh: RunningMesh) -> AsyncIterator[Faces]:
    """All faces of the mesh."""
    async with (
        grpc.aio.insecure_channel(mesh.address) as channel,
        httpx.AsyncClient(base_url=mesh.url, timeout=20) as http,
    ):
        yield Faces(mesh, channel, http)
