"""Vectors of texts that were embedded already, by the hash of the text."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray


class VectorCache:
    """The vectors that were asked for last. Not safe for threads: used on the event loop alone.

    Args:
        size: Vectors that are kept at most; 0 keeps none.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    @staticmethod
    def key(model_id: str, text: str) -> bytes:
        """Returns what a vector is kept under: the same text is another one for another model."""
        told = f"{model_id}\0{text}".encode("utf-8", errors="replace")
        return hashlib.blake2b(told, digest_size=16).digest()

    def __len__(self) -> int:
        return len(self._vectors)

    def get(self, key: bytes) -> NDArray[np.float32] | None:
        """Returns a vector, or None."""
        found = self._vectors.get(key)
        if found is not None:
            self._vectors.move_to_end(key)
        return found

    def put(self, key: bytes, vector: NDArray[np.float32]) -> None:
        """Keeps a vector, and forgets the one that was not asked for longest where there are too many."""
        if self._size == 0:
            return
        # A copy: a row would keep the whole array that it was cut from.
        self._vectors[key] = vector.copy()
        self._vectors.move_to_end(key)
        while len(self._vectors) > self._size:
            self._vectors.popitem(last=False)
