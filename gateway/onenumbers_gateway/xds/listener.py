"""The listener: one port for gRPC, JSON, gRPC-Web and MCP, with limits, errors and the access log.

It depends on the settings only, never on the servers: a listener that changes would cut streams.
"""

from __future__ import annotations

from typing import Any

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import protocol_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.access_loggers.file.v3 import file_pb2
from envoy.extensions.access_loggers.stream.v3 import stream_pb2
from envoy.extensions.filters.http.buffer.v3 import buffer_pb2
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2
from google.protobuf.message import Message

from onenumbers_gateway.xds.clusters import ads_source
from onenumbers_gateway.xds.local_replies import build_local_replies
from onenumbers_gateway.xds.routes import BUFFER_FILTER, ROUTES, TRANSCODER_FILTER
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_gateway.xds.transcoding import build_transcoder

LISTENER = "edge"
"""Name of the listener, and the prefix of its counters ("http.edge.")."""

_ACCESS_LOG = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace": "%REQ(TRACEPARENT)%",
    "peer": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "protocol": "%PROTOCOL%",
    "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "rpc": "%REQ(:PATH)%",
    "status": "%RESPONSE_CODE%",
    "grpc_status": "%GRPC_STATUS%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "duration_ms": "%DURATION%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "upstream": "%UPSTREAM_HOST%",
    "user_agent": "%REQ(USER-AGENT)%",
}


def build_listener(settings: EdgeSettings) -> listener_pb2.Listener:
    """Returns the edge's listener; its routes come by RDS."""
    listener = listener_pb2.Listener(name=LISTENER)
    address = listener.address.socket_address
    address.address = settings.edge_host
    address.port_value = settings.edge_port
    listener.per_connection_buffer_limit_bytes.value = 1 << 20
    listener.tcp_backlog_size.value = 4096
    manager = _manager(settings)
    filters = listener.filter_chains.add().filters.add(name="envoy.filters.network.http_connection_manager")
    filters.typed_config.Pack(manager, deterministic=True)
    return listener


def _manager(settings: EdgeSettings) -> hcm_pb2.HttpConnectionManager:
    manager = hcm_pb2.HttpConnectionManager(
        stat_prefix=LISTENER,
        codec_type=hcm_pb2.HttpConnectionManager.AUTO,
        server_name="onenumbers-mesh",
        server_header_transformation=hcm_pb2.HttpConnectionManager.OVERWRITE,
        preserve_external_request_id=True,
        always_set_request_id_in_response=True,
        # KEEP_UNCHANGED: an encoded slash in a path variable belongs to the value.
        path_with_escaped_slashes_action=hcm_pb2.HttpConnectionManager.KEEP_UNCHANGED,
        local_reply_config=build_local_replies(),
    )
    manager.use_remote_address.value = True
    manager.normalize_path.value = True
    # No caller is internal: nobody may steer retries and timeouts by x-envoy-* headers, nor from this machine.
    manager.internal_address_config.SetInParent()
    manager.max_request_headers_kb.value = settings.max_header_kib
    manager.stream_idle_timeout.FromMilliseconds(int(settings.stream_idle_timeout_s * 1000))
    manager.request_headers_timeout.FromSeconds(15)
    manager.drain_timeout.FromSeconds(1)
    manager.rds.route_config_name = ROUTES
    manager.rds.config_source.CopyFrom(ads_source())
    common = manager.common_http_protocol_options
    common.max_headers_count.value = settings.max_header_count
    common.idle_timeout.FromMilliseconds(int(settings.stream_idle_timeout_s * 1000))
    common.headers_with_underscores_action = protocol_pb2.HttpProtocolOptions.ALLOW
    http2 = manager.http2_protocol_options
    http2.max_concurrent_streams.value = 1024
    http2.initial_stream_window_size.value = 1 << 20
    http2.initial_connection_window_size.value = 4 << 20
    _add_filter(manager, "envoy.filters.http.grpc_web", grpc_web_pb2.GrpcWeb())
    buffer = buffer_pb2.Buffer()
    buffer.max_request_bytes.value = settings.max_body_bytes
    _add_filter(manager, BUFFER_FILTER, buffer)
    # The real descriptors come with the routes; the filter only has to be there.
    _add_filter(manager, TRANSCODER_FILTER, build_transcoder({}, ())[0])
    _add_filter(manager, "envoy.filters.http.router", router_pb2.Router())
    if settings.access_log:
        manager.access_log.append(_access_log(settings.access_log))
    return manager


def _add_filter(manager: hcm_pb2.HttpConnectionManager, name: str, config: Message) -> None:
    manager.http_filters.add(name=name).typed_config.Pack(config, deterministic=True)


def _access_log(target: str) -> accesslog_pb2.AccessLog:
    log: Any
    if target == "stdout":
        name, log = "envoy.access_loggers.stdout", stream_pb2.StdoutAccessLog()
    else:
        name, log = "envoy.access_loggers.file", file_pb2.FileAccessLog(path=target)
    log.log_format.json_format.update(_ACCESS_LOG)
    entry = accesslog_pb2.AccessLog(name=name)
    entry.typed_config.Pack(log, deterministic=True)
    return entry
