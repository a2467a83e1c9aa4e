"""The change log: what every server's index follows, so that a write through one server is searchable on all of them.

Each change of a document is one row: its number, a random stamp, the document, and the keys of the passages that it
took away. Writers take turns by locking one row, so numbers have no gaps and become visible in their order: who has
seen number n has seen everything before it. The stamp tells a database that was brought back from a copy, or exchanged,
from the one that an index was made from.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import func

from onenumbers_knowledge.storage.tables import changes, state

CHANNEL: Final = "onenumbers_knowledge"
"""Notified on PostgreSQL with every change."""
KEPT: Final = 20_000
"""Changes that are kept; a server that was away for longer makes its index anew."""
_PRUNE_EVERY: Final = 500
_EVERYTHING: Final = ""


class Moment(NamedTuple):
    """A moment of the store: after the change of this number and stamp."""

    number: int
    stamp: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after a moment."""

    until: Moment
    """The last change that is told of."""
    document_ids: Sequence[str] = ()
    gone: Sequence[int] = ()
    """Keys of passages that are no longer there."""
    everything: bool = field(default=False)
    """Whether nothing of what was known counts any more."""


def lock(connection: Connection) -> None:
    """Takes the turn among writers, until the transaction ends. SQLite's transactions take turns by themselves."""
    connection.execute(select(state.c.value).where(state.c.name == "changes").with_for_update())


def record(connection: Connection, document_id: str, gone: Sequence[int]) -> Moment:
    """Notes the change of a document in the transaction that makes it; returns the moment after it."""
    counted = update(state).where(state.c.name == "changes").values(value=state.c.value + 1)
    number = int(connection.execute(counted.returning(state.c.value)).scalar_one())
    stamp = secrets.randbits(62)
    values = {"number": number, "stamp": stamp, "document_id": document_id, "gone": json.dumps(list(gone))}
    connection.execute(insert(changes).values(values))
    if number % _PRUNE_EVERY == 0:
        connection.execute(delete(changes).where(changes.c.number <= number - KEPT))
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, str(number))))
    return Moment(number, stamp)


def record_everything(connection: Connection) -> Moment:
    """Notes that no passage of before is there any more."""
    return record(connection, _EVERYTHING, ())


async def last(connection: AsyncConnection) -> Moment:
    """Returns the moment that the connection sees."""
    chosen = select(changes.c.number, changes.c.stamp).order_by(changes.c.number.desc()).limit(1)
    row = (await connection.execute(chosen)).one()
    return Moment(int(row.number), int(row.stamp))


async def since(connection: AsyncConnection, moment: Moment, *, limit: int) -> Changes:
    """Returns what changed after a moment, at most so many changes of it."""
    chosen = select(changes).where(changes.c.number >= moment.number).order_by(changes.c.number).limit(limit + 1)
    rows = (await connection.execute(chosen)).all()
    if not rows or (rows[0].number, rows[0].stamp) != moment:
        return Changes(await last(connection), everything=True)
    later = rows[1:]
    if any(row.document_id == _EVERYTHING for row in later):
        return Changes(await last(connection), everything=True)
    return Changes(
        until=Moment(int(rows[-1].number), int(rows[-1].stamp)),
        document_ids=sorted({row.document_id for row in later}),
        gone=[int(key) for row in later for key in json.loads(row.gone)],
    )
