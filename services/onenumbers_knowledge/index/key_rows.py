"""Where keys stand in an array: by a table as long as they reach, for a binary search misses the cache at each step."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SPARSE: Final = 8
"""Entries of the table for each key at most: beyond, it would cost more memory than what it finds."""


class KeyRows:
    """Rows of keys.

    Args:
        keys: Keys, ascending, each once, shape (n,).
    """

    def __init__(self, keys: NDArray[np.int64]) -> None:
        self._keys = keys
        self._first = int(keys[0]) if len(keys) else 0
        self._span = int(keys[-1]) - self._first + 1 if len(keys) else 0
        self._rows: NDArray[np.int32] | None = None
        if self._span <= _SPARSE * len(keys):
            # One more at each end, for keys that lie outside.
            self._rows = np.full(self._span + 2, -1, dtype=np.int32)
            self._rows[keys - (self._first - 1)] = np.arange(len(keys), dtype=np.int32)

    def find(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        """Returns the row of each key, and whether the key is there; the row of one that is not says nothing.

        Args:
            keys: Any keys, shape (n,).
        """
        if self._rows is not None:
            rows = self._rows[np.minimum(np.maximum(keys - (self._first - 1), 0), self._span + 1)]
            return rows, rows >= 0
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return places, self._keys[places] == keys
