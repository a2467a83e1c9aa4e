"""The store of utilities: SQLite or PostgreSQL, any number of replicas on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from onenumbers_runtime.database import Database, alembic_migrations, open_database
from onenumbers_runtime.errors import AbortedError
from onenumbers_utilities.registry.definitions import Definition, Event, Record, ResultType, Status
from onenumbers_utilities.registry.tables import definitions, events, state, utilities


class Store:
    """Utilities with all their versions and their history. Made by `open_store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, utility_id: str) -> tuple[Record, list[Event]] | None:
        """Returns the version that stands and the history, oldest first; None where there is no such utility."""
        async with self._database.reading() as connection:
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
        async with self._database.reading() as connection:
            rows = (await connection.execute(chosen)).all()
            count = (await connection.execute(total)).scalar_one()
        return [_record(row) for row in rows], int(count)

    async def active(self) -> tuple[int, list[Record]]:
        """Returns the number of changes so far and the active utilities, ordered by id."""
        async with self._database.reading() as connection:
            # The counter first: what changes in between is seen again with the next look, never missed.
            changes = int((await connection.execute(_CHANGES)).scalar_one())
            chosen = _RECORDS.where(utilities.c.status == Status.ACTIVE.value).order_by(utilities.c.id)
            rows = (await connection.execute(chosen)).all()
        return changes, [_record(row) for row in rows]

    async def changes(self) -> int:
        """Returns the number of changes so far."""
        async with self._database.reading() as connection:
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
            async with self._database.writing() as connection:
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
        async with self._database.writing() as connection:
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


def default_path(data_dir: Path) -> Path:
    """Returns the file of the store in the data folder, where DATABASE_URL names none."""
    return data_dir / "registry" / "utilities.sqlite"


@asynccontextmanager
async def open_store(url: URL) -> AsyncIterator[Store]:
    """Opens the store, makes or updates its tables, and closes it at the end.

    Args:
        url: What `database_url` returned.

    Raises:
        DatabaseError: It cannot be opened, on entering.
    """
    make_tables = alembic_migrations(Path(__file__).parent / "migrations")
    async with open_database(url, what="the registry of utilities", make_tables=make_tables) as database:
        yield Store(database)


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
