"""Routes: which cluster gets a call, for how long, and when it is tried again.

Order within the virtual host, first match wins:

0. On loopback: requests of pages of other sites, and, behind gRPC, those under other names, are refused.
1. gRPC by content type: methods with a rule of their own, then the service's prefix.
2. The gateway's own google.api.http paths below its HTTP paths (/mcp/tools): to the transcoder.
3. The gateway's HTTP paths (/mcp, /openapi.json, ...): passed through, transcoder off. Files go through unbuffered.
4. Requests for server-sent events: the transcoder that streams them.
5. Everything else: the transcoder, which answers 404 for paths it does not know.

What the transcoder takes becomes gRPC and is matched again, against 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.extensions.filters.http.buffer.v3 import buffer_pb2
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from google.protobuf.message import Message

from onenumbers_gateway.uploads.routes import UPLOADS
from onenumbers_gateway.xds.clusters import GATEWAY, GATEWAY_HTTP
from onenumbers_gateway.xds.contract import Method
from onenumbers_gateway.xds.guards import refuse_foreign_names, refuse_foreign_origins
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_gateway.xds.transcoding import Transcoder
from onenumbers_runtime.settings import is_loopback

ROUTES = "edge"
"""Name of the route configuration."""
TRANSCODER_FILTER = "envoy.filters.http.grpc_json_transcoder"
BUFFER_FILTER = "envoy.filters.http.buffer"

INFRASTRUCTURE = (
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
)
"""Services that every server has; at the edge the gateway answers them for the whole mesh."""

HTTP_PATHS = ("/", "/openapi.json", "/docs", "/console", "/mcp", "/metrics", "/favicon.ico", "/robots.txt")
"""Paths of the gateway's HTTP server."""
HTTP_PREFIXES = ("/docs/", "/console/", "/mcp/", "/static/", "/.well-known/")
"""Trees of paths of the gateway's HTTP server."""

_RETRY_SAFE = "connect-failure,refused-stream"
"""The server has not seen the call."""
_RETRY_IDEMPOTENT = f"{_RETRY_SAFE},reset,unavailable"

Route: TypeAlias = route_components_pb2.Route


def build_routes(
    settings: EdgeSettings,
    *,
    owners: Iterable[tuple[str, Sequence[Method], str]],
    gateway_methods: Sequence[Method],
    transcoder: Transcoder,
    events_transcoder: Transcoder | None,
) -> route_pb2.RouteConfiguration:
    """Returns the edge's route configuration.

    Args:
        settings: Limits and times.
        owners: Service, its methods, and the cluster that serves it.
        gateway_methods: The gateway's own methods, whose HTTP paths may lie below its HTTP prefixes.
        transcoder: Transcoder of all services.
        events_transcoder: The same for clients that ask for server-sent events; None where nothing streams.
    """
    host = route_components_pb2.VirtualHost(name=ROUTES, domains=["*"])
    host.include_request_attempt_count = False
    _attach(host.typed_per_filter_config, TRANSCODER_FILTER, transcoder)
    guarded = is_loopback(settings.edge_host)
    if guarded:
        host.routes.append(_not_transcoded(refuse_foreign_origins()))
    for service, methods, cluster in owners:
        host.routes.extend(_service_routes(settings, service, methods, cluster))
    for service in INFRASTRUCTURE:
        host.routes.append(
            _grpc_route(settings, cluster=GATEWAY, prefix=f"/{service}/", streaming=True, idempotent=True)
        )
    if guarded:
        # gRPC clients may call the mesh by any name; pages cannot make such calls unasked.
        host.routes.append(_not_transcoded(refuse_foreign_names()))
    for method in gateway_methods:
        for verb, template in method.bindings:
            if _below_http(template):
                host.routes.append(_bound_route(settings, verb, template))
    host.routes.extend(_http_routes(settings))
    if events_transcoder is not None:
        host.routes.append(_events_route(settings, events_transcoder))
    host.routes.append(_transcoding_route(settings, Route()))
    configuration = route_pb2.RouteConfiguration(name=ROUTES, virtual_hosts=[host])
    # A route to a cluster that is missing is refused as a whole, and the old routes stay: better than a 503.
    configuration.validate_clusters.value = True
    return configuration


def template_regex(template: str) -> str:
    """Returns the RE2 pattern of the paths that a google.api.http template matches.

    "/v1/{name=shelves/*}:read" becomes "/v1/shelves/[^/]+:read".
    """
    segments = re.sub(r"\{[^}=]+\}", "*", template)
    segments = re.sub(r"\{[^}=]+=([^}]+)\}", r"\1", segments)
    parts = re.split(r"(\*\*|\*)", segments)
    wildcards = {"*": "[^/]+", "**": ".+"}
    return "".join(wildcards.get(part) or re.escape(part).replace(r"\-", "-") for part in parts)


def _service_routes(settings: EdgeSettings, service: str, methods: Sequence[Method], cluster: str) -> Iterable[Route]:
    """One route by prefix with the rules of most methods, and one before it for each group of others."""
    groups: dict[tuple[bool, bool], list[Method]] = {}
    for method in methods:
        groups.setdefault((method.streaming, method.idempotent), []).append(method)
    default = max(groups, key=lambda key: len(groups[key]), default=(False, False))
    for (streaming, idempotent), members in groups.items():
        if (streaming, idempotent) == default:
            continue
        for method in members:
            yield _grpc_route(settings, cluster=cluster, path=method.path, streaming=streaming, idempotent=idempotent)
    # A method that the descriptors do not know (a newer server) is not assumed to be safe to repeat.
    if default[1] and not all(method.idempotent for method in methods):
        for method in groups[default]:
            yield _grpc_route(settings, cluster=cluster, path=method.path, streaming=default[0], idempotent=True)
        default = (default[0], False)
    yield _grpc_route(settings, cluster=cluster, prefix=f"/{service}/", streaming=default[0], idempotent=default[1])


def _grpc_route(
    settings: EdgeSettings,
    *,
    cluster: str,
    streaming: bool,
    idempotent: bool,
    path: str = "",
    prefix: str = "",
) -> Route:
    route = Route()
    if path:
        route.match.path = path
    else:
        route.match.prefix = prefix
    # By content type and not by Envoy's own `grpc` matcher, which does not see gRPC-Web.
    route.match.headers.add(name="content-type").string_match.prefix = "application/grpc"
    action = route.route
    action.cluster = cluster
    # The caller's own deadline, in the header grpc-timeout, replaces ours. With these set Envoy ignores `timeout`.
    durations = action.max_stream_duration
    durations.max_stream_duration.FromMilliseconds(0 if streaming else int(settings.timeout_s * 1000))
    durations.grpc_timeout_header_max.FromSeconds(0)
    action.idle_timeout.FromMilliseconds(int(settings.stream_idle_timeout_s * 1000))
    retry = action.retry_policy
    retry.retry_on = _RETRY_IDEMPOTENT if idempotent else _RETRY_SAFE
    retry.num_retries.value = settings.max_retries
    retry.retry_back_off.base_interval.FromMilliseconds(10)
    retry.retry_back_off.max_interval.FromMilliseconds(250)
    retry.host_selection_retry_max_attempts = 3
    predicate = retry.retry_host_predicate.add(name="envoy.retry_host_predicates.previous_hosts")
    predicate.typed_config.Pack(previous_hosts_pb2.PreviousHostsPredicate(), deterministic=True)
    # gRPC messages are limited by the servers; holding a stream's body back would break it.
    _attach(route.typed_per_filter_config, BUFFER_FILTER, buffer_pb2.BufferPerRoute(disabled=True))
    return route


def _below_http(template: str) -> bool:
    return template not in HTTP_PATHS and template.startswith(HTTP_PREFIXES)


def _bound_route(settings: EdgeSettings, verb: str, template: str) -> Route:
    route = Route()
    route.match.safe_regex.regex = template_regex(template)
    route.match.headers.add(name=":method").string_match.exact = verb
    return _transcoding_route(settings, route)


def _http_routes(settings: EdgeSettings) -> Iterable[Route]:
    for path in HTTP_PATHS:
        route = Route()
        route.match.path = path
        yield _http_route(settings, route)
    for prefix in HTTP_PREFIXES:
        route = Route()
        route.match.prefix = prefix
        yield _http_route(settings, route)
    for upload in UPLOADS:
        yield _upload_route(settings, upload.path)


def _upload_route(settings: EdgeSettings, path: str) -> Route:
    route = Route()
    route.match.path = path
    _http_route(settings, route)
    # The gateway counts the bytes and gives up on a silent client: the file must not be held back here.
    _attach(route.typed_per_filter_config, BUFFER_FILTER, buffer_pb2.BufferPerRoute(disabled=True))
    route.route.retry_policy.Clear()
    return route


def _http_route(settings: EdgeSettings, route: Route) -> Route:
    action = route.route
    action.cluster = GATEWAY_HTTP
    # MCP streams: progress, subscriptions, long tools. The gateway ends what it does not want.
    action.timeout.FromSeconds(0)
    action.idle_timeout.FromMilliseconds(int(settings.stream_idle_timeout_s * 1000))
    action.retry_policy.retry_on = "connect-failure"
    action.retry_policy.num_retries.value = settings.max_retries
    return _not_transcoded(route)


def _not_transcoded(route: Route) -> Route:
    off = route_components_pb2.FilterConfig(disabled=True)
    _attach(route.typed_per_filter_config, TRANSCODER_FILTER, off)
    return route


def _events_route(settings: EdgeSettings, transcoder: Transcoder) -> Route:
    route = Route()
    route.match.headers.add(name="accept").string_match.contains = "text/event-stream"
    _attach(route.typed_per_filter_config, TRANSCODER_FILTER, transcoder)
    return _transcoding_route(settings, route)


def _transcoding_route(settings: EdgeSettings, route: Route) -> Route:
    """Completes a route that only lends its filter configuration: the transcoded call is matched again."""
    if route.match.WhichOneof("path_specifier") is None:
        route.match.prefix = "/"
    route.route.cluster = GATEWAY
    route.route.timeout.FromMilliseconds(int(settings.timeout_s * 1000))
    return route


def _attach(target: object, name: str, config: Message) -> None:
    target[name].Pack(config, deterministic=True)  # type: ignore[index]
