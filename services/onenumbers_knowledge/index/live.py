"""The index that searches use, kept in step with the store: with this server's changes, and with those of others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import numpy as np
import structlog

from onenumbers_knowledge.index.filling import fill, fill_words
from onenumbers_knowledge.index.passage_index import PassageIndex
from onenumbers_knowledge.index.thread import IndexThread
from onenumbers_knowledge.ingestion.preparing import Embedder, Prepared
from onenumbers_knowledge.storage.change_log import Moment
from onenumbers_knowledge.storage.index_source import News
from onenumbers_knowledge.storage.store import Store
from onenumbers_knowledge.storage.turn import model_changed
from onenumbers_knowledge.storage.writes import Written
from onenumbers_runtime.errors import UnavailableError

log = structlog.get_logger()
T = TypeVar("T")

_AT_ONCE: Final = 50
"""Changes that are followed before searches get their turn again."""
_TRIES: Final = 5
"""Times that an index is made anew because everything was replaced while it was made."""


class Serving(NamedTuple):
    """A model and the index of its vectors: exchanged together, or dimensions would mix."""

    embedder: Embedder
    passages: PassageIndex


@dataclass(slots=True)
class _Shown:
    """An index, and the moment of the store that it shows."""

    passages: PassageIndex
    moment: Moment


class LiveIndex:
    """The index of a collection, and the moment of the store that it shows.

    Changes are taken in the order in which the store has them. One of this server's own is taken as it was prepared
    where nothing came between; else it is read from the store with those that did.

    Args:
        store: The truth.
        path: File that the index is kept in between two runs.
        taken: Told how many changes have come into the index, whoever made them.
    """

    def __init__(self, store: Store, path: Path, *, taken: Callable[[int], None]) -> None:
        self._store = store
        self._path = path
        self._taken = taken
        self._shown: _Shown | None = None
        self._thread = IndexThread()
        self.writing = asyncio.Lock()
        """Held by whoever changes the collection or its index."""
        self.serving: Serving | None = None
        self.moved_to = ""
        """Model that another server has brought the collection to; empty while it is the one that serves."""
        self.moved = asyncio.Event()
        """Set while there is such a model."""

    async def run(self, work: Callable[[], T]) -> T:
        """Runs work where indexes may be touched."""
        return await self._thread.run(work)

    async def run_search(self, work: Callable[[], T]) -> T:
        """Runs work of a search there: it goes before what is none."""
        return await self._thread.run(work, search=True)

    async def open(self, embedder: Embedder) -> None:
        """Loads the saved vectors where they fit the store, and makes everything else from the store."""
        async with self.writing:
            await self.make(embedder)

    async def make(self, embedder: Embedder) -> None:
        """Makes the index from the store and lets it serve. The caller holds `writing`."""
        for _ in range(_TRIES):
            # The moment first: what changes while the store is read is taken once more afterwards.
            moment = await self._store.moment()
            shown = _Shown(await self._made(embedder, moment), moment)
            if await self._follow(shown, embedder.model_id):
                self.exchange(Serving(embedder, shown.passages), shown.moment)
                return
            if self.moved_to:
                raise model_changed()
        raise UnavailableError(
            "the collection is being replaced again and again: its index cannot be made",
            reason="COLLECTION_REPLACED",
            retry_after=5.0,
        )

    def exchange(self, serving: Serving, moment: Moment) -> None:
        """Lets another index serve, which shows a moment of the store. The caller holds `writing`."""
        self.serving, self._shown, self.moved_to = serving, _Shown(serving.passages, moment), ""
        self.moved.clear()

    async def take(self, serving: Serving, written: Written, prepared: Prepared | None = None) -> None:
        """Takes a change that this server has made. The caller holds `writing`.

        Args:
            serving: What serves.
            written: What the store says of the change.
            prepared: The passages that it added.
        """
        moment, shown = written.moment, self._shown
        if moment is None:
            return
        if shown is None or shown.moment.number + 1 != moment.number:
            await self._catch_up()
            return
        entries, texts = prepared.indexed(written.info, written.added) if prepared is not None else ([], [])

        def follow() -> None:
            serving.passages.remove(written.gone)
            if prepared is not None and entries:
                serving.passages.add(entries, texts, prepared.vectors)

        await self.run(follow)
        shown.moment = moment
        self._taken(1)

    async def follow(self, number: int = 0) -> None:
        """Takes what has changed in the store, here or by another server, before this call.

        Args:
            number: A change that the caller has heard of: where the index shows that one, nothing is asked. 0 asks.

        Raises:
            MeshError: The store cannot be read.
        """
        async with self.writing:
            # A server hears of its own changes, too, which it has taken by now.
            if not number or self._shown is None or self._shown.moment.number < number:
                await self._catch_up()

    async def _catch_up(self) -> None:
        if self.serving is None or self._shown is None or self.moved_to:
            return
        embedder = self.serving.embedder
        if not await self._follow(self._shown, embedder.model_id) and not self.moved_to:
            log.info("collection_replaced")
            await self.make(embedder)

    async def _follow(self, shown: _Shown, model: str) -> bool:
        """Brings an index up to date; returns False where it has to be made anew, or is of a model of before."""
        while True:
            news = await self._store.news(shown.moment, model, limit=_AT_ONCE)
            if news.model not in ("", model):
                log.warning("embedding_model_exchanged", model=news.model, before=model)
                self.moved_to = news.model
                self.moved.set()
                return False
            if news.changes.everything:
                return False
            if news.changes.until == shown.moment:
                return True
            await self.run(partial(_take, shown.passages, news))
            shown.moment = news.changes.until
            self._taken(len(news.changes.document_ids))

    async def save(self) -> None:
        """Saves the index. What is lost here is only time: it can always be made again from the store."""
        async with self.writing:
            if self.serving is None or self._shown is None or self.moved_to:
                return
            (embedder, index), stamp = self.serving, self._shown.moment.stamp
            write = await self.run(lambda: index.dense.saving(self._path, changes=stamp, model=embedder.model_id))
            try:
                # Searches go on meanwhile: they waited 150 ms for 20,000 vectors. Changes wait for `writing`.
                await asyncio.to_thread(write)
            except OSError as error:
                log.warning("index_not_saved", reason=str(error))

    async def close(self) -> None:
        """Waits for what runs."""
        await asyncio.to_thread(self._thread.close)

    async def _made(self, embedder: Embedder, moment: Moment) -> PassageIndex:
        index, model = PassageIndex(embedder.dimensions), embedder.model_id
        entries = await self._store.entries(model)
        if await self.run(lambda: index.dense.load(self._path, entries, changes=moment.stamp, model=model)):
            await fill_words(index, self._store, model, self.run)
            log.info("index_loaded", vectors=len(index))
        else:
            await fill(index, self._store, model, self.run)
            log.info("index_built", vectors=len(index))
        return index


def _take(index: PassageIndex, news: News) -> None:
    # What is there of the changed documents goes, too: it may have been read from the store already.
    entries = news.entries
    index.remove([*news.changes.gone, *(entry.key for entry in entries)])
    if entries:
        vectors = np.frombuffer(b"".join(news.vectors), dtype=np.float32)
        index.add(entries, news.texts, vectors.reshape(len(entries), index.dimensions))
