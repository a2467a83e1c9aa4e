"""Changes of single documents, each in one go within a transaction that has to be begun already.

Written for an ordinary connection: `Database.write` runs it in one thread on SQLite, whose asynchronous driver changes
threads at every step, and by the asynchronous driver on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from onenumbers_knowledge.documents import DocumentInfo, NewDocument, not_found
from onenumbers_knowledge.ingestion.chunking import Chunk
from onenumbers_knowledge.storage import change_log
from onenumbers_knowledge.storage.change_log import Moment
from onenumbers_knowledge.storage.rows import INFO, info_of, insert_passages, values_of
from onenumbers_knowledge.storage.tables import documents, passages, removed
from onenumbers_knowledge.storage.turn import require


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did to the store."""

    info: DocumentInfo
    """The document as it is stored; what it was where it was deleted."""
    created: bool
    moment: Moment | None = None
    """The moment after the change; None where nothing was to be changed."""
    added: Sequence[int] = ()
    """Keys of its passages."""
    gone: Sequence[int] = ()
    """Keys of passages that are no longer there."""


@dataclass(frozen=True, slots=True)
class Write:
    """A document with its passages, as it is to be written; see `Store.write`."""

    document: NewDocument
    chunks: Sequence[Chunk]
    vectors: Sequence[bytes]
    model: str
    now: datetime
    new_version: bool

    def __call__(self, connection: Connection) -> Written:
        """Writes it; the caller's transaction makes it durable."""
        document, identifier = self.document, self.document.identifier
        change_log.lock(connection)
        require(connection, self.model)
        before = connection.execute(INFO.where(documents.c.id == identifier)).first()
        if before is None and not self.new_version:
            raise not_found(identifier)
        # Asked here, in the turn: the same document may have been handed in twice at once, or on two servers.
        if before is not None and (before.record_hash == document.record_hash) == self.new_version:
            # Nothing is new, or what was embedded anew is no longer what is stored.
            return Written(info_of(before), created=False)
        values = values_of(document, len(self.chunks))
        gone: list[int] = []
        if before is None:
            values |= {"id": identifier, "version": 1, "created": self.now, "updated": self.now}
            connection.execute(insert(documents).values(values))
        else:
            if self.new_version:
                values |= {"version": before.version + 1, "updated": self.now}
            connection.execute(update(documents).where(documents.c.id == identifier).values(values))
            gone = _delete_passages(connection, identifier)
        added = insert_passages(connection, identifier, self.chunks, self.vectors, self.model)
        moment = change_log.record(connection, identifier, gone)
        stored = connection.execute(INFO.where(documents.c.id == identifier)).one()
        return Written(info_of(stored), created=before is None, moment=moment, added=added, gone=gone)


@dataclass(frozen=True, slots=True)
class Remove:
    """A document that is to be deleted; see `Store.remove`."""

    document_id: str

    def __call__(self, connection: Connection) -> Written | None:
        """Deletes it with its passages; None where there is none."""
        change_log.lock(connection)
        row = connection.execute(INFO.where(documents.c.id == self.document_id)).first()
        if row is None:
            return None
        info = info_of(row)
        gone = _delete_passages(connection, self.document_id)
        connection.execute(delete(documents).where(documents.c.id == self.document_id))
        if info.metadata.get("corpus"):
            connection.execute(delete(removed).where(removed.c.id == self.document_id))
            connection.execute(insert(removed).values(id=self.document_id))
        moment = change_log.record(connection, self.document_id, gone)
        return Written(info, created=False, moment=moment, gone=gone)


def _delete_passages(connection: Connection, document_id: str) -> list[int]:
    """Deletes the passages of a document, of all models; returns their keys."""
    keys = select(passages.c.key).where(passages.c.document_id == document_id)
    gone = list(connection.execute(keys).scalars())
    connection.execute(delete(passages).where(passages.c.document_id == document_id))
    return gone
