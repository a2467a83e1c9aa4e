"""What ranking asks of a passage, by its key, in arrays: a thousand look-ups in dictionaries took longer than FAISS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from onenumbers_knowledge.index.key_rows import KeyRows

Numbers = tuple[int, ...]
"""Numbers that a document is about."""

_LATE: Final = 2_000
"""Passages that may have come since the arrays were made, at least; beyond, a quarter of those in the arrays."""
_UNKNOWN: Final = -1


class PassageTable:
    """Document, its size and its numbers of each passage. Not safe for threads: one caller at a time.

    Args:
        numbers_of: Returns the numbers of the documents of passages, by key; asked once for each passage.
    """

    def __init__(self, numbers_of: Callable[[NDArray[np.int64]], Sequence[Numbers]]) -> None:
        self._numbers_of = numbers_of
        self._known: dict[int, tuple[int, int]] = {}
        self._late: dict[int, tuple[int, int]] = {}
        self._keys = np.empty(0, dtype=np.int64)
        self._rows = KeyRows(self._keys)
        self._documents, self._sizes = self._keys, self._keys
        self._about = self._keys
        self.numbers: list[Numbers] = []
        """Each set of numbers that documents have, by its place."""
        self._places: dict[Numbers, int] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def add(self, keys: Sequence[int], document: int) -> None:
        """Adds the passages of a document, which is named by the key of its first one."""
        rows = dict.fromkeys(keys, (document, len(keys)))
        self._known.update(rows)
        self._late.update(rows)
        if len(self._late) > max(_LATE, len(self._keys) // 4):
            self._renew()

    def remove(self, keys: Sequence[int]) -> set[int]:
        """Removes passages; returns their documents. Keys that are not there are ignored."""
        # Rows of the arrays may stay: keys are never used twice, and nothing asks for one that is gone.
        gone = {row[0] for key in keys if (row := self._known.pop(key, None)) is not None}
        for key in keys:
            self._late.pop(key, None)
        return gone

    def documents(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the documents of passages that are there, shape (n,)."""
        places, found = self._rows.find(keys)
        return self._with_late(self._at(self._documents, places), keys, found, 0)

    def rows(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Returns document, its size in passages, and place in `numbers` of passages that are there; shapes (n,)."""
        places, found = self._rows.find(keys)
        documents, sizes = self._at(self._documents, places), self._at(self._sizes, places)
        documents = self._with_late(documents, keys, found, 0)
        sizes = self._with_late(sizes, keys, found, 1)
        return documents, sizes, self._about_of(keys, places, found)

    def _about_of(
        self, keys: NDArray[np.int64], places: NDArray[np.integer], found: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        about = np.full(len(keys), _UNKNOWN, dtype=np.int64)
        about[found] = self._about[places[found]]
        unknown = np.flatnonzero(about == _UNKNOWN)
        if len(unknown):
            about[unknown] = [self._place(numbers) for numbers in self._numbers_of(keys[unknown])]
            kept = unknown[found[unknown]]
            self._about[places[kept]] = about[kept]
        return about

    def _at(self, column: NDArray[np.int64], places: NDArray[np.integer]) -> NDArray[np.int64]:
        return column[places] if len(self._keys) else np.zeros(len(places), dtype=np.int64)

    def _place(self, numbers: Numbers) -> int:
        place = self._places.setdefault(numbers, len(self.numbers))
        if place == len(self.numbers):
            self.numbers.append(numbers)
        return place

    def _with_late(
        self, values: NDArray[np.int64], keys: NDArray[np.int64], found: NDArray[np.bool_], column: int
    ) -> NDArray[np.int64]:
        for place in np.flatnonzero(~found).tolist():
            values[place] = self._late[int(keys[place])][column]
        return values

    def _renew(self) -> None:
        """Makes the arrays anew, of all that are there."""
        old_rows, old_about = self._rows, self._about
        self._keys = np.fromiter(sorted(self._known), dtype=np.int64, count=len(self._known))
        self._rows = KeyRows(self._keys)
        rows = np.array([self._known[key] for key in self._keys.tolist()], dtype=np.int64).reshape(-1, 2)
        self._documents, self._sizes = np.ascontiguousarray(rows[:, 0]), np.ascontiguousarray(rows[:, 1])
        self._about = np.full(len(self._keys), _UNKNOWN, dtype=np.int64)
        places, known = old_rows.find(self._keys)
        self._about[known] = old_about[places[known]]
        self._late.clear()
