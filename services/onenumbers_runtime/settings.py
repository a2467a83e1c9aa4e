"""Settings that every server shares, read from the environment and validated at start."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting is wrong; the message is one line and names the variable."""


def default_data_dir() -> Path:
    """Returns where data is kept unless told otherwise: $XDG_DATA_HOME/onenumbers or ~/.local/share/onenumbers."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "onenumbers"


def is_loopback(host: str) -> bool:
    """Tells whether a host can only be reached from this machine."""
    if host in ("localhost", ""):
        return host == "localhost"
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def target(value: str) -> str:
    """Returns a gRPC target ("host:port") from what people write ("grpc://host:port", "http://host:port/")."""
    for prefix in ("grpc://", "http://"):
        value = value.removeprefix(prefix)
    return value.rstrip("/")


class MeshSettings(BaseSettings):
    """What all servers of the mesh have in common. Each field's variable is its alias."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", validation_alias="MCP_HOST")
    """Address to listen on."""
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias="MCP_LOG_LEVEL")
    """Least level that is logged."""
    debug: bool = Field(False, validation_alias="MCP_DEBUG")
    """Logs at level debug, whatever MCP_LOG_LEVEL says."""
    log_format: Literal["auto", "console", "json"] = Field("auto", validation_alias="MCP_LOG_FORMAT")
    """"auto": console on a terminal, JSON otherwise."""
    data_dir: Path = Field(default_factory=default_data_dir, validation_alias="MCP_DATA_DIR")
    """Where data, models and logs are kept."""
    redis_url: str | None = Field(None, validation_alias="REDIS_URL")
    """Redis, as a URL; none means memory only."""
    redis_prefix: str = Field("onenumbers", pattern=r"^[A-Za-z0-9_.:-]{1,64}$", validation_alias="MCP_REDIS_PREFIX")
    """First part of all keys in Redis: two meshes may share one."""
    advertise: str = Field("", validation_alias="MCP_ADVERTISE")
    """"host:port" under which the mesh reaches this server: registers it in Redis. "auto" is where it listens."""
    auth_token: SecretStr | None = Field(None, validation_alias="MCP_AUTH_TOKEN")
    """Bearer token that every call must carry."""
    auth_token_file: Path | None = Field(None, validation_alias="MCP_AUTH_TOKEN_FILE")
    """File that holds the token instead."""
    allow_unauthenticated: bool = Field(False, validation_alias="MCP_ALLOW_UNAUTHENTICATED")
    """Allows to listen beyond loopback without a token."""
    grace_period_s: float = Field(6.0, ge=0, le=600, validation_alias="MCP_GRACE_PERIOD")
    """Seconds that calls in flight get to finish when the server stops."""
    max_message_bytes: int = Field(4 * 1024 * 1024, ge=1024, le=1 << 30, validation_alias="MCP_MAX_MESSAGE_BYTES")
    """Largest message that is received or sent, in bytes."""
    upload_max_bytes: int = Field(64 * 1024 * 1024, ge=1024, le=1 << 30, validation_alias="MCP_UPLOAD_MAX_BYTES")
    """Largest file that is uploaded in pieces or over HTTP, in bytes."""
    max_concurrent_rpcs: int = Field(512, ge=1, le=100_000, validation_alias="MCP_MAX_CONCURRENT_RPCS")
    """Calls that run at once; more are refused with RESOURCE_EXHAUSTED."""
    default_deadline_s: float = Field(30.0, gt=0, le=3600, validation_alias="MCP_DEFAULT_DEADLINE")
    """Deadline in seconds of calls that bring none."""
    metrics_port: int | None = Field(None, ge=0, le=65535, validation_alias="MCP_METRICS_PORT")
    """Port for Prometheus on loopback; none means off, 0 a free one."""
    max_retries: int = Field(3, ge=0, le=10, validation_alias="MCP_MAX_RETRIES")
    """How often a failed call to another server is tried again."""

    @model_validator(mode="after")
    def _read_token_file(self) -> Self:
        if self.auth_token_file is not None:
            try:
                token = self.auth_token_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ValueError(f"MCP_AUTH_TOKEN_FILE cannot be read: {error.strerror}") from None
            if not token:
                raise ValueError("MCP_AUTH_TOKEN_FILE is empty")
            object.__setattr__(self, "auth_token", SecretStr(token))
        return self

    @model_validator(mode="after")
    def _check_advertise(self) -> Self:
        host, _, port = self.advertise.rpartition(":")
        if self.advertise not in ("", "auto") and not (host and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"MCP_ADVERTISE: {self.advertise!r} is no address: write host:port, or auto")
        if self.advertise and not self.redis_url:
            raise ValueError("MCP_ADVERTISE needs REDIS_URL, where servers are registered")
        return self

    @property
    def token(self) -> str | None:
        """The bearer token in clear, or None where calls need none."""
        return self.auth_token.get_secret_value() if self.auth_token is not None else None

    @property
    def run_dir(self) -> Path:
        """Folder of sockets and lock files of a running mesh."""
        return self.data_dir / "run"

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Reads the environment; `overrides` win, by field name.

        Raises:
            SettingsError: A value is wrong; the message names its variable.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise SettingsError("; ".join(_line(cls, item) for item in error.errors(include_url=False))) from None

    def require_safe_host(self, host: str | None = None) -> None:
        """Refuses to listen beyond loopback without authentication.

        Raises:
            SettingsError: The host is not loopback, there is no token, and nobody allowed it.
        """
        host = self.host if host is None else host
        if not is_loopback(host) and self.token is None and not self.allow_unauthenticated:
            raise SettingsError(
                f"refusing to listen on {host} without authentication: set MCP_AUTH_TOKEN_FILE, "
                "or MCP_ALLOW_UNAUTHENTICATED=true if another part authenticates"
            )


def _line(settings: type[BaseSettings], item: Any) -> str:
    location = str(item["loc"][0]) if item["loc"] else ""
    field = settings.model_fields.get(location)
    variable = str(field.validation_alias) if field is not None and field.validation_alias else location
    message = item["msg"].removeprefix("Value error, ")
    return f"{variable}: {message}" if variable else message
