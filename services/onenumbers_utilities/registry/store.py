"""The store of utilities: SQLite or PostgreSQL, any number of replicas on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, func, insert, make_url, select, text, update
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from onenumbers_runtime.errors import AbortedError, UnavailableError
from onenumbers_utilities.registry.definitions import Definition, Event, Record, ResultType, Status
from onenumbers_utilities.registry.tables import definitions, events, state, utilities

_BUSY_MS: Final = 5_000
_MIGRATION_LOCK: Final = 0x0E0E_0001
"""Number of PostgreSQL's advisory lock under which one replica at a time makes the tables."""
_WRITES: Final = "registry_writes"
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


class StoreError(Exception):
    """The store cannot be opened; the message is one line."""


class Store:
    """Utilities with all their versions and their history. Made by `open_store`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})

    async def get(self, utility_id: str) -> tuple[Record, list[Event]] | None:
        """Returns the version that stands and the history, oldest first; None where there is no such utility."""
        async with self._reading() as connection:
            record = await _record_of(connection, utility_id)
            if record is None:
                return None
            chosen = select(events).where(events.c.utility_id == utility_id).order_by(events.c.key)
            rows = (await connection.execute(chosen)).all()
        return record, [Event(row.time, Status(row.status), row.version, row.note) for row in rows]

    async def page(self, *, after: str, limit: int, status: Status | None = None) -> tuple[list[Record], int]:
        """Returns utilities ordered by id that come after an id, and how many match in all."""
        chosen = _RECORDS.where(utilities.c.id > after).order_by(utilities.c.id).limit(limit)
        total = select(func.count()).select_from(utilities)
        if status is not None:
            chosen = chosen.where(utilities.c.status == status.value)
            total = total.where(utilities.c.status == status.value)
        async with self._reading() as connection:
            rows = (await connection.execute(chosen)).all()
            count = (await connection.execute(total)).scalar_one()
        return [_record(row) for row in rows], int(count)

    async def active(self) -> tuple[int, list[Record]]:
        """Returns the number of changes so far and the active utilities, ordered by id."""
        async with self._reading() as connection:
            # The counter first: what changes in between is seen again with the next look, never missed.
            changes = int((await connection.execute(_CHANGES)).scalar_one())
            chosen = _RECORDS.where(utilities.c.status == Status.ACTIVE.value).order_by(utilities.c.id)
            rows = (await connection.execute(chosen)).all()
        return changes, [_record(row) for row in rows]

    async def changes(self) -> int:
        """Returns the number of changes so far."""
        async with self._reading() as connection:
            return int((await connection.execute(_CHANGES)).scalar_one())

    async def add(
        self,
        definition: Definition,
        result: ResultType,
        *,
        examples: int,
        history: Sequence[tuple[Status, str]],
        now: datetime,
    ) -> Record:
        """Stores a definition as the next version of its id, durably; its last status is the one that stands.

        Args:
            definition: What to store.
            result: What its formula gives.
            examples: Worked examples, all of them reproduced.
            history: Statuses that it went through, with notes, oldest first.
            now: Time of the change, UTC without zone.

        Raises:
            AbortedError: Another replica stored a version of this id at the same moment.
        """
        identifier, status = definition.utility_id, history[-1][0]
        try:
            async with self._writing() as connection:
                await _count_change(connection)
                before = (
                    await connection.execute(select(utilities.c.version).where(utilities.c.id == identifier))
                ).scalar()
                version = 1 if before is None else int(before) + 1
                row = {"version": version, "status": status.value, "updated": now}
                if before is None:
                    await connection.execute(insert(utilities).values(id=identifier, **row))
                else:
                    await connection.execute(update(utilities).where(utilities.c.id == identifier).values(row))
                await connection.execute(
                    insert(definitions).values(
                        utility_id=identifier,
                        version=version,
                        definition=definition.to_json(),
                        result_kind=result.kind,
                        result_repeated=int(result.repeated),
                        examples_given=examples,
                        examples_reproduced=examples,
                    )
                )
                for step, note in history:
                    await _note(connection, identifier, version, step, note, now)
        except IntegrityError as error:
            raise AbortedError(
                f"another caller changed '{identifier}' at the same moment", reason="CONCURRENT_CHANGE", retry_after=0.1
            ) from error
        return Record(definition, version, status, result, examples, examples, now)

    async def deprecate(self, utility_id: str, *, note: str, now: datetime) -> Record | None:
        """Takes a utility out of use; one that is out already stays as it is. None where there is no such utility."""
        async with self._writing() as connection:
            await _count_change(connection)
            record = await _record_of(connection, utility_id)
            if record is None or record.status is Status.DEPRECATED:
                return record
            await connection.execute(
                update(utilities)
                .where(utilities.c.id == utility_id)
                .values(status=Status.DEPRECATED.value, updated=now)
            )
            await _note(connection, utility_id, record.version, Status.DEPRECATED, note, now)
            return await _record_of(connection, utility_id)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._writer.begin() as connection:
                yield connection


class _translated:  # noqa: N801 - reads as a word in `with`
    """Turns failures of the database into a status that a caller understands."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError):
            return
        if isinstance(error, DBAPIError | OSError):
            raise UnavailableError(
                "the registry of utilities cannot be read or written now", reason="STORE_UNAVAILABLE", retry_after=1.0
            ) from error


def store_url(database_url: str, data_dir: Path) -> str:
    """Returns the URL of the store: that of DATABASE_URL, or a file in the data folder where it is empty.

    Raises:
        StoreError: It is no URL of SQLite or PostgreSQL.
    """
    if not database_url:
        return f"sqlite+aiosqlite:///{data_dir / 'registry' / 'utilities.sqlite'}"
    try:
        url = make_url(database_url)
    except ArgumentError:
        raise StoreError("DATABASE_URL must be sqlite:///PATH or postgresql://USER@HOST/NAME") from None
    driver = _DRIVERS.get(url.get_backend_name() if url.drivername not in _DRIVERS else url.drivername)
    if driver is None or (driver.startswith("sqlite") and url.database in (None, "", ":memory:")):
        raise StoreError("DATABASE_URL must be sqlite:///PATH or postgresql://USER@HOST/NAME")
    return url.set(drivername=driver).render_as_string(hide_password=False)


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Opens the store, makes or updates its tables, and closes it at the end.

    Args:
        url: What `store_url` returned.

    Raises:
        StoreError: It cannot be opened, on entering.
    """
    parsed = make_url(url)
    shown = parsed.database if parsed.get_backend_name() == "sqlite" else parsed.render_as_string(hide_password=True)
    try:
        engine = create_async_engine(parsed, pool_size=4, max_overflow=4, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(f"the registry {shown} needs a driver that is not installed: {error}") from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
    try:
        try:
            if parsed.get_backend_name() == "sqlite" and parsed.database is not None:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            async with engine.execution_options(**{_WRITES: True}).begin() as connection:
                await connection.run_sync(_migrate)
        except (DBAPIError, CommandError, OSError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"the registry {shown} cannot be opened: {reason}") from error
        yield Store(engine)
    finally:
        await engine.dispose()


def _prepare(connection: Any, _: Any) -> None:
    # The driver begins transactions by itself, and too late: it is told not to, see _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        # An acknowledged utility survives a loss of power, not only of the process.
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer locks from its first read on: one that reads before it writes would be refused, not kept waiting.
    immediate = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


_CHANGES: Final = select(state.c.value).where(state.c.name == "changes")
_RECORDS: Final = select(utilities, definitions).join(
    definitions,
    (definitions.c.utility_id == utilities.c.id) & (definitions.c.version == utilities.c.version),
)


async def _record_of(connection: AsyncConnection, utility_id: str) -> Record | None:
    row = (await connection.execute(_RECORDS.where(utilities.c.id == utility_id))).first()
    return _record(row) if row is not None else None


def _record(row: Any) -> Record:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row's columns
    return Record(
        definition=Definition.from_json(values[definitions.c.definition]),
        version=values[utilities.c.version],
        status=Status(values[utilities.c.status]),
        result=ResultType(values[definitions.c.result_kind], repeated=bool(values[definitions.c.result_repeated])),
        examples_given=values[definitions.c.examples_given],
        examples_reproduced=values[definitions.c.examples_reproduced],
        updated=values[utilities.c.updated],
    )


async def _note(
    connection: AsyncConnection, utility_id: str, version: int, status: Status, note: str, now: datetime
) -> None:
    await connection.execute(
        insert(events).values(utility_id=utility_id, version=version, status=status.value, time=now, note=note)
    )


async def _count_change(connection: AsyncConnection) -> None:
    """Counts first: on PostgreSQL this row's lock makes writers take turns, as SQLite does by itself."""
    await connection.execute(update(state).where(state.c.name == "changes").values(value=state.c.value + 1))
