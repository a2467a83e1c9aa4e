"""Clusters and endpoints: how Envoy reaches a server, and how it takes a bad instance out."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import config_source_pb2, health_check_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.duration_pb2 import Duration

from onenumbers_gateway.model import Endpoint
from onenumbers_gateway.xds.settings import EdgeSettings

GATEWAY = "gateway"
"""Cluster of the gateway's gRPC port."""
GATEWAY_HTTP = "gateway_http"
"""Cluster of the gateway's HTTP port."""

_PROTOCOL_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def cluster_name(server: str) -> str:
    """Returns the name of a server's cluster; a server called "gateway" cannot take the gateway's own."""
    return f"server:{server}"


def has_addresses(endpoints: Sequence[Endpoint]) -> bool:
    """Tells whether all endpoints are IP addresses; host names are left to Envoy's resolver."""
    return all(_is_address(endpoint.host) for endpoint in endpoints)


def build_cluster(
    name: str, endpoints: Sequence[Endpoint], settings: EdgeSettings, *, http1: bool = False
) -> cluster_pb2.Cluster:
    """Returns the cluster of one server. Its endpoints come by EDS, or are inside where they are host names."""
    cluster = cluster_pb2.Cluster(
        name=name,
        connect_timeout=Duration(seconds=1),
        lb_policy=cluster_pb2.Cluster.LEAST_REQUEST,
        dns_lookup_family=cluster_pb2.Cluster.V4_PREFERRED,
    )
    if has_addresses(endpoints):
        cluster.type = cluster_pb2.Cluster.EDS
        cluster.eds_cluster_config.eds_config.CopyFrom(ads_source())
    else:
        cluster.type = cluster_pb2.Cluster.STRICT_DNS
        cluster.load_assignment.CopyFrom(build_assignment(name, endpoints))
    # A call to a known-bad instance helps nobody: with no healthy one left, fail at once.
    cluster.common_lb_config.healthy_panic_threshold.value = 0
    threshold = cluster.circuit_breakers.thresholds.add()
    threshold.max_connections.value = settings.max_connections
    threshold.max_pending_requests.value = settings.max_pending_requests
    threshold.max_requests.value = settings.max_pending_requests
    threshold.max_retries.value = settings.max_concurrent_retries
    keepalive = cluster.upstream_connection_options.tcp_keepalive
    keepalive.keepalive_time.value, keepalive.keepalive_interval.value, keepalive.keepalive_probes.value = 20, 5, 3
    _eject_outliers(cluster)
    cluster.typed_extension_protocol_options[_PROTOCOL_OPTIONS].Pack(_protocol(http1=http1), deterministic=True)
    return cluster


def build_assignment(name: str, endpoints: Sequence[Endpoint]) -> endpoint_pb2.ClusterLoadAssignment:
    """Returns the instances of a cluster with the health that the gateway's own checks found."""
    assignment = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
    locality = assignment.endpoints.add()
    locality.load_balancing_weight.value = 1
    locality.locality.zone = "local"
    for endpoint in sorted(endpoints, key=lambda item: (item.host, item.port)):
        lb_endpoint = locality.lb_endpoints.add()
        lb_endpoint.health_status = health_check_pb2.HEALTHY if endpoint.healthy else health_check_pb2.UNHEALTHY
        address = lb_endpoint.endpoint.address.socket_address
        address.address = endpoint.host
        address.port_value = endpoint.port
    return assignment


def ads_source() -> config_source_pb2.ConfigSource:
    """Returns the configuration source "the same ADS stream"."""
    source = config_source_pb2.ConfigSource(resource_api_version=config_source_pb2.V3)
    source.ads.SetInParent()
    return source


def _eject_outliers(cluster: cluster_pb2.Cluster) -> None:
    """Takes an instance out after failed connections, before the gateway's health watch has noticed.

    Only failures of the connection count: a status that the server itself answered says nothing about its health.
    """
    outlier = cluster.outlier_detection
    outlier.split_external_local_origin_errors = True
    outlier.consecutive_local_origin_failure.value = 3
    outlier.enforcing_consecutive_local_origin_failure.value = 100
    outlier.enforcing_local_origin_success_rate.value = 0
    outlier.enforcing_consecutive_5xx.value = 0
    outlier.enforcing_consecutive_gateway_failure.value = 0
    outlier.enforcing_success_rate.value = 0
    outlier.interval.FromMilliseconds(500)
    outlier.base_ejection_time.FromSeconds(2)
    outlier.max_ejection_time.FromSeconds(15)
    # With one instance only, ejecting it would turn a hiccup into an outage.
    outlier.max_ejection_percent.value = 67


def _protocol(*, http1: bool) -> http_protocol_options_pb2.HttpProtocolOptions:
    options = http_protocol_options_pb2.HttpProtocolOptions()
    if http1:
        options.explicit_http_config.http_protocol_options.SetInParent()
        # Below the 5 s after which the gateway's HTTP server closes idle connections, or a call meets the close.
        options.common_http_protocol_options.idle_timeout.FromSeconds(4)
    else:
        http2 = options.explicit_http_config.http2_protocol_options
        http2.initial_stream_window_size.value = 1 << 20
        http2.initial_connection_window_size.value = 4 << 20
    return options


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
