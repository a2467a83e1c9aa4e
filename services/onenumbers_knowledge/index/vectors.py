"""The index of the passages' vectors in FAISS, derived from the store: exact while it is small, lists beyond."""

from __future__ import annotations

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import structlog
from numpy.typing import NDArray

from onenumbers_knowledge.index import large as large_index
from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.storage.index_source import IndexEntry

log = structlog.get_logger()

FLAT_MAX = 50_000
"""Vectors up to which each search compares all of them: that takes 3 ms here (bench/vectors.py), and misses nothing."""
_FLAT, _LARGE = "flat", "ivf_sq8"
_REMEMBERED = 16
"""Filters whose passages are kept in memory, and follow every change."""
_PARAMETERS: Any = faiss.SearchParameters
"""FAISS adds its keyword arguments when it is imported; its stubs do not know them."""


class VectorIndex:
    """Vectors by key, with what filters ask about. Not safe for threads: one caller at a time.

    Args:
        dimensions: Length of a vector.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._faiss: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))
        self._built_for = 0
        self._entries: dict[int, IndexEntry] = {}
        self._matching: OrderedDict[str, tuple[Filters, NDArray[np.int64]]] = OrderedDict()

    def __len__(self) -> int:
        return int(self._faiss.ntotal)

    @property
    def kind(self) -> str:
        """Either "flat", which compares all, or "ivf_sq8": 8 bits a dimension, and only the lists near by."""
        return _LARGE if isinstance(self._faiss, faiss.IndexIVF) else _FLAT

    @property
    def rebuild_due(self) -> bool:
        """Whether the collection has outgrown the kind of its index, or fallen below it."""
        if self.kind == _FLAT:
            return len(self) > FLAT_MAX
        return len(self) > 4 * self._built_for or len(self) < FLAT_MAX // 2

    def adopt(self, built: Any, keys: NDArray[np.int64]) -> None:
        """Puts an index that was built beside this one in its place; what changed meanwhile is carried over.

        Args:
            built: FAISS index over vectors by key.
            keys: Keys that it was built with.
        """
        here = np.fromiter(self._entries, dtype=np.int64, count=len(self._entries))
        late = np.setdiff1d(here, keys)
        if len(late):
            built.add_with_ids(self.vectors(late), late)
        self._faiss, before = built, self._faiss
        del before
        self._built_for = max(len(here), 1)
        stale = np.setdiff1d(keys, here)
        if len(stale):
            self._faiss.remove_ids(faiss.IDSelectorArray(stale) if self.kind == _LARGE else stale)

    def adopt_filled(self, built: Any, keys: NDArray[np.int64], entries: Mapping[int, IndexEntry]) -> None:
        """Takes over an index that was built at a start, with what is known of its passages."""
        held = set(keys.tolist())
        self._entries = {key: entry for key, entry in entries.items() if key in held}
        self._matching.clear()
        self.adopt(built, keys)

    def add(self, entries: Sequence[IndexEntry], vectors: NDArray[np.float32]) -> None:
        """Adds passages; `vectors` has the shape (n, dimensions), each of length 1."""
        if not entries:
            return
        self._faiss.add_with_ids(
            np.ascontiguousarray(vectors), np.array([item.key for item in entries], dtype=np.int64)
        )
        self._entries.update((item.key, item) for item in entries)
        for name, (filters, keys) in self._matching.items():
            more = [item.key for item in entries if filters.match(item)]
            if more:
                self._matching[name] = filters, np.union1d(keys, np.array(more, dtype=np.int64))

    def remove(self, keys: Sequence[int]) -> None:
        """Removes passages; keys that are not there are ignored."""
        if keys:
            gone: Any = np.array(keys, dtype=np.int64)
            self._faiss.remove_ids(faiss.IDSelectorArray(gone) if self.kind == _LARGE else gone)
            for key in keys:
                self._entries.pop(key, None)
            for name, (filters, known) in self._matching.items():
                self._matching[name] = filters, known[~np.isin(known, gone)]

    def about(self, keys: NDArray[np.int64]) -> list[tuple[int, ...] | None]:
        """Returns the numbers that the documents of passages are about; None for a passage that is not here."""
        entries = [self._entries.get(key) for key in keys.tolist()]
        return [None if entry is None else entry.numbers for entry in entries]

    def documents(self, filters: Filters) -> set[str]:
        """Returns the ids of the documents whose passages may be found."""
        keys = self.matching(filters)
        found = self._entries if keys is None else keys.tolist()
        return {self._entries[key].document_id for key in found}

    def matching(self, filters: Filters) -> NDArray[np.int64] | None:
        """Returns the keys of the passages that may be found, ascending; None where that is all of them."""
        if filters.empty:
            return None
        # Pages of one search, and the searches of one screen, ask with the same filters.
        name = repr(filters)
        _, keys = self._matching.pop(name, (filters, None))
        if keys is None:
            keys = np.array(sorted(self._passing(filters)), dtype=np.int64)
        self._matching[name] = filters, keys
        if len(self._matching) > _REMEMBERED:
            self._matching.popitem(last=False)
        return keys

    def _passing(self, filters: Filters) -> Iterator[int]:
        """Yields the keys of the passages that a filter lets through; a document's passages pass together."""
        verdicts: dict[str, bool] = {}
        for key, entry in self._entries.items():
            verdict = verdicts.get(entry.document_id)
            if verdict is None:
                verdict = verdicts[entry.document_id] = filters.match(entry)
            if verdict:
                yield key

    def search(
        self, vector: NDArray[np.float32], count: int, filters: Filters
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Returns keys (n,) with cosine similarities (n,), best first."""
        allowed = self.matching(filters)
        compared = len(self) if allowed is None else len(allowed)
        if not compared or not count:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
        # Of this thread alone. One query gains nothing from a second thread, which spins when it has nothing to do:
        # 20,000 vectors took 19 ms of processor time beside other work, and 3 ms on one thread (measured).
        faiss.omp_set_num_threads(1)
        if self.kind == _LARGE:
            keys, values = large_index.search(self._faiss, vector, min(count, compared), allowed)
            return keys, values.astype(np.float64)
        parameters: Any = None
        if allowed is not None:
            selector: Any = faiss.IDSelectorBatch(allowed)
            parameters = _PARAMETERS(sel=selector)
        scores, found = self._faiss.search(vector.reshape(1, -1), min(count, compared), params=parameters)
        known = found[0] >= 0
        return found[0][known], scores[0][known].astype(np.float64)

    def vectors(self, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the vectors of passages that are there, shape (n, dimensions)."""
        if not len(keys):
            return np.empty((0, self.dimensions), dtype=np.float32)
        return np.asarray(self._faiss.reconstruct_batch(keys), dtype=np.float32)

    def saving(self, path: Path, *, changes: int, model: str) -> Callable[[], None]:
        """Returns what writes the index beside a record of what it was made from; each file is replaced whole.

        It may run in any thread and beside searches, which change nothing, but not beside a change of the index. It
        raises OSError where the files cannot be written.
        """
        record = {"changes": changes, "model": model, "built_for": self._built_for}
        return partial(_save, self._faiss, path, record)

    def load(self, path: Path, entries: Iterable[IndexEntry], *, changes: int, model: str) -> bool:
        """Takes over a saved index; returns whether it fits the store and is undamaged."""
        try:
            record = json.loads(path.with_suffix(".json").read_bytes())
            if record.get("changes") != changes or record.get("model") != model:
                return False
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError, AttributeError):
            return False
        if digest != record.get("sha256"):
            log.warning("index_damaged", path=path.name)
            return False
        try:
            loaded = faiss.read_index(str(path))
        except RuntimeError:
            log.warning("index_damaged", path=path.name)
            return False
        known = {entry.key: entry for entry in entries}
        if loaded.d != self.dimensions or loaded.ntotal != len(known):
            return False
        self._faiss, self._entries = loaded, known
        self._built_for = int(record.get("built_for", 0))
        self._matching.clear()
        return True


def _save(index: Any, path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        faiss.write_index(index, str(scratch))
    except RuntimeError as error:
        scratch.unlink(missing_ok=True)
        raise OSError(f"the index cannot be written to {path.parent}") from error
    with scratch.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    scratch.replace(path)
    _replace(path.with_suffix(".json"), json.dumps({**record, "sha256": digest}).encode())


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    with scratch.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
