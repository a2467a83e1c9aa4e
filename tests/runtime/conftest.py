"""A small service with every kind of RPC and every way to fail."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from grpc_tools import protoc

from onenumbers_runtime.errors import NotFoundError, ResourceExhaustedError, invalid
from onenumbers_runtime.server import Service

ROOT = Path(__file__).resolve().parents[2]

PROTO = """
syntax = "proto3";
package runtime.test.v1;
import "buf/validate/validate.proto";
service EchoService {
  rpc Echo(EchoRequest) returns (EchoResponse);
  rpc Stream(EchoRequest) returns (stream EchoResponse);
  rpc Collect(stream EchoRequest) returns (EchoResponse);
  rpc Chat(stream EchoRequest) returns (stream EchoResponse);
}
message EchoRequest {
  string text = 1 [(buf.validate.field).string = {min_len: 1, max_len: 5000000}];
  repeated Item items = 2;
}
message Item { string name = 1 [(buf.validate.field).string.max_len = 3]; }
message EchoResponse { string text = 1; }
"""


@pytest.fixture(scope="session")
def echo(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The generated code of the test service."""
    folder = tmp_path_factory.mktemp("protos")
    (folder / "runtime_echo.proto").write_text(PROTO)
    status = protoc.main(
        ["protoc", f"-I{folder}", f"-I{ROOT / 'protos' / 'vendor'}", f"-I{Path(protoc.__file__).parent / '_proto'}",
         f"--python_out={folder}", f"--grpc_python_out={folder}", str(folder / "runtime_echo.proto")]
    )  # fmt: skip
    assert status == 0
    sys.path.insert(0, str(folder))
    import runtime_echo_pb2
    import runtime_echo_pb2_grpc

    return SimpleNamespace(pb2=runtime_echo_pb2, grpc=runtime_echo_pb2_grpc)


@pytest.fixture
def echo_service(echo: SimpleNamespace) -> Service:
    """The service; what it does is asked for by the text of the request."""

    class Servicer(echo.grpc.EchoServiceServicer):
        def __init__(self) -> None:
            self.entered = asyncio.Event()
            self.cancelled = asyncio.Event()
            self.release = asyncio.Event()

        async def Echo(self, request, context):
            match request.text:
                case "missing":
                    raise NotFoundError("no such thing", reason="THING_UNKNOWN", metadata={"nearest": "thin"})
                case "invalid":
                    raise invalid("items[0].name", "is odd", rule="odd")
                case "full":
                    raise ResourceExhaustedError("full", reason="FULL", retry_after=1.5)
                case "crash":
                    raise ValueError("secret detail")
                case "wait":
                    self.entered.set()
                    try:
                        await self.release.wait()
                    except asyncio.CancelledError:
                        self.cancelled.set()
                        raise
            return echo.pb2.EchoResponse(text=request.text)

        async def Stream(self, request, context) -> AsyncIterator:
            try:
                for word in request.text.split():
                    yield echo.pb2.EchoResponse(text=word)
                    if word == "crash":
                        raise ValueError("secret detail")
                    if word == "wait":
                        self.entered.set()
                        await self.release.wait()
            except (asyncio.CancelledError, GeneratorExit):
                self.cancelled.set()
                raise

        async def Collect(self, request_iterator, context):
            return echo.pb2.EchoResponse(text=" ".join([request.text async for request in request_iterator]))

        async def Chat(self, request_iterator, context):
            async for request in request_iterator:
                yield echo.pb2.EchoResponse(text=request.text)

    return Service("runtime.test.v1.EchoService", echo.grpc.add_EchoServiceServicer_to_server, Servicer())
