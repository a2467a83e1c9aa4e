"""Follows what other servers change in a shared store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import structlog

from onenumbers_knowledge.storage.store import Store
from onenumbers_runtime.errors import MeshError

log = structlog.get_logger()

LOOK_EVERY_S: Final = 0.5
"""Seconds between two looks where no notification arrives."""
_AGAIN_S: Final = 0.5
"""Seconds after which an unreachable store is tried again."""
_FAILING_S: Final = 3.0
"""Seconds that the store may be out of reach before this server says that it cannot serve."""

Told = Callable[[bool, str], Awaitable[None]]
"""Told whether the store can be reached, and why not."""


class Follower:
    """Keeps an index in step with a store that other servers change, and tells when the store is out of reach.

    A notification of the database wakes it; a look at intervals makes up for one that was lost.

    Args:
        store: The shared store.
        follow: Takes over what has changed, up to a change of a number at least; all of it where that is 0.
        told: Told when the store has been out of reach for a while, and when it is back.
    """

    def __init__(self, store: Store, follow: Callable[[int], Awaitable[None]], told: Told) -> None:
        self._store = store
        self._follow = follow
        self._told = told
        self._changed = asyncio.Event()
        self._latest = 0
        self._failing_since: float | None = None
        self._reachable = True

    async def run(self) -> None:
        """Follows until it is cancelled."""
        while True:
            try:
                async with self._store.listening(self._heard) as line:
                    looked = 0.0
                    while not line.lost:
                        self._changed.clear()
                        # Also while one notification follows the other: what they say of is not all that may happen.
                        due = time.monotonic() - looked >= LOOK_EVERY_S
                        looked = time.monotonic() if due else looked
                        await self._follow(0 if due else self._latest)
                        await self._works()
                        with suppress(TimeoutError):
                            await asyncio.wait_for(self._changed.wait(), LOOK_EVERY_S)
            except MeshError as error:
                await self._fails(error.message)
            except Exception:
                # It must not end: the index would fall behind and nobody would know.
                log.exception("following_failed")
                await self._fails("the changes of other servers cannot be followed: see the server's log")
            await asyncio.sleep(_AGAIN_S)

    def _heard(self, number: int) -> None:
        self._latest = number
        self._changed.set()

    async def _works(self) -> None:
        self._failing_since = None
        if not self._reachable:
            self._reachable = True
            log.info("store_reachable")
            await self._told(True, "")

    async def _fails(self, reason: str) -> None:
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        if self._reachable and now - self._failing_since >= _FAILING_S:
            self._reachable = False
            log.warning("store_unreachable", reason=reason)
            await self._told(False, reason)
