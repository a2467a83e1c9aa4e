"""What the gateway knows of the mesh at one moment: immutable, handed from discovery to everything else."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class ServerStatus(enum.Enum):
    """State of a server as the gateway last saw it."""

    UNKNOWN = "unknown"
    """Never reached so far; what is listed of it comes from the cache."""
    SERVING = "serving"
    NOT_SERVING = "not_serving"
    """Answers, and says that it is starting, draining or broken."""
    UNREACHABLE = "unreachable"
    """Does not answer."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One instance of a server: where it listens, and whether it may get calls."""

    host: str
    port: int
    healthy: bool = True


@dataclass(frozen=True, slots=True)
class ServerSnapshot:
    """One server of the mesh with its contract."""

    name: str
    """Short name ("utilities"), unique in the mesh."""
    target: str
    """gRPC target as configured ("127.0.0.1:5002")."""
    endpoints: tuple[Endpoint, ...]
    status: ServerStatus
    reason: str = ""
    """Why the status is not SERVING; empty otherwise."""
    response_time_ms: float | None = None
    """Duration of the last health check that was answered, in milliseconds."""
    last_check: datetime | None = None
    """Time of the last health check, with time zone UTC."""
    services: tuple[str, ...] = ()
    """Full names of its services, without infrastructure (grpc.health, grpc.reflection)."""
    files: tuple[bytes, ...] = ()
    """Serialized FileDescriptorProto of the services' files and all that they import, dependencies first."""
    descriptor_hash: str = ""
    """SHA-256 over `files`, hexadecimal; empty while nothing is known."""
    stale: bool = False
    """True where `files` come from a cache and not from the running server."""


@dataclass(frozen=True, slots=True)
class MeshSnapshot:
    """All servers at one moment. `version` grows with every change."""

    servers: tuple[ServerSnapshot, ...] = ()
    version: int = 0

    def server(self, name: str) -> ServerSnapshot | None:
        """Returns the server of that name, or None."""
        return next((server for server in self.servers if server.name == name), None)


class MeshSource(Protocol):
    """Where snapshots come from: discovery, or a fixed one in tests."""

    def current(self) -> MeshSnapshot:
        """Returns the newest snapshot."""
        ...

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[MeshSnapshot]]:
        """Yields the current snapshot at once, then each newer one; a slow reader skips to the newest."""
        ...
