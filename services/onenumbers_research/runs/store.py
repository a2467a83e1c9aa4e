"""The store of research runs: each with its plan, what of it is done, and its events. SQLite, one process at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from onenumbers_research.runs.records import Change, Finding, Run, RunEvent, RunState, Schedule, Search, Verdict
from onenumbers_runtime.database import Database, DatabaseError, held_alone, open_database, sqlite_url

KEPT: Final = 1_000
"""Runs that are kept; of more, the oldest that have ended are deleted."""
_SCHEMA: Final = 1


class RunStoreError(Exception):
    """The store cannot be opened, or another process holds it; the message is one line."""


_metadata = MetaData()
_runs = Table(
    "runs",
    _metadata,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("request", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("started", DateTime, nullable=False),
    Column("ended", DateTime),
    Column("failure", Text, nullable=False),
    Column("plan", Text),
    Column("summary", LargeBinary),
    sqlite_autoincrement=True,
)
_events = Table(
    "run_events",
    _metadata,
    Column("run_key", Integer, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("time", DateTime, nullable=False),
    Column("step", String(40), nullable=False),
    Column("message", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("finding", Text),
)
_done = Table(
    "run_parts_done",
    _metadata,
    Column("run_key", Integer, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("part", String(200), primary_key=True),
)
_patterns = Table(
    "run_patterns",
    _metadata,
    Column("run_key", Integer, ForeignKey("runs.key", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("pattern", LargeBinary, nullable=False),
)
_schedules = Table(
    "schedules",
    _metadata,
    Column("name", String(40), primary_key=True),
    Column("last_started", DateTime, nullable=False),
    Column("planned_until", BigInteger, nullable=False),
    Column("read_until", BigInteger, nullable=False),
)
_ENDED: Final = [state.value for state in RunState if state.ended]


class RunStore:
    """Runs in SQLite. Made by `open_run_store`.

    Raises:
        UnavailableError: From every method, when the file cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, run_id: str, *, kind: str, request: Mapping[str, Any], subject: str, now: datetime) -> Run:
        """Stores a new run that waits for its turn, with its first event."""
        values: dict[str, Any] = {"id": run_id, "kind": kind, "request": json.dumps(request), "subject": subject}
        values |= {"state": RunState.QUEUED.value, "started": now, "failure": ""}
        async with self._database.writing() as connection:
            await connection.execute(insert(_runs).values(values))
            run = await _run(connection, run_id)
            if run is None:
                raise LookupError(run_id)
            if run.scheduled:
                await _begin_schedule(connection, kind, now)
            await _append(connection, run.key, now, "start", f"Started: {subject}", RunState.QUEUED)
            ended = _runs.c.state.in_(_ENDED)
            old = select(_runs.c.key).order_by(_runs.c.key.desc()).offset(KEPT)
            await connection.execute(delete(_runs).where(_runs.c.key.in_(old), ended))
        return run

    async def schedule(self, kind: str) -> Schedule | None:
        """Returns what is stored of the schedule of runs of a kind; None before the first one."""
        chosen = select(_schedules).where(_schedules.c.name == kind)
        async with self._database.reading() as connection:
            row = (await connection.execute(chosen)).first()
        return None if row is None else Schedule(row.last_started, row.read_until)

    async def get(self, run_id: str) -> Run | None:
        """Returns a run with its findings, or None."""
        async with self._database.reading() as connection:
            return await _run(connection, run_id)

    async def page(self, *, before: int | None, limit: int) -> list[Run]:
        """Returns runs, newest first, that were started before the one with this key."""
        chosen = select(_runs.c.id).order_by(_runs.c.key.desc()).limit(limit)
        if before is not None:
            chosen = chosen.where(_runs.c.key < before)
        async with self._database.reading() as connection:
            found = [await _run(connection, run_id) for run_id in (await connection.execute(chosen)).scalars().all()]
        return [run for run in found if run is not None]

    async def unfinished(self) -> list[Run]:
        """Returns the runs that have not ended, oldest first."""
        chosen = select(_runs.c.id).where(_runs.c.state.not_in(_ENDED)).order_by(_runs.c.key)
        async with self._database.reading() as connection:
            found = [await _run(connection, run_id) for run_id in (await connection.execute(chosen)).scalars().all()]
        return [run for run in found if run is not None]

    async def events(self, run_id: str, *, after: int) -> list[RunEvent]:
        """Returns the events of a run that come after the one of this sequence, in order."""
        same = (_patterns.c.run_key == _events.c.run_key) & (_patterns.c.sequence == _events.c.sequence)
        chosen = (
            select(_events, _patterns.c.pattern)
            .join(_runs, _runs.c.key == _events.c.run_key)
            .outerjoin(_patterns, same)
            .where(_runs.c.id == run_id, _events.c.sequence > after)
            .order_by(_events.c.sequence)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(chosen)).all()
        return [
            RunEvent(
                *(row.sequence, row.time, row.step, row.message),
                *(RunState(row.state), _finding(row.finding), row.pattern),
            )
            for row in rows
        ]

    async def record(self, run_id: str, *, now: datetime, step: str, message: str, change: Change) -> bool:
        """Appends an event with what it changes, durably; returns False, and does nothing, for a run that has ended."""
        async with self._database.writing() as connection:
            wanted = select(_runs.c.key, _runs.c.state, _runs.c.kind).where(_runs.c.id == run_id)
            row = (await connection.execute(wanted)).first()
            if row is None or RunState(row.state).ended:
                return False
            state = change.state or RunState(row.state)
            values: dict[str, Any] = {"state": state.value}
            if state.ended:
                values["ended"] = now
            if change.plan is not None:
                values["plan"] = json.dumps(list(change.plan))
            if change.summary is not None:
                values["summary"] = change.summary
            if change.failure:
                values["failure"] = change.failure
            await connection.execute(update(_runs).where(_runs.c.key == row.key).values(values))
            sequence = await _append(connection, row.key, now, step, message, state, change.finding)
            if change.pattern is not None:
                pattern = {"run_key": row.key, "sequence": sequence, "pattern": change.pattern}
                await connection.execute(insert(_patterns).values(pattern))
            await _note_schedule(connection, row.kind, change)
            if change.done is not None:
                await connection.execute(
                    insert(_done).prefix_with("OR IGNORE").values(run_key=row.key, part=change.done)
                )
        return True

    async def mark_done(self, run_id: str, part: str) -> None:
        """Notes that a part of the plan is finished, without an event. Safe to repeat."""
        async with self._database.writing() as connection:
            key = (await connection.execute(select(_runs.c.key).where(_runs.c.id == run_id))).scalar()
            if key is not None:
                await connection.execute(insert(_done).prefix_with("OR IGNORE").values(run_key=key, part=part))


@asynccontextmanager
async def open_run_store(path: Path) -> AsyncIterator[RunStore]:
    """Holds and opens the store, and closes it at the end.

    Raises:
        RunStoreError: Another process holds it, or it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(held_alone(path))
        except BlockingIOError:
            raise RunStoreError("another research server holds the research runs of this data folder") from None
        except OSError as error:
            raise RunStoreError(f"the store of research runs {path} cannot be opened: {error.strerror}") from error
        try:
            database = await stack.enter_async_context(
                open_database(sqlite_url(path), what="the store of research runs", make_tables=_make_tables)
            )
        except DatabaseError as error:
            raise RunStoreError(str(error)) from error
        yield RunStore(database)


def _make_tables(connection: Connection) -> None:
    found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if found > _SCHEMA:
        raise RunStoreError("the store of research runs was written by a newer version of this software")
    _metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {_SCHEMA}")


async def _run(connection: AsyncConnection, run_id: str) -> Run | None:
    row = (await connection.execute(select(_runs).where(_runs.c.id == run_id))).first()
    if row is None:
        return None
    done = (await connection.execute(select(_done.c.part).where(_done.c.run_key == row.key))).scalars().all()
    told = select(_events.c.finding).where(_events.c.run_key == row.key, _events.c.finding.is_not(None))
    texts = (await connection.execute(told.order_by(_events.c.sequence))).scalars().all()
    counted = select(_patterns.c.pattern).where(_patterns.c.run_key == row.key).order_by(_patterns.c.sequence)
    patterns = (await connection.execute(counted)).scalars().all()
    return Run(
        key=row.key,
        run_id=row.id,
        kind=row.kind,
        request=json.loads(row.request),
        subject=row.subject,
        state=RunState(row.state),
        started=row.started,
        ended=row.ended,
        failure=row.failure,
        plan=json.loads(row.plan) if row.plan is not None else None,
        summary=row.summary,
        done=frozenset(done),
        findings=tuple(found for text in texts if (found := _finding(text)) is not None),
        patterns=tuple(patterns),
    )


async def _append(
    connection: AsyncConnection,
    key: int,
    now: datetime,
    step: str,
    message: str,
    state: RunState,
    finding: Finding | None = None,
) -> int:
    last = select(func.coalesce(func.max(_events.c.sequence), 0)).where(_events.c.run_key == key)
    sequence = (await connection.execute(last)).scalar_one() + 1
    values = {"run_key": key, "sequence": sequence, "time": now, "step": step, "message": message}
    values |= {"state": state.value, "finding": _written(finding)}
    await connection.execute(insert(_events).values(values))
    return int(sequence)


async def _begin_schedule(connection: AsyncConnection, kind: str, now: datetime) -> None:
    changed = update(_schedules).where(_schedules.c.name == kind).values(last_started=now)
    if not (await connection.execute(changed)).rowcount:
        values = {"name": kind, "last_started": now, "planned_until": 0, "read_until": 0}
        await connection.execute(insert(_schedules).values(values))


async def _note_schedule(connection: AsyncConnection, kind: str, change: Change) -> None:
    noted = update(_schedules).where(_schedules.c.name == kind)
    if change.planned_until is not None:
        await connection.execute(noted.values(planned_until=change.planned_until))
    if change.read:
        await connection.execute(noted.values(read_until=_schedules.c.planned_until))


def _written(finding: Finding | None) -> str | None:
    return None if finding is None else json.dumps(asdict(finding) | {"verdict": finding.verdict.value})


def _finding(text: str | None) -> Finding | None:
    if text is None:
        return None
    values = json.loads(text)
    searched = values.get("search")
    values |= {"verdict": Verdict(values["verdict"]), "search": Search(**searched) if searched else None}
    return Finding(**values)
