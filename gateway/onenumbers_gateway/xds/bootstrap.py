"""Envoy's bootstrap: who it is, where its control plane is, and how it can be administered. All else comes over ADS."""

from __future__ import annotations

from typing import Any

from onenumbers_gateway.xds.settings import EdgeSettings

ADS_CLUSTER = "control_plane"
"""Name of the static cluster through which Envoy reaches the control plane."""

_HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {
            # A control plane that vanished without a word is noticed within 15 s.
            "http2_protocol_options": {"connection_keepalive": {"interval": "10s", "timeout": "5s"}}
        },
    }
}


def build_bootstrap(settings: EdgeSettings) -> dict[str, Any]:
    """Returns the bootstrap as the JSON that Envoy takes with --config-path or --config-yaml."""
    ads = {"resource_api_version": "V3", "ads": {}}
    return {
        "node": {"id": settings.node_id, "cluster": "onenumbers-mesh"},
        "admin": {"address": {"pipe": {"path": str(settings.admin_socket), "mode": 0o600}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": ADS_CLUSTER}}],
            },
            "cds_config": ads,
            "lds_config": ads,
        },
        "static_resources": {"clusters": [_ads_cluster(settings)]},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.resource_monitors."
                        "downstream_connections.v3.DownstreamConnectionsConfig",
                        "max_active_downstream_connections": settings.max_connections,
                    },
                }
            ]
        },
    }


def _ads_cluster(settings: EdgeSettings) -> dict[str, Any]:
    socket = settings.ads_socket
    if socket is not None:
        kind, address = "STATIC", {"pipe": {"path": str(socket)}}
    else:
        host, _, port = settings.ads_target.rpartition(":")
        kind = "STRICT_DNS"
        address = {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}  # type: ignore[dict-item]
    return {
        "name": ADS_CLUSTER,
        "type": kind,
        "connect_timeout": "1s",
        "typed_extension_protocol_options": _HTTP2,
        "load_assignment": {
            "cluster_name": ADS_CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
