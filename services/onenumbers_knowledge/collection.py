"""The collection: store, index and embedder as one. Every rule of the knowledge base stands here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from onenumbers_knowledge.chunking import Chunk, CountTokens, split
from onenumbers_knowledge.documents import Document, DocumentInfo, NewDocument, Passage, check
from onenumbers_knowledge.index import Filters, VectorIndex
from onenumbers_knowledge.store import Counts, IndexEntry, Store
from onenumbers_runtime.errors import InvalidArgumentError, NotFoundError, UnavailableError, invalid

log = structlog.get_logger()
T = TypeVar("T")

PASSAGE_TOKENS = 200
"""Tokens of a passage at most: MiniLM was trained on pieces of this size."""
HEADER_TOKENS = 100
"""Tokens that title and section may take beside the passage."""


SAVE_EVERY = 500
"""Changes after which the index is saved, so that little is made anew after a crash."""
_PORTION = 64
"""Texts handed to the model at once: a long document must fit its queue, and let others have their turn."""


class Embedder(Protocol):
    """What the collection needs of an embedding model (onenumbers_models.embedder.Embedder)."""

    @property
    def model_id(self) -> str: ...  # noqa: D102

    @property
    def dimensions(self) -> int: ...  # noqa: D102

    @property
    def max_tokens(self) -> int: ...  # noqa: D102

    def count_tokens(self, text: str) -> int: ...  # noqa: D102

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...  # noqa: D102


class Outcome(Enum):
    """What an ingestion did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found."""

    passage: Passage
    document: DocumentInfo
    similarity: float
    """Cosine similarity of passage and query, -1 to 1."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search returned."""

    hits: list[Hit]
    model: str
    compared: int
    """Passages that were compared with the query."""


class Collection:
    """The documents of one store. `open` makes it searchable.

    Args:
        store: The truth.
        index_path: File that the index is kept in between two runs.
    """

    def __init__(self, store: Store, *, index_path: Path) -> None:
        self._store = store
        self._index_path = index_path
        self._embedder: Embedder | None = None
        self._index: VectorIndex | None = None
        self._writing = asyncio.Lock()
        self._changes: set[asyncio.Future[Any]] = set()
        self._unsaved = 0
        self._closing = False
        # Counts tokens; `close` waits for it, since the model must not be freed under it.
        self._splitter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chunking")
        # FAISS runs here alone: off the event loop, and one call at a time.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")
        self.not_ready = "the embedding model is being loaded"
        """Why the collection cannot be searched yet."""

    async def open(self, embedder: Embedder) -> None:
        """Takes over an embedding model and brings the index in line with the store.

        Documents that another model had embedded are embedded again.
        """
        self._embedder = embedder
        index = VectorIndex(embedder.dimensions)
        self._index = index
        for document_id in await self._store.other_models(embedder.model_id):
            stored = await self._store.document(document_id)
            if stored is not None:
                await self._write(embedder, index, _again(stored), new_version=False)
        # Deletions are served meanwhile; one between reading and adding would leave its vectors behind.
        async with self._writing:
            await self._fill(index, embedder)
        self.not_ready = ""

    async def close(self) -> None:
        """Ends what is being written and saves the index for the next start. Close the embedder after this."""
        self._closing = True
        await asyncio.to_thread(self._splitter.shutdown)
        await asyncio.gather(*self._changes, return_exceptions=True)
        await self.save()
        await asyncio.to_thread(self._executor.shutdown)

    async def save(self) -> None:
        """Saves the index. What is lost here is only time: it can always be made again from the store."""
        if self._embedder is None or self._index is None or self.not_ready:
            return
        async with self._writing:
            changes = await self._store.changes()
            index, model = self._index, self._embedder.model_id
            self._unsaved = 0
            try:
                await self._run(lambda: index.save(self._index_path, changes=changes, model=model))
            except OSError as error:
                log.warning("index_not_saved", reason=str(error))

    async def ingest(self, document: NewDocument) -> tuple[DocumentInfo, Outcome]:
        """Adds a document or a new version of one; returns when it is durable and searchable.

        Raises:
            InvalidArgumentError: The document breaks a rule.
            UnavailableError: No embedding model is loaded, or the store cannot be written.
        """
        check(document)
        embedder, index = self._ready()
        known = await self._store.info(document.identifier)
        if known is not None and known.record_hash == document.record_hash:
            return known, Outcome.UNCHANGED
        return await self._write(embedder, index, document)

    async def search(
        self, query: str, *, count: int, min_similarity: float | None = None, filters: Filters | None = None
    ) -> Found:
        """Returns the passages nearest to a query, best first.

        Args:
            query: What to look for.
            count: How many passages at most.
            min_similarity: Least cosine similarity.
            filters: Which passages may be found.

        Raises:
            InvalidArgumentError: The query is blank, or longer than the model reads.
            UnavailableError: No embedding model is loaded.
        """
        embedder, index = self._ready()
        if not query.strip():
            raise invalid("query", "holds only white space", rule="query.blank")
        try:
            vector = (await embedder.embed([query]))[0]
        except InvalidArgumentError as error:
            limit = error.metadata.get("limit", "")
            raise invalid(
                "query",
                f"has {error.metadata.get('tokens', '')} tokens, the model reads {limit}",
                rule="query.max_tokens",
            ) from None
        ranked, compared = await self._run(lambda: index.search(vector, count, filters or Filters()))
        if min_similarity is not None:
            ranked = [(key, score) for key, score in ranked if score >= min_similarity]
        found = await self._store.passages([key for key, _ in ranked])
        hits = [Hit(*found[key], similarity=score) for key, score in ranked if key in found]
        return Found(hits=hits, model=embedder.model_id, compared=compared)

    async def get(self, document_id: str) -> Document:
        """Returns a document.

        Raises:
            NotFoundError: There is none of that id.
        """
        document = await self._store.document(document_id)
        if document is None:
            raise _not_found(document_id)
        return document

    async def page(
        self, *, after: str, limit: int, category: str = "", source: str = ""
    ) -> tuple[list[DocumentInfo], int]:
        """Returns documents ordered by id that come after an id, and how many match in all."""
        return await self._store.page(after=after, limit=limit, category=category, source=source)

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
                raise _not_found(document_id)
            info, keys = gone
            index = self._index
            if index is not None:
                await self._run(lambda: index.remove(keys))
        self._changed()
        return info, len(keys)

    async def counts(self, category: str = "") -> Counts:
        """Returns sums over the documents of a category, or over all, from the store."""
        return await self._store.counts(category)

    def index_state(self) -> tuple[str, int, int, int]:
        """Returns the model, its dimensions, the vectors in the index, and the store's size in bytes."""
        ready = self._embedder is not None and self._index is not None and not self.not_ready
        if not ready or self._embedder is None or self._index is None:
            return "", 0, 0, self._store.size_bytes()
        return self._embedder.model_id, self._embedder.dimensions, len(self._index), self._store.size_bytes()

    async def removed(self) -> set[str]:
        """Returns the ids of documents of the starter corpus that were deleted."""
        return await self._store.removed()

    async def info(self, document_id: str) -> DocumentInfo | None:
        """Returns what is known of a document, or None."""
        return await self._store.info(document_id)

    def _ready(self) -> tuple[Embedder, VectorIndex]:
        if self._embedder is None or self._index is None or self.not_ready:
            raise UnavailableError(
                f"the knowledge base cannot be searched yet: {self.not_ready}",
                reason="EMBEDDING_MODEL_LOADING",
                retry_after=2.0,
            )
        return self._embedder, self._index

    async def _write(
        self, embedder: Embedder, index: VectorIndex, document: NewDocument, *, new_version: bool = True
    ) -> tuple[DocumentInfo, Outcome]:
        """Embeds first, then writes all in one transaction, then follows with the index."""
        header_room = min(HEADER_TOKENS, embedder.max_tokens // 4)
        budget = min(PASSAGE_TOKENS, embedder.max_tokens - header_room)

        def count(text: str) -> int:
            if self._closing:
                raise UnavailableError("the knowledge server is stopping", reason="SERVER_STOPPING", retry_after=2.0)
            return embedder.count_tokens(text)

        def pieces() -> tuple[list[Chunk], list[str]]:
            chunks = split(document.content, count_tokens=count, budget=budget)
            return chunks, [_embedded(count, document, chunk, header_room) for chunk in chunks]

        chunks, texts = await asyncio.get_running_loop().run_in_executor(self._splitter, pieces)
        portions = [await embedder.embed(texts[start : start + _PORTION]) for start in range(0, len(texts), _PORTION)]
        vectors = np.concatenate(portions) if portions else np.empty((0, embedder.dimensions), dtype=np.float32)
        # From here on a caller that goes away must not leave the index behind the store.
        return await self._whole(self._commit(embedder, index, document, chunks, vectors, new_version=new_version))

    def _changed(self) -> None:
        self._unsaved += 1
        if self._unsaved >= SAVE_EVERY:
            self._unsaved = 0
            task = asyncio.ensure_future(self.save())
            self._changes.add(task)
            task.add_done_callback(self._changes.discard)

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a change to its end, also when its caller is cancelled."""
        task = asyncio.ensure_future(work)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    async def _commit(
        self,
        embedder: Embedder,
        index: VectorIndex,
        document: NewDocument,
        chunks: Sequence[Chunk],
        vectors: NDArray[np.float32],
        *,
        new_version: bool,
    ) -> tuple[DocumentInfo, Outcome]:
        async with self._writing:
            # Asked again under the lock: the same document may have been handed in twice at once.
            known = await self._store.info(document.identifier)
            if new_version and known is not None and known.record_hash == document.record_hash:
                return known, Outcome.UNCHANGED
            info, added, gone = await self._store.write(
                document,
                chunks,
                [vector.tobytes() for vector in vectors],
                model=embedder.model_id,
                now=datetime.now(UTC).replace(tzinfo=None),
                new_version=new_version,
            )
            entries = [
                IndexEntry(key, info.document_id, info.category, info.source, info.school, info.numbers)
                for key in added
            ]

            def follow() -> None:
                index.remove(gone)
                index.add(entries, vectors)

            await self._run(follow)
        self._changed()
        return info, Outcome.CREATED if known is None else Outcome.UPDATED

    async def _fill(self, index: VectorIndex, embedder: Embedder) -> None:
        """Loads the saved index where it fits the store, and makes it from the store otherwise."""
        entries = await self._store.entries()
        changes = await self._store.changes()
        if await self._run(lambda: index.load(self._index_path, entries, changes=changes, model=embedder.model_id)):
            log.info("index_loaded", vectors=len(index))
            return
        by_key = {entry.key: entry for entry in entries}
        # Documents that were embedded again are in it already.
        await self._run(lambda: index.remove(list(by_key)))
        async for part in self._store.vectors():
            present = [(by_key[key], vector) for key, vector in part if key in by_key]
            matrix = np.frombuffer(b"".join(vector for _, vector in present), dtype=np.float32)
            await self._run(
                lambda present=present, matrix=matrix: index.add(  # type: ignore[misc]
                    [entry for entry, _ in present], matrix.reshape(len(present), index.dimensions)
                )
            )
        log.info("index_built", vectors=len(index))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _embedded(count: CountTokens, document: NewDocument, chunk: Chunk, header_room: int) -> str:
    """Returns the text that a passage's vector is made from: title and section give it its context."""
    header = f"{document.title}. {chunk.section}".strip() if chunk.section != document.title else document.title
    if count(header) > header_room:
        header = ""
    return (
        f"{header}\n{document.content[chunk.start : chunk.end]}"
        if header
        else document.content[chunk.start : chunk.end]
    )


def _again(stored: Document) -> NewDocument:
    info = stored.info
    return replace(
        NewDocument(title=info.title, content=stored.content, category=info.category),
        source=info.source,
        document_id=info.document_id,
        school=info.school,
        numbers=info.numbers,
        language=info.language,
        metadata=dict(info.metadata),
    )


def _not_found(document_id: str) -> NotFoundError:
    return NotFoundError(f"there is no document {document_id!r}", reason="DOCUMENT_NOT_FOUND")
