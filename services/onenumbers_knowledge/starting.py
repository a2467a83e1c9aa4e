"""Brings a knowledge server to where it can serve, and keeps it there: model, index, corpus, a store within reach."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, Protocol, TypeVar

import structlog

from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.ingestion.loading import load_embedder, load_previous, load_with_progress
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.storage.store import Store
from onenumbers_models.embedding.embedder import LlamaEmbedder
from onenumbers_models.errors import ModelError
from onenumbers_runtime.errors import MeshError

log = structlog.get_logger()
GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")

_RETRY_S: Final = 30.0
"""Seconds after which a model that could not be loaded is tried again: a file may have come, memory been freed."""
_STORE_RETRY_S: Final = 2.0
"""Seconds after which loading goes on where the store had failed."""
_LOADED, _REACHABLE = "loaded", "reachable"


class SetServing(Protocol):
    """Sets the health of a server."""

    async def __call__(self, serving: bool, *, reason: str = "") -> None: ...  # noqa: D102


class Readiness:
    """Health from several conditions: SERVING while all of them hold.

    Args:
        set_serving: Sets the server's health.
    """

    def __init__(self, set_serving: SetServing) -> None:
        self._set_serving = set_serving
        self._reasons = {_LOADED: "the embedding model is being loaded", _REACHABLE: ""}
        self._told: str | None = None

    async def set(self, condition: str, reason: str = "") -> None:
        """Sets why a condition does not hold; an empty reason means that it does."""
        self._reasons[condition] = reason
        why = next((found for found in self._reasons.values() if found), "")
        if why != self._told:
            self._told = why
            await self._set_serving(not why, reason=why)

    async def store_reachable(self, reachable: bool, reason: str) -> None:
        """Takes what the follower of a shared store tells."""
        await self.set(_REACHABLE, "" if reachable else reason)


class Starting:
    """Loads what a server needs, and goes over to another embedding model when it or another server does.

    Args:
        settings: Which model, and whether the corpus is loaded.
        store: The document store.
        collection: What is opened.
        readiness: Told what is missing.
        stack: Closes the models at the end.
    """

    def __init__(
        self,
        *,
        settings: KnowledgeSettings,
        store: Store,
        collection: Collection,
        readiness: Readiness,
        stack: AsyncExitStack,
    ) -> None:
        self._settings, self._store, self._collection = settings, store, collection
        self._readiness, self._stack = readiness, stack

    async def run(self) -> None:
        """Loads model, index and corpus, then reports SERVING; without a model it keeps trying and says why.

        After a change of the embedding model the one before serves until the documents are embedded anew.
        """
        embedder = await self._until_loaded(self._settings)
        previous = await self._until_stored(self._open, embedder)
        if previous is not None:
            try:
                await self._collection.migrate(embedder, spec=self._settings.embedding_model)
            except Exception:
                # The previous model goes on serving; what was embedded is kept, and the next start goes on from there.
                log.exception("embedding_model_not_changed")
        while self._store.shared:
            await self._collection.moved.wait()
            await self._readiness.set(_LOADED, f"the embedding model {self._collection.moved_to} is being loaded")
            await self._until_stored(self._go_over, None)

    async def _open(self, embedder: LlamaEmbedder) -> LlamaEmbedder | None:
        """Opens the collection; returns the model of before where that one serves now."""
        previous = await load_previous(self._settings, self._store, embedder, precedence=self._collection.precedence)
        if previous is not None:
            self._stack.push_async_callback(previous.close)
        await self._collection.open(embedder, spec=self._settings.embedding_model, previous=previous)
        if self._settings.load_corpus:
            async with self._collection.once("corpus"):
                await load_with_progress(self._collection)
        await self._readiness.set(_LOADED)
        return previous

    async def _go_over(self, _: None) -> None:
        """Loads the model that another server has brought the collection to."""
        while self._collection.moved_to:
            spec, wanted = await self._store.fact("active_spec"), await self._store.active_model()
            embedder = await self._until_loaded(self._settings.model_copy(update={"embedding_model": spec}))
            if embedder.model_id == wanted:
                await self._collection.open(embedder, spec=spec)
                break
            reason = f"the collection is of the embedding model {wanted}; {spec} is {embedder.model_id} here"
            log.error("embedding_model_unusable", reason=reason)
            await self._readiness.set(_LOADED, reason)
            await asyncio.sleep(_RETRY_S)
        await self._readiness.set(_LOADED)

    async def _until_loaded(self, settings: KnowledgeSettings) -> LlamaEmbedder:
        """Returns the embedding model of the settings, whenever it can be loaded."""
        while True:
            try:
                embedder = await load_embedder(settings, precedence=self._collection.precedence)
            except ModelError as error:
                reason = str(error)
                self._collection.not_ready = reason
                log.error("embedding_model_unusable", reason=reason)
                await self._readiness.set(_LOADED, reason)
                await asyncio.sleep(_RETRY_S)
            else:
                self._stack.push_async_callback(embedder.close)
                return embedder

    async def _until_stored(self, work: Callable[[GivenT], Awaitable[ResultT]], given: GivenT) -> ResultT | None:
        """Does work that needs the store, again while that is out of reach; what was done is not done twice."""
        while True:
            try:
                return await work(given)
            except MeshError as error:
                self._collection.not_ready = error.message
                log.warning("loading_interrupted", reason=error.message)
                await self._readiness.set(_LOADED, error.message)
                await asyncio.sleep(_STORE_RETRY_S)
            except Exception:
                self._collection.not_ready = "loading failed: see the server's log"
                log.exception("loading_failed")
                await self._readiness.set(_LOADED, self._collection.not_ready)
                return None
