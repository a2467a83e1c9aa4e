"""Envoy's administration over its unix socket: readiness, counters and the graceful end."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote


class AdminError(Exception):
    """Envoy's administration does not answer, or refuses."""


class EnvoyAdmin:
    """Client of one Envoy's admin socket. Cheap to make; every call opens a connection of its own."""

    def __init__(self, path: Path, *, timeout_s: float = 5.0) -> None:
        self._path = path
        self._timeout_s = timeout_s

    async def request(self, method: str, target: str) -> str:
        """Sends one request and returns the body.

        Raises:
            AdminError: Nothing listens, or the status is not 200.
        """
        return await asyncio.to_thread(self._request, method, target)

    async def ready(self) -> bool:
        """Tells whether Envoy runs and has its first configuration."""
        try:
            return (await self.request("GET", "/ready")).startswith("LIVE")
        except AdminError:
            return False

    async def stats(self, pattern: str) -> Mapping[str, int]:
        """Returns counters and gauges whose name matches the regular expression, by name."""
        body = await self.request("GET", f"/stats?format=json&filter={quote(pattern)}")
        entries = json.loads(body).get("stats", [])
        return {entry["name"]: int(entry["value"]) for entry in entries if "value" in entry}

    async def drain(self, *, grace_s: float) -> bool:
        """Stops accepting connections, asks clients to leave, and waits until the calls in flight are done.

        Returns:
            True when no call was left, False when the grace period ended first.
        """
        await self.request("POST", "/drain_listeners?graceful&skip_exit")
        loop = asyncio.get_running_loop()
        end = loop.time() + grace_s
        quiet = 0
        while loop.time() < end:
            counts = await self.stats(r"^http\.edge\.downstream_(cx|rq)_active$")
            if not counts.get("http.edge.downstream_cx_active"):
                return True
            # Idle connections of gRPC clients never close by themselves: three quiet looks are enough.
            quiet = quiet + 1 if not counts.get("http.edge.downstream_rq_active") else 0
            if quiet >= 3:
                return True
            await asyncio.sleep(0.05)
        return False

    def _request(self, method: str, target: str) -> str:
        connection = _UnixConnection(self._path, self._timeout_s)
        try:
            connection.request(method, target)
            response = connection.getresponse()
            body = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise AdminError(f"no answer on {self._path}: {error}") from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise AdminError(f"{method} {target}: {response.status} {body.strip()}")
        return body


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("admin", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
