"""The index against a plain scan: same order, same filters, and a file that is only used when it fits."""

import json
from pathlib import Path

import numpy as np
import pytest

from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.index.vectors import VectorIndex
from onenumbers_knowledge.storage.index_source import IndexEntry

COUNT, DIMENSIONS = 200, 16


def entry(key: int) -> IndexEntry:
    category = ("cycles", "utility")[key % 2]
    return IndexEntry(key, f"d-{key}", category, ("modern", "classical")[key % 3 == 0], "", (key % 10,))


@pytest.fixture
def vectors() -> np.ndarray:
    rows = np.random.default_rng(7).normal(size=(COUNT, DIMENSIONS)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def index(vectors) -> VectorIndex:
    made = VectorIndex(DIMENSIONS)
    made.add([entry(key) for key in range(1, COUNT + 1)], vectors)
    return made


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(categories=frozenset({"cycles"})),
        Filters(sources=frozenset({"classical"}), numbers=frozenset({3, 4})),
        Filters(categories=frozenset({"utility"}), numbers=frozenset({1, 7, 9})),
    ],
)
def test_it_finds_what_a_scan_of_all_vectors_finds(index, vectors, filters):
    keys = [key for key in range(1, COUNT + 1) if filters.match(entry(key))]
    for query in vectors[:5]:
        found, cosines = index.search(query, 10, filters)
        wanted = sorted(keys, key=lambda key: -float(vectors[key - 1] @ query))[:10]
        assert found.tolist() == wanted
        assert cosines[0] == pytest.approx(float(vectors[wanted[0] - 1] @ query), abs=1e-5)


def test_a_removed_vector_is_not_found_and_unknown_keys_are_ignored(index, vectors):
    index.remove([5, 10_000])
    assert len(index) == COUNT - 1
    assert 5 not in index.search(vectors[4], COUNT, Filters())[0]


def test_a_filter_that_was_asked_for_follows_every_change(index, vectors):
    filters = [Filters(categories=frozenset({"cycles"})), Filters(numbers=frozenset({4}))]
    for asked in filters:
        index.matching(asked)
    index.remove([4, 5, 14])
    index.add([entry(key) for key in (1_004, 1_001)], vectors[:2])
    index.add([entry(4)], vectors[3:4])
    live = {*range(1, COUNT + 1), 1_001, 1_004} - {5, 14}
    for asked in filters:
        assert index.matching(asked).tolist() == sorted(key for key in live if asked.match(entry(key)))


def test_a_filter_that_nothing_matches_finds_nothing(index, vectors):
    keys, cosines = index.search(vectors[0], 5, Filters(school="nobody"))
    assert len(keys) == len(cosines) == 0


def test_an_empty_index_finds_nothing():
    keys, cosines = VectorIndex(4).search(np.ones(4, dtype=np.float32), 3, Filters())
    assert len(keys) == len(cosines) == 0


def test_a_saved_index_is_taken_over_only_where_everything_fits(index, vectors, tmp_path: Path):
    path = tmp_path / "index.faiss"
    index.saving(path, changes=3, model="m")()
    entries = [entry(key) for key in range(1, COUNT + 1)]

    def loads(**different) -> bool:
        wanted = {"entries": entries, "changes": 3, "model": "m", **different}
        return VectorIndex(DIMENSIONS).load(path, wanted["entries"], changes=wanted["changes"], model=wanted["model"])

    assert loads()
    assert not loads(changes=4)
    assert not loads(model="other")
    assert not loads(entries=entries[1:])
    assert not VectorIndex(DIMENSIONS + 1).load(path, entries, changes=3, model="m")
    whole = path.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(damaged)
        assert not loads()
    path.write_bytes(whole)
    record = path.with_suffix(".json")
    for text in ("", "{", json.dumps({"changes": 3})):
        record.write_text(text)
        assert not loads()
    assert sorted(item.name for item in tmp_path.iterdir()) == ["index.faiss", "index.json"], "no scratch file stays"
