"""Brings a whole collection to another embedding model, beside the searches that the old one serves meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from onenumbers_knowledge.index.filling import Run, fill
from onenumbers_knowledge.index.passage_index import PassageIndex
from onenumbers_knowledge.ingestion.preparing import Embedder, Preparer
from onenumbers_knowledge.storage.change_log import Moment
from onenumbers_knowledge.storage.store import Store
from onenumbers_knowledge.storage.turn import Turn
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

    async def run(self, swap: Callable[[PassageIndex, Moment], None], spec: str) -> None:
        """Embeds everything, builds the new index, and hands it over while no writer is at work.

        Args:
            swap: Puts the new model and its index into service, which shows a moment of the store.
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

    async def _run_through(self, swap: Callable[[PassageIndex, Moment], None], spec: str) -> None:
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
                async with self._store.turn() as turn:
                    if await turn.missing(model, 1):
                        if not last:
                            continue
                        await self._embed_missing(turn)
                    live = await turn.keys(model)
                    moment = await turn.activate(model, spec)
                index = await self._complete(index, live)
                swap(index, moment)
                break
        passages = len(index)
        self.progress = Progress(passages, passages, complete=True, model=model, dimensions=index.dimensions)
        log.info("embedding_model_changed", model=model, passages=passages)

    async def _complete(self, index: PassageIndex, live: set[int]) -> PassageIndex:
        """Returns an index of exactly the passages that are there."""
        # Out goes what was deleted or replaced after the new index had read it.
        await self._run(lambda: index.remove(index.without(live)))
        if len(index) == len(live):
            return index
        # Another server was at the same work, for the lease was lost: what it embedded is not in this index.
        whole = PassageIndex(index.dimensions)
        await fill(whole, self._store, self._embedder.model_id, self._run)
        return whole

    async def _embed_missing(self, turn: Turn | None = None) -> None:
        """Embeds what the new model has not embedded yet; in a turn, while the writers of all servers wait."""
        model, source = self._embedder.model_id, turn if turn is not None else self._store
        while waiting := await source.missing(model, _AT_ONCE):
            for document_id in waiting:
                stored = await source.document(document_id)
                if stored is None:
                    continue
                prepared = await self._preparer.prepare(self._embedder, stored.info.title, stored.content)
                keys = await source.write_again(stored, prepared.chunks, prepared.vector_bytes(), model=model)
                if keys and self._index is not None:
                    entries, texts = prepared.indexed(stored.info, keys)
                    await self._run(partial(self._index.add, entries, texts, prepared.vectors))
                await self._tell(self.progress.done + len(keys), self.progress.total)

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
