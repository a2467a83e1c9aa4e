"""Results of read-only tools, served again for as long as the tool allows; identical calls at once become one."""

from __future__ import annotations

import asyncio
import enum
import hashlib
import json
import time
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis.asyncio as redis
from google.protobuf.message import Message
from grpc import StatusCode
from grpc.aio import AioRpcError
from redis.exceptions import RedisError

from onenumbers_runtime.errors import DeadlineExceededError, UnavailableError

MAX_RESULT_BYTES = 1024 * 1024
"""A larger result is not kept."""
MAX_TOTAL_BYTES = 64 * 1024 * 1024
"""All results in memory together."""
_REDIS_TIMEOUT_S = 0.1
_REDIS_PAUSE_S = 2.0
"""How long Redis is left alone after it failed."""

Fetch = Callable[[], Awaitable[Mapping[str, Any]]]


class CacheState(enum.Enum):
    """Where a result came from."""

    NONE = "none"
    """The tool allows no caching, or it is off."""
    MISS = "miss"
    HIT = "hit"
    STALE = "stale"
    """Past its time, served because the server is unavailable."""


@dataclass(frozen=True, slots=True)
class Found:
    """A result with its history."""

    result: Mapping[str, Any]
    state: CacheState
    age_s: float


@dataclass(frozen=True, slots=True)
class _Entry:
    result: Mapping[str, Any]
    stored: float
    """Moment of `time.time()`: replicas share entries through Redis."""
    size: int


@dataclass(slots=True)
class _Shared:
    """A call that several callers wait for."""

    task: asyncio.Task[Mapping[str, Any]]
    waiters: int = 0


class ResultCache:
    """Keeps results in memory, and in Redis where there is one, so that replicas and restarts share them.

    Args:
        enabled: Whether anything is kept.
        size: Results in memory at most; the least recently used go first.
        stale_s: Seconds past its time for which a result may still be served while its server is unavailable.
        client: Redis, or None.
        prefix: First part of the keys in Redis.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        size: int,
        stale_s: float,
        client: redis.Redis | None,
        prefix: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.enabled = enabled
        self._size = size
        self._stale_s = stale_s
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0
        self._running: dict[str, _Shared] = {}
        self._redis_after = 0.0

    def key(self, descriptor_hash: str, method: str, request: Message) -> str:
        """Returns the key of a call: the method under its contract, and the request in its canonical form."""
        digest = hashlib.sha256(f"{descriptor_hash} {method} ".encode())
        digest.update(request.SerializeToString(deterministic=True))
        return digest.hexdigest()

    async def get_or_fetch(self, key: str, ttl_s: float, fetch: Fetch, *, timeout_s: float) -> Found:
        """Returns a kept result, or fetches it once for all who ask at the same time.

        A caller that goes away does not end the call that others wait for.

        Raises:
            MeshError: As `fetch` does, where no earlier result may stand in.
            AioRpcError: As `fetch` does, where no earlier result may stand in.
        """
        entry = self._entries.get(key) or await self._from_redis(key, ttl_s)
        now = self._clock()
        if entry is not None and 0 <= now - entry.stored <= ttl_s:
            self._touch(key, entry)
            return Found(entry.result, CacheState.HIT, now - entry.stored)
        shared = self._running.get(key)
        if shared is None:
            shared = self._running[key] = _Shared(asyncio.create_task(self._fetch(key, ttl_s, fetch)))
            shared.task.add_done_callback(lambda task: self._finished(key, task))
        shared.waiters += 1
        try:
            async with asyncio.timeout(timeout_s):
                return Found(await asyncio.shield(shared.task), CacheState.MISS, 0.0)
        except TimeoutError:
            raise DeadlineExceededError("the tool did not answer in time", reason="DEADLINE_EXCEEDED") from None
        except (UnavailableError, AioRpcError) as error:
            unavailable = not isinstance(error, AioRpcError) or error.code() is StatusCode.UNAVAILABLE
            age = self._clock() - entry.stored if entry is not None else 0.0
            if unavailable and entry is not None and age <= ttl_s + self._stale_s:
                return Found(entry.result, CacheState.STALE, age)
            raise
        finally:
            shared.waiters -= 1
            if shared.waiters == 0 and not shared.task.done():
                # Nobody waits any more: the next who asks begins anew.
                self._running.pop(key, None)
                shared.task.cancel()

    def _finished(self, key: str, task: asyncio.Task[Mapping[str, Any]]) -> None:
        shared = self._running.get(key)
        if shared is not None and shared.task is task:
            del self._running[key]

    async def _fetch(self, key: str, ttl_s: float, fetch: Fetch) -> Mapping[str, Any]:
        result = await fetch()
        content = json.dumps(result, separators=(",", ":")).encode()
        if len(content) <= MAX_RESULT_BYTES:
            entry = _Entry(result, self._clock(), len(content))
            self._touch(key, entry)
            await self._to_redis(key, ttl_s, entry, content)
        return result

    def _touch(self, key: str, entry: _Entry) -> None:
        before = self._entries.pop(key, None)
        self._bytes += entry.size - (before.size if before is not None else 0)
        self._entries[key] = entry
        while len(self._entries) > self._size or self._bytes > MAX_TOTAL_BYTES:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size

    async def _from_redis(self, key: str, ttl_s: float) -> _Entry | None:
        if self._client is None or time.monotonic() < self._redis_after:
            return None
        try:
            async with asyncio.timeout(_REDIS_TIMEOUT_S):
                value = await self._client.get(f"{self._prefix}:result:{key}")
            if not isinstance(value, bytes):
                return None
            record = json.loads(zlib.decompressobj().decompress(value, 2 * MAX_RESULT_BYTES))
            entry = _Entry(dict(record["result"]), float(record["stored"]), len(value))
        except (RedisError, OSError, TimeoutError):
            self._redis_after = time.monotonic() + _REDIS_PAUSE_S
            return None
        except (ValueError, KeyError, TypeError, zlib.error):
            return None
        return entry if self._clock() - entry.stored <= ttl_s + self._stale_s else None

    async def _to_redis(self, key: str, ttl_s: float, entry: _Entry, content: bytes) -> None:
        if self._client is None or time.monotonic() < self._redis_after:
            return
        record = b'{"stored":%s,"result":%s}' % (json.dumps(entry.stored).encode(), content)
        try:
            async with asyncio.timeout(_REDIS_TIMEOUT_S):
                await self._client.set(
                    f"{self._prefix}:result:{key}",
                    zlib.compress(record, 1),
                    px=max(1, int((ttl_s + self._stale_s) * 1000)),
                )
        except (RedisError, OSError, TimeoutError):
            self._redis_after = time.monotonic() + _REDIS_PAUSE_S
