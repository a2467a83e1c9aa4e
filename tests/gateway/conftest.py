"""A real gateway over real servers: ours, and one of a contract that has never heard of us."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest

from onenumbers.gateway.v1 import gateway_pb2_grpc
from onenumbers_gateway.app import RunningGateway, running_gateway
from onenumbers_gateway.settings import GatewaySettings
from onenumbers_runtime.server import GrpcServer
from onenumbers_runtime.settings import MeshSettings
from onenumbers_runtime.testing import CompiledContract, compile_contract, serving_handlers
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

HERE = Path(__file__).parent
TEXT = "foreign.v1.TextService"


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> CompiledContract:
    """The contract of the foreign server."""
    return compile_contract({"foreign.proto": (HERE / "foreign.proto").read_text()}, tmp_path_factory.mktemp("foreign"))


class Foreign:
    """Behaviour of the foreign server; remembers what it saw."""

    def __init__(self, contract: CompiledContract) -> None:
        self.contract = contract
        self.calls = 0
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.fail_with: grpc.StatusCode | None = None
        self._response = contract.message("foreign.v1.StatusResponse")

    async def status(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        self.calls += 1
        if self.fail_with is not None:
            await context.abort(self.fail_with, "told to fail")
        return self._response(text=f"code {request.code}", total=request.code)

    async def echo(self, request: Any, _context: grpc.aio.ServicerContext) -> Any:
        self.calls += 1
        return request

    async def count_down(self, request: Any, _context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        for number in range(request.code, 0, -1):
            yield self._response(total=number)

    async def collect(self, requests: Any, _context: grpc.aio.ServicerContext) -> Any:
        return self._response(total=sum([item.code async for item in requests]))

    async def wait(self, _request: Any, _context: grpc.aio.ServicerContext) -> Any:
        self.waiting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return self._response()

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        behaviours = {
            "GetHTTPStatus": self.status,
            "Echo": self.echo,
            "CountDown": self.count_down,
            "Collect": self.collect,
            "Wait": self.wait,
        }
        return [self.contract.handlers(TEXT, behaviours), *self.contract.reflection()]


@pytest.fixture
async def foreign_server(foreign: CompiledContract) -> AsyncIterator[tuple[Foreign, int]]:
    """The foreign server without a health service, and its port."""
    behaviour = Foreign(foreign)
    async with serving_handlers(*behaviour.handlers()) as port:
        yield behaviour, port


@contextlib.asynccontextmanager
async def utilities_server(port: int = 0, **values: Any) -> AsyncIterator[GrpcServer]:
    """The real utilities server."""
    settings = MeshSettings.load(grace_period_s=0.5, **values)
    servicer = UtilitiesServicer(clock=lambda: date(2026, 1, 31), max_response_bytes=settings.max_message_bytes)
    async with GrpcServer(
        name="utilities", settings=settings, services=[utilities_service(servicer)], port=port
    ) as server:
        await server.set_serving(True)
        yield server


@pytest.fixture
async def utilities() -> AsyncIterator[GrpcServer]:
    """The real utilities server on a free port."""
    async with utilities_server() as server:
        yield server


@pytest.fixture
def start_utilities() -> Callable[..., Any]:
    """Starts a utilities server on a port of the test's choice."""
    return utilities_server


class Gateway:
    """A gateway under test with clients of both faces."""

    def __init__(self, running: RunningGateway, channel: grpc.aio.Channel) -> None:
        self.running = running
        self.channel = channel
        self.stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        self.mcp_url = f"http://127.0.0.1:{running.http_port}/mcp"

    async def until(self, condition: Callable[[], Any], within_s: float = 10.0) -> None:
        """Waits until a condition of the catalog or of the servers holds."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - what it asks about has no event
                await asyncio.sleep(0.01)

    @property
    def names(self) -> set[str]:
        """Names of all tools."""
        return set(self.running.watch.catalog.by_name)


@pytest.fixture
async def start_gateway(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """Starts gateways; `servers` are targets by name, and everything else settings."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(servers: dict[str, int], **settings: Any) -> Gateway:
            known = {f"{name}_url": f"127.0.0.1:{servers[name]}" if name in servers else "none" for name in OURS}
            extra = ",".join(f"{name}=127.0.0.1:{port}" for name, port in servers.items() if name not in OURS)
            loaded = GatewaySettings.load(
                **{
                    "data_dir": tmp_path,
                    "gateway_port": 0,
                    "gateway_http_port": 0,
                    "grace_period_s": 0.5,
                    "extra_servers": extra,
                    **known,
                    **settings,
                }
            )
            running = await stack.enter_async_context(running_gateway(loaded, None))
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(running.grpc.address))
            return Gateway(running, channel)

        yield start


OURS = ("research", "knowledge", "utilities")


@pytest.fixture
async def gateway(utilities: GrpcServer, foreign_server: tuple[Foreign, int], start_gateway: Any) -> Gateway:
    """A gateway over the utilities and the foreign server, without Redis."""
    return await start_gateway({"utilities": utilities.port, "foreign": foreign_server[1]})
