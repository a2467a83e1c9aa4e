"""What the edge costs: calculate_life_path direct, through our edge (gRPC and JSON), a bare static Envoy, and nginx.

Usage: python bench/edge.py [--rounds N] [--requests N]

Each round measures all sides in turn, at 1 and 64 calls at once; the table shows medians and ratios per round. The bare
Envoy is the same binary with the shortest static configuration: one listener, one cluster, no limits, no log.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from running import Load, free_port, h2load, machine, median, mesh, need, process, write_table

from onenumbers.utilities.v1 import utilities_pb2
from onenumbers_gateway.xds.envoy import envoy_binary
from onenumbers_gateway.xds.settings import EdgeSettings

METHOD = "/onenumbers.utilities.v1.UtilitiesService/CalculateLifePath"
REST = "/v1/numerology/life-path"
GRPC = {"content-type": "application/grpc", "te": "trailers"}


def static_envoy(port: int, upstream: int) -> dict[str, Any]:
    def address(number: int) -> dict[str, Any]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    types = "type.googleapis.com/envoy.extensions"
    router = {"name": "router", "typed_config": {"@type": f"{types}.filters.http.router.v3.Router"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
    manager = {
        "@type": f"{types}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bare",
        "codec_type": "HTTP2",
        "http_filters": [router],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
    }
    http2 = {
        "@type": f"{types}.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(upstream)}}]}],
        },
    }
    listener = {"address": address(port), "filter_chains": [{"filters": [{"name": "hcm", "typed_config": manager}]}]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


@contextmanager
def bare_envoy(folder: Path, upstream: int) -> Iterator[int]:
    port = free_port()
    config = folder / "bare.json"
    config.write_text(json.dumps(static_envoy(port, upstream)))
    binary = envoy_binary(EdgeSettings.load(data_dir=folder))
    with process(
        binary, "--config-path", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "off", port=port
    ):
        yield port


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[int]:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  upstream utilities {{ server 127.0.0.1:{upstream}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} http2; keepalive_requests 1000000;
    location / {{ grpc_pass grpc://utilities; }}
  }}
}}
"""
    )
    with process(need("nginx", "nginx"), "-p", folder, "-c", config, port=port):
        yield port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=12_000)
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    message = utilities_pb2.CalculateLifePathRequest(day=14, month=11, year=1968).SerializeToString()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        framed, body = folder / "grpc.bin", folder / "rest.json"
        framed.write_bytes(b"\x00" + len(message).to_bytes(4, "big") + message)
        body.write_text(json.dumps({"day": 14, "month": 11, "year": 1968}))
        with (
            mesh(options.data_dir or folder / "data") as ours,
            bare_envoy(folder, ours.utilities) as bare,
            nginx(folder, ours.utilities) as web,
        ):
            sides = {
                "direct": (ours.utilities, METHOD, framed, GRPC, False),
                "our edge, gRPC": (ours.edge, METHOD, framed, GRPC, False),
                "bare Envoy, gRPC": (bare, METHOD, framed, GRPC, False),
                "nginx grpc_pass": (web, METHOD, framed, GRPC, False),
                "our edge, JSON": (ours.edge, REST, body, {"content-type": "application/json"}, True),
            }
            rows = [
                "| Path | At once | Calls/s | p50 / p99 ms | Ratio to bare Envoy (min-max) |",
                "|---|---|---|---|---|",
            ]
            for at_once in (1, 64):
                results: dict[str, list[Load]] = {name: [] for name in sides}
                count = options.requests if at_once > 1 else options.requests // 6
                for _ in range(options.rounds):
                    for name, (port, path, content, headers, http1) in sides.items():
                        clients, streams = (at_once, 1) if http1 or at_once == 1 else (4, at_once // 4)
                        load = h2load(
                            f"http://127.0.0.1:{port}{path}",
                            body=content,
                            headers=headers,
                            requests=count,
                            clients=clients,
                            streams=streams,
                            http1=http1,
                        )
                        assert load.failed == 0, f"{name}: {load.failed} calls failed"
                        results[name].append(load)
                for name, loads in results.items():
                    ratios = sorted(a.rate / b.rate for a, b in zip(loads, results["bare Envoy, gRPC"], strict=True))
                    rows.append(
                        f"| {name} | {at_once} | {median([load.rate for load in loads]):.0f} "
                        f"| {median([load.p50_ms for load in loads]):.2f} / {median([load.p99_ms for load in loads]):.2f} "
                        f"| {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) |"
                    )
    note = (
        f"`python bench/edge.py --rounds {options.rounds} --requests {options.requests}`, {machine()}. "
        "calculate_life_path; one utilities process, proxies with one worker; 64 at once is 4 connections of 16 streams "
        "(JSON: 64 connections). Load generator, proxy and server share the cores."
    )
    write_table("edge", "## The edge\n\n" + note + "\n\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
