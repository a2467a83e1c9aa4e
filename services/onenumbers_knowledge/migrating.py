"""Brings a whole collection to another embedding model, beside the searches that the old one serves meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from onenumbers_knowledge.filling import Run, fill
from onenumbers_knowledge.passage_index import PassageIndex
from onenumbers_knowledge.preparing import Embedder, Preparer
from onenumbers_knowledge.store import Store
from onenumbers_runtime.errors import UnavailableError

log = structlog.get_logger()
_AT_ONCE = 50
"""Documents whose ids are asked for at once."""
_ROUNDS = 5
"""Times that late documents are embedded beside the writers; after that the writers wait."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an update of the embeddings has come."""

    done: int
    """Passages embedded so far."""
    total: int
    """Passages to embed; an estimate while a model that cuts texts otherwise is at work."""
    complete: bool
    """Whether searches use the new embeddings."""
    model: str
    dimensions: int


class Migration:
    """One way of a collection from its model to another. What was embedded before an interruption is kept.

    Args:
        store: The truth.
        preparer: Cuts and embeds.
        embedder: The new model.
        run: Runs work where indexes may be touched.
        writing: Held by whoever changes the collection.
    """

    def __init__(
        self, *, store: Store, preparer: Preparer, embedder: Embedder, run: Run, writing: asyncio.Lock
    ) -> None:
        self._store, self._preparer, self._embedder = store, preparer, embedder
        self._run, self._writing = run, writing
        self._index: PassageIndex | None = None
        self._changed = asyncio.Condition()
        self.progress = Progress(0, 0, complete=False, model=embedder.model_id, dimensions=embedder.dimensions)
        self.failed: BaseException | None = None

    async def run(self, swap: Callable[[PassageIndex], None], spec: str) -> None:
        """Embeds everything, builds the new index, and hands it over while no writer is at work.

        Args:
            swap: Puts the new model and its index into service.
            spec: Setting that the new model was loaded from, kept for a later change.
        """
        try:
            await self._run_through(swap, spec)
        except BaseException as error:
            self.failed = error
            raise
        finally:
            async with self._changed:
                self._changed.notify_all()

    async def moved(self, last: Progress) -> Progress:
        """Waits until the progress is another one than the last, and returns it."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.progress != last or self.failed is not None)
        return self.progress

    async def _run_through(self, swap: Callable[[PassageIndex], None], spec: str) -> None:
        model = self._embedder.model_id
        counts = await self._store.passages_by_model()
        done = counts.pop(model, 0)
        await self._tell(done, max(done, *counts.values(), 0) if counts else done)
        log.info("embedding_model_changing", model=model, passages_done=done)
        await self._embed_missing()
        index = PassageIndex(self._embedder.dimensions)
        await fill(index, self._store, model, self._run)
        self._index = index
        for last in [False] * _ROUNDS + [True]:
            await self._embed_missing()
            async with self._writing:
                if await self._store.missing(model, 1):
                    if not last:
                        continue
                    await self._embed_missing()
                await self._drop_stale(index)
                await self._store.activate(model, spec)
                swap(index)
                break
        passages = len(index)
        self.progress = Progress(passages, passages, complete=True, model=model, dimensions=index.dimensions)
        log.info("embedding_model_changed", model=model, passages=passages)

    async def _embed_missing(self) -> None:
        model = self._embedder.model_id
        while waiting := await self._store.missing(model, _AT_ONCE):
            for document_id in waiting:
                stored = await self._store.document(document_id)
                if stored is None:
                    continue
                prepared = await self._preparer.prepare(self._embedder, stored.info.title, stored.content)
                keys = await self._store.write_again(stored, prepared.chunks, prepared.vector_bytes(), model=model)
                if keys and self._index is not None:
                    entries, texts = prepared.indexed(stored.info, keys)
                    await self._run(partial(self._index.add, entries, texts, prepared.vectors))
                await self._tell(self.progress.done + len(keys), self.progress.total)

    async def _drop_stale(self, index: PassageIndex) -> None:
        """Takes out what was deleted or replaced after the new index had read it."""
        live = {entry.key for entry in await self._store.entries(self._embedder.model_id)}
        await self._run(lambda: index.remove(index.without(live)))

    async def _tell(self, done: int, total: int) -> None:
        self.progress = Progress(
            done,
            max(done, total),
            complete=False,
            model=self._embedder.model_id,
            dimensions=self._embedder.dimensions,
        )
        async with self._changed:
            self._changed.notify_all()


async def followed(migration: Migration) -> AsyncGenerator[Progress, None]:
    """Yields the progress of a change of model until it is complete."""
    progress = migration.progress
    yield progress
    while not progress.complete:
        progress = await migration.moved(progress)
        if migration.failed is not None:
            raise UnavailableError("the change of the embedding model was interrupted", reason="UPDATE_INTERRUPTED")
        yield progress
