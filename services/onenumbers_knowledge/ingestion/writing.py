"""Writes of a collection: embedded first, stored in one transaction, then taken by the index."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol, TypeVar

from onenumbers_knowledge.documents import DocumentInfo, NewDocument, again, not_found
from onenumbers_knowledge.index.live import LiveIndex, Serving
from onenumbers_knowledge.ingestion.preparing import Embedder, Prepared, Preparer
from onenumbers_knowledge.storage.store import Store
from onenumbers_runtime.errors import NotFoundError
from onenumbers_runtime.precedence import Precedence

T = TypeVar("T")


class Outcome(Enum):
    """What an ingestion did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Whole(Protocol):
    """Runs a change to its end, also when its caller is cancelled."""

    async def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...  # noqa: D102


class Writer:
    """Writes documents.

    Args:
        store: The truth.
        live: The index that follows it.
        preparer: Cuts and embeds.
        ready: Returns what serves, or raises UnavailableError.
        whole: Keeps a caller that goes away from leaving the index behind the store.
        precedence: What goes before writing.
    """

    def __init__(
        self,
        *,
        store: Store,
        live: LiveIndex,
        preparer: Preparer,
        ready: Callable[[], Serving],
        whole: Whole,
        precedence: Precedence,
    ) -> None:
        self._store, self._live, self._preparer = store, live, preparer
        self._ready, self._whole, self._precedence = ready, whole, precedence

    async def write(self, document: NewDocument) -> tuple[DocumentInfo, Outcome]:
        """Stores a document; returns when it is durable and searchable."""
        while True:
            serving = self._ready()
            prepared = await self._prepared(serving.embedder, document.title, document.content)
            # From here on a caller that goes away must not leave the index behind the store.
            written = await self._whole(self._commit(serving, document, prepared))
            if written is not None:
                return written

    async def rewrite(self, embedder: Embedder, document_id: str) -> int | None:
        """Embeds a stored document anew; returns its passages, or None where the model is no longer in force."""
        while True:
            serving = self._ready()
            if serving.embedder is not embedder:
                return None
            stored = await self._store.document(document_id)
            if stored is None:
                return 0
            prepared = await self._prepared(embedder, stored.info.title, stored.content)
            try:
                written = await self._whole(self._commit(serving, again(stored), prepared, new_version=False))
            except NotFoundError:
                return 0
            if written is not None:
                return written[0].passages

    async def delete(self, document_id: str) -> tuple[DocumentInfo, int]:
        """Deletes a document; returns what it was and how many passages went.

        Raises:
            NotFoundError: There is none of that id.
        """
        return await self._whole(self._delete(document_id))

    async def _prepared(self, embedder: Embedder, title: str, content: str) -> Prepared:
        """Returns the passages of a document when no search runs: cutting and writing take the interpreter from it."""
        await self._precedence.passed()
        prepared = await self._preparer.prepare(embedder, title, content)
        await self._precedence.passed()
        return prepared

    async def _delete(self, document_id: str) -> tuple[DocumentInfo, int]:
        async with self._live.writing:
            written = await self._store.remove(document_id)
            if written is None:
                raise not_found(document_id)
            if self._live.serving is not None:
                await self._live.take(self._live.serving, written)
        return written.info, len(written.gone)

    async def _commit(
        self, serving: Serving, document: NewDocument, prepared: Prepared, *, new_version: bool = True
    ) -> tuple[DocumentInfo, Outcome] | None:
        """Writes a document and follows with the index; None where another index serves by now."""
        async with self._live.writing:
            if self._live.serving != serving:
                return None
            written = await self._store.write(
                document,
                prepared.chunks,
                prepared.vector_bytes(),
                model=serving.embedder.model_id,
                now=datetime.now(UTC).replace(tzinfo=None),
                new_version=new_version,
            )
            await self._live.take(serving, written, prepared)
        if written.moment is None:
            return written.info, Outcome.UNCHANGED
        return written.info, Outcome.CREATED if written.created else Outcome.UPDATED
