"""Texts to vectors in llama.cpp: several texts at once in one batch, each a sequence of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onenumbers_models.errors import ModelError
from onenumbers_models.native import Model

POOLINGS = ("mean", "cls", "last")
"""Ways to make one vector of a text from those of its tokens, by their names in settings."""
TEXTS = 31
"""Texts of one batch at most."""
_SEQUENCES = TEXTS + 1
"""Sequences that contexts tell apart: one more fills batches up."""
_TILE = 64
"""Tokens that llama.cpp's flash attention takes at once on a processor; of fewer it takes one after another, and 63 of
them take twice as long as 64 (ggml-cpu/ops.cpp)."""
_SHORT = 44
"""Tokens of a batch below which attention without tiles is quicker than filling one up."""


class EmbeddingContext:
    """One place where a model computes vectors; several may share a model. One caller at a time.

    Args:
        model: The weights.
        tokens: Tokens of one batch at most, special ones included.
        threads: Threads of llama.cpp.
        pooling: One of `POOLINGS`; what the GGUF says when empty.

    Raises:
        ModelError: The model gives no vectors of texts, or there is not enough memory.
    """

    def __init__(self, model: Model, *, tokens: int, threads: int, pooling: str = "") -> None:
        lib = model.lib
        # llama.cpp plans for as many tokens in each sequence, and ends the process where that does not come out even.
        tokens = -(-tokens // _SEQUENCES) * _SEQUENCES
        kinds = (lib.LLAMA_POOLING_TYPE_MEAN, lib.LLAMA_POOLING_TYPE_CLS, lib.LLAMA_POOLING_TYPE_LAST)
        asked = dict(zip(POOLINGS, kinds, strict=True)).get(pooling, lib.LLAMA_POOLING_TYPE_UNSPECIFIED)
        self._model, self._lib = model, lib
        self._tiled = model.context(
            tokens=tokens, batch=tokens, threads=threads, embeddings=True, sequences=_SEQUENCES, pooling=asked
        )
        if lib.llama_pooling_type(self._tiled) not in kinds:
            lib.llama_free(self._tiled)
            raise ModelError(
                "the model gives no vectors of texts: its file names no pooling that is served. Where it is an "
                "embedding model all the same, set MCP_EMBEDDING_POOLING to mean, cls or last"
            )
        try:
            self._untiled = model.context(
                tokens=_TILE,
                batch=_TILE,
                threads=threads,
                embeddings=True,
                sequences=_SEQUENCES,
                pooling=asked,
                flash=False,
            )
        except ModelError:
            lib.llama_free(self._tiled)
            raise
        # The arrays of a batch are ours, so that numpy fills them: a loop over tokens in Python takes longer.
        self._token, self._position = np.zeros(tokens, dtype=np.int32), np.zeros(tokens, dtype=np.int32)
        self._ones, self._output = np.ones(tokens, dtype=np.int32), np.ones(tokens, dtype=np.int8)
        self._sequence = np.arange(_SEQUENCES, dtype=np.int32)
        self._sequence_at = self._sequence.ctypes.data + self._sequence.itemsize * np.arange(
            len(self._sequence), dtype=np.uintp
        )
        self._pointers = np.zeros(tokens, dtype=np.uintp)
        integers = ctypes.POINTER(ctypes.c_int32)
        self._batch = lib.llama_batch(
            n_tokens=0,
            token=self._token.ctypes.data_as(integers),
            embd=None,
            pos=self._position.ctypes.data_as(integers),
            n_seq_id=self._ones.ctypes.data_as(integers),
            seq_id=self._pointers.ctypes.data_as(ctypes.POINTER(integers)),
            # Every token counts for the pooling.
            logits=self._output.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def vectors(self, texts: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Returns one vector of length 1 per text, shape (n, dimensions).

        Args:
            texts: Tokens of each text; at most `TEXTS`, and all together no more than the context's tokens.

        Raises:
            ModelError: The model failed.
        """
        used = sum(map(len, texts))
        context, filled = self._tiled, list(texts)
        if used < _SHORT:
            context = self._untiled
        elif used < _TILE:
            # A sequence that nobody asks for.
            filled.append(np.full(_TILE - used, texts[0][0], dtype=np.int32))
        end = 0
        for number, tokens in enumerate(filled):
            start, end = end, end + len(tokens)
            self._token[start:end] = tokens
            self._position[start:end] = np.arange(len(tokens), dtype=np.int32)
            self._pointers[start:end] = self._sequence_at[number]
        self._batch.n_tokens = end
        memory = self._lib.llama_get_memory(context)
        if memory:
            self._lib.llama_memory_clear(memory, True)
        if self._lib.llama_decode(context, self._batch) != 0:
            raise ModelError(f"the model failed on {len(texts)} texts of {used} tokens")
        found = np.empty((len(texts), self._model.dimensions), dtype=np.float32)
        for number in range(len(texts)):
            pointer = self._lib.llama_get_embeddings_seq(context, number)
            if not pointer:
                raise ModelError("the model gives no embeddings: it is of another kind")
            found[number] = np.ctypeslib.as_array(pointer, shape=(self._model.dimensions,))
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths) & (lengths > 0)):
            raise ModelError("the model gave a vector without a direction")
        return np.asarray(found / lengths, dtype=np.float32)

    def close(self) -> None:
        """Frees the contexts; the model stays."""
        for context in (self._tiled, self._untiled):
            self._lib.llama_free(context)
