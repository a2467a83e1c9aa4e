"""SQLite in a file: how its connections are prepared, and work in one go beside the asynchronous driver."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

WRITES: Final = "onenumbers_writes"
"""Execution option of connections whose transaction writes."""
_ASK_EVERY_S: Final = 0.01
_READERS: Final = 2
"""Reads at once: they share the interpreter's lock with everything else, and seldom wait for the disk."""

T = TypeVar("T")


def sqlite_engine(url: URL, *, wait_s: float) -> AsyncEngine:
    """Returns the asynchronous engine of a file.

    Args:
        url: The file, with the asynchronous driver.
        wait_s: Seconds that a statement waits for a lock.
    """
    engine = create_async_engine(url, pool_size=4, max_overflow=4)
    event.listen(engine.sync_engine, "connect", partial(_prepare, wait_s))
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


class SqliteThreads:
    """Reads and writes whose steps all run in one thread.

    The asynchronous driver hands every step of every statement to a thread and back: a look-up of five passages takes
    a dozen changes of threads, and most of its time in them; writing a document took 14.5 ms by it, and takes 4.

    Args:
        url: The file.
        wait_s: Seconds that a statement waits for a lock.
    """

    def __init__(self, url: URL, *, wait_s: float) -> None:
        self._reading = _Threads(url, wait_s=wait_s, count=_READERS, name="read")
        event.listen(self._reading.engine, "connect", _forbid_writes)
        # Writers take turns anyway.
        self._writing = _Threads(url, wait_s=wait_s, count=1, name="write")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Returns what a function reads in a transaction."""

        def reading() -> T:
            with self._reading.engine.connect() as connection:
                return work(connection)

        return await self._reading.run(reading)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Returns what a function does in a transaction, which is undone where it raises.

        What has begun goes on to its end, also where the caller is cancelled.
        """

        def writing() -> T:
            with self._writing.engine.execution_options(**{WRITES: True}).begin() as connection:
                return work(connection)

        return await self._writing.run(writing)

    async def close(self) -> None:
        """Waits for what is being read and written, and closes the connections."""
        for threads in (self._reading, self._writing):
            await threads.close()


class _Threads:
    """Threads with a connection each."""

    def __init__(self, url: URL, *, wait_s: float, count: int, name: str) -> None:
        self.engine = create_engine(url.set(drivername="sqlite"), pool_size=count, max_overflow=0)
        event.listen(self.engine, "connect", partial(_prepare, wait_s))
        event.listen(self.engine, "begin", _begin)
        self._executor = ThreadPoolExecutor(max_workers=count, thread_name_prefix=name)

    async def run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._executor.shutdown)
        self.engine.dispose()


def _prepare(wait_s: float, connection: Any, _: Any) -> None:
    # The driver begins transactions by itself, and too late: it is told not to, see _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(wait_s * 1000)}")
    _write_ahead(cursor, time.monotonic() + wait_s)
    # What was acknowledged survives a loss of power, not only of the process.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _write_ahead(cursor: Any, end: float) -> None:
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # A new file's first connections change its mode at once, and for this alone SQLite does not wait.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_ASK_EVERY_S)
        else:
            return


def _forbid_writes(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA query_only=ON")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail, not wait, where another one wrote in between.
    writing = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
