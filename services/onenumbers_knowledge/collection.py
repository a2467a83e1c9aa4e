"""The collection: store, index and embedder as one. Every rule of the knowledge base stands here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from onenumbers_knowledge.documents import Document, DocumentInfo, NewDocument, check, not_found
from onenumbers_knowledge.index.filling import Upkeep
from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.index.live import LiveIndex, Serving
from onenumbers_knowledge.index.passage_index import PassageIndex
from onenumbers_knowledge.ingestion.migrating import Migration, Progress, followed
from onenumbers_knowledge.ingestion.preparing import Embedder, Preparer
from onenumbers_knowledge.ingestion.updating import plan_update
from onenumbers_knowledge.ingestion.writing import Outcome, Writer
from onenumbers_knowledge.search.duplicates import Duplicate
from onenumbers_knowledge.search.searching import Found, Search, search
from onenumbers_knowledge.search.words import Analyzer
from onenumbers_knowledge.storage import snapshots
from onenumbers_knowledge.storage.store import Counts, Store
from onenumbers_runtime.errors import FailedPreconditionError, MeshError, UnavailableError
from onenumbers_runtime.precedence import Precedence

__all__ = ["Collection", "Outcome"]

log = structlog.get_logger()

T = TypeVar("T")

SAVE_EVERY = 500
"""Changes after which the index is saved, so that little is made anew after a crash."""
UPKEEP_EVERY = 100
"""Changes after which it is asked whether an index has outgrown what it is."""
MODEL = "model"
"""Lease of the server that brings the collection to another embedding model."""


class Collection:
    """The documents of one store. `open` makes it searchable.

    Args:
        store: The truth.
        index_path: File that the index is kept in between two runs.
    """

    def __init__(self, store: Store, *, index_path: Path) -> None:
        self._store = store
        self.precedence = Precedence()
        """Searches are in its foreground. Load the embedder with it, so that documents give way to them."""
        self._live = LiveIndex(store, index_path, taken=self._changed)
        self._migration: Migration | None = None
        self._beginning: asyncio.Event | None = None
        """Set once it is known who brings the collection to another model; None where it does not go over to one."""
        self._changes: set[asyncio.Future[Any]] = set()
        self._unsaved = 0
        self._updating = False
        self._preparer = Preparer()
        self._analyzer = Analyzer()
        """Of the event loop; it remembers the stems of the words that it has seen."""
        self._writer = Writer(
            store=store,
            live=self._live,
            preparer=self._preparer,
            ready=self._ready,
            whole=self._whole,
            precedence=self.precedence,
        )
        self._upkeep = Upkeep(store, self._live.run, stopping=lambda: self._preparer.closing)
        self.not_ready = "the embedding model is being loaded"
        """Why the collection cannot be searched yet."""

    async def open(self, embedder: Embedder, *, spec: str = "", previous: Embedder | None = None) -> None:
        """Takes over an embedding model and brings the index in line with the store.

        Documents that another model had embedded are embedded again: before this returns, or, where the other model
        is at hand, beside its searches by `migrate`.

        Args:
            embedder: The model.
            spec: Setting that it was loaded from, kept for a later change of model.
            previous: The model that the store's vectors are of, to serve until the new ones are complete.
        """
        async with self._store.lease(MODEL, wait=False) as alone:
            # What another model embedded is rubbish only while no server is at going over to it.
            active = await self._store.adopt(embedder.model_id, spec, tidy=alone and previous is None)
        serving = previous if previous is not None and previous.model_id == active else embedder
        if active == serving.model_id:
            if serving is not embedder:
                self._beginning = asyncio.Event()
            await self._live.open(serving)
        else:
            self.not_ready = f"all documents are being embedded anew by {embedder.model_id}"
            await self.migrate(embedder, spec=spec)
        self.not_ready = ""

    async def migrate(self, embedder: Embedder, *, spec: str = "") -> None:
        """Embeds all documents by another model and goes over to it; until then the old one serves.

        What was done before an interruption is not done again. Vectors of two models are never compared. Of several
        servers one does the work; the others wait for it.
        """
        beginning = self._beginning = self._beginning or asyncio.Event()
        try:
            async with self._store.lease(MODEL):
                if await self._store.active_model() == embedder.model_id:
                    await self._live.open(embedder)
                else:
                    await self._migrate(embedder, spec)
        finally:
            beginning.set()
            self._beginning = None
        self.not_ready = ""
        await self.save()

    async def _migrate(self, embedder: Embedder, spec: str) -> None:
        live = self._live
        migration = Migration(
            store=self._store, preparer=self._preparer, embedder=embedder, run=live.run, writing=live.writing
        )
        self._migration = migration
        if self._beginning is not None:
            self._beginning.set()
        try:
            await migration.run(lambda index, moment: live.exchange(Serving(embedder, index), moment), spec)
        finally:
            self._migration = None

    async def follow(self, number: int = 0) -> None:
        """Takes over what other servers have changed in a shared store before this call; see `LiveIndex.follow`.

        Raises:
            MeshError: The store cannot be read.
        """
        await self._whole(self._live.follow(number))

    @property
    def moved_to(self) -> str:
        """Model that another server has brought the collection to, which this one has to load; empty otherwise."""
        return self._live.moved_to

    @property
    def moved(self) -> asyncio.Event:
        """Set while there is such a model."""
        return self._live.moved

    async def update_embeddings(
        self, document_ids: Sequence[str], *, everything: bool
    ) -> AsyncGenerator[Progress, None]:
        """Embeds documents anew with the model in force, document by document, and yields the progress.

        Each document goes over to its new vectors at once; searches find it by the old ones until then. An update of
        everything that was interrupted goes on where it was. While the collection goes over to another model, an
        update of everything follows that instead.

        Raises:
            InvalidArgumentError: Neither documents nor everything was asked for, or both.
            NotFoundError: A document does not exist.
            FailedPreconditionError: An update is running, here or on another server.
        """
        if everything and self._beginning is not None:
            await self._beginning.wait()
        embedder = self._ready().embedder
        if everything and self._migration is not None:
            async with aclosing(followed(self._migration)) as moving:
                async for progress in moving:
                    yield progress
            return
        if self._updating:
            raise _update_running()
        self._updating = True
        try:
            async with self._store.lease("update", wait=False) as alone:
                if not alone:
                    raise _update_running()
                plan = await plan_update(self._store, document_ids, everything=everything, model=embedder.model_id)
                async with aclosing(plan.steps(lambda known: self._writer.rewrite(embedder, known))) as steps:
                    async for done, complete in steps:
                        yield Progress(done, plan.total, complete, embedder.model_id, embedder.dimensions)
        finally:
            self._updating = False

    async def close(self) -> None:
        """Ends what is being written and saves the index for the next start. Close the embedder after this."""
        await self._preparer.close()
        await asyncio.gather(*self._changes, return_exceptions=True)
        await self.save()
        await self._live.close()

    async def save(self) -> None:
        """Saves the index for the next start."""
        if not self.not_ready:
            self._unsaved = 0
            await self._live.save()

    async def ingest(self, document: NewDocument) -> tuple[DocumentInfo, Outcome]:
        """Adds a document or a new version of one; returns when it is durable and searchable.

        Raises:
            InvalidArgumentError: The document breaks a rule.
            UnavailableError: No embedding model is loaded, or the store cannot be written.
        """
        check(document)
        self._ready()
        known = await self._store.info(document.identifier)
        if known is not None and known.record_hash == document.record_hash:
            if self._store.shared:
                # Another server may have stored it a moment ago.
                await self.follow()
            return known, Outcome.UNCHANGED
        return await self._writer.write(document)

    async def search(
        self, query: str, *, count: int, min_similarity: float | None = None, filters: Filters | None = None
    ) -> Found:
        """Returns the passages that answer a query best, in the default mode; see `find`."""
        return await self.find(
            Search(query=query, count=count, min_similarity=min_similarity, filters=filters or Filters())
        )

    async def find(self, asked: Search) -> Found:
        """Returns the passages that answer a query best, best first.

        Raises:
            InvalidArgumentError: The query is blank, or longer than the model reads.
            UnavailableError: No embedding model is loaded.
        """
        embedder, index = self._ready()
        model = embedder.model_id
        with self.precedence.foreground():
            return await search(
                asked,
                store=self._store,
                embedder=embedder,
                model=model,
                index=index,
                analyzer=self._analyzer,
                run=self._live.run_search,
            )

    async def export(self) -> AsyncGenerator[tuple[bytes, str], None]:
        """Yields the collection as an archive in chunks; the last one comes with its SHA-256."""
        embedder = self._ready().embedder
        archive = snapshots.export(self._store, model=embedder.model_id, dimensions=embedder.dimensions)
        async with aclosing(archive) as chunks:
            async for chunk in chunks:
                yield chunk

    async def replace_all(self, path: Path) -> snapshots.Sums:
        """Puts the documents of an archive in the place of all that are there; searches go over to them at once.

        Raises:
            InvalidArgumentError: The archive is damaged, or no snapshot.
            FailedPreconditionError: Its vectors are of another model.
        """
        embedder = self._ready().embedder
        model = embedder.model_id
        sums = await asyncio.to_thread(snapshots.checked, path, model=model, dimensions=embedder.dimensions)
        await self._whole(self._replace(embedder, path))
        return sums

    async def _replace(self, embedder: Embedder, path: Path) -> None:
        async with self._live.writing:
            await snapshots.replace(self._store, path, model=embedder.model_id)
            await self._live.make(embedder)
        await self.save()

    async def get(self, document_id: str) -> Document:
        """Returns a document.

        Raises:
            NotFoundError: There is none of that id.
        """
        document = await self._store.document(document_id)
        if document is None:
            raise not_found(document_id)
        return document

    async def page(
        self, *, after: str, limit: int, category: str = "", source: str = ""
    ) -> tuple[list[DocumentInfo], int]:
        """Returns documents ordered by id that come after an id, and how many match in all."""
        return await self._store.page(after=after, limit=limit, category=category, source=source)

    async def look(self, read: Callable[[PassageIndex], T]) -> T:
        """Returns what is read from the index that serves; UnavailableError where none does."""
        return await self._live.run(partial(read, self._ready().passages))

    async def nearly_the_same(self, document_id: str) -> list[Duplicate]:
        """Returns documents whose text is nearly that of another one, the likest first; searches go before.

        Raises:
            UnavailableError: No index serves.
        """
        await self.precedence.passed()
        return await self.look(lambda index: index.nearly_the_same(document_id))

    async def delete(self, document_id: str) -> tuple[DocumentInfo, int]:
        """Deletes a document; searches stop finding it at once. Returns what it was and how many passages went.

        Raises:
            NotFoundError: There is none of that id.
        """
        return await self._writer.delete(document_id)

    async def counts(self, category: str = "") -> Counts:
        """Returns sums over the documents of a category, or over all, from the store."""
        return await self._store.counts(category)

    def index_kind(self) -> str:
        """Returns the kind of the vectors' index; "flat" while there is none."""
        return self._live.serving.passages.dense.kind if self._live.serving is not None else "flat"

    def index_state(self) -> tuple[str, int, int]:
        """Returns the model, its dimensions, and the vectors in the index."""
        if self._live.serving is None or self.not_ready:
            return "", 0, 0
        embedder, index = self._live.serving
        return embedder.model_id, embedder.dimensions, len(index)

    async def store_bytes(self) -> int:
        """Returns the size of the store on disk."""
        return await self._store.size_bytes()

    def once(self, what: str) -> AbstractAsyncContextManager[bool]:
        """Waits for what only one server of a shared store may do at a time."""
        return self._store.lease(what)

    async def removed(self) -> set[str]:
        """Returns the ids of documents of the starter corpus that were deleted."""
        return await self._store.removed()

    async def info(self, document_id: str) -> DocumentInfo | None:
        """Returns what is known of a document, or None."""
        return await self._store.info(document_id)

    def _ready(self) -> Serving:
        serving, why = self._live.serving, self.not_ready
        if self.moved_to:
            why = f"it has gone over to the embedding model {self.moved_to}, which is being loaded"
        if serving is None or why:
            raise UnavailableError(
                f"the knowledge base cannot be searched yet: {why}", reason="EMBEDDING_MODEL_LOADING", retry_after=2.0
            )
        return serving

    def _changed(self, count: int) -> None:
        before, self._unsaved = self._unsaved, self._unsaved + count
        serving = self._live.serving
        if serving is not None and before // UPKEEP_EVERY != self._unsaved // UPKEEP_EVERY:
            self._beside(self._upkeep(serving.passages, serving.embedder.model_id))
        if self._unsaved >= SAVE_EVERY:
            self._unsaved = 0
            self._beside(self.save())

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a change to its end, also when its caller is cancelled."""
        task = asyncio.ensure_future(work)
        self._changes.add(task)
        task.add_done_callback(self._settled)
        return await asyncio.shield(task)

    def _settled(self, task: asyncio.Future[Any]) -> None:
        self._changes.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, MeshError):
            # Nobody may be left to be told; a store that failed is in the log already.
            log.error("change_failed", exc_info=error)


def _update_running() -> FailedPreconditionError:
    return FailedPreconditionError("an update of the embeddings is running", reason="UPDATE_RUNNING")
