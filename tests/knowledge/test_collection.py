"""The collection's rules where they do not show over gRPC: concurrency, long documents, saving, no model."""

import asyncio
import threading

import pytest

from onenumbers_knowledge import collection as module
from onenumbers_knowledge.collection import Collection, Outcome
from onenumbers_knowledge.index import vectors
from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.index.vectors import VectorIndex
from onenumbers_runtime.errors import InvalidArgumentError, NotFoundError, UnavailableError

pytestmark = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


async def test_the_same_document_handed_in_at_once_is_stored_once(collection, make_note):
    answers = await asyncio.gather(*(collection.ingest(make_note(1)) for _ in range(8)))
    outcomes = [outcome for _, outcome in answers]
    assert sorted(outcome.value for outcome in outcomes) == ["created"] + ["unchanged"] * 7
    assert {info.version for info, _ in answers} == {1}
    assert collection.index_state()[2] == 1


async def test_a_document_of_thousands_of_passages_is_taken_in_portions(collection, hashing, make_note):
    largest = 0
    embed = hashing.embed

    async def watched(texts):
        nonlocal largest
        largest = max(largest, len(texts))
        return await embed(texts)

    hashing.embed = watched
    content = "".join(f"# Part {n}\n\nPassage about unique{n}.\n\n" for n in range(2_500))
    info, _ = await collection.ingest(make_note(1, content=content))
    assert info.passages == 2_500
    assert largest <= 64, "the model's queue takes 2048 texts"


async def test_a_caller_that_goes_away_leaves_store_and_index_alike(collection, store, make_note):
    tasks = [asyncio.ensure_future(collection.ingest(make_note(n))) for n in range(30)]
    for turn, task in enumerate(tasks):
        await asyncio.sleep(0)
        if turn % 2:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # A change that goes on without its caller holds the lock, so this one comes after all of them.
    await collection.save()
    await collection.ingest(make_note(99))
    entries = await store.entries()
    assert collection.index_state()[2] == len(entries)
    assert {f"note-{n:03}" for n in range(0, 30, 2)} <= {entry.document_id for entry in entries}


async def test_the_index_is_saved_while_serving(store, store_path, hashing, make_note, monkeypatch):
    monkeypatch.setattr(module, "SAVE_EVERY", 5)
    path = store_path.with_name("index.faiss")
    opened = Collection(store, index_path=path)
    await opened.open(hashing)
    for number in range(4):
        await opened.ingest(make_note(number))
    assert not path.exists()
    await opened.ingest(make_note(4))
    await asyncio.gather(*opened._changes)
    index = VectorIndex(hashing.dimensions)
    assert index.load(path, await store.entries(), changes=(await store.moment()).stamp, model=hashing.model_id)
    await opened.close()


async def test_searches_go_on_while_the_index_is_saved(collection, make_note, monkeypatch):
    await collection.ingest(make_note(1))
    begun, let = asyncio.Event(), threading.Event()
    loop, write = asyncio.get_running_loop(), vectors.faiss.write_index

    def slow(*arguments):
        loop.call_soon_threadsafe(begun.set)
        assert let.wait(timeout=30)
        write(*arguments)

    monkeypatch.setattr(vectors.faiss, "write_index", slow)
    saving = asyncio.ensure_future(collection.save())
    await asyncio.wait_for(begun.wait(), 10)
    changing = asyncio.ensure_future(collection.ingest(make_note(2)))
    try:
        found = await asyncio.wait_for(collection.search("note", count=5), 10)
        assert found.hits
        # A change would be half in the file.
        assert not changing.done()
    finally:
        let.set()
        await asyncio.gather(saving, changing)


async def test_without_a_model_documents_are_read_but_not_searched(store, store_path, hashing, make_note):
    index_path = store_path.with_name("index.faiss")
    before = Collection(store, index_path=index_path)
    await before.open(hashing)
    await before.ingest(make_note(1))
    await before.close()
    closed = Collection(store, index_path=index_path)
    for call in (closed.search("unique1", count=1), closed.ingest(make_note(2))):
        with pytest.raises(UnavailableError) as caught:
            await call
        assert caught.value.reason == "EMBEDDING_MODEL_LOADING"
        assert caught.value.retry_after
    assert (await closed.get("note-001")).info.version == 1
    await closed.delete("note-001")
    with pytest.raises(NotFoundError) as missing:
        await closed.get("note-001")
    assert missing.value.reason == "DOCUMENT_NOT_FOUND"
    await closed.open(hashing)
    assert not (await closed.search("unique1", count=1)).hits, "deleted before the model was there"
    await closed.close()


async def test_a_query_longer_than_the_model_reads_names_tokens_and_limit(collection):
    with pytest.raises(InvalidArgumentError, match=r"302 tokens.* reads 256") as caught:
        await collection.search("a " * 300, count=1, filters=Filters())
    assert caught.value.violations[0].field == "query"


async def test_a_change_of_metadata_alone_is_a_change(collection, make_note):
    await collection.ingest(make_note(1))
    assert (await collection.ingest(make_note(1, metadata={"k": 1})))[1] is Outcome.UPDATED
