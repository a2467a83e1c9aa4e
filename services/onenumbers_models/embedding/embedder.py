"""Embeddings by a GGUF model, off the event loop: batched over callers, kept by content, queries before documents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from onenumbers_models.embedding.context import TEXTS, EmbeddingContext
from onenumbers_models.embedding.lane import BATCH_TOKENS, Lane
from onenumbers_models.embedding.options import EmbeddingOptions, Pooling
from onenumbers_models.embedding.vector_cache import VectorCache
from onenumbers_models.native import Model
from onenumbers_models.weights.sources import ResolvedModel
from onenumbers_runtime.errors import InvalidArgumentError
from onenumbers_runtime.precedence import Precedence

MAX_WAITING = 2048
"""Texts of documents that wait at once; more are refused."""
MAX_QUERIES = 256
"""Queries that wait at once; more are refused."""
LONGEST = 512
"""Tokens that one text may have at most, whatever the model reads: attention costs their square."""
_QUERY_THREADS = 2
"""Threads of llama.cpp for queries at most: a short text gains nothing from more, and they spin beside others."""


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def model_id(self) -> str:
        """Name of the model; vectors of different models must not be mixed."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that the model reads of a text, special ones included."""
        ...

    def count_tokens(self, text: str) -> int:
        """Returns the tokens of a text, special ones included."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns one vector of length 1 per text of a document, shape (n, dimensions).

        Raises:
            InvalidArgumentError: A text has more tokens than the model reads.
            ResourceExhaustedError: Too many texts wait already.
        """
        ...

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """Returns the vector of a query, of length 1, shape (dimensions,); it does not wait for documents.

        Raises:
            InvalidArgumentError: The query has more tokens than the model reads.
            ResourceExhaustedError: Too many queries wait already.
        """
        ...

    async def close(self) -> None:
        """Frees the model."""
        ...


class LlamaEmbedder:
    """An Embedder in llama.cpp. Made by `load`.

    Queries and documents have a context and a thread each, over the same weights: a batch of documents that is being
    computed cannot be interrupted, so a query must not stand behind it.
    """

    def __init__(
        self,
        model_id: str,
        model: Model,
        *,
        threads: int,
        options: EmbeddingOptions,
        pooling: Pooling,
        precedence: Precedence,
    ) -> None:
        self.model_id = options.model_id(model_id, pooling)
        self.dimensions = model.dimensions
        self._model, self._options = model, options
        longest = min(model.trained_context, LONGEST)
        # The special tokens that stand around every text are counted once.
        prefixes = (options.query_prefix, options.document_prefix)
        room = [self.count_tokens(prefix) - self.count_tokens("") for prefix in prefixes]
        self.max_tokens = max(1, longest - max(room))
        self._longest = longest
        # A model that reads little still gets full batches.
        room_for = max(longest, BATCH_TOKENS)
        self._contexts = [
            EmbeddingContext(model, tokens=room_for, threads=count, pooling=pooling)
            for count in (min(threads, _QUERY_THREADS), threads)
        ]
        queries, documents = self._contexts
        self._queries = Lane("embed-queries", queries, tokenize=self._tokens, places=MAX_QUERIES, batch_texts=TEXTS)
        self._documents = Lane(
            "embed-documents",
            documents,
            tokenize=self._tokens,
            places=MAX_WAITING,
            batch_texts=TEXTS,
            behind=precedence,
        )
        # Two: documents that stream through would push all queries out.
        self._known_queries, self._known_documents = VectorCache(options.cache), VectorCache(options.cache)
        self._closed = False

    @classmethod
    async def load(
        cls,
        model: ResolvedModel,
        *,
        threads: int,
        options: EmbeddingOptions | None = None,
        precedence: Precedence | None = None,
    ) -> LlamaEmbedder:
        """Loads a model. Prove it safe first (onenumbers_models.process.probe).

        Args:
            model: The model.
            threads: Threads that compute.
            options: How texts are embedded.
            precedence: What goes before documents; nothing where it is not given.

        Raises:
            ModelError: It cannot be loaded, or gives no vectors of texts.
        """

        def loaded() -> LlamaEmbedder:
            weights = Model(model.path)
            try:
                return cls(
                    model.model_id,
                    weights,
                    threads=threads,
                    options=options or EmbeddingOptions(),
                    pooling=model.pooling,
                    precedence=precedence or Precedence(),
                )
            except BaseException:
                weights.close()
                raise

        return await asyncio.to_thread(loaded)

    def count_tokens(self, text: str) -> int:
        """Returns the tokens of a text, special ones included."""
        return self._model.count_tokens(text)

    @property
    def waiting(self) -> int:
        """Texts that are not done yet, of queries and documents."""
        return self._queries.waiting + self._documents.waiting

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns one vector of length 1 per text of a document, shape (n, dimensions)."""
        return await self._vectors(texts, self._options.document_prefix, self._documents, self._known_documents)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """Returns the vector of a query, of length 1, shape (dimensions,)."""
        found = await self._vectors([text], self._options.query_prefix, self._queries, self._known_queries)
        return np.asarray(found[0], dtype=np.float32)

    async def close(self) -> None:
        """Frees the model after the batches that run have ended."""
        if self._closed:
            return
        self._closed = True
        for lane in (self._queries, self._documents):
            await asyncio.to_thread(lane.close)
        for context in self._contexts:
            context.close()
        self._model.close()

    async def _vectors(self, texts: Sequence[str], prefix: str, lane: Lane, known: VectorCache) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        whole = [prefix + text for text in texts]
        keys = [VectorCache.key(self.model_id, text) for text in whole]
        found = {key: vector for key in keys if (vector := known.get(key)) is not None}
        # A text that stands twice among these is computed once.
        missing = {key: text for key, text in zip(keys, whole, strict=True) if key not in found}
        if missing:
            made = await lane.vectors(list(missing.values()))
            for key, vector in zip(missing, made, strict=True):
                known.put(key, vector)
                found[key] = vector
        return np.stack([found[key] for key in keys])

    def _tokens(self, text: str) -> NDArray[np.int32]:
        tokens = self._model.token_array(text)
        if len(tokens) > self._longest:
            beyond = self._longest - self.max_tokens
            raise InvalidArgumentError(
                f"the text has {len(tokens) - beyond} tokens, the model {self.model_id} reads {self.max_tokens}",
                reason="TEXT_TOO_LONG",
                metadata={"tokens": str(len(tokens) - beyond), "limit": str(self.max_tokens)},
            )
        return tokens
