"""What servers on one PostgreSQL share beside its tables: leases, and the wait for each other's notifications.

Both live as long as a connection: they need one that is the server's own, not one of a pool of transactions.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql import func

from onenumbers_runtime.database_errors import translated

_ASK_EVERY_S: Final = 0.25
"""Seconds between two requests for a lease that another server holds."""


def lock_number(what: str, name: str) -> int:
    """Returns the number of an advisory lock, the same on every server, among 2^64."""
    digest = hashlib.sha256(f"onenumbers\0{what}\0{name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


@asynccontextmanager
async def lease(engine: AsyncEngine | None, what: str, name: str, *, wait: bool) -> AsyncIterator[bool]:
    """Holds an advisory lock; yields whether it is held. See `Database.lease`."""
    if engine is None:
        yield True
        return
    number = lock_number(what, name)
    async with contextlib.AsyncExitStack() as stack:
        with translated(what):
            connection = await stack.enter_async_context(engine.connect())
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            while not (held := (await connection.execute(select(func.pg_try_advisory_lock(number)))).scalar_one()):
                if not wait:
                    break
                await asyncio.sleep(_ASK_EVERY_S)
        try:
            yield bool(held)
        finally:
            if held:
                await _unlock(connection, number)


async def _unlock(connection: AsyncConnection, number: int) -> None:
    try:
        await connection.execute(select(func.pg_advisory_unlock(number)))
    except Exception:  # noqa: BLE001 - whatever it is, the lock goes with the connection
        await connection.invalidate()


class Listening:
    """A connection that hears notifications.

    Args:
        driver: The driver's connection.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    @property
    def lost(self) -> bool:
        """Whether the connection is gone, so that nothing is heard any more."""
        return bool(self._driver.is_closed())


@asynccontextmanager
async def listening(
    engine: AsyncEngine, what: str, channel: str, heard: Callable[[str], None]
) -> AsyncIterator[Listening]:
    """Calls back with what a channel is told. See `Database.listening`."""
    async with contextlib.AsyncExitStack() as stack:
        with translated(what):
            connection = await stack.enter_async_context(engine.connect())
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.add_listener(channel, lambda *told: heard(str(told[-1])))
        try:
            yield Listening(driver)
        finally:
            # It goes back to no pool: its listener would come with it.
            await connection.invalidate()
