"""The gateway as one: discovery feeds the catalog, the catalog feeds every face."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import grpc
import structlog

from onenumbers_gateway.cache import ResultCache
from onenumbers_gateway.catalog import CatalogBuilder, Tool
from onenumbers_gateway.discovery import Discovery
from onenumbers_gateway.http import HttpApp, serving_http
from onenumbers_gateway.invoke import Invoker
from onenumbers_gateway.mcp.server import McpFace, announcing
from onenumbers_gateway.mcp.tools import OnMessage
from onenumbers_gateway.mesh_services import MeshHealth, MeshReflection
from onenumbers_gateway.model import MeshSnapshot
from onenumbers_gateway.names import NameBook
from onenumbers_gateway.pages import ToolPages
from onenumbers_gateway.registrations import Registrations
from onenumbers_gateway.service import GatewayServicer, gateway_service
from onenumbers_gateway.settings import GatewaySettings
from onenumbers_gateway.site import Site
from onenumbers_gateway.statistics import ToolStatistics
from onenumbers_gateway.store import CatalogStore
from onenumbers_gateway.uploads.receiver import FileUploads
from onenumbers_gateway.uploads.routes import UPLOADS
from onenumbers_gateway.watch import CatalogWatch
from onenumbers_gateway.xds.ads import AdsServer
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_runtime.registration import connect
from onenumbers_runtime.server import GrpcServer
from onenumbers_runtime.settings import is_loopback

log = structlog.get_logger()

FIRST_LOOK_S = 2.0
"""How long the gateway waits at its start for servers that do not answer, before it serves what it knows."""


class MeshTools:
    """The catalog and its calls as the MCP face uses them."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    def version(self) -> int:
        """Returns the version of the catalog."""
        return self._invoker.catalog.version

    def listing(self) -> Sequence[Tool]:
        """Returns all tools, ordered by name."""
        return self._invoker.catalog.tools

    def find(self, name: str) -> Tool | None:
        """Returns a tool, or None."""
        return self._invoker.catalog.by_name.get(name)

    def nearest(self, name: str) -> Sequence[str]:
        """Returns the names nearest to an unknown one."""
        return self._invoker.catalog.nearest(name)

    async def call(
        self, name: str, arguments: Mapping[str, Any], *, limit_s: float, on_message: OnMessage | None = None
    ) -> Mapping[str, Any]:
        """Calls a tool and returns its result."""
        outcome = await self._invoker.call(name, arguments, limit_s=limit_s, on_message=on_message)
        return outcome.result


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that serves."""

    grpc: GrpcServer
    http_port: int
    discovery: Discovery
    watch: CatalogWatch
    store: CatalogStore


@asynccontextmanager
async def running_gateway(settings: GatewaySettings, edge: EdgeSettings | None) -> AsyncIterator[RunningGateway]:
    """Serves while the context is open: gRPC, MCP over HTTP, and the configuration of the edge.

    Args:
        settings: Ports (0 takes free ones), targets, times.
        edge: Settings of the edge; None serves no edge.

    Raises:
        PortInUseError: A port is taken.
        SettingsError: A host is not loopback and nothing authenticates.
    """
    async with AsyncExitStack() as stack:
        client = connect(settings.redis_url) if settings.redis_url else None
        store = CatalogStore(client, prefix=settings.redis_prefix, ttl_s=settings.cache_ttl_s)
        remembered = await store.load()
        names = NameBook(remembered.names)
        discovery = await stack.enter_async_context(Discovery(settings, known=remembered.servers))
        statistics = ToolStatistics()
        cache = ResultCache(
            enabled=settings.result_cache == "on",
            size=settings.tool_cache_size,
            stale_s=settings.stale_result_s,
            client=client,
            prefix=settings.redis_prefix,
        )
        invoker = Invoker(
            discovery=discovery,
            cache=cache,
            statistics=statistics,
            token=settings.token,
            max_retries=settings.max_retries,
            max_result_bytes=settings.max_message_bytes,
        )
        health, reflection, watch = MeshHealth(), MeshReflection(), CatalogWatch()
        pages = ToolPages(max_bytes=settings.max_message_bytes)
        servicer = GatewayServicer(
            discovery=discovery,
            invoker=invoker,
            pages=pages,
            watch=watch,
            statistics=statistics,
            cache_state=lambda: store.state,
            max_response_bytes=settings.max_message_bytes,
        )
        builder = CatalogBuilder(names)

        async def use(snapshot: MeshSnapshot) -> None:
            catalog = builder.build(snapshot)
            invoker.catalog = catalog
            pages.use(catalog, tuple(sorted(server.name for server in snapshot.servers)))
            reflection.use(snapshot)
            await health.use(snapshot)
            await watch.publish(catalog)

        if client is not None:
            await stack.enter_async_context(
                Registrations(client, prefix=settings.redis_prefix, use=discovery.use_registered)
            )
        server = await stack.enter_async_context(
            GrpcServer(
                name="gateway",
                settings=settings,
                services=[gateway_service(servicer)],
                port=settings.gateway_port,
                health=health,
                generic_handlers=reflection.handlers(),
                reflection=False,
            )
        )
        await discovery.first_look(FIRST_LOOK_S)
        await use(discovery.current())
        await stack.enter_async_context(_following(discovery, use))
        await stack.enter_async_context(store.follow(discovery, lambda: names.assignments))
        face = McpFace(MeshTools(invoker), version=version("onenumbers-mesh"), call_timeout_s=settings.call_timeout_s)
        changes = await stack.enter_async_context(watch.changes())
        await stack.enter_async_context(announcing(face, changes))
        site = Site(
            lambda: invoker.catalog, version=version("onenumbers-mesh"), authenticated=settings.token is not None
        )
        uploads = {
            route.path: FileUploads(
                route,
                partial(_channel_of, discovery, route.service),
                token=settings.token,
                max_bytes=settings.upload_max_bytes,
                timeout_s=settings.upload_timeout_s,
                idle_s=settings.upload_idle_s,
            )
            for route in UPLOADS
        }
        app = HttpApp(
            face,
            site,
            uploads,
            token=settings.token,
            max_body_bytes=settings.max_message_bytes,
            public=not is_loopback(settings.host) or (edge is not None and not is_loopback(edge.edge_host)),
        )
        http_port = await stack.enter_async_context(
            serving_http(app, host=settings.host, port=settings.gateway_http_port, grace_s=settings.grace_period_s)
        )
        if edge is not None:
            bound = edge.model_copy(update={"gateway_port": server.port, "gateway_http_port": http_port})
            await stack.enter_async_context(AdsServer(source=discovery, settings=bound))
        await server.set_serving(True)
        yield RunningGateway(grpc=server, http_port=http_port, discovery=discovery, watch=watch, store=store)
        await server.drain()


def _channel_of(discovery: Discovery, service: str) -> grpc.aio.Channel | None:
    """Returns a channel to a serving server that has a service, or None."""
    servers = (server.name for server in discovery.current().servers if service in server.services)
    return next((channel for name in servers if (channel := discovery.channel(name)) is not None), None)


@asynccontextmanager
async def _following(discovery: Discovery, use: Any) -> AsyncIterator[None]:
    """Hands every newer snapshot to `use` while the context is open."""

    async def follow() -> None:
        async with discovery.subscribe() as snapshots:
            async for snapshot in snapshots:
                try:
                    await use(snapshot)
                except Exception:
                    # The catalog before stays; one bad snapshot must not end the following of all later ones.
                    log.exception("snapshot_refused", version=snapshot.version)

    task = asyncio.create_task(follow(), name="catalog-follow")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
