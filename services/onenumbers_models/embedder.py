"""Embeddings by a GGUF model, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from onenumbers_models.errors import ModelError
from onenumbers_models.native import Model
from onenumbers_models.sources import ResolvedModel
from onenumbers_runtime.errors import InvalidArgumentError, ResourceExhaustedError

MAX_WAITING = 2048
"""Texts that wait at once; more are refused."""
LONGEST = 512
"""Tokens that one text may have at most, whatever the model reads: attention costs their square."""
_SLICE = 8
"""Texts that are embedded before others get their turn."""


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
        """Tokens that the model reads, special ones included."""
        ...

    def count_tokens(self, text: str) -> int:
        """Returns the tokens of a text, special ones included."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns one vector of length 1 per text, shape (n, dimensions).

        Raises:
            InvalidArgumentError: A text has more tokens than the model reads.
            ResourceExhaustedError: Too many texts wait already.
        """
        ...

    async def close(self) -> None:
        """Frees the model."""
        ...


class LlamaEmbedder:
    """An Embedder in llama.cpp. Made by `load`."""

    def __init__(self, model_id: str, model: Model, *, threads: int) -> None:
        self.model_id = model_id
        self.dimensions = model.dimensions
        self.max_tokens = min(model.trained_context, LONGEST)
        self._model = model
        # One text a batch: attention would run over everything that stands in it.
        self._context = model.context(tokens=self.max_tokens, batch=self.max_tokens, threads=threads, embeddings=True)
        self._batch = model.lib.llama_batch_init(self.max_tokens, 0, 1)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._waiting = 0
        self._closed = False

    @classmethod
    async def load(cls, model: ResolvedModel, *, threads: int) -> Self:
        """Loads a model. Prove it safe first (onenumbers_models.probe).

        Raises:
            ModelError: It cannot be loaded.
        """
        return await asyncio.to_thread(lambda: cls(model.model_id, Model(model.path), threads=threads))

    def count_tokens(self, text: str) -> int:
        """Returns the tokens of a text, special ones included."""
        return len(self._model.tokenize(text, special=False))

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns one vector of length 1 per text, shape (n, dimensions)."""
        if self._waiting + len(texts) > MAX_WAITING:
            raise ResourceExhaustedError(
                f"{self._waiting} texts wait to be embedded already", reason="EMBEDDER_BUSY", retry_after=2.0
            )
        self._waiting += len(texts)
        loop = asyncio.get_running_loop()
        vectors: list[NDArray[np.float32]] = []
        try:
            for start in range(0, len(texts), _SLICE):
                part = texts[start : start + _SLICE]
                vectors.append(await loop.run_in_executor(self._executor, self._embed, part))
        finally:
            self._waiting -= len(texts)
        return np.concatenate(vectors) if vectors else np.empty((0, self.dimensions), dtype=np.float32)

    async def close(self) -> None:
        """Frees the model after what runs has ended."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._executor.shutdown)
        self._model.lib.llama_batch_free(self._batch)
        self._model.lib.llama_free(self._context)
        self._model.close()

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._embed_one(text) for text in texts])

    def _embed_one(self, text: str) -> NDArray[np.float32]:
        lib = self._model.lib
        tokens = self._model.tokenize(text, special=False)
        if len(tokens) > self.max_tokens:
            raise InvalidArgumentError(
                f"the text has {len(tokens)} tokens, the model {self.model_id} reads {self.max_tokens}",
                reason="TEXT_TOO_LONG",
                metadata={"tokens": str(len(tokens)), "limit": str(self.max_tokens)},
            )
        batch = self._batch
        batch.n_tokens = len(tokens)
        for position, token in enumerate(tokens):
            batch.token[position], batch.pos[position] = token, position
            batch.n_seq_id[position], batch.seq_id[position][0] = 1, 0
            # Every token counts for the mean.
            batch.logits[position] = 1
        memory = lib.llama_get_memory(self._context)
        if memory:
            lib.llama_memory_clear(memory, True)
        if lib.llama_decode(self._context, batch) != 0:
            raise ModelError(f"the model {self.model_id} failed on a text of {len(tokens)} tokens")
        pointer = lib.llama_get_embeddings_seq(self._context, 0)
        if not pointer:
            raise ModelError(f"the model {self.model_id} gives no embeddings: it is of another kind")
        vector = np.ctypeslib.as_array(pointer, shape=(self.dimensions,)).astype(np.float32, copy=True)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0.0:
            raise ModelError(f"the model {self.model_id} gave a vector without a direction")
        return np.asarray(vector / length, dtype=np.float32)
