"""What a document becomes before it is stored: passages with their vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.documents import DocumentInfo
from onenumbers_knowledge.ingestion.chunking import Chunk, CountTokens, split
from onenumbers_knowledge.storage.index_source import IndexedText, IndexEntry
from onenumbers_runtime.errors import UnavailableError

PASSAGE_TOKENS = 200
"""Tokens of a passage at most: MiniLM was trained on pieces of this size."""
HEADER_TOKENS = 100
"""Tokens that title and section may take beside the passage."""
_PORTION = 64
"""Texts handed to the model at once: a long document must fit its queue, and let others have their turn."""


class Embedder(Protocol):
    """What the collection needs of an embedding model (onenumbers_models.embedding.embedder.Embedder)."""

    @property
    def model_id(self) -> str: ...  # noqa: D102

    @property
    def dimensions(self) -> int: ...  # noqa: D102

    @property
    def max_tokens(self) -> int: ...  # noqa: D102

    def count_tokens(self, text: str) -> int: ...  # noqa: D102

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]: ...  # noqa: D102

    async def embed_query(self, text: str) -> NDArray[np.float32]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Prepared:
    """Passages of a document, ready to be stored."""

    title: str
    content: str
    chunks: list[Chunk]
    vectors: NDArray[np.float32]
    """One of length 1 for each passage, shape (n, dimensions)."""

    def vector_bytes(self) -> list[bytes]:
        """Returns the vectors as the store keeps them."""
        return [vector.tobytes() for vector in self.vectors]

    def indexed(self, info: DocumentInfo, keys: Sequence[int]) -> tuple[list[IndexEntry], list[IndexedText]]:
        """Returns what the index needs of the passages, stored under these keys."""
        told = (info.document_id, info.category, info.source, info.school, info.numbers, info.metadata)
        entries = [IndexEntry(key, *told) for key in keys]
        texts = [
            IndexedText(key, info.document_id, self.title, chunk.section, self.content[chunk.start : chunk.end])
            for key, chunk in zip(keys, self.chunks, strict=True)
        ]
        return entries, texts


class Preparer:
    """Cuts documents into passages, off the event loop, and embeds them."""

    def __init__(self) -> None:
        # Counts tokens; `close` waits for it, since the model must not be freed under it.
        self._splitter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chunking")
        self.closing = False
        """Whether the server is stopping."""

    async def prepare(self, embedder: Embedder, title: str, content: str) -> Prepared:
        """Returns the passages of a document with their vectors.

        Raises:
            UnavailableError: The server is stopping.
        """
        header_room = min(HEADER_TOKENS, embedder.max_tokens // 4)
        budget = min(PASSAGE_TOKENS, embedder.max_tokens - header_room)

        def count(text: str) -> int:
            if self.closing:
                raise UnavailableError("the knowledge server is stopping", reason="SERVER_STOPPING", retry_after=2.0)
            return embedder.count_tokens(text)

        def pieces() -> tuple[list[Chunk], list[str]]:
            chunks = split(content, count_tokens=count, budget=budget)
            return chunks, [_embedded(count, title, content, chunk, header_room) for chunk in chunks]

        chunks, texts = await asyncio.get_running_loop().run_in_executor(self._splitter, pieces)
        portions = [await embedder.embed(texts[start : start + _PORTION]) for start in range(0, len(texts), _PORTION)]
        vectors = np.concatenate(portions) if portions else np.empty((0, embedder.dimensions), dtype=np.float32)
        return Prepared(title, content, chunks, vectors)

    async def close(self) -> None:
        """Ends what is being cut."""
        self.closing = True
        await asyncio.to_thread(self._splitter.shutdown)


def _embedded(count: CountTokens, title: str, content: str, chunk: Chunk, header_room: int) -> str:
    """Returns the text that a passage's vector is made from: title and section give it its context."""
    header = f"{title}. {chunk.section}".strip() if chunk.section != title else title
    text = content[chunk.start : chunk.end]
    return f"{header}\n{text}" if count(header) <= header_room else text
