"""What the gateway keeps in Redis: each server's contract, and the names of tools. A cache, never a dependency."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from onenumbers_gateway.discovery import KnownServer
from onenumbers_gateway.model import MeshSource, ServerSnapshot
from onenumbers_gateway.reflection_client import MAX_BYTES, ReflectedContract, hash_files

log = structlog.get_logger()

_TIMEOUT_S = 1.0
_FIRST_RETRY_S = 0.25
_LONGEST_RETRY_S = 5.0
_NAMES_TTL_S = 30 * 86_400
"""Names outlive a server that is away for a while; a tool must not change its name over a holiday."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier run left."""

    servers: Mapping[str, KnownServer] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


class CatalogStore:
    """Keeps the catalog in Redis, as an async context manager.

    While Redis is away nothing fails; when it is back, everything is written again.

    Args:
        client: Redis; None means that nothing is kept.
        prefix: First part of all keys.
        ttl_s: Seconds that a server's record lives without being renewed.
    """

    def __init__(self, client: redis.Redis | None, *, prefix: str, ttl_s: float) -> None:
        self._client = client
        self._prefix = prefix
        self._ttl_s = ttl_s
        self._written: dict[str, str] = {}
        self._written_names: dict[str, str] = {}
        self._source: MeshSource | None = None
        self._names: Callable[[], Mapping[str, str]] = dict
        self._task: asyncio.Task[None] | None = None
        self.state = "off" if client is None else "unavailable"
        """ "ok", "unavailable" or "off"."""

    async def load(self) -> Remembered:
        """Returns what an earlier run left; nothing where Redis is away or what it holds is damaged."""
        if self._client is None:
            return Remembered()
        try:
            async with asyncio.timeout(2 * _TIMEOUT_S):
                return await self._load(self._client)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("cache_unavailable", reason=type(error).__name__)
            return Remembered()

    def follow(self, source: MeshSource, names: Callable[[], Mapping[str, str]]) -> Self:
        """Says what is to be kept; returns itself, to be entered."""
        self._source, self._names = source, names
        return self

    async def __aenter__(self) -> Self:
        if self._client is not None and self._source is not None:
            self._task = asyncio.create_task(self._run(self._client, self._source), name="catalog-store")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._client.aclose()

    async def _load(self, client: redis.Redis) -> Remembered:
        servers: dict[str, KnownServer] = {}
        keys = [key async for key in client.scan_iter(match=f"{self._prefix}:server:*", count=500)]
        for key, value in zip(keys, await client.mget(keys) if keys else [], strict=True):
            name = _text(key).removeprefix(f"{self._prefix}:server:")
            known = _read(name, value) if isinstance(value, bytes) else None
            if known is not None:
                servers[name] = known
            elif value is not None:
                log.warning("cache_entry_ignored", server=name)
        names = await client.hgetall(f"{self._prefix}:names")
        self.state = "ok"
        return Remembered(servers=servers, names={_text(key): _text(value) for key, value in names.items()})

    async def _run(self, client: redis.Redis, source: MeshSource) -> None:
        delay = _FIRST_RETRY_S
        while True:
            try:
                await self._follow(client, source)
            except (RedisError, OSError, TimeoutError) as error:
                if self.state != "unavailable":
                    log.warning("cache_lost", reason=type(error).__name__)
                    delay = _FIRST_RETRY_S
                self.state = "unavailable"
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_RETRY_S)

    async def _follow(self, client: redis.Redis, source: MeshSource) -> None:
        """Writes everything once, then what changes; renews it in time. Raises when Redis is away."""
        self._written.clear()
        self._written_names.clear()
        renew_every = min(self._ttl_s / 3, 60.0)
        async with source.subscribe() as snapshots:
            waiting: asyncio.Task[Any] | None = None
            try:
                while True:
                    waiting = waiting or asyncio.ensure_future(anext(snapshots))
                    done, _ = await asyncio.wait({waiting}, timeout=min(renew_every, 2.0))
                    if done:
                        waiting = None
                    async with asyncio.timeout(2 * _TIMEOUT_S):
                        await self._save(client, source.current().servers)
                    if self.state != "ok":
                        self.state = "ok"
                        log.info("cache_connected")
            finally:
                if waiting is not None:
                    waiting.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                        await waiting

    async def _save(self, client: redis.Redis, servers: tuple[ServerSnapshot, ...]) -> None:
        pipeline = client.pipeline(transaction=False)
        ttl_ms = max(1, int(self._ttl_s * 1000))
        fresh: dict[str, str] = {}
        for server in servers:
            # A record that came from the cache is not a proof of life: it may run out.
            if not server.files or server.stale:
                continue
            key = f"{self._prefix}:server:{server.name}"
            fresh[server.name] = f"{server.target} {server.descriptor_hash} {','.join(server.services)}"
            if self._written.get(server.name) != fresh[server.name]:
                pipeline.set(key, _written(server), px=ttl_ms)
            else:
                pipeline.pexpire(key, ttl_ms)
        names = dict(self._names())
        changed: dict[Any, Any] = {key: name for key, name in names.items() if self._written_names.get(key) != name}
        if changed:
            pipeline.hset(f"{self._prefix}:names", mapping=changed)
        pipeline.expire(f"{self._prefix}:names", _NAMES_TTL_S)
        renewed = await pipeline.execute()
        self._written = fresh
        self._written_names = names
        if 0 in renewed[: len(fresh)] or False in renewed[: len(fresh)]:
            # Redis lost what it had (a restart without a disk): write it again with the next round.
            self._written.clear()
            self._written_names.clear()


def _text(value: bytes | str) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _written(server: ServerSnapshot) -> bytes:
    files = [base64.b64encode(content).decode() for content in server.files]
    record = {"target": server.target, "services": server.services, "files": files}
    return zlib.compress(json.dumps(record).encode())


def _read(name: str, value: bytes) -> KnownServer | None:
    """Returns a record, or None where it is damaged or larger than any contract may be."""
    try:
        decoder = zlib.decompressobj()
        text = decoder.decompress(value, 2 * MAX_BYTES)
        record = json.loads(text)
        files = tuple(base64.b64decode(content, validate=True) for content in record["files"])
        services = tuple(str(service) for service in record["services"])
        target = str(record["target"])
    except (zlib.error, ValueError, KeyError, TypeError, binascii.Error):
        return None
    contract = ReflectedContract(services=services, files=files, descriptor_hash=hash_files(files))
    return KnownServer(name=name, target=target, contract=contract)
