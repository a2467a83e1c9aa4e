"""A server's database: SQLite in a file, or PostgreSQL, which several servers may share.

Needs SQLAlchemy: imported only by servers that keep data. Both kinds are durable: what was committed survives a loss of
power. A writing transaction of SQLite locks from its beginning; on PostgreSQL a store that wants its writers to take
turns locks a row of its own.
"""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import URL, Connection, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import func

from onenumbers_runtime.database_errors import translated
from onenumbers_runtime.database_sharing import Listening, lease, listening, lock_number
from onenumbers_runtime.database_sqlite import WRITES, SqliteThreads, sqlite_engine

WAIT_S: Final = 5.0
"""Seconds that a caller waits for a lock of the database, or for a free connection to it."""
_CONNECT_S: Final = 5.0
"""Seconds that making a connection to PostgreSQL may take."""
_STATEMENT_S: Final = 60.0
"""Seconds that a statement may take on PostgreSQL."""
_URLS: Final = "must be sqlite:///PATH or postgresql://USER@HOST/NAME"
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}

T = TypeVar("T")
MakeTables = Callable[[Connection], None]
"""Makes the tables, or brings them up to date, in the transaction of a connection."""


class DatabaseError(Exception):
    """The database cannot be opened; the message is one line."""


class Database:
    """Connections to an open database. Made by `open_database`.

    Args:
        engine: The pool of connections.
        what: What is kept, as a message names it: "the document store".
        path: The file; None on PostgreSQL.
        threads: What reads and writes the file in one go; None on PostgreSQL.
    """

    def __init__(self, engine: AsyncEngine, *, what: str, path: Path | None, threads: SqliteThreads | None) -> None:
        self._engine = engine
        self._what = what
        self.path = path
        self._threads = threads

    @property
    def shared(self) -> bool:
        """Whether other servers may use it at the same time."""
        return self.path is None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Yields a connection to read with.

        Raises:
            MeshError: The database cannot be read; see `translated`.
        """
        with translated(self._what):
            async with self._engine.connect() as connection:
                yield connection

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Returns what a function reads. Quicker than `reading` on SQLite, whose driver changes threads at every step.

        Args:
            work: Reads, and does nothing else that takes time: on PostgreSQL it runs in the event loop.

        Raises:
            MeshError: The database cannot be read; see `translated`.
        """
        with translated(self._what):
            if self._threads is not None:
                return await self._threads.read(work)
            async with self._engine.connect() as connection:
                return await connection.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Returns what a function does in a transaction of its own, which is undone where it raises.

        Quicker than `writing` on SQLite, as `read` is. There it goes on to its end where the caller is cancelled.

        Args:
            work: Reads and writes, and does nothing else that takes time: on PostgreSQL it runs in the event loop.

        Raises:
            MeshError: The database cannot be written; see `translated`.
        """
        with translated(self._what):
            if self._threads is not None:
                return await self._threads.write(work)
            async with self._engine.execution_options(**{WRITES: True}).begin() as connection:
                return await connection.run_sync(work)

    async def close(self) -> None:
        """Closes all connections."""
        if self._threads is not None:
            await self._threads.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def reading_one_moment(self) -> AsyncIterator[AsyncConnection]:
        """Yields a connection whose statements all see the database as it was at the first one."""
        with translated(self._what):
            async with self._engine.connect() as connection:
                if self.shared:
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Yields a connection whose changes are committed together, or undone where the block raises.

        Raises:
            MeshError: The database cannot be written; see `translated`.
        """
        with translated(self._what):
            async with self._engine.execution_options(**{WRITES: True}).begin() as connection:
                yield connection

    def lease(self, name: str, *, wait: bool = True) -> AbstractAsyncContextManager[bool]:
        """Holds what only one server at a time may do; it is free again when its holder dies.

        A file belongs to one process: there it is always free.

        Args:
            name: What is done.
            wait: Whether to wait while another server holds it.

        Returns:
            A context that yields whether it is held: always, unless it does not wait.
        """
        return lease(self._engine if self.shared else None, self._what, name, wait=wait)

    def listening(self, channel: str, heard: Callable[[str], None]) -> AbstractAsyncContextManager[Listening]:
        """Calls back with what another server, or this one, tells a channel. PostgreSQL only."""
        return listening(self._engine, self._what, channel, heard)


def database_url(given: str, *, default: Path) -> URL:
    """Returns the URL of a database with its driver.

    Args:
        given: What DATABASE_URL says.
        default: File to use where it says nothing.

    Raises:
        DatabaseError: It is no URL of SQLite or PostgreSQL.
    """
    if not given:
        return sqlite_url(default)
    try:
        url = make_url(given)
        driver = _DRIVERS.get(url.get_backend_name() if url.drivername not in _DRIVERS else url.drivername)
    except (ArgumentError, ValueError):
        raise DatabaseError(f"DATABASE_URL {_URLS}") from None
    if driver is None or (driver.startswith("sqlite") and url.database in (None, "", ":memory:")):
        raise DatabaseError(f"DATABASE_URL {_URLS}")
    if driver.startswith("postgresql") and "sslmode" in url.query:
        # libpq's name, which people know, for what the driver calls ssl.
        url = url.update_query_dict({"ssl": url.query["sslmode"]}).difference_update_query(["sslmode"])
    return url.set(drivername=driver)


def sqlite_url(path: Path) -> URL:
    """Returns the URL of a file."""
    return URL.create(_DRIVERS["sqlite"], database=str(path))


def shown(url: URL) -> str:
    """Returns a URL as a message may show it: without the password, and of a file its path."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


@asynccontextmanager
async def open_database(url: URL, *, what: str, make_tables: MakeTables) -> AsyncIterator[Database]:
    """Opens a database, makes its tables or brings them up to date, and closes it at the end.

    Servers that start at the same moment take turns.

    Args:
        url: What `database_url` or `sqlite_url` returned.
        what: What is kept in it, as a message names it: "the document store".
        make_tables: Makes the tables.

    Raises:
        DatabaseError: It cannot be opened.
    """
    path = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    try:
        engine = sqlite_engine(url, wait_s=WAIT_S) if path is not None else _postgresql(url)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise DatabaseError(f"{what} {shown(url)} needs a driver that is not installed: {error}") from error
    threads = SqliteThreads(url, wait_s=WAIT_S) if path is not None else None
    database = Database(engine, what=what, path=path, threads=threads)
    try:
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            async with engine.execution_options(**{WRITES: True}).begin() as connection:
                await connection.run_sync(_prepare_tables, make_tables)
        except (SQLAlchemyError, OSError, TypeError) as error:
            # TypeError: the URL names an option that the driver does not know.
            reason = error.orig if isinstance(error, DBAPIError) else error
            line = " ".join(str(reason).split()) or type(reason).__name__
            raise DatabaseError(f"{what} {shown(url)} cannot be opened: {line}") from error
        yield database
    finally:
        await database.close()


def alembic_migrations(folder: Path) -> MakeTables:
    """Returns what makes tables by the Alembic migrations in a folder; `env.py` there runs them."""

    def upgrade(connection: Connection) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise OSError(str(error)) from error

    return upgrade


@contextmanager
def held_alone(path: Path) -> Iterator[None]:
    """Holds a file that belongs to one process at a time, by a lock beside it that the process's end frees.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: The lock cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _prepare_tables(connection: Connection, make_tables: MakeTables) -> None:
    if connection.dialect.name == "postgresql":
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            # Positions in texts would count bytes.
            raise OSError(f"its encoding is {encoding}, it must be UTF8")
        # One server at a time, of whatever kind; it may need longer than a lock is waited for otherwise.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(select(func.pg_advisory_xact_lock(lock_number("", "tables"))))
    make_tables(connection)


def _postgresql(url: URL) -> AsyncEngine:
    engine = create_async_engine(
        url,
        # Two more than on SQLite: a lease and the wait for notifications each hold one.
        pool_size=6,
        max_overflow=4,
        pool_timeout=WAIT_S,
        # A connection that died with its server is found out before it is used.
        pool_pre_ping=True,
        connect_args={
            "timeout": _CONNECT_S,
            "command_timeout": _STATEMENT_S,
            "server_settings": {"application_name": "onenumbers", "lock_timeout": str(int(WAIT_S * 1000))},
        },
    )
    event.listen(engine.sync_engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Connection) -> None:
    # A server that hangs in the middle of a change must not hold up the others for ever.
    if connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {int(_STATEMENT_S * 1000)}")
