"""The thread in which indexes are touched: one call at a time, those of searches before all others."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")

_IN_A_ROW: Final = 4
"""Calls of searches after which one of the others comes to its turn, or changes would wait as long as searches come."""


class IndexThread:
    """Runs work on indexes: FAISS and the words' arrays are changed in place, so nothing else may read meanwhile."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
        self._lock = threading.Lock()
        self._searches: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._others: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._in_a_row = 0

    async def run(self, work: Callable[[], T], *, search: bool = False) -> T:
        """Runs work and returns what it does; who is cancelled before its turn has nothing run.

        Args:
            work: What is to be done.
            search: Whether it goes before what is none.
        """
        future: Future[T] = Future()
        with self._lock:
            # One turn for each call; whose it is, is decided when it comes. Nothing is queued after the end.
            self._executor.submit(self._turn)
            (self._searches if search else self._others).append((future, work))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Blocks until everything is done that waits."""
        self._executor.shutdown()

    def _turn(self) -> None:
        future, work = self._next()
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, its caller is told, and the thread lives on
            future.set_exception(error)
        else:
            future.set_result(result)

    def _next(self) -> tuple[Future[Any], Callable[[], Any]]:
        with self._lock:
            if self._searches and (not self._others or self._in_a_row < _IN_A_ROW):
                # Only those count that another call waited for.
                self._in_a_row = self._in_a_row + 1 if self._others else 0
                return self._searches.popleft()
            self._in_a_row = 0
            return self._others.popleft()
