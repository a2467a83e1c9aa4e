"""The index: exact cosine search over the passages' vectors in FAISS, derived from the store."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import structlog
from numpy.typing import NDArray

from onenumbers_knowledge.store import IndexEntry

log = structlog.get_logger()

KIND = "flat"
_PARAMETERS: Any = faiss.SearchParameters
"""FAISS adds its keyword arguments when it is imported; its stubs do not know them."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which passages may be found; empty means all."""

    categories: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    numbers: frozenset[int] = frozenset()
    school: str = ""

    def match(self, entry: IndexEntry) -> bool:
        """Tells whether a passage may be found."""
        return (
            (not self.categories or entry.category in self.categories)
            and (not self.sources or entry.source in self.sources)
            and (not self.numbers or not self.numbers.isdisjoint(entry.numbers))
            and (not self.school or entry.school == self.school)
        )

    @property
    def empty(self) -> bool:
        """Whether everything may be found."""
        return not (self.categories or self.sources or self.numbers or self.school)


class VectorIndex:
    """Vectors by key, with what filters ask about. Not safe for threads: one caller at a time.

    Args:
        dimensions: Length of a vector.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._faiss: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))
        self._entries: dict[int, IndexEntry] = {}

    def __len__(self) -> int:
        return int(self._faiss.ntotal)

    def add(self, entries: Sequence[IndexEntry], vectors: NDArray[np.float32]) -> None:
        """Adds passages; `vectors` has the shape (n, dimensions), each of length 1."""
        if not entries:
            return
        self._faiss.add_with_ids(
            np.ascontiguousarray(vectors), np.array([item.key for item in entries], dtype=np.int64)
        )
        self._entries.update((item.key, item) for item in entries)

    def remove(self, keys: Sequence[int]) -> None:
        """Removes passages; keys that are not there are ignored."""
        if keys:
            self._faiss.remove_ids(np.array(keys, dtype=np.int64))
            for key in keys:
                self._entries.pop(key, None)

    def search(self, vector: NDArray[np.float32], count: int, filters: Filters) -> tuple[list[tuple[int, float]], int]:
        """Returns keys with cosine similarities, best first, and how many passages were compared."""
        compared = len(self)
        parameters: Any = None
        if not filters.empty:
            keys = [key for key, entry in self._entries.items() if filters.match(entry)]
            compared = len(keys)
            if not keys:
                return [], 0
            selector: Any = faiss.IDSelectorBatch(np.array(keys, dtype=np.int64))
            parameters = _PARAMETERS(sel=selector)
        if not compared:
            return [], 0
        scores, found = self._faiss.search(vector.reshape(1, -1), min(count, compared), params=parameters)
        return [(int(key), float(score)) for key, score in zip(found[0], scores[0], strict=True) if key >= 0], compared

    def save(self, path: Path, *, changes: int, model: str) -> None:
        """Writes the index beside a record of what it was made from; each file is replaced whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = faiss.serialize_index(self._faiss).tobytes()
        record = {"changes": changes, "model": model, "sha256": hashlib.sha256(content).hexdigest()}
        _replace(path, content)
        _replace(path.with_suffix(".json"), json.dumps(record).encode())

    def load(self, path: Path, entries: Iterable[IndexEntry], *, changes: int, model: str) -> bool:
        """Takes over a saved index; returns whether it fits the store and is undamaged."""
        try:
            record = json.loads(path.with_suffix(".json").read_bytes())
            content = path.read_bytes()
        except (OSError, ValueError):
            return False
        if record.get("changes") != changes or record.get("model") != model:
            return False
        if hashlib.sha256(content).hexdigest() != record.get("sha256"):
            log.warning("index_damaged", path=path.name)
            return False
        try:
            loaded = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
        except RuntimeError:
            log.warning("index_damaged", path=path.name)
            return False
        known = {entry.key: entry for entry in entries}
        if loaded.d != self.dimensions or loaded.ntotal != len(known):
            return False
        self._faiss, self._entries = loaded, known
        return True


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
