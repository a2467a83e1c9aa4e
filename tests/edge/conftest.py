"""A real Envoy under a real control plane, with real gRPC servers of a made-up contract behind it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import uvicorn
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from onenumbers.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from onenumbers_gateway.catalog import Catalog
from onenumbers_gateway.http import HttpApp, serving_http
from onenumbers_gateway.mcp.server import McpFace
from onenumbers_gateway.model import Endpoint, MeshSnapshot, ServerSnapshot, ServerStatus
from onenumbers_gateway.site import Site
from onenumbers_gateway.uploads.receiver import FileUploads
from onenumbers_gateway.xds.ads import AdsServer
from onenumbers_gateway.xds.envoy import EnvoyProcess, start_envoy
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_runtime.testing import CompiledContract, compile_contract, serving_handlers

HERE = Path(__file__).parent
LAB = "lab.v1.LabService"


@pytest.fixture
def compile_proto(tmp_path: Path) -> Callable[..., CompiledContract]:
    """Compiles proto sources by file name."""
    return lambda sources: compile_contract(sources, tmp_path, include=[HERE.parents[1] / "protos" / "vendor"])


@pytest.fixture
def lab(compile_proto: Callable[..., CompiledContract]) -> CompiledContract:
    return compile_proto({"lab.proto": (HERE / "lab.proto").read_text()})


class Lab:
    """Behaviour of LabService; remembers what it saw."""

    def __init__(self, compiled: CompiledContract) -> None:
        self.compiled = compiled
        self.cancelled = asyncio.Event()
        self.waiting = asyncio.Event()
        self.metadata: dict[str, str] = {}
        self.calls = 0
        self._echo = compiled.message("lab.v1.EchoResponse")
        self._count = compiled.message("lab.v1.CountResponse")

    async def echo(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        self.calls += 1
        self.metadata = {key: str(value) for key, value in context.invocation_metadata()}
        return self._echo.FromString(request.SerializeToString())

    async def fail(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        detail = any_pb2.Any()
        violation = error_details_pb2.BadRequest.FieldViolation(field="text", description="is bad")
        detail.Pack(error_details_pb2.BadRequest(field_violations=[violation]))
        status = status_pb2.Status(code=request.code, message=request.message, details=[detail])
        assert request.code in code_pb2.Code.values()
        await context.abort_with_status(rpc_status.to_status(status))

    async def wait(self, request: Any, _context: grpc.aio.ServicerContext) -> Any:
        self.waiting.set()
        try:
            await asyncio.sleep(request.seconds)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return self._echo(text="waited")

    async def count(self, request: Any, _context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        number = 0
        try:
            while request.forever or number < request.to:
                number += 1
                yield self._count(number=number)
                if request.forever:
                    await asyncio.sleep(0.01)
        finally:
            if request.forever:
                self.cancelled.set()

    async def sum(self, requests: AsyncIterator[Any], _context: grpc.aio.ServicerContext) -> Any:
        return self._count(number=sum([request.number async for request in requests]))

    async def talk(self, requests: AsyncIterator[Any], _context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        async for request in requests:
            yield self._echo(text=request.text.upper())

    def handlers(self) -> grpc.GenericRpcHandler:
        behaviours = {name: getattr(self, name.lower()) for name in ("Echo", "Fail", "Wait", "Count", "Sum", "Talk")}
        return self.compiled.handlers(LAB, {**behaviours, "Write": self.echo})


def describe(
    name: str, compiled: CompiledContract, *ports: int, services: Sequence[str] | None = None
) -> ServerSnapshot:
    return ServerSnapshot(
        name=name,
        target=f"127.0.0.1:{ports[0] if ports else 0}",
        endpoints=tuple(Endpoint("127.0.0.1", port) for port in ports),
        status=ServerStatus.SERVING,
        services=tuple(compiled.services if services is None else services),
        files=compiled.files,
        descriptor_hash=compiled.hash,
    )


class FixedSource:
    """A mesh that changes when the test says so."""

    def __init__(self) -> None:
        self._snapshot = MeshSnapshot(version=1)
        self._changed = asyncio.Condition()

    def current(self) -> MeshSnapshot:
        return self._snapshot

    @contextlib.asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[MeshSnapshot]]:
        async def snapshots() -> AsyncIterator[MeshSnapshot]:
            seen = -1
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda before=seen: self._snapshot.version > before)
                seen = self._snapshot.version
                yield self._snapshot

        yield snapshots()

    async def set(self, *servers: ServerSnapshot) -> int:
        async with self._changed:
            self._snapshot = MeshSnapshot(servers=servers, version=self._snapshot.version + 1)
            self._changed.notify_all()
        return self._snapshot.version


class _Gateway(gateway_pb2_grpc.GatewayServiceServicer):
    async def ListTools(self, request, context):
        return gateway_pb2.ListToolsResponse(total=7, servers=["lab"])

    async def GetTool(self, request, context):
        return gateway_pb2.GetToolResponse(tool=gateway_pb2.Tool(name=request.tool_name))

    async def WatchTools(self, request, context):
        yield gateway_pb2.WatchToolsResponse(catalog_version=1)
        yield gateway_pb2.WatchToolsResponse(catalog_version=2)


async def _mcp(request: Request) -> JSONResponse:
    body = await request.body()
    return JSONResponse(
        {"path": request.url.path, "method": request.method, "bytes": len(body), "headers": dict(request.headers)}
    )


async def _events(_request: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: one\n\n"
        await asyncio.Event().wait()

    return StreamingResponse(chunks(), media_type="text/event-stream")


class Edge:
    """The edge of one test: control plane, Envoy and the gateway's own two servers."""

    def __init__(self, settings: EdgeSettings, source: FixedSource) -> None:
        self.settings = settings
        self.source = source
        self.ads = AdsServer(source=source, settings=settings)
        self.envoy: EnvoyProcess
        self.address = ""
        self.http: httpx.AsyncClient
        self.channel: grpc.aio.Channel

    async def serve(self, *servers: ServerSnapshot) -> None:
        """Sets the mesh and waits until Envoy serves it."""
        version = await self.source.set(*servers)
        async with asyncio.timeout(15):
            await self.ads.wait_served(version)


@contextlib.asynccontextmanager
async def _gateway_servers() -> AsyncIterator[tuple[int, int]]:
    grpc_server = grpc.aio.server()
    gateway_pb2_grpc.add_GatewayServiceServicer_to_server(_Gateway(), grpc_server)
    health = health_aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, grpc_server)
    reflection.enable_server_reflection(["whole.mesh.Service"], grpc_server)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    await health.set("", health_pb2.HealthCheckResponse.SERVING)
    routes = [
        Route("/mcp/events", _events),
        Route("/{path:path}", _mcp, methods=["GET", "POST", "DELETE", "PUT"]),
    ]
    app = Starlette(routes=routes)
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    http_server = uvicorn.Server(config)
    http_server.install_signal_handlers = lambda: None
    socket = config.bind_socket()
    task = asyncio.create_task(http_server.serve(sockets=[socket]))
    try:
        yield port, socket.getsockname()[1]
    finally:
        http_server.should_exit = http_server.force_exit = True
        await task
        await grpc_server.stop(grace=0)


class NoTools:
    """A mesh without tools."""

    def version(self):
        return 1

    def listing(self):
        return []


@contextlib.asynccontextmanager
async def edge_of_uploads(
    uploads: Mapping[str, FileUploads], *servers: ServerSnapshot, folder: Path, token: str | None = None
) -> AsyncIterator[str]:
    """Yields the address of an Envoy before servers and a gateway's HTTP server that takes files."""
    face = McpFace(NoTools(), version="1", call_timeout_s=10)
    site = Site(Catalog, version="1", authenticated=token is not None)
    app = HttpApp(face, site, uploads, token=token, max_body_bytes=1 << 20, public=False)
    async with serving_http(app, host="127.0.0.1", port=0, grace_s=1) as port:
        settings = EdgeSettings.load(
            data_dir=folder, edge_port=0, gateway_port=1, gateway_http_port=port, grace_period_s=1
        )
        source = FixedSource()
        version = await source.set(*servers)
        async with AdsServer(source=source, settings=settings) as ads, start_envoy(settings) as envoy:
            await envoy.ready()
            async with asyncio.timeout(15):
                await ads.wait_served(version)
            yield await envoy.listen_address()


@pytest.fixture
def edge_options() -> dict[str, Any]:
    """Settings that differ from the defaults; a test overrides it by parametrisation."""
    return {}


@pytest.fixture
async def edge(tmp_path_factory: pytest.TempPathFactory, edge_options: dict[str, Any]) -> AsyncIterator[Edge]:
    async with _gateway_servers() as (grpc_port, http_port):
        settings = EdgeSettings.load(
            data_dir=tmp_path_factory.mktemp("edge"),
            edge_port=0,
            gateway_port=grpc_port,
            gateway_http_port=http_port,
            grace_period_s=1,
            **edge_options,
        )
        instance = Edge(settings, FixedSource())
        async with instance.ads, start_envoy(settings) as envoy:
            await envoy.ready()
            instance.envoy = envoy
            instance.address = await envoy.listen_address()
            async with (
                httpx.AsyncClient(base_url=f"http://{instance.address}", timeout=20) as instance.http,
                grpc.aio.insecure_channel(instance.address) as instance.channel,
            ):
                yield instance


@pytest.fixture
async def lab_edge(edge: Edge, lab: CompiledContract) -> AsyncIterator[tuple[Edge, Lab]]:
    """The edge with one LabService behind it."""
    behaviour = Lab(lab)
    async with serving_handlers(behaviour.handlers()) as port:
        await edge.serve(describe("lab", lab, port))
        yield edge, behaviour


class Replica:
    """A LabService in a process that a test may kill."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    def kill(self) -> None:
        self.process.kill()


@pytest.fixture
async def start_replica() -> AsyncIterator[Callable[[int], Awaitable[Replica]]]:
    processes = []

    async def start(delay_ms: int) -> Replica:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "replica.py"), str(delay_ms), stdout=asyncio.subprocess.PIPE
        )
        processes.append(process)
        assert process.stdout is not None
        return Replica(process, int(await process.stdout.readline()))

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        process._transport.close()


@pytest.fixture
def mesh() -> Any:
    """Building blocks for tests that set up servers of their own."""

    class Blocks:
        Lab = Lab
        serving = staticmethod(serving_handlers)
        describe = staticmethod(describe)
        replace = staticmethod(replace)

    return Blocks
