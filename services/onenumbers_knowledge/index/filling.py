"""Makes indexes from the store: all at once at a start, or beside the one that serves."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

import faiss
import numpy as np
import structlog
from numpy.typing import NDArray

from onenumbers_knowledge.index import large as large_index
from onenumbers_knowledge.index.lexical_segment import Segment
from onenumbers_knowledge.index.passage_index import PassageIndex
from onenumbers_knowledge.index.vectors import FLAT_MAX
from onenumbers_knowledge.storage.store import Store
from onenumbers_runtime.memory import give_back

log = structlog.get_logger()
T = TypeVar("T")

_FROZEN_FROM = 10_000
"""Passages from which the collector is told to leave alone what an index holds. It would go through all of it now and
then, and no search is answered meanwhile: 50 ms at 100,000 passages."""


_WORK_S, _REST_S = 0.001, 0.002
"""How long a merge of words works and rests in turn: while it has the interpreter every step of a search waits."""


class Run(Protocol):
    """Runs work where indexes may be touched."""

    async def __call__(self, work: Callable[[], T]) -> T: ...  # noqa: D102


async def fill(index: PassageIndex, store: Store, model: str, run: Run) -> None:
    """Makes an index from the passages in the store that a model has embedded."""
    by_key = {entry.key: entry for entry in await store.entries(model)}
    if len(by_key) > FLAT_MAX:
        built, keys = await build_large(store, model, count=len(by_key), dimensions=index.dimensions)
        await run(partial(index.dense.adopt_filled, built, keys, by_key))
        await fill_words(index, store, model, run)
        return
    async for part in store.vectors(model):
        present = [(by_key[key], vector) for key, vector in part if key in by_key]
        matrix = np.frombuffer(b"".join(vector for _, vector in present), dtype=np.float32)
        entries = [entry for entry, _ in present]
        await run(partial(index.dense.add, entries, matrix.reshape(len(present), index.dimensions)))
    await fill_words(index, store, model, run)


async def fill_words(index: PassageIndex, store: Store, model: str, run: Run) -> None:
    """Makes the lexical half of an index from the store."""
    await run(index.begin_bulk)
    async for texts in store.texts(model):
        await run(partial(index.add_words, texts))
    await run(index.end_bulk)
    await asyncio.to_thread(give_back)
    if len(index) >= _FROZEN_FROM:
        gc.collect()
        gc.freeze()


async def build_large(
    store: Store,
    model: str,
    *,
    count: int,
    dimensions: int,
    beside: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> tuple[Any, NDArray[np.int64]]:
    """Builds the index of a large collection in a thread of its own; returns it with the keys that it holds.

    Args:
        store: Where the vectors are read, twice.
        model: Model of the vectors.
        count: How many there are, about.
        dimensions: Length of a vector.
        beside: Whether searches go on meanwhile: a core is left to them.
        stopping: Tells that the work is no longer wanted.

    Raises:
        InterruptedError: It is no longer wanted.
    """
    loop = asyncio.get_running_loop()
    seen: list[NDArray[np.int64]] = []

    def parts() -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        seen.clear()
        source = store.vectors(model)
        while True:
            if stopping():
                raise InterruptedError("the index is no longer wanted")
            part = asyncio.run_coroutine_threadsafe(anext(source, None), loop).result()
            if part is None:
                return
            keys = np.array([key for key, _ in part], dtype=np.int64)
            seen.append(keys)
            rows = np.frombuffer(b"".join(vector for _, vector in part), dtype=np.float32)
            yield keys, rows.reshape(len(part), dimensions)

    def build() -> Any:
        cores = os.cpu_count() or 1
        # FAISS takes this for the thread that says it alone.
        faiss.omp_set_num_threads(max(1, cores - 1) if beside else cores)
        return large_index.build(parts, count=count, dimensions=dimensions)

    built = await asyncio.to_thread(build)
    return built, np.concatenate(seen) if seen else np.empty(0, dtype=np.int64)


async def resize(index: PassageIndex, store: Store, model: str, run: Run, *, stopping: Callable[[], bool]) -> str:
    """Gives an index that has outgrown its kind another one, beside the searches; returns its kind, or nothing.

    What is added or removed meanwhile is carried over.
    """
    if not await run(lambda: index.dense.rebuild_due):
        return ""
    count = len(index)
    if count > FLAT_MAX:
        built, keys = await build_large(
            store, model, count=count, dimensions=index.dimensions, beside=True, stopping=stopping
        )
    else:
        built, parts = faiss.IndexIDMap2(faiss.IndexFlatIP(index.dimensions)), []
        async for part in store.vectors(model):
            some = np.array([key for key, _ in part], dtype=np.int64)
            rows = np.frombuffer(b"".join(vector for _, vector in part), dtype=np.float32)
            built.add_with_ids(rows.reshape(len(part), index.dimensions), some)
            parts.append(some)
        keys = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    await run(partial(index.dense.adopt, built, keys))
    return index.dense.kind


class Upkeep:
    """Keeps indexes quick while they grow: merges segments of words, exchanges the kind of the vectors' index.

    Args:
        store: Where vectors are read.
        run: Runs work where indexes may be touched.
        stopping: Tells that the server is stopping.
    """

    def __init__(self, store: Store, run: Run, *, stopping: Callable[[], bool]) -> None:
        self._store, self._run, self._stopping = store, run, stopping
        self._busy = False
        self._rested = 0.0

    async def __call__(self, index: PassageIndex, model: str) -> None:
        """Does what is due for an index; nothing while another call is at it."""
        if self._busy:
            return
        self._busy = True
        try:
            for words in (index.lexical, index.documents):
                tokens = await self._run(words.merge_due)
                if tokens:
                    await self._run(partial(words.adopt, await asyncio.to_thread(Segment, tokens, rest=self._rest)))
                    del tokens
                    await asyncio.to_thread(give_back)
            kind = await resize(index, self._store, model, self._run, stopping=self._stopping)
            if kind:
                await asyncio.to_thread(give_back)
                log.info("index_exchanged", kind=kind, vectors=len(index))
        except InterruptedError as error:
            log.debug("upkeep_ended", reason=str(error))
        finally:
            self._busy = False

    def _rest(self) -> None:
        if time.perf_counter() - self._rested < _WORK_S:
            return
        if self._stopping():
            raise InterruptedError("the server is stopping")
        time.sleep(_REST_S)
        self._rested = time.perf_counter()
