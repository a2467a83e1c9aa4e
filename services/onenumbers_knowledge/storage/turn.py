"""A writer's turn: what only one server at a time may do to a collection, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from onenumbers_knowledge.documents import Document
from onenumbers_knowledge.ingestion.chunking import Chunk
from onenumbers_knowledge.storage import change_log
from onenumbers_knowledge.storage.change_log import Moment
from onenumbers_knowledge.storage.rows import INFO, info_of, insert_passages
from onenumbers_knowledge.storage.tables import documents, facts, passages
from onenumbers_runtime.errors import UnavailableError


class Turn:
    """Reads and writes in one transaction, which began by taking the turn among the writers of all servers.

    Args:
        connection: The transaction's connection.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def require(self, model: str) -> None:
        """Makes sure that passages of a model are the ones that count.

        Raises:
            UnavailableError: Another server has brought the collection to another model.
        """
        await self.connection.run_sync(require, model)

    async def adopt(self, model: str, spec: str, *, tidy: bool) -> str:
        """Makes a model the one that counts where none is yet; returns the one that counts.

        Args:
            model: The model.
            spec: Setting that it was loaded from.
            tidy: Whether to delete what other models embedded: nobody is at it.
        """
        active = await in_force(self.connection) or model
        await put(self.connection, "active_model", active)
        if active == model:
            await put(self.connection, "active_spec", spec)
            if tidy:
                await self.connection.execute(delete(passages).where(passages.c.model != model))
        return active

    async def activate(self, model: str, spec: str) -> Moment:
        """Makes the passages of a model the ones that count, and deletes those of all others."""
        counted = (
            select(func.count())
            .select_from(passages)
            .where(passages.c.document_id == documents.c.id, passages.c.model == model)
            .scalar_subquery()
        )
        await put(self.connection, "active_model", model)
        await put(self.connection, "active_spec", spec)
        await self.connection.execute(delete(passages).where(passages.c.model != model))
        await self.connection.execute(update(documents).values(passages=counted))
        return await self.connection.run_sync(change_log.record_everything)

    async def missing(self, model: str, limit: int) -> list[str]:
        """Returns the ids of documents with passages of which a model has embedded none, ordered by id."""
        done = exists().where(passages.c.document_id == documents.c.id, passages.c.model == model)
        chosen = select(documents.c.id).where(documents.c.passages > 0, ~done).order_by(documents.c.id).limit(limit)
        return list((await self.connection.execute(chosen)).scalars())

    async def document(self, document_id: str) -> Document | None:
        """Returns a document with its text, or None."""
        found = INFO.where(documents.c.id == document_id).add_columns(documents.c.content)
        row = (await self.connection.execute(found)).first()
        return Document(info_of(row), row.content) if row is not None else None

    async def keys(self, model: str) -> set[int]:
        """Returns the keys of all passages that a model has embedded."""
        return set((await self.connection.execute(select(passages.c.key).where(passages.c.model == model))).scalars())

    async def write_again(
        self, document: Document, chunks: Sequence[Chunk], vectors: Sequence[bytes], *, model: str
    ) -> list[int]:
        """Adds passages of another model to a document; those that it has stay, and nothing counts as changed.

        Returns:
            Their keys; none where the document has changed or gone meanwhile.
        """
        info = document.info
        chosen = select(documents.c.record_hash).where(documents.c.id == info.document_id)
        if (await self.connection.execute(chosen)).scalar() != info.record_hash:
            return []
        old = delete(passages).where(passages.c.document_id == info.document_id, passages.c.model == model)
        await self.connection.execute(old)
        return await self.connection.run_sync(insert_passages, info.document_id, chunks, vectors, model)


def model_changed() -> UnavailableError:
    """Returns the error for vectors of a model that is no longer the one that counts."""
    return UnavailableError(
        "the collection has gone over to another embedding model: this server follows",
        reason="EMBEDDING_MODEL_CHANGED",
        retry_after=2.0,
    )


def require(connection: Connection, model: str) -> None:
    """Makes sure that passages of a model are the ones that count; see `Turn.require`."""
    if fact(connection, "active_model") not in ("", model):
        raise model_changed()


def fact(connection: Connection, name: str) -> str:
    """Returns what is known of the collection under a name; empty where nothing is."""
    return connection.execute(select(facts.c.value).where(facts.c.name == name)).scalar() or ""


async def put(connection: AsyncConnection, name: str, value: str) -> None:
    """Keeps something that is known of the collection; an empty value forgets it."""
    await connection.execute(delete(facts).where(facts.c.name == name))
    if value:
        await connection.execute(insert(facts).values(name=name, value=value))


async def passages_by_model(connection: AsyncConnection) -> dict[str, int]:
    """Returns the number of passages that each model has embedded."""
    chosen = select(passages.c.model, func.count()).group_by(passages.c.model)
    return {row[0]: int(row[1]) for row in await connection.execute(chosen)}


async def in_force(connection: AsyncConnection) -> str:
    """Returns the model whose passages count; the most used one where none was named, empty where none is used."""
    counts = await passages_by_model(connection)
    return await connection.run_sync(fact, "active_model") or max(counts, key=lambda model: counts[model], default="")
