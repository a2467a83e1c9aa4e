"""The collection: store, index and embedder as one. Every rule of the knowledge base stands here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import structlog

from onenumbers_knowledge import snapshots
from onenumbers_knowledge.documents import Document, DocumentInfo, NewDocument, again, check, not_found
from onenumbers_knowledge.filling import Upkeep, fill, fill_words
from onenumbers_knowledge.filters import Filters
from onenumbers_knowledge.migrating import Migration, Progress, followed
from onenumbers_knowledge.passage_index import PassageIndex
from onenumbers_knowledge.preparing import Embedder, Prepared, Preparer
from onenumbers_knowledge.searching import Found, Search, search
from onenumbers_knowledge.store import Counts, Store
from onenumbers_knowledge.updating import plan_update
from onenumbers_runtime.errors import FailedPreconditionError, UnavailableError

log = structlog.get_logger()
T = TypeVar("T")

SAVE_EVERY = 500
"""Changes after which the index is saved, so that little is made anew after a crash."""
UPKEEP_EVERY = 100
"""Changes after which it is asked whether an index has outgrown what it is."""


class Outcome(Enum):
    """What an ingestion did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class _Serving(NamedTuple):
    """A model and the index of its vectors: exchanged together, or dimensions would mix."""

    embedder: Embedder
    passages: PassageIndex


class Collection:
    """The documents of one store. `open` makes it searchable.

    Args:
        store: The truth.
        index_path: File that the index is kept in between two runs.
    """

    def __init__(self, store: Store, *, index_path: Path) -> None:
        self._store = store
        self._index_path = index_path
        self._serving: _Serving | None = None
        self._migration: Migration | None = None
        self._writing = asyncio.Lock()
        self._changes: set[asyncio.Future[Any]] = set()
        self._unsaved = 0
        self._updating = False
        self._preparer = Preparer()
        self._upkeep = Upkeep(store, self._run, stopping=lambda: self._preparer.closing)
        # FAISS runs here alone: off the event loop, and one call at a time.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
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
        active = await self._store.active_model()
        serving = previous if previous is not None and previous.model_id == active else embedder
        if active in ("", serving.model_id):
            if serving is embedder:
                await self._store.activate(embedder.model_id, spec)
            await self._open(serving)
        else:
            self.not_ready = f"all documents are being embedded anew by {embedder.model_id}"
            await self._store.note("active_model", active)
            await self.migrate(embedder, spec=spec)
        self.not_ready = ""

    async def migrate(self, embedder: Embedder, *, spec: str = "") -> None:
        """Embeds all documents by another model and goes over to it; until then the old one serves.

        What was done before an interruption is not done again. Vectors of two models are never compared.
        """
        migration = Migration(
            store=self._store, preparer=self._preparer, embedder=embedder, run=self._run, writing=self._writing
        )
        self._migration = migration

        def swap(index: PassageIndex) -> None:
            self._serving = _Serving(embedder, index)

        try:
            await migration.run(swap, spec)
        finally:
            self._migration = None
        self.not_ready = ""
        await self.save()

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
            FailedPreconditionError: An update is running.
        """
        embedder, index = self._ready()
        if everything and self._migration is not None:
            async with aclosing(followed(self._migration)) as moving:
                async for progress in moving:
                    yield progress
            return
        if self._updating:
            raise FailedPreconditionError("an update of the embeddings is running", reason="UPDATE_RUNNING")
        self._updating = True
        try:
            plan = await plan_update(self._store, document_ids, everything=everything, model=embedder.model_id)
            async with aclosing(plan.steps(lambda known: self._rewrite(embedder, index, known))) as steps:
                async for done, complete in steps:
                    yield Progress(done, plan.total, complete, embedder.model_id, embedder.dimensions)
        finally:
            self._updating = False

    async def close(self) -> None:
        """Ends what is being written and saves the index for the next start. Close the embedder after this."""
        await self._preparer.close()
        await asyncio.gather(*self._changes, return_exceptions=True)
        await self.save()
        await asyncio.to_thread(self._executor.shutdown)

    async def save(self) -> None:
        """Saves the index. What is lost here is only time: it can always be made again from the store."""
        async with self._writing:
            if self._serving is None or self.not_ready:
                return
            changes = await self._store.changes()
            embedder, index = self._serving
            self._unsaved = 0
            try:
                await self._run(lambda: index.dense.save(self._index_path, changes=changes, model=embedder.model_id))
            except OSError as error:
                log.warning("index_not_saved", reason=str(error))

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
            return known, Outcome.UNCHANGED
        return await self._write(document)

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
        return await search(asked, store=self._store, embedder=embedder, model=model, index=index, run=self._run)

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
        async with self._writing:
            await snapshots.replace(self._store, path, model=embedder.model_id)
            index = PassageIndex(embedder.dimensions)
            await fill(index, self._store, embedder.model_id, self._run)
            self._serving = _Serving(embedder, index)
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
        return await self._run(partial(read, self._ready().passages))

    async def delete(self, document_id: str) -> tuple[DocumentInfo, int]:
        """Deletes a document; searches stop finding it at once. Returns what it was and how many passages went.

        Raises:
            NotFoundError: There is none of that id.
        """
        return await self._whole(self._delete(document_id))

    async def _delete(self, document_id: str) -> tuple[DocumentInfo, int]:
        async with self._writing:
            known = await self._store.info(document_id)
            gone = (
                await self._store.remove(document_id, remember=bool(known.metadata.get("corpus")))
                if known is not None
                else None
            )
            if gone is None:
                raise not_found(document_id)
            info, keys = gone
            serving = self._serving
            if serving is not None:
                await self._run(lambda: serving.passages.remove(keys))
        self._changed()
        return info, len(keys)

    async def counts(self, category: str = "") -> Counts:
        """Returns sums over the documents of a category, or over all, from the store."""
        return await self._store.counts(category)

    def index_kind(self) -> str:
        """Returns the kind of the vectors' index; "flat" while there is none."""
        return self._serving.passages.dense.kind if self._serving is not None else "flat"

    def index_state(self) -> tuple[str, int, int, int]:
        """Returns the model, its dimensions, the vectors in the index, and the store's size in bytes."""
        if self._serving is None or self.not_ready:
            return "", 0, 0, self._store.size_bytes()
        embedder, index = self._serving
        return embedder.model_id, embedder.dimensions, len(index), self._store.size_bytes()

    async def removed(self) -> set[str]:
        """Returns the ids of documents of the starter corpus that were deleted."""
        return await self._store.removed()

    async def info(self, document_id: str) -> DocumentInfo | None:
        """Returns what is known of a document, or None."""
        return await self._store.info(document_id)

    def _ready(self) -> _Serving:
        if self._serving is None or self.not_ready:
            raise UnavailableError(
                f"the knowledge base cannot be searched yet: {self.not_ready}",
                reason="EMBEDDING_MODEL_LOADING",
                retry_after=2.0,
            )
        return self._serving

    async def _write(self, document: NewDocument) -> tuple[DocumentInfo, Outcome]:
        """Embeds first, then writes all in one transaction, then follows with the index."""
        while True:
            serving = self._ready()
            prepared = await self._preparer.prepare(serving.embedder, document.title, document.content)
            # From here on a caller that goes away must not leave the index behind the store.
            written = await self._whole(self._commit(serving, document, prepared))
            if written is not None:
                return written

    async def _rewrite(self, embedder: Embedder, index: PassageIndex, document_id: str) -> int | None:
        """Embeds a stored document anew; returns its passages, or None where the model is no longer in force."""
        stored = await self._store.document(document_id)
        if stored is None:
            return 0
        prepared = await self._preparer.prepare(embedder, stored.info.title, stored.content)
        serving = _Serving(embedder, index)
        written = await self._whole(self._commit(serving, again(stored), prepared, new_version=False))
        return None if written is None else written[0].passages

    def _changed(self) -> None:
        self._unsaved += 1
        if self._unsaved >= SAVE_EVERY:
            self._unsaved = 0
            self._beside(self.save())
        if self._unsaved % UPKEEP_EVERY == 0 and self._serving is not None:
            self._beside(self._upkeep(self._serving.passages, self._serving.embedder.model_id))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a change to its end, also when its caller is cancelled."""
        task = asyncio.ensure_future(work)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    async def _commit(
        self, serving: _Serving, document: NewDocument, prepared: Prepared, *, new_version: bool = True
    ) -> tuple[DocumentInfo, Outcome] | None:
        """Writes a document and follows with the index; None where another model has come into force meanwhile."""
        async with self._writing:
            if self._serving != serving:
                return None
            # Asked again under the lock: the same document may have been handed in twice at once.
            known = await self._store.info(document.identifier)
            same = known is not None and known.record_hash == document.record_hash
            if known is not None and same == new_version:
                # Nothing is new, or what was embedded anew is no longer what is stored.
                return known, Outcome.UNCHANGED
            if known is None and not new_version:
                return None
            info, added, gone = await self._store.write(
                document,
                prepared.chunks,
                prepared.vector_bytes(),
                model=serving.embedder.model_id,
                now=datetime.now(UTC).replace(tzinfo=None),
                new_version=new_version,
            )
            entries, texts = prepared.indexed(info, added)

            def follow() -> None:
                serving.passages.remove(gone)
                serving.passages.add(entries, texts, prepared.vectors)

            await self._run(follow)
        self._changed()
        return info, Outcome.CREATED if known is None else Outcome.UPDATED

    async def _open(self, embedder: Embedder) -> None:
        """Loads the saved vectors where they fit the store, and makes everything else from the store."""
        index, model = PassageIndex(embedder.dimensions), embedder.model_id
        # Deletions are served meanwhile; one between reading and adding would leave its vectors behind.
        async with self._writing:
            entries = await self._store.entries(model)
            changes = await self._store.changes()
            if await self._run(lambda: index.dense.load(self._index_path, entries, changes=changes, model=model)):
                await fill_words(index, self._store, model, self._run)
                log.info("index_loaded", vectors=len(index))
            else:
                await fill(index, self._store, model, self._run)
                log.info("index_built", vectors=len(index))
            self._serving = _Serving(embedder, index)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
