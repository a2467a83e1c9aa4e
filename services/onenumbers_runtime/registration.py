"""Self-registration: a server announces itself in Redis, and renews that for as long as it runs.

The record is one key, `{prefix}:instance:{server}:{address}`, with the address as its value, which Redis drops when its
lease is not renewed. Anything that can write the key can be a part of the mesh, so Redis must be as trusted as the
configuration is.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING, Self

import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    import redis.asyncio as redis

log = structlog.get_logger()

LEASE_S = 10.0
"""Seconds that a record lives without being renewed."""
_RENEW_S = 3.0
_TIMEOUT_S = 1.0


def connect(url: str) -> redis.Redis:
    """Returns a client that fails at once instead of trying again on its own."""
    import redis.asyncio as redis

    client: redis.Redis = redis.Redis.from_url(
        url,
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        max_connections=16,
    )
    return client


def record_key(prefix: str, server: str, address: str) -> str:
    """Returns the key of an instance's record."""
    return f"{prefix}:instance:{server}:{address}"


def channel_name(prefix: str) -> str:
    """Returns the channel on which changes are published at once."""
    return f"{prefix}:instances"


class Registration:
    """Keeps one server registered, as an async context manager. With Redis away it waits for it; nothing fails.

    Args:
        client: Redis; closed at the end.
        prefix: First part of all keys.
        server: Name of the server in the mesh.
        address: "host:port" under which the mesh reaches it; a name is looked up once.
    """

    def __init__(self, client: redis.Redis, *, prefix: str, server: str, address: str) -> None:
        self._client = client
        self._channel = channel_name(prefix)
        self._prefix = prefix
        self._server = server
        self._address = address
        self._task: asyncio.Task[None] | None = None
        self._known = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep(), name="registration")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.withdraw()
        with contextlib.suppress(RedisError, OSError):
            await self._client.aclose()

    async def withdraw(self) -> None:
        """Takes the record away, as a draining server does first. Safe to call again."""
        if self._task is not None:
            self._task.cancel()
        if not self._known:
            return
        self._known = False
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S):
                await self._client.delete(record_key(self._prefix, self._server, self._address))
                await self._client.publish(self._channel, self._server)
        log.info("registration_withdrawn", server=self._server, address=self._address)

    async def _keep(self) -> None:
        self._address = await _numeric(self._address)
        key = record_key(self._prefix, self._server, self._address)
        while True:
            try:
                async with asyncio.timeout(2 * _TIMEOUT_S):
                    # True where the key is new: then it is worth an announcement.
                    before = await self._client.set(key, self._address, px=int(LEASE_S * 1000), get=True)
                    if before is None:
                        await self._client.publish(self._channel, self._server)
                if not self._known:
                    self._known = True
                    log.info("registered", server=self._server, address=self._address)
            except (RedisError, OSError, TimeoutError) as error:
                if self._known:
                    log.warning("registration_lost", reason=type(error).__name__)
                self._known = False
            await asyncio.sleep(_RENEW_S)


async def _numeric(address: str) -> str:
    """Returns "host:port" with the host as an address, looked up where it is a name."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host.strip("[]"))
        return address
    while True:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        except OSError:
            log.warning("registration_waits", reason=f"the name {host} cannot be resolved")
            await asyncio.sleep(_RENEW_S)
            continue
        ip = str(found[0][4][0])
        return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
