"""The aggregated discovery service: serves plans to every Envoy that connects (xDS v3, state of the world)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

import grpc
import structlog
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from onenumbers_gateway.model import MeshSnapshot, MeshSource
from onenumbers_gateway.xds.planner import Planner
from onenumbers_gateway.xds.resources import Plan
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_gateway.xds.stream import AdsStream

_log = structlog.get_logger(__name__)


class AdsServer:
    """Control plane of the edge, as an async context manager.

    Start it when the first discovery is done: an Envoy that is already running takes what it is told, and a mesh
    without servers would be an edge without routes. While it is away, Envoy keeps what it has.

    Args:
        source: Where snapshots come from.
        settings: Settings of the edge; `ads_target` is where this listens.
    """

    def __init__(self, *, source: MeshSource, settings: EdgeSettings) -> None:
        self._source = source
        self._settings = settings
        self._planner = Planner(settings)
        self._plan: Plan | None = None
        self._streams: dict[int, _Connection] = {}
        self._changed = asyncio.Condition()
        self._server: grpc.aio.Server | None = None
        self._follower: asyncio.Task[None] | None = None

    @property
    def connected(self) -> int:
        """Number of Envoys that are connected."""
        return len(self._streams)

    @property
    def left_out(self) -> dict[str, str]:
        """Servers and services that the edge does not serve (or not as JSON), with the reason."""
        return dict(self._plan.left_out) if self._plan is not None else {}

    async def wait_served(self, version: int) -> None:
        """Waits until at least one Envoy is connected and all have taken the snapshot of this version, or a newer."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._served(version))

    async def __aenter__(self) -> Self:
        """Listens and starts to follow the mesh."""
        socket = self._settings.ads_socket
        if socket is not None:
            socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._server = grpc.aio.server(options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)])
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(_Servicer(self), self._server)
        self._server.add_insecure_port(self._settings.ads_target)
        self._use(self._source.current())
        await self._server.start()
        if socket is not None:
            socket.chmod(0o600)
        self._follower = asyncio.create_task(self._follow(), name="ads-follow")
        _log.info("ads_listening", target=self._settings.ads_target)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends all streams; Envoy goes on with what it has."""
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
        if self._server is not None:
            await self._server.stop(grace=0)

    async def serve(self, requests: AsyncIterator[Any]) -> AsyncIterator[discovery_pb2.DiscoveryResponse]:
        """Serves one stream."""
        connection = _Connection(self)
        self._streams[id(connection)] = connection
        reader = asyncio.create_task(connection.read(requests), name="ads-read")
        _log.info("envoy_connected", envoys=len(self._streams))
        try:
            while not reader.done():
                connection.wake.clear()
                if self._plan is not None:
                    for response in connection.stream.step(self._plan):
                        yield response
                await self._progress()
                await connection.wake.wait()
        finally:
            reader.cancel()
            del self._streams[id(connection)]
            _log.info("envoy_disconnected", envoys=len(self._streams))

    def rejected(self, type_url: str, detail: str) -> None:
        """Leaves out what an Envoy has refused."""
        kind = type_url.rpartition(".")[2]
        _log.error("envoy_rejected_configuration", type=kind, detail=detail)
        if self._planner.reject(type_url, detail):
            self._replan()
        else:
            _log.error("envoy_keeps_old_configuration", type=kind)

    async def _follow(self) -> None:
        async with self._source.subscribe() as snapshots:
            async for snapshot in snapshots:
                self._use(snapshot)

    def _use(self, snapshot: MeshSnapshot) -> None:
        self._snapshot = snapshot
        self._replan()

    def _replan(self) -> None:
        before = self._plan.left_out if self._plan is not None else {}
        self._plan = self._planner.plan(self._snapshot)
        for name, reason in self._plan.left_out.items():
            if before.get(name) != reason:
                _log.warning("left_out_of_edge", name=name, reason=reason)
        for connection in self._streams.values():
            connection.wake.set()

    async def _progress(self) -> None:
        plan = self._plan
        if plan is None or not self._served(plan.snapshot_version):
            return
        if self._planner.accept():
            self._replan()
            return
        async with self._changed:
            self._changed.notify_all()

    def _served(self, version: int) -> bool:
        plan = self._plan
        return (
            plan is not None
            and plan.snapshot_version >= version
            and bool(self._streams)
            and all(connection.stream.done(plan) for connection in self._streams.values())
        )


class _Connection:
    """One Envoy that is connected."""

    def __init__(self, server: AdsServer) -> None:
        self.stream = AdsStream(reject=server.rejected)
        self.wake = asyncio.Event()

    async def read(self, requests: AsyncIterator[Any]) -> None:
        """Hands requests to the state machine until the stream ends."""
        try:
            async for request in requests:
                self.stream.receive(request)
                self.wake.set()
        finally:
            self.wake.set()


class _Servicer(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):  # type: ignore[misc]
    def __init__(self, server: AdsServer) -> None:
        self._server = server

    async def StreamAggregatedResources(  # noqa: N802 - the name of the RPC
        self, request_iterator: AsyncIterator[Any], _context: Any
    ) -> AsyncIterator[discovery_pb2.DiscoveryResponse]:
        async for response in self._server.serve(request_iterator):
            yield response
