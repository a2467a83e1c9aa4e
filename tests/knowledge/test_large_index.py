"""The index of large collections: what it finds beside an exact search, and its exchange while documents change."""

import asyncio

import numpy as np
import pytest

from onenumbers_knowledge import collection as collection_module
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.index import filling
from onenumbers_knowledge.index import large as large_index
from onenumbers_knowledge.index import vectors as index
from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.index.vectors import VectorIndex
from onenumbers_knowledge.storage.index_source import IndexEntry

COUNT, DIMENSIONS = 6_000, 32


def entry(key: int) -> IndexEntry:
    return IndexEntry(key, f"d-{key}", ("cycles", "utility")[key % 50 == 0], "modern", "", ())


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(300, DIMENSIONS))[rng.integers(300, size=COUNT)] + 0.4 * rng.normal(
        size=(COUNT, DIMENSIONS)
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def parts(vectors: np.ndarray):
    for start in range(0, COUNT, 1000):
        yield np.arange(start, start + 1000, dtype=np.int64) + 1, vectors[start : start + 1000]


@pytest.fixture
def large(vectors) -> VectorIndex:
    made = VectorIndex(DIMENSIONS)
    built = large_index.build(lambda: parts(vectors), count=COUNT, dimensions=DIMENSIONS)
    keys = np.arange(1, COUNT + 1, dtype=np.int64)
    made.adopt_filled(built, keys, {int(key): entry(int(key)) for key in keys})
    return made


def test_it_finds_nearly_all_that_an_exact_search_finds_also_through_a_narrow_filter(large, vectors):
    assert large.kind == "ivf_sq8"
    rng = np.random.default_rng(4)
    queries = vectors[:100] + 0.1 * rng.normal(size=(100, DIMENSIONS)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    for filters in (Filters(), Filters(categories=frozenset({"utility"}))):
        keys = np.array([key for key in range(1, COUNT + 1) if filters.match(entry(key))])
        hits = 0
        for query in queries:
            found, cosines = large.search(query, 10, filters)
            scores = vectors[keys - 1] @ query
            wanted = set(keys[np.argsort(-scores)[:10]].tolist())
            hits += len(wanted & set(found.tolist()))
            assert all(filters.match(entry(key)) for key in found.tolist())
            assert cosines[0] == pytest.approx(scores.max(), abs=0.02), "8 bits a dimension keep the cosine near"
        assert hits >= 0.97 * 1000


def test_it_follows_additions_and_removals(large, vectors):
    large.remove([5, 10_000])
    assert len(large) == COUNT - 1
    assert 5 not in large.search(vectors[4], 50, Filters())[0]
    large.add([entry(9_001)], -vectors[4:5])
    assert large.search(-vectors[4], 1, Filters())[0][0] == 9_001
    assert large.vectors(np.array([9_001]))[0] @ -vectors[4] == pytest.approx(1, abs=0.02)


def test_it_is_saved_and_loaded_as_what_it_is(large, vectors, tmp_path):
    path = tmp_path / "index.faiss"
    large.saving(path, changes=1, model="m")()
    again = VectorIndex(DIMENSIONS)
    assert again.load(path, [entry(key) for key in range(1, COUNT + 1)], changes=1, model="m")
    assert (again.kind, len(again)) == ("ivf_sq8", COUNT)
    for found, expected in zip(
        again.search(vectors[7], 5, Filters()), large.search(vectors[7], 5, Filters()), strict=True
    ):
        assert found.tolist() == expected.tolist()
    again.remove([8])
    assert 8 not in again.search(vectors[7], 5, Filters())[0]


async def test_a_collection_that_grows_gets_it_while_searches_and_changes_go_on(
    store, store_path, hashing, make_note, monkeypatch
):
    for module in (index, filling):
        monkeypatch.setattr(module, "FLAT_MAX", 60)
    monkeypatch.setattr(collection_module, "UPKEEP_EVERY", 10)
    path = store_path.with_name("index.faiss")
    opened = Collection(store, index_path=path)
    await opened.open(hashing)
    assert opened.index_kind() == "flat"
    for number in range(90):
        await opened.ingest(make_note(number))
        if number > 60 and number % 7 == 0:
            await opened.delete(f"note-{number - 30:03}")
        # Not always the first: eight bits a dimension, trained on sixty vectors, keep little of one that came later.
        hits = (await opened.search(f"unique{number}", count=3)).hits
        assert f"note-{number:03}" in [hit.passage.document_id for hit in hits]
    await asyncio.gather(*opened._changes)
    assert opened.index_kind() == "ivf_sq8"
    passages = len(await store.entries())
    assert opened.index_state()[2] == passages
    assert len((await opened.search("the word of this note", count=200)).hits) == passages
    await opened.close()
    again = Collection(store, index_path=path)
    await again.open(hashing)
    assert (again.index_kind(), again.index_state()[2]) == ("ivf_sq8", passages)
    await again.close()
    path.unlink()
    rebuilt = Collection(store, index_path=path)
    await rebuilt.open(hashing)
    assert (rebuilt.index_kind(), rebuilt.index_state()[2]) == ("ivf_sq8", passages)
    assert (await rebuilt.search("unique3", count=1)).hits[0].passage.document_id == "note-003"
    for number in range(70):
        known = await rebuilt.info(f"note-{number:03}")
        if known is not None:
            await rebuilt.delete(known.document_id)
    await asyncio.gather(*rebuilt._changes)
    assert rebuilt.index_kind() == "flat", "a collection that shrank is searched exactly again"
    await rebuilt.close()
