"""The document store: the truth that the index is derived from. SQLite, one writer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, delete, event, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from onenumbers_knowledge.chunking import Chunk
from onenumbers_knowledge.documents import Document, DocumentInfo, NewDocument, Passage
from onenumbers_knowledge.tables import documents, passages, removed, state
from onenumbers_runtime.errors import UnavailableError

_BUSY_MS = 5_000


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What the index needs of a passage."""

    key: int
    document_id: str
    category: str
    source: str
    school: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over documents."""

    documents: int
    passages: int
    characters: int
    by_category: Mapping[str, int]
    by_source: Mapping[str, int]
    last_updated: datetime | None


class Store:
    """Documents and passages in SQLite. Made by `open_store`."""

    def __init__(self, engine: AsyncEngine, path: Path) -> None:
        self._engine = engine
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
            added = []
            for position, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True)):
                values = {
                    "document_id": identifier,
                    "position": position,
                    "section": chunk.section,
                    "start": chunk.start,
                    "end": chunk.end,
                    "model": model,
                    "vector": vector,
                }
                result = await connection.execute(insert(passages).values(values).returning(passages.c.key))
                added.append(int(result.scalar_one()))
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

    async def entries(self) -> list[IndexEntry]:
        """Returns what the index needs of every passage, without vectors."""
        chosen = select(
            *(passages.c.key, documents.c.id, documents.c.category, documents.c.source),
            *(documents.c.school, documents.c.numbers),
        ).join(documents, documents.c.id == passages.c.document_id)
        async with self._reading() as connection:
            rows = (await connection.execute(chosen)).all()
        return [
            IndexEntry(row.key, row.id, row.category, row.source, row.school, tuple(json.loads(row.numbers)))
            for row in rows
        ]

    async def vectors(self) -> AsyncIterator[list[tuple[int, bytes]]]:
        """Yields keys and vectors of all passages, in parts."""
        last = 0
        while True:
            chosen = select(passages.c.key, passages.c.vector).where(passages.c.key > last)
            async with self._reading() as connection:
                rows = (await connection.execute(chosen.order_by(passages.c.key).limit(2_000))).all()
            if not rows:
                return
            last = rows[-1].key
            yield [(row.key, row.vector) for row in rows]

    async def other_models(self, model: str) -> list[str]:
        """Returns the ids of documents with passages that another model has embedded."""
        chosen = select(passages.c.document_id).where(passages.c.model != model).distinct()
        async with self._reading() as connection:
            return list((await connection.execute(chosen)).scalars())

    async def changes(self) -> int:
        """Returns the number of changes so far."""
        async with self._reading() as connection:
            chosen = select(state.c.value).where(state.c.name == "changes")
            return int((await connection.execute(chosen)).scalar_one())

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

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._engine.begin() as connection:
                yield connection


class _translated:  # noqa: N801 - reads as a word in `with`
    """Turns failures of the database into a status that a caller understands."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DBAPIError):
            text = str(error.orig)
            if "locked" in text or "busy" in text:
                raise UnavailableError(
                    "the document store is locked by another process", reason="STORE_LOCKED", retry_after=1.0
                ) from error
            if "full" in text or "disk I/O" in text or "readonly" in text or "unable to open" in text:
                raise UnavailableError(
                    "the document store cannot be written: is the disk full?", reason="STORE_UNAVAILABLE"
                ) from error


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
    connection.exec_driver_sql("BEGIN")


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
