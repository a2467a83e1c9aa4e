"""Settings of the gateway: which servers it looks at, how often, and what it keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from onenumbers_runtime.settings import MeshSettings, target

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}\Z")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]+):(\d{1,5})\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """A server that the gateway is told of."""

    name: str
    """Short name, unique in the mesh."""
    host: str
    """DNS name or address, an IPv6 address without brackets."""
    port: int

    @property
    def address(self) -> str:
        """The target as gRPC takes it, "host:port"."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_target(name: str, value: str) -> Target:
    """Returns the target of "host:port" (or "grpc://host:port").

    Raises:
        ValueError: The name or the address is not well-formed.
    """
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is not a server name: lower-case letters, digits and '-', at most 63")
    match = _HOST_PORT.match(target(value.strip()))
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError(f"{value!r} is not a target: write host:port")
    return Target(name=name, host=match[1].strip("[]"), port=int(match[2]))


class GatewaySettings(MeshSettings):
    """Settings of the gateway process."""

    gateway_port: int = Field(5010, ge=0, le=65535, validation_alias="MCP_GATEWAY_PORT")
    """gRPC port of the gateway; 0 takes a free one."""
    gateway_http_port: int = Field(5011, ge=0, le=65535, validation_alias="MCP_GATEWAY_HTTP_PORT")
    """Port of the gateway's HTTP server (MCP); 0 takes a free one."""
    research_url: str = Field("127.0.0.1:5000", validation_alias="MCP_RESEARCH_URL")
    """Target of the research server; "none" leaves it out."""
    knowledge_url: str = Field("127.0.0.1:5001", validation_alias="MCP_KNOWLEDGE_URL")
    """Target of the knowledge server; "none" leaves it out."""
    utilities_url: str = Field("127.0.0.1:5002", validation_alias="MCP_UTILITIES_URL")
    """Target of the utilities server; "none" leaves it out."""
    extra_servers: str = Field("", validation_alias="MCP_EXTRA_SERVERS")
    """More servers: "name=host:port,name=host:port"."""
    cache_ttl_s: float = Field(3600.0, gt=0, validation_alias="MCP_CACHE_TTL")
    """Seconds that the catalog's record in Redis lives without being renewed."""
    call_timeout_s: float = Field(120.0, gt=0, le=3600, validation_alias="MCP_CALL_TIMEOUT")
    """Longest call of a tool over MCP, in seconds."""
    upload_timeout_s: float = Field(900.0, gt=0, le=86_400, validation_alias="MCP_UPLOAD_TIMEOUT")
    """Longest upload of a file over HTTP until the answer, in seconds."""
    upload_idle_s: float = Field(30.0, gt=0, le=3600, validation_alias="MCP_UPLOAD_IDLE_TIMEOUT")
    """Longest silence of a client that is sending a file over HTTP, and of a server that takes it, in seconds."""
    health_check_interval_s: float = Field(60.0, gt=0, validation_alias="MCP_HEALTH_CHECK_INTERVAL")
    """Seconds between two health checks of an instance; changes arrive at once by the health Watch stream."""
    health_timeout_s: float = Field(5.0, gt=0, le=60, validation_alias="MCP_HEALTH_TIMEOUT")
    """Seconds after which a health check or reflection counts as unanswered."""
    reflection_interval_s: float = Field(30.0, gt=0, validation_alias="MCP_REFLECTION_INTERVAL")
    """Seconds after which a contract is read again from a server that stayed connected."""
    resolve_interval_s: float = Field(5.0, gt=0, validation_alias="MCP_RESOLVE_INTERVAL")
    """Seconds between two look-ups of a server's DNS name."""
    tool_cache_size: int = Field(1000, ge=1, le=1_000_000, validation_alias="MCP_TOOL_CACHE_SIZE")
    """Results of tools that are kept in memory at most."""
    result_cache: Literal["on", "off"] = Field("on", validation_alias="MCP_RESULT_CACHE")
    """Whether results of read-only tools that declare a `cache_ttl` are served again."""
    stale_result_s: float = Field(86_400.0, ge=0, validation_alias="MCP_STALE_RESULT_TTL")
    """Seconds past its time for which a result may still be served while its server is unavailable."""

    @model_validator(mode="after")
    def _check_targets(self) -> Self:
        names = [item.name for item in self.targets()]
        for name in names:
            if names.count(name) > 1 or name == "gateway":
                raise ValueError(f"two servers are named {name!r}: MCP_EXTRA_SERVERS needs names of its own")
        return self

    def targets(self) -> tuple[Target, ...]:
        """Returns the servers in the order of their rights to a name: ours first, then as configured.

        Raises:
            ValueError: A target is not well-formed; the message names the variable.
        """
        found: list[Target] = []
        for name in ("research", "knowledge", "utilities"):
            value = getattr(self, f"{name}_url")
            if value.strip().lower() == "none":
                continue
            try:
                found.append(parse_target(name, value))
            except ValueError as error:
                raise ValueError(f"MCP_{name.upper()}_URL: {error}") from None
        for item in filter(None, (part.strip() for part in self.extra_servers.split(","))):
            name, equals, address = item.partition("=")
            if not equals:
                raise ValueError(f"MCP_EXTRA_SERVERS: {item!r} lacks '=': write name=host:port")
            try:
                found.append(parse_target(name.strip(), address))
            except ValueError as error:
                raise ValueError(f"MCP_EXTRA_SERVERS: {error}") from None
        return tuple(found)
