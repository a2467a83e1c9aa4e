"""The one lifecycle of all servers: bind, report NOT_SERVING, become ready, serve, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc
import structlog
from prometheus_client import start_http_server

from onenumbers_runtime import logs
from onenumbers_runtime.health import HEALTH_SERVICE, NOT_SERVING, SERVING, Health, health_handler
from onenumbers_runtime.metrics import ServerMetrics
from onenumbers_runtime.pipeline import Pipeline
from onenumbers_runtime.reflection import reflection_handlers
from onenumbers_runtime.settings import MeshSettings, SettingsError

if TYPE_CHECKING:
    from onenumbers_runtime.registration import Registration

log = structlog.get_logger()

_stop: ContextVar[_Stop | None] = ContextVar("onenumbers_stop", default=None)


class StartupError(Exception):
    """The server cannot start; the message is one line that says what to do."""


class PortInUseError(StartupError):
    """Another process listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is taken: stop what listens there, or choose another port")
        self.host = host
        self.port = port


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service to register."""

    full_name: str
    """Such as "onenumbers.utilities.v1.UtilitiesService"."""
    add: Callable[[Any, grpc.aio.Server], None]
    """The generated add_...Servicer_to_server."""
    servicer: object


class GrpcServer:
    """A server of the mesh, as an async context manager.

    Binds on entering, drains and stops on leaving. Until `set_serving(True)` its health is NOT_SERVING.

    Args:
        name: Short name, for logs.
        settings: Limits, token, log settings.
        services: What to serve.
        port: Port to bind; 0 takes a free one.
        host: Address to bind; that of the settings when None.
        health: A health servicer to use instead of the server's own.
        generic_handlers: More handlers, such as an aggregated reflection.
        reflection: Whether to serve reflection over `services`.

    Raises:
        PortInUseError: On entering, when the port is taken.
        SettingsError: On entering, when the host is not loopback and nothing authenticates.
    """

    def __init__(
        self,
        *,
        name: str,
        settings: MeshSettings,
        services: Sequence[Service],
        port: int,
        host: str | None = None,
        health: Health | None = None,
        generic_handlers: Sequence[grpc.GenericRpcHandler] = (),
        reflection: bool = True,
    ) -> None:
        self.name = name
        self.settings = settings
        self.host = host if host is not None else settings.host
        self.port = port
        self.metrics = ServerMetrics()
        self.pipeline = Pipeline(
            metrics=self.metrics,
            max_concurrent=settings.max_concurrent_rpcs,
            default_deadline_s=settings.default_deadline_s,
            token=settings.token,
        )
        self.health = health if health is not None else Health(tuple(service.full_name for service in services))
        self._services = tuple(services)
        self._generic_handlers = tuple(generic_handlers)
        self._reflection = reflection
        self._server: grpc.aio.Server | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._metrics_server: Any = None
        self._registration: Registration | None = None

    @property
    def address(self) -> str:
        """Where clients on this machine reach it, as "host:port"."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared, not bound
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    async def __aenter__(self) -> Self:
        self.settings.require_safe_host(self.host)
        _require_free(self.host, self.port)
        limit = self.settings.max_message_bytes
        server = grpc.aio.server(
            interceptors=[self.pipeline],
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", limit),
                ("grpc.max_send_message_length", limit),
                ("grpc.max_metadata_size", 16 * 1024),
                # Clients may ping idle connections as often as every 10 s (default: every 5 minutes).
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        for service in self._services:
            service.add(service.servicer, server)
        handlers = [health_handler(self.health), *self._generic_handlers]
        if self._reflection:
            handlers += reflection_handlers((*(service.full_name for service in self._services), HEALTH_SERVICE))
        server.add_generic_rpc_handlers(tuple(handlers))
        host = f"[{self.host}]" if ":" in self.host else self.host
        try:
            self.port = server.add_insecure_port(f"{host}:{self.port}")
            await server.start()
            if self.settings.metrics_port is not None:
                self._metrics_server, _ = start_http_server(
                    self.settings.metrics_port, addr="127.0.0.1", registry=self.metrics.registry
                )
        except (RuntimeError, OSError) as error:
            await server.stop(None)
            raise PortInUseError(self.host, self.port) from error
        self._server = server
        if self.settings.advertise and self.settings.redis_url and self.name != "gateway":
            self._registration = await self._register(self.settings.redis_url)
        log.info("server_listening", name=self.name, host=self.host, port=self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drain()

    async def _register(self, redis_url: str) -> Registration:
        from onenumbers_runtime.registration import Registration, connect

        address = self.address if self.settings.advertise == "auto" else self.settings.advertise
        registration = Registration(
            connect(redis_url), prefix=self.settings.redis_prefix, server=self.name, address=address
        )
        return await registration.__aenter__()

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Where Prometheus reads, or None while metrics are off."""
        return self._metrics_server.server_address[:2] if self._metrics_server is not None else None

    async def set_serving(self, serving: bool, service: str | None = None, *, reason: str = "") -> None:
        """Sets the health of one service, or of all of them and of the server as a whole."""
        if service is None:
            await self.health.set_all(serving)
        else:
            await self.health.set(service, SERVING if serving else NOT_SERVING)
        log.info("health_changed", service=service or "(all)", serving=serving, reason=reason or None)

    async def drain(self) -> None:
        """Reports NOT_SERVING, lets calls in flight finish within the grace period, and stops. Safe to call again."""
        if self._server is None:
            return
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._drain(self._server))
        await asyncio.shield(self._stopping)

    async def _drain(self, server: grpc.aio.Server) -> None:
        await self.health.enter_graceful_shutdown()
        log.info("server_draining", name=self.name, calls=self.pipeline.active)
        if self._registration is not None:
            await self._registration.__aexit__(None, None, None)
        # Watchers of the health service would keep the server open for the whole grace period: once no other call
        # runs there is nothing to wait for.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.pipeline.idle.wait(), timeout=self.settings.grace_period_s)
        await server.stop(0.25)
        if self._metrics_server is not None:
            self._metrics_server.shutdown()
            self._metrics_server.server_close()
        log.info("server_stopped", name=self.name)

    async def serve_until_signal(self) -> None:
        """Returns after SIGTERM or SIGINT; the second one ends the process at once, with status 130."""
        await wait_for_signal()


async def wait_for_signal() -> None:
    """Returns after the first SIGTERM or SIGINT; the second one ends the process at once, with status 130."""
    stop = _stop.get() or _listen_for_signals()
    stop.awaited = True
    await stop.event.wait()


class _Stop:
    """The wish to end, and whether somebody waits for it."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.awaited = False

    def on_signal(self, number: signal.Signals) -> None:
        if self.event.is_set():
            log.warning("second_signal", signal=number.name)
            os._exit(130)
        log.info("signal_received", signal=number.name)
        self.event.set()


def _listen_for_signals() -> _Stop:
    stop = _Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.on_signal, number)
    _stop.set(stop)
    return stop


async def _until_signal(main: Callable[[], Awaitable[None]]) -> None:
    """Runs `main`; a signal that comes before it serves cancels it, a later one is its own to answer."""
    # Listened to before anything reports that it serves: a signal that comes then must already drain.
    stop = _listen_for_signals()
    running = asyncio.ensure_future(main())
    stopping = asyncio.create_task(stop.event.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not running.done() and not stop.awaited:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return
    stopping.cancel()
    await running


def run(main: Callable[[], Awaitable[None]], *, settings: MeshSettings, server: str) -> int:
    """Configures logs and runs `main`, on uvloop where there is one; returns the exit status."""
    logs.configure(settings, server=server)
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        factory = None

    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(_until_signal(main))
    except (StartupError, SettingsError) as error:
        sys.stderr.write(f"{server}: {error}\n")
        return 2
    return 0


def _require_free(host: str, port: int) -> None:
    """Fails early and clearly where the port is taken: gRPC's own error names neither host nor reason."""
    if port == 0:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(host, port) from error
