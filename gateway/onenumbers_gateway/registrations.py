"""Follows the servers that register themselves in Redis."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

import structlog
from redis.exceptions import RedisError

from onenumbers_gateway.settings import Target, parse_target
from onenumbers_runtime.registration import LEASE_S, channel_name

if TYPE_CHECKING:
    import redis.asyncio as redis

log = structlog.get_logger()

MAX_INSTANCES = 1_000
"""Instances that are followed at most."""
_TIMEOUT_S = 2.0
_RETRY_S = 0.5


class Registrations:
    """Reads all registrations whenever one is announced, and often enough to see leases end.

    While Redis is away what was known stays: its absence says nothing about the servers.

    Args:
        client: Redis; not closed here.
        prefix: First part of all keys.
        use: Told of all registered instances by server name, whenever they change.
    """

    def __init__(
        self, client: redis.Redis, *, prefix: str, use: Callable[[Mapping[str, tuple[Target, ...]]], None]
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._use = use
        self._seen: dict[str, tuple[Target, ...]] = {}
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await self._read()
        self._task = asyncio.create_task(self._follow(), name="registrations")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        while self._task is not None and not self._task.done():
            # Once is not enough: the client may take a cancellation for the end of a timeout of its own.
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.1)

    async def _follow(self) -> None:
        while not self._closing:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=True) as announcements:
                    await announcements.subscribe(channel_name(self._prefix))
                    await self._read()
                    while not self._closing:
                        await announcements.get_message(timeout=LEASE_S / 4)
                        await self._read()
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(_RETRY_S)

    async def _read(self) -> None:
        found: dict[str, list[Target]] = {}
        head = f"{self._prefix}:instance:"
        count = 0
        async with asyncio.timeout(_TIMEOUT_S):
            async for key in self._client.scan_iter(match=f"{head}*", count=500):
                text = key.decode(errors="replace") if isinstance(key, bytes) else key
                name, _, address = text.removeprefix(head).partition(":")
                try:
                    target = parse_target(name, address)
                    ipaddress.ip_address(target.host)  # names are looked up by the one who registers
                except ValueError as error:
                    log.warning("registration_ignored", reason=str(error)[:200])
                    continue
                found.setdefault(name, []).append(target)
                count += 1
                if count == MAX_INSTANCES:
                    log.warning("registrations_too_many", limit=MAX_INSTANCES)
                    break
        current = {name: tuple(sorted(targets, key=lambda item: item.address)) for name, targets in found.items()}
        if current != self._seen:
            self._seen = current
            self._use(current)
