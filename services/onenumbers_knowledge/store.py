"""The document store: the truth that the index is derived from. SQLite, one writer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, delete, event, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from onenumbers_knowledge.chunking import Chunk
from onenumbers_knowledge.documents import Document, DocumentInfo, NewDocument, Passage
from onenumbers_knowledge.index_source import IndexSource
from onenumbers_knowledge.store_errors import translated
from onenumbers_knowledge.tables import documents, facts, passages, removed, state

_BUSY_MS = 5_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over documents."""

    documents: int
    passages: int
    characters: int
    by_category: Mapping[str, int]
    by_source: Mapping[str, int]
    last_updated: datetime | None


class Store(IndexSource):
    """Documents and passages in SQLite. Made by `open_store`."""

    def __init__(self, engine: AsyncEngine, path: Path) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writing=True)
        self._path = path

    async def info(self, document_id: str) -> DocumentInfo | None:
        """Returns what is known of a document, or None."""
        async with self._reading() as connection:
            row = (await connection.execute(_INFO.where(documents.c.id == document_id))).first()
        return _info(row) if row is not None else None

    async def document(self, document_id: str) -> Document | None:
        """Returns a document with its text, or None."""
        async with self._reading() as connection:
            found = _INFO.add_columns(documents.c.content).where(documents.c.id == document_id)
            row = (await connection.execute(found)).first()
        return Document(_info(row), row.content) if row is not None else None

    async def write(
        self,
        document: NewDocument,
        chunks: Sequence[Chunk],
        vectors: Sequence[bytes],
        *,
        model: str,
        now: datetime,
        new_version: bool = True,
    ) -> tuple[DocumentInfo, list[int], list[int]]:
        """Writes a document with its passages in one transaction, durably.

        Args:
            document: The document; one that is there under its id is replaced.
            chunks: Its passages.
            vectors: The passages' vectors, float32, one each.
            model: Model of the vectors.
            now: Time of the change, UTC without zone.
            new_version: False when only the passages are made anew.

        Returns:
            The document as stored, the keys of its passages, and the keys of those that are gone.
        """
        identifier = document.identifier
        async with self._writing() as connection:
            before = (await connection.execute(_INFO.where(documents.c.id == identifier))).first()
            keys = select(passages.c.key).where(passages.c.document_id == identifier)
            gone = list((await connection.execute(keys)).scalars())
            values = _values(document, len(chunks))
            if before is None:
                values |= {"id": identifier, "version": 1, "created": now, "updated": now}
                await connection.execute(insert(documents).values(values))
            else:
                if new_version:
                    values |= {"version": before.version + 1, "updated": now}
                await connection.execute(update(documents).where(documents.c.id == identifier).values(values))
                await connection.execute(delete(passages).where(passages.c.document_id == identifier))
            added = await _insert_passages(connection, identifier, chunks, vectors, model)
            await _count_change(connection)
            stored = (await connection.execute(_INFO.where(documents.c.id == identifier))).one()
        return _info(stored), added, gone

    async def remove(self, document_id: str, *, remember: bool) -> tuple[DocumentInfo, list[int]] | None:
        """Deletes a document; returns what it was and the keys of its passages, or None where there is none.

        Args:
            document_id: The document.
            remember: Whether it is noted as deleted, so that the starter corpus does not bring it back.
        """
        async with self._writing() as connection:
            row = (await connection.execute(_INFO.where(documents.c.id == document_id))).first()
            if row is None:
                return None
            keys = select(passages.c.key).where(passages.c.document_id == document_id)
            gone = list((await connection.execute(keys)).scalars())
            await connection.execute(delete(passages).where(passages.c.document_id == document_id))
            await connection.execute(delete(documents).where(documents.c.id == document_id))
            if remember:
                known = await connection.execute(select(removed.c.id).where(removed.c.id == document_id))
                if known.first() is None:
                    await connection.execute(insert(removed).values(id=document_id))
            await _count_change(connection)
        return _info(row), gone

    async def write_again(
        self, document: Document, chunks: Sequence[Chunk], vectors: Sequence[bytes], *, model: str
    ) -> list[int]:
        """Adds passages of another model to a document; those that it has stay, and nothing counts as changed.

        Returns:
            Their keys; none where the document has changed or gone meanwhile.
        """
        info = document.info
        async with self._writing() as connection:
            chosen = select(documents.c.record_hash).where(documents.c.id == info.document_id)
            if (await connection.execute(chosen)).scalar() != info.record_hash:
                return []
            old = delete(passages).where(passages.c.document_id == info.document_id, passages.c.model == model)
            await connection.execute(old)
            return await _insert_passages(connection, info.document_id, chunks, vectors, model)

    async def activate(self, model: str, spec: str) -> None:
        """Makes the passages of a model the ones that count, and deletes those of all others, in one transaction."""
        counted = (
            select(func.count())
            .select_from(passages)
            .where(passages.c.document_id == documents.c.id, passages.c.model == model)
            .scalar_subquery()
        )
        async with self._writing() as connection:
            await _put(connection, "active_model", model)
            await _put(connection, "active_spec", spec)
            others = await connection.execute(delete(passages).where(passages.c.model != model))
            if others.rowcount:
                await connection.execute(update(documents).values(passages=counted))
                await _count_change(connection)

    async def note(self, name: str, value: str) -> None:
        """Keeps something that is known of the collection; an empty value forgets it."""
        async with self._writing() as connection:
            await _put(connection, name, value)

    async def removed(self) -> set[str]:
        """Returns the ids of documents of the starter corpus that were deleted."""
        async with self._reading() as connection:
            return set((await connection.execute(select(removed.c.id))).scalars())

    async def page(
        self, *, after: str, limit: int, category: str = "", source: str = ""
    ) -> tuple[list[DocumentInfo], int]:
        """Returns documents ordered by id that come after an id, and how many match in all."""
        chosen = _INFO.where(documents.c.id > after).order_by(documents.c.id).limit(limit)
        total = select(func.count()).select_from(documents)
        for column, value in ((documents.c.category, category), (documents.c.source, source)):
            if value:
                chosen, total = chosen.where(column == value), total.where(column == value)
        async with self._reading() as connection:
            rows = (await connection.execute(chosen)).all()
            count = (await connection.execute(total)).scalar_one()
        return [_info(row) for row in rows], int(count)

    async def passages(self, keys: Sequence[int]) -> dict[int, tuple[Passage, DocumentInfo]]:
        """Returns passages with their documents, by key; those that are gone are left out."""
        text = func.substr(documents.c.content, passages.c.start + 1, passages.c.end - passages.c.start)
        found = (
            _INFO.add_columns(
                *(passages.c.key, passages.c.position, passages.c.section, passages.c.start, passages.c.end),
                text.label("text"),
            )
            .join(passages, passages.c.document_id == documents.c.id)
            .where(passages.c.key.in_(keys))
        )
        async with self._reading() as connection:
            rows = (await connection.execute(found)).all()
        result: dict[int, tuple[Passage, DocumentInfo]] = {}
        for row in rows:
            info = _info(row)
            passage = Passage(
                key=row.key,
                document_id=info.document_id,
                version=info.version,
                position=row.position,
                section=row.section,
                start=row.start,
                end=row.end,
                text=row.text,
            )
            result[row.key] = (passage, info)
        return result

    async def counts(self, category: str = "") -> Counts:
        """Returns sums over the documents of a category, or over all."""
        columns = documents.c
        chosen = select(
            columns.category,
            columns.source,
            func.count().label("documents"),
            func.sum(columns.passages).label("passages"),
            func.sum(columns.characters).label("characters"),
            func.max(columns.updated).label("updated"),
        ).group_by(columns.category, columns.source)
        if category:
            chosen = chosen.where(columns.category == category)
        async with self._reading() as connection:
            rows = (await connection.execute(chosen)).all()
        by_category: dict[str, int] = {}
        by_source: dict[str, int] = {}
        for row in rows:
            by_category[row.category] = by_category.get(row.category, 0) + row.documents
            by_source[row.source] = by_source.get(row.source, 0) + row.documents
        return Counts(
            documents=sum(row.documents for row in rows),
            passages=sum(row.passages for row in rows),
            characters=sum(row.characters for row in rows),
            by_category=by_category,
            by_source=by_source,
            last_updated=max((row.updated for row in rows), default=None),
        )

    def size_bytes(self) -> int:
        """Returns the size of the store on disk."""
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Returns a connection that sees one moment of the store."""
        return self._reading()

    @asynccontextmanager
    async def replacing(self) -> AsyncIterator[AsyncConnection]:
        """Yields a connection whose changes count as one change, or as none where it fails."""
        async with self._writing() as connection:
            yield connection
            await _count_change(connection)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._writer.begin() as connection:
                yield connection


class StoreError(Exception):
    """The store cannot be opened; the message is one line."""


@asynccontextmanager
async def open_store(path: Path) -> AsyncIterator[Store]:
    """Opens the store, makes or updates its tables, and closes it at the end. Raises StoreError where it cannot."""
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(path)), pool_size=4, max_overflow=4)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            async with engine.begin() as connection:
                await connection.run_sync(_migrate)
        except (DBAPIError, CommandError, OSError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"the document store {path} cannot be opened: {reason}") from error
        yield Store(engine, path)
    finally:
        await engine.dispose()


def _prepare(connection: Any, _: Any) -> None:
    # The driver begins transactions by itself, and too late: it is told not to, see _begin.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        # An acknowledged document survives a loss of power, not only of the process.
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail, not wait, where another one wrote in between.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


_INFO = select(
    *(documents.c.id, documents.c.title, documents.c.category, documents.c.source, documents.c.school),
    *(documents.c.numbers, documents.c.language, documents.c.metadata, documents.c.version),
    *(documents.c.content_hash, documents.c.record_hash, documents.c.characters),
    *(documents.c.passages, documents.c.created, documents.c.updated),
)


def _info(row: Any) -> DocumentInfo:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row's columns
    return DocumentInfo(
        document_id=values["id"],
        title=values["title"],
        category=values["category"],
        source=values["source"],
        school=values["school"],
        numbers=tuple(json.loads(values["numbers"])),
        language=values["language"],
        version=values["version"],
        content_hash=values["content_hash"],
        record_hash=values["record_hash"],
        characters=values["characters"],
        passages=values["passages"],
        created=values["created"],
        updated=values["updated"],
        metadata=json.loads(values["metadata"]),
    )


def _values(document: NewDocument, count: int) -> dict[str, Any]:
    return {
        "title": document.title,
        "content": document.content,
        "category": document.category,
        "source": document.source,
        "school": document.school,
        "numbers": json.dumps(sorted(set(document.numbers))),
        "language": document.language,
        "metadata": json.dumps(document.metadata, ensure_ascii=False),
        "content_hash": document.content_hash,
        "record_hash": document.record_hash,
        "characters": len(document.content),
        "passages": count,
    }


async def _count_change(connection: AsyncConnection) -> None:
    await connection.execute(update(state).where(state.c.name == "changes").values(value=state.c.value + 1))


async def _insert_passages(
    connection: AsyncConnection, document_id: str, chunks: Sequence[Chunk], vectors: Sequence[bytes], model: str
) -> list[int]:
    added = []
    for position, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True)):
        values = {
            "document_id": document_id,
            "position": position,
            "section": chunk.section,
            "start": chunk.start,
            "end": chunk.end,
            "model": model,
            "vector": vector,
        }
        result = await connection.execute(insert(passages).values(values).returning(passages.c.key))
        added.append(int(result.scalar_one()))
    return added


async def _put(connection: AsyncConnection, name: str, value: str) -> None:
    await connection.execute(delete(facts).where(facts.c.name == name))
    if value:
        await connection.execute(insert(facts).values(name=name, value=value))
