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
_NONE: Final = 0
"""Place of no numbers in `PassageTable.numbers`."""


class PassageTable:
    """Document, its size and its numbers of each passage. Not safe for threads: one caller at a time.

    Args:
        numbers_of: Returns the numbers of the documents of passages, by key; None for one whose words are here before
            its vector, as while an index is made.
    """

    def __init__(self, numbers_of: Callable[[NDArray[np.int64]], Sequence[Numbers | None]]) -> None:
        self._numbers_of = numbers_of
        self._late: dict[int, tuple[int, int]] = {}
        self._keys = np.empty(0, dtype=np.int64)
        self._rows = KeyRows(self._keys)
        self._documents, self._sizes, self._about = self._keys, self._keys, self._keys
        self._alive = np.empty(0, dtype=bool)
        self._living = 0
        self.numbers: list[Numbers] = [()]
        """Each set of numbers that documents have, by its place."""
        self._places: dict[Numbers, int] = {(): _NONE}

    def __len__(self) -> int:
        return self._living + len(self._late)

    def __iter__(self) -> Iterator[int]:
        yield from self._keys[self._alive].tolist()
        yield from self._late

    def add(self, keys: Sequence[int], document: int) -> None:
        """Adds the passages of a document, which is named by the key of its first one."""
        self._drop(keys)
        self._late.update(dict.fromkeys(keys, (document, len(keys))))
        if len(self._late) > max(_LATE, self._living // 4):
            self.settle()

    def remove(self, keys: Sequence[int]) -> set[int]:
        """Removes passages; returns their documents. Keys that are not there are ignored."""
        gone = {row[0] for key in keys if (row := self._late.pop(key, None)) is not None}
        return gone | set(self._documents[self._drop(keys)].tolist())

    def documents(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Returns the documents of passages that are there, shape (n,)."""
        places, found = self._find(keys)
        return self._with_late(self._at(self._documents, places), keys, found, 0)

    def rows(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Returns document, its size in passages, and place in `numbers` of passages that are there; shapes (n,)."""
        places, found = self._find(keys)
        documents, sizes = self._at(self._documents, places), self._at(self._sizes, places)
        documents = self._with_late(documents, keys, found, 0)
        sizes = self._with_late(sizes, keys, found, 1)
        return documents, sizes, self._about_of(keys, places, found)

    def settle(self) -> None:
        """Takes what has come since into the arrays, and what is gone out of them."""
        kept = self._alive
        keys = np.concatenate([self._keys[kept], np.fromiter(self._late, dtype=np.int64, count=len(self._late))])
        late = np.array(list(self._late.values()), dtype=np.int64).reshape(-1, 2)
        about = np.concatenate([self._about[kept], np.full(len(late), _UNKNOWN, dtype=np.int64)])
        order = np.argsort(keys)
        self._keys, self._about = keys[order], about[order]
        self._documents = np.concatenate([self._documents[kept], late[:, 0]])[order]
        self._sizes = np.concatenate([self._sizes[kept], late[:, 1]])[order]
        self._rows = KeyRows(self._keys)
        self._alive, self._living = np.ones(len(self._keys), dtype=bool), len(self._keys)
        unknown = np.flatnonzero(self._about == _UNKNOWN)
        self._about[unknown] = self._places_of(self._keys[unknown])
        self._late.clear()

    def _find(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        places, found = self._rows.find(keys)
        return places, found if self._living == len(self._keys) else found & self._alive[places]

    def _drop(self, keys: Sequence[int]) -> NDArray[np.integer]:
        """Marks rows of the arrays as gone; returns those that were there."""
        if not self._living:
            return np.empty(0, dtype=np.int64)
        places, found = self._find(np.unique(np.array(keys, dtype=np.int64)))
        here = places[found]
        self._alive[here] = False
        self._living -= len(here)
        return here

    def _about_of(
        self, keys: NDArray[np.int64], places: NDArray[np.integer], found: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        about = np.where(found, self._at(self._about, places), _UNKNOWN)
        unknown = np.flatnonzero(about == _UNKNOWN)
        if len(unknown):
            about[unknown] = np.maximum(self._places_of(keys[unknown]), _NONE)
        return about

    def _at(self, column: NDArray[np.int64], places: NDArray[np.integer]) -> NDArray[np.int64]:
        return column[places] if len(self._keys) else np.zeros(len(places), dtype=np.int64)

    def _places_of(self, keys: NDArray[np.int64]) -> list[int]:
        """Returns the places in `numbers` of those of passages; numbers that are new get one."""
        found = []
        for numbers in self._numbers_of(keys):
            place = _UNKNOWN if numbers is None else self._places.setdefault(numbers, len(self.numbers))
            if numbers is not None and place == len(self.numbers):
                self.numbers.append(numbers)
            found.append(place)
        return found

    def _with_late(
        self, values: NDArray[np.int64], keys: NDArray[np.int64], found: NDArray[np.bool_], column: int
    ) -> NDArray[np.int64]:
        for place in np.flatnonzero(~found).tolist():
            values[place] = self._late[int(keys[place])][column]
        return values
