"""The document store: the truth that indexes are derived from. SQLite, or PostgreSQL that several servers share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from onenumbers_knowledge.documents import Document, DocumentInfo, DocumentLabel, NewDocument, Passage
from onenumbers_knowledge.ingestion.chunking import Chunk
from onenumbers_knowledge.storage import change_log
from onenumbers_knowledge.storage.index_source import IndexSource
from onenumbers_knowledge.storage.rows import INFO, PASSAGES, info_of, passage_of
from onenumbers_knowledge.storage.tables import documents, metadata, removed
from onenumbers_knowledge.storage.turn import Turn, put
from onenumbers_knowledge.storage.writes import Remove, Write, Written
from onenumbers_runtime.database import alembic_migrations, open_database, sqlite_url
from onenumbers_runtime.database_sharing import Listening


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
    """Documents and passages. Made by `open_store`.

    Raises:
        UnavailableError: From every method, when the database is locked, full or gone.
        DataLossError: From every method, when it is damaged.
    """

    @property
    def shared(self) -> bool:
        """Whether other servers may change it at the same time."""
        return self._database.shared

    async def info(self, document_id: str) -> DocumentInfo | None:
        """Returns what is known of a document, or None."""
        chosen = INFO.where(documents.c.id == document_id)
        row = await self._database.read(lambda connection: connection.execute(chosen).first())
        return info_of(row) if row is not None else None

    async def document(self, document_id: str) -> Document | None:
        """Returns a document with its text, or None."""
        async with self._database.reading() as connection:
            return await Turn(connection).document(document_id)

    async def write(
        self,
        document: NewDocument,
        chunks: Sequence[Chunk],
        vectors: Sequence[bytes],
        *,
        model: str,
        now: datetime,
        new_version: bool = True,
    ) -> Written:
        """Writes a document with its passages in one transaction, durably.

        Args:
            document: The document; one that is there under its id is replaced.
            chunks: Its passages.
            vectors: The passages' vectors, float32, one each.
            model: Model of the vectors.
            now: Time of the change, UTC without zone.
            new_version: False when only the passages are made anew, of the document as it is stored.

        Returns:
            What became of it.

        Raises:
            NotFoundError: Passages were to be made anew, and the document is gone.
            UnavailableError: The store cannot be written, or its passages are of another model by now.
        """
        return await self._database.write(
            Write(document, chunks, vectors, model=model, now=now, new_version=new_version)
        )

    async def remove(self, document_id: str) -> Written | None:
        """Deletes a document; returns what it was and what went with it, or None where there is none.

        One of the starter corpus is noted as deleted, so that the corpus does not bring it back.
        """
        return await self._database.write(Remove(document_id))

    async def write_again(
        self, document: Document, chunks: Sequence[Chunk], vectors: Sequence[bytes], *, model: str
    ) -> list[int]:
        """Adds passages of another model to a document; see `Turn.write_again`."""
        async with self.turn() as turn:
            return await turn.write_again(document, chunks, vectors, model=model)

    async def adopt(self, model: str, spec: str, *, tidy: bool) -> str:
        """Makes a model the one that counts where none is yet; see `Turn.adopt`."""
        async with self.turn() as turn:
            return await turn.adopt(model, spec, tidy=tidy)

    async def note(self, name: str, value: str) -> None:
        """Keeps something that is known of the collection; an empty value forgets it."""
        async with self.turn() as turn:
            await put(turn.connection, name, value)

    async def removed(self) -> set[str]:
        """Returns the ids of documents of the starter corpus that were deleted."""
        async with self._database.reading() as connection:
            return set((await connection.execute(select(removed.c.id))).scalars())

    async def page(
        self, *, after: str, limit: int, category: str = "", source: str = ""
    ) -> tuple[list[DocumentInfo], int]:
        """Returns documents ordered by id that come after an id, and how many match in all."""
        chosen = INFO.where(documents.c.id > after).order_by(documents.c.id).limit(limit)
        total = select(func.count()).select_from(documents)
        for column, value in ((documents.c.category, category), (documents.c.source, source)):
            if value:
                chosen, total = chosen.where(column == value), total.where(column == value)
        async with self._database.reading() as connection:
            rows = (await connection.execute(chosen)).all()
            count = (await connection.execute(total)).scalar_one()
        return [info_of(row) for row in rows], int(count)

    async def passages(self, keys: Sequence[int]) -> dict[int, tuple[Passage, DocumentLabel]]:
        """Returns passages with what is shown of their documents, by key; those that are gone are left out."""
        if not keys:
            return {}
        return await self._database.read(
            lambda connection: dict(map(passage_of, connection.execute(PASSAGES, {"keys": keys})))
        )

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
        async with self._database.reading() as connection:
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

    async def size_bytes(self) -> int:
        """Returns the size of the store on disk."""
        path = self._database.path
        if path is not None:
            files = (path, path.with_name(f"{path.name}-wal"))
            return sum(file.stat().st_size for file in files if file.exists())
        sizes = [func.pg_total_relation_size(table.name) for table in metadata.sorted_tables]
        async with self._database.reading() as connection:
            return sum((await connection.execute(select(*sizes))).one())

    def reading_one_moment(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Returns a connection that sees one moment of the store."""
        return self._database.reading_one_moment()

    @asynccontextmanager
    async def replacing(self, model: str) -> AsyncIterator[AsyncConnection]:
        """Yields a connection that replaces everything by passages of a model; nothing changes where it fails."""
        async with self.turn() as turn:
            await turn.require(model)
            yield turn.connection
            await turn.connection.run_sync(change_log.record_everything)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Yields a writer's turn: the writers of all servers wait until it ends."""
        async with self._database.writing() as connection:
            await connection.run_sync(change_log.lock)
            yield Turn(connection)

    def lease(self, name: str, *, wait: bool = True) -> AbstractAsyncContextManager[bool]:
        """Holds what only one server of a shared store may do at a time; see `Database.lease`."""
        return self._database.lease(name, wait=wait)

    def listening(self, heard: Callable[[int], None]) -> AbstractAsyncContextManager[Listening]:
        """Calls back with the number of every change. Of a shared store only."""
        return self._database.listening(change_log.CHANNEL, lambda told: heard(int(told)))


@asynccontextmanager
async def open_store(where: URL | Path) -> AsyncIterator[Store]:
    """Opens the store, makes or updates its tables, and closes it at the end.

    Args:
        where: Its URL, as `database_url` returns it, or a file of SQLite.

    Raises:
        DatabaseError: It cannot be opened.
    """
    url = sqlite_url(where) if isinstance(where, Path) else where
    make_tables = alembic_migrations(Path(__file__).parents[1] / "migrations")
    async with open_database(url, what="the document store", make_tables=make_tables) as database:
        yield Store(database)
