"""The servicer of GatewayService: the catalog, the servers, and calls by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, cast

import grpc
import structlog
from google.protobuf import json_format, struct_pb2
from grpc.aio import AioRpcError, ServicerContext

from onenumbers.gateway.v1 import gateway_pb2 as pb
from onenumbers.gateway.v1 import gateway_pb2_grpc
from onenumbers_gateway.cache import CacheState
from onenumbers_gateway.discovery import Discovery
from onenumbers_gateway.invoke import Invoker, Outcome
from onenumbers_gateway.mesh_services import GATEWAY_SERVICE
from onenumbers_gateway.model import MeshSnapshot, ServerSnapshot, ServerStatus
from onenumbers_gateway.pages import ToolPages
from onenumbers_gateway.statistics import ToolStatistics
from onenumbers_gateway.watch import CatalogWatch
from onenumbers_runtime.calls import current_call
from onenumbers_runtime.errors import FieldViolation, MeshError, NotFoundError, ResourceExhaustedError, invalid
from onenumbers_runtime.server import Service
from onenumbers_runtime.status import internal_status, status_of_call, to_status

log = structlog.get_logger()

_Context = ServicerContext[Any, Any]

_STATUSES = {
    ServerStatus.UNKNOWN: pb.SERVER_STATUS_UNSPECIFIED,
    ServerStatus.SERVING: pb.SERVER_STATUS_SERVING,
    ServerStatus.NOT_SERVING: pb.SERVER_STATUS_NOT_SERVING,
    ServerStatus.UNREACHABLE: pb.SERVER_STATUS_UNREACHABLE,
}
_CACHE_STATES = {
    CacheState.NONE: pb.CACHE_STATE_UNSPECIFIED,
    CacheState.MISS: pb.CACHE_STATE_MISS,
    CacheState.HIT: pb.CACHE_STATE_HIT,
    CacheState.STALE: pb.CACHE_STATE_STALE,
}
_CALL_LIMIT_S = 600.0
"""Longest call where the request sets no limit; the deadline of the call itself ends it earlier."""
_DEFAULT_SEARCH_LIMIT = 10


class GatewayServicer(gateway_pb2_grpc.GatewayServiceServicer):
    """Serves the gateway's own RPCs.

    Args:
        discovery: The servers.
        invoker: Calls tools; holds the catalog.
        pages: Renders the list of tools.
        watch: Tells of changes of the catalog.
        statistics: Figures of the calls.
        cache_state: Returns the state of Redis.
        max_response_bytes: Largest response; a larger one would be lost on the way.
    """

    def __init__(
        self,
        *,
        discovery: Discovery,
        invoker: Invoker,
        pages: ToolPages,
        watch: CatalogWatch,
        statistics: ToolStatistics,
        cache_state: Callable[[], str],
        max_response_bytes: int,
    ) -> None:
        self._discovery = discovery
        self._invoker = invoker
        self._pages = pages
        self._watch = watch
        self._statistics = statistics
        self._cache_state = cache_state
        self._max_response_bytes = max_response_bytes

    async def ListTools(  # type: ignore[override]  # a page is handed out as it was serialized, see _Registrar
        self,
        request: pb.ListToolsRequest,
        context: _Context,  # noqa: ARG002
    ) -> bytes:
        """Lists the tools."""
        if request.server:
            self._server(self._discovery.current(), request.server)
        return self._pages.page(request)

    async def SearchTools(self, request: pb.SearchToolsRequest, context: _Context) -> pb.SearchToolsResponse:  # noqa: ARG002
        """Finds tools by words."""
        limit = request.limit if request.HasField("limit") else _DEFAULT_SEARCH_LIMIT
        found = self._invoker.catalog.search(request.query, limit)
        return pb.SearchToolsResponse(tools=[self._pages.message(tool) for tool in found])

    async def GetTool(self, request: pb.GetToolRequest, context: _Context) -> pb.GetToolResponse:  # noqa: ARG002
        """Returns one tool."""
        return pb.GetToolResponse(tool=self._pages.message(self._invoker.find(request.tool_name)))

    async def CallTool(self, request: pb.CallToolRequest, context: _Context) -> pb.CallToolResponse:  # noqa: ARG002
        """Calls a tool by name."""
        return await self._call(request)

    async def BatchCallTools(
        self,
        request: pb.BatchCallToolsRequest,
        context: _Context,  # noqa: ARG002
    ) -> pb.BatchCallToolsResponse:
        """Calls several tools side by side."""
        items = await asyncio.gather(*(self._item(call) for call in request.calls))
        response = pb.BatchCallToolsResponse(items=items)
        if (size := response.ByteSize()) > self._max_response_bytes:
            raise _too_large(f"the results of {len(items)} calls", size, self._max_response_bytes)
        return response

    async def WatchTools(
        self,
        request: pb.WatchToolsRequest,  # noqa: ARG002
        context: _Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.WatchToolsResponse]:
        """Streams changes of the catalog until the client ends it."""
        async with self._watch.changes() as changes:
            async for change in changes:
                yield pb.WatchToolsResponse(
                    catalog_version=change.version,
                    added=change.added,
                    changed=change.changed,
                    removed=change.removed,
                )

    async def ListServers(self, request: pb.ListServersRequest, context: _Context) -> pb.ListServersResponse:  # noqa: ARG002
        """Lists the servers."""
        catalog = self._invoker.catalog
        servers = sorted(self._discovery.health().servers, key=lambda server: server.name)
        return pb.ListServersResponse(
            servers=[
                pb.Server(
                    name=server.name,
                    target=server.target,
                    services=server.services,
                    tools=len(catalog.of_server(server.name)),
                    descriptor_hash=server.descriptor_hash,
                    stale=server.stale,
                    health=_health(server, catalog.left_out.get(server.name, "")),
                )
                for server in servers
            ]
        )

    async def GetServerHealth(
        self,
        request: pb.GetServerHealthRequest,
        context: _Context,  # noqa: ARG002
    ) -> pb.GetServerHealthResponse:
        """Returns what the gateway last saw of each server."""
        snapshot = self._discovery.health()
        servers = [self._server(snapshot, request.server)] if request.server else list(snapshot.servers)
        serving = sum(server.status is ServerStatus.SERVING for server in servers)
        status = "ok" if servers and serving == len(servers) else "degraded" if serving else "down"
        left_out = self._invoker.catalog.left_out
        response = pb.GetServerHealthResponse(status=status, cache=self._cache_state())
        for server in servers:
            response.servers[server.name].CopyFrom(_health(server, left_out.get(server.name, "")))
        return response

    async def GetToolStats(self, request: pb.GetToolStatsRequest, context: _Context) -> pb.GetToolStatsResponse:  # noqa: ARG002
        """Returns figures of the calls through this gateway."""
        if request.tool_name:
            self._invoker.find(request.tool_name)
        response = pb.GetToolStatsResponse()
        response.since.FromDatetime(self._statistics.since)
        for name, figures in self._statistics.items(request.tool_name):
            response.stats.add(
                tool_name=name,
                calls=figures.calls,
                errors=figures.errors,
                cache_hits=figures.cache_hits,
                calls_by_code=dict(figures.codes),
                p50_ms=figures.percentile(0.5) * 1000,
                p99_ms=figures.percentile(0.99) * 1000,
            )
        return response

    async def RefreshTools(self, request: pb.RefreshToolsRequest, context: _Context) -> pb.RefreshToolsResponse:  # noqa: ARG002
        """Looks at the servers anew."""
        if request.server:
            self._server(self._discovery.current(), request.server)
        failures = await self._discovery.refresh(request.server)
        await self._watch.reached(self._discovery.current().version)
        catalog = self._invoker.catalog
        return pb.RefreshToolsResponse(
            catalog_version=catalog.version, total=len(catalog.tools), failures={**catalog.left_out, **failures}
        )

    def _server(self, snapshot: MeshSnapshot, name: str) -> ServerSnapshot:
        server = snapshot.server(name)
        if server is None:
            names = ", ".join(item.name for item in snapshot.servers)
            raise NotFoundError(
                f"there is no server named {name[:200]!r}; servers: {names or 'none'}", reason="UNKNOWN_SERVER"
            )
        return server

    async def _item(self, call: pb.CallToolRequest) -> pb.BatchCallItem:
        try:
            return pb.BatchCallItem(response=await self._call(call))
        except MeshError as error:
            return pb.BatchCallItem(error=to_status(error))
        except AioRpcError as error:
            return pb.BatchCallItem(error=status_of_call(error))
        except Exception:
            log.exception("batch_item_failed", tool=call.tool_name)
            info = current_call()
            return pb.BatchCallItem(error=internal_status(info.request_id if info is not None else ""))

    async def _call(self, request: pb.CallToolRequest) -> pb.CallToolResponse:
        limit_s = request.timeout.ToTimedelta().total_seconds() if request.HasField("timeout") else _CALL_LIMIT_S
        try:
            arguments = json_format.MessageToDict(request.arguments)
        except ValueError:
            raise invalid("arguments", "holds a number that is not finite", rule="json") from None
        try:
            outcome = await self._invoker.call(request.tool_name, arguments, limit_s=limit_s)
        except MeshError as error:
            raise located(error) from None
        response = _response(request.tool_name, outcome)
        if (size := response.ByteSize()) > self._max_response_bytes:
            raise _too_large(f"the result of {request.tool_name}", size, self._max_response_bytes)
        return response


def _too_large(what: str, size: int, limit: int) -> ResourceExhaustedError:
    """Returns the error for a response that no client would get: as JSON a result is larger than its message."""
    return ResourceExhaustedError(
        f"{what} has {size} bytes as JSON, at most {limit} may be: ask for less, or call the method itself over gRPC",
        reason="RESULT_TOO_LARGE",
        metadata={"bytes": str(size), "limit_bytes": str(limit)},
    )


def located(error: MeshError) -> MeshError:
    """Returns an error of a tool's arguments with the paths that its fields have in a CallToolRequest."""
    if error.reason != "INVALID_ARGUMENTS":
        return error
    violations = [
        FieldViolation(
            "arguments" if item.field == "(arguments)" else f"arguments.{item.field}", item.description, item.rule
        )
        for item in error.violations
    ]
    return type(error)(error.message, reason=error.reason, violations=violations, metadata=error.metadata)


def gateway_service(servicer: GatewayServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(full_name=GATEWAY_SERVICE, add=_add, servicer=servicer)


def _add(servicer: GatewayServicer, server: grpc.aio.Server) -> None:
    gateway_pb2_grpc.add_GatewayServiceServicer_to_server(servicer, cast(grpc.aio.Server, _Registrar(server)))


class _Registrar:
    """Stands between the generated registration and the server, so that a serialized page is sent as it is."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Left out: add_registered_method_handlers gets the same methods."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """Registers the methods."""
        handlers["ListTools"] = handlers["ListTools"]._replace(response_serializer=bytes)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))


def _health(server: ServerSnapshot, left_out: str) -> pb.ServerHealth:
    health = pb.ServerHealth(status=_STATUSES[server.status], reason=server.reason or left_out)
    if server.response_time_ms is not None:
        health.response_time_ms = round(server.response_time_ms, 3)
    if server.last_check is not None:
        health.last_check.FromDatetime(server.last_check)
    return health


def _response(tool: str, outcome: Outcome) -> pb.CallToolResponse:
    result = struct_pb2.Struct()
    json_format.ParseDict(dict(outcome.result), result)
    response = pb.CallToolResponse(
        success=True, tool=tool, server=outcome.server, result=result, cache=_CACHE_STATES[outcome.cache]
    )
    response.execution_time.FromTimedelta(timedelta(seconds=outcome.elapsed_s))
    if outcome.cache in (CacheState.HIT, CacheState.STALE):
        response.age.FromTimedelta(timedelta(seconds=outcome.age_s))
    return response
