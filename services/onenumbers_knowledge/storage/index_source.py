"""What the index is made from: keys, filters, texts and vectors of the passages, read from the store in parts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from onenumbers_knowledge.storage import change_log, turn
from onenumbers_knowledge.storage.change_log import Changes, Moment
from onenumbers_knowledge.storage.tables import documents, passages
from onenumbers_knowledge.storage.turn import Turn
from onenumbers_runtime.database import Database

_PART = 2_000
"""Passages read at once."""
_TEXT = func.substr(documents.c.content, passages.c.start + 1, passages.c.end - passages.c.start)
_INDEXED = select(
    *(passages.c.key, passages.c.section, passages.c.vector, _TEXT.label("text")),
    *(documents.c.id, documents.c.title, documents.c.category, documents.c.source),
    *(documents.c.school, documents.c.numbers, documents.c.metadata),
).join(documents, documents.c.id == passages.c.document_id)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What the index needs of a passage."""

    key: int
    document_id: str
    category: str
    source: str
    school: str
    numbers: tuple[int, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Free metadata of the document; passages of one document share it."""


@dataclass(frozen=True, slots=True)
class IndexedText:
    """A passage with the words by which it is found."""

    key: int
    document_id: str
    title: str
    section: str
    text: str


@dataclass(frozen=True, slots=True)
class News:
    """What changed, with all passages that the changed documents have now."""

    model: str
    """Model whose passages count; empty where none was named."""
    changes: Changes
    entries: Sequence[IndexEntry]
    texts: Sequence[IndexedText]
    vectors: Sequence[bytes]


class IndexSource:
    """The reading half of the store that indexes are made from.

    Args:
        database: Where the tables are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, model: str = "") -> list[IndexEntry]:
        """Returns what the index needs of every passage that a model embedded, or of all, without vectors."""
        chosen = select(
            *(passages.c.key, documents.c.id, documents.c.category, documents.c.source),
            *(documents.c.school, documents.c.numbers, documents.c.metadata),
        ).join(documents, documents.c.id == passages.c.document_id)
        if model:
            chosen = chosen.where(passages.c.model == model)
        shared: dict[str, tuple[tuple[int, ...], Mapping[str, Any]]] = {}
        result = []
        async with self._database.reading() as connection:
            for row in await connection.execute(chosen):
                if row.id not in shared:
                    shared[row.id] = tuple(json.loads(row.numbers)), json.loads(row.metadata)
                result.append(IndexEntry(row.key, row.id, row.category, row.source, row.school, *shared[row.id]))
        return result

    async def vectors(self, model: str = "") -> AsyncIterator[list[tuple[int, bytes]]]:
        """Yields keys and vectors of all passages that a model embedded, or of all, in parts."""
        last = 0
        while True:
            chosen = select(passages.c.key, passages.c.vector).where(passages.c.key > last)
            if model:
                chosen = chosen.where(passages.c.model == model)
            async with self._database.reading() as connection:
                rows = (await connection.execute(chosen.order_by(passages.c.key).limit(_PART))).all()
            if not rows:
                return
            last = rows[-1].key
            yield [(row.key, row.vector) for row in rows]

    async def texts(self, model: str = "") -> AsyncIterator[list[IndexedText]]:
        """Yields all passages that a model embedded, or all, with their words; a document is in one part whole."""
        last = 0
        columns = select(passages.c.key, documents.c.id, documents.c.title, passages.c.section, _TEXT.label("text"))
        found = columns.join(documents, documents.c.id == passages.c.document_id)
        if model:
            found = found.where(passages.c.model == model)
        held: list[IndexedText] = []
        while True:
            chosen = found.where(passages.c.key > last).order_by(passages.c.key).limit(_PART)
            async with self._database.reading() as connection:
                rows = (await connection.execute(chosen)).all()
            if not rows:
                break
            last = rows[-1].key
            part = held + [IndexedText(row.key, row.id, row.title, row.section, row.text) for row in rows]
            # The passages of a document have neighbouring keys; the last document may go on in the next part.
            cut = next((n for n, item in enumerate(part) if item.document_id == part[-1].document_id), 0)
            held = part[cut:]
            if cut:
                yield part[:cut]
        if held:
            yield held

    async def missing(self, model: str, limit: int) -> list[str]:
        """Returns the ids of documents with passages of which a model has embedded none, ordered by id."""
        async with self._database.reading() as connection:
            return await Turn(connection).missing(model, limit)

    async def passages_by_model(self) -> dict[str, int]:
        """Returns the number of passages that each model has embedded."""
        async with self._database.reading() as connection:
            return await turn.passages_by_model(connection)

    async def active_model(self) -> str:
        """Returns the model whose passages count; the most used one where none was named, empty where none is used."""
        async with self._database.reading() as connection:
            return await turn.in_force(connection)

    async def fact(self, name: str) -> str:
        """Returns what is known of the collection under a name; empty where nothing is."""
        return await self._database.read(lambda connection: turn.fact(connection, name))

    async def moment(self) -> Moment:
        """Returns the moment after the last change."""
        async with self._database.reading() as connection:
            return await change_log.last(connection)

    async def news(self, moment: Moment, model: str, *, limit: int) -> News:
        """Returns what changed after a moment, as an index over a model's vectors has to take it.

        Args:
            moment: What the index has seen.
            model: Model of its vectors.
            limit: Changes to return at most.
        """
        async with self._database.reading_one_moment() as connection:
            active = await connection.run_sync(turn.fact, "active_model")
            found = await change_log.since(connection, moment, limit=limit)
            rows: Sequence[Any] = ()
            if found.document_ids and active in ("", model):
                chosen = _INDEXED.where(passages.c.model == model, documents.c.id.in_(found.document_ids))
                rows = (await connection.execute(chosen.order_by(passages.c.key))).all()
        return News(
            model=active,
            changes=found,
            entries=[
                IndexEntry(
                    *(row.key, row.id, row.category, row.source, row.school),
                    *(tuple(json.loads(row.numbers)), json.loads(row.metadata)),
                )
                for row in rows
            ],
            texts=[IndexedText(row.key, row.id, row.title, row.section, row.text) for row in rows],
            vectors=[row.vector for row in rows],
        )
