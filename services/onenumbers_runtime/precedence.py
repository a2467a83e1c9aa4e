"""Lets what somebody waits for go before work in bulk, in one process that has few cores for both."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PATIENCE_S: Final = 0.06
"""Seconds that work in bulk waits at most before each of its steps, so that it comes to its end where others never
stop coming."""
RECENT_S: Final = 1.0
"""Seconds after which nobody is expected to come again soon."""


class Precedence:
    """Who is in the foreground, and where work in bulk waits for him.

    A priority of the operating system is not enough: what is in bulk holds caches, memory and the interpreter, and
    gives a core away only some milliseconds after it is wanted. It has to be cut into steps, and ask before each.

    `foreground` and `passed` belong to one event loop; `wait` and `recent` to any thread.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._ended = -math.inf
        self._waiting: set[asyncio.Future[None]] = set()

    @contextmanager
    def foreground(self) -> Iterator[None]:
        """Goes before work in bulk while the context is open."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._ended = time.monotonic()
                if not self._running:
                    self._changed.notify_all()
            if not self._running:
                for waiter in self._waiting:
                    if not waiter.done():
                        waiter.set_result(None)

    @property
    def recent(self) -> bool:
        """Whether somebody is in the foreground, or was within the last second: steps should be short."""
        return self._running > 0 or time.monotonic() - self._ended < RECENT_S

    def wait(self) -> None:
        """Blocks while somebody is in the foreground, 60 ms at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, PATIENCE_S)

    async def passed(self) -> None:
        """Returns when nobody is in the foreground, after 60 ms at most."""
        if not self._running:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await waiter
        finally:
            self._waiting.discard(waiter)
