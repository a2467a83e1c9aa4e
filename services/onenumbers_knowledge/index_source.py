"""What the index is made from: keys, filters, texts and vectors of the passages, read from the store in parts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from onenumbers_knowledge.tables import documents, facts, passages, state

_PART = 2_000
"""Passages read at once."""


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


class IndexSource:
    """The reading half of the store that indexes are made from."""

    def _reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        raise NotImplementedError

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
        async with self._reading() as connection:
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
            async with self._reading() as connection:
                rows = (await connection.execute(chosen.order_by(passages.c.key).limit(_PART))).all()
            if not rows:
                return
            last = rows[-1].key
            yield [(row.key, row.vector) for row in rows]

    async def texts(self, model: str = "") -> AsyncIterator[list[IndexedText]]:
        """Yields all passages that a model embedded, or all, with their words; a document is in one part whole."""
        last = 0
        text = func.substr(documents.c.content, passages.c.start + 1, passages.c.end - passages.c.start)
        columns = select(passages.c.key, documents.c.id, documents.c.title, passages.c.section, text.label("text"))
        found = columns.join(documents, documents.c.id == passages.c.document_id)
        if model:
            found = found.where(passages.c.model == model)
        held: list[IndexedText] = []
        while True:
            chosen = found.where(passages.c.key > last).order_by(passages.c.key).limit(_PART)
            async with self._reading() as connection:
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
        done = exists().where(passages.c.document_id == documents.c.id, passages.c.model == model)
        chosen = select(documents.c.id).where(documents.c.passages > 0, ~done).order_by(documents.c.id).limit(limit)
        async with self._reading() as connection:
            return list((await connection.execute(chosen)).scalars())

    async def passages_by_model(self) -> dict[str, int]:
        """Returns the number of passages that each model has embedded."""
        chosen = select(passages.c.model, func.count()).group_by(passages.c.model)
        async with self._reading() as connection:
            return {row[0]: int(row[1]) for row in await connection.execute(chosen)}

    async def active_model(self) -> str:
        """Returns the model whose passages count; the most used one where none was named, empty where none is used."""
        counts = await self.passages_by_model()
        return await self.fact("active_model") or max(counts, key=lambda model: counts[model], default="")

    async def fact(self, name: str) -> str:
        """Returns what is known of the collection under a name; empty where nothing is."""
        async with self._reading() as connection:
            return (await connection.execute(select(facts.c.value).where(facts.c.name == name))).scalar() or ""

    async def changes(self) -> int:
        """Returns the number of changes so far."""
        async with self._reading() as connection:
            chosen = select(state.c.value).where(state.c.name == "changes")
            return int((await connection.execute(chosen)).scalar_one())
