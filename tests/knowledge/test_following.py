"""Two collections over one PostgreSQL in one process: whatever happens when, both indexes become the store."""

import asyncio
import random
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from onenumbers_knowledge import collection as collection_module
from onenumbers_knowledge import starting as starting_module
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.index import filling
from onenumbers_knowledge.index import vectors as index
from onenumbers_knowledge.index.filters import Filters
from onenumbers_knowledge.ingestion import loading as loading_module
from onenumbers_knowledge.ingestion.corpus_files import CorpusFile
from onenumbers_knowledge.search.ranking import Mode
from onenumbers_knowledge.search.searching import Search
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.starting import Readiness, Starting
from onenumbers_knowledge.storage.store import open_store
from onenumbers_runtime.errors import NotFoundError, UnavailableError

pytestmark = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


@pytest.fixture
async def two(store_url, tmp_path, hashing):
    async with AsyncExitStack() as stack:
        opened = []
        for name in ("one", "other"):
            store = await stack.enter_async_context(open_store(store_url))
            collection = Collection(store, index_path=tmp_path / name / "index.faiss")
            await collection.open(hashing)
            stack.push_async_callback(collection.close)
            opened.append(collection)
        yield opened


async def words(collection, word: str) -> list[str]:
    asked = Search(query=word, count=50, mode=Mode.LEXICAL, filters=Filters())
    return sorted(hit.passage.document_id for hit in (await collection.find(asked)).hits)


async def same_as_the_store(collection, store) -> None:
    await collection.follow()
    keys = sorted(entry.key for entry in await store.entries())
    passages = collection._live.serving.passages
    assert sorted(passages.dense._entries) == sorted(passages.without(())) == keys
    assert len(passages) == len(keys)


async def test_both_indexes_become_the_store_after_any_changes_on_both(two, make_note, tmp_path):
    dice, snapshot = random.Random(11), tmp_path / "snapshot"
    snapshot.write_bytes(b"".join([chunk async for chunk, _ in two[0].export()]))

    async def change(collection) -> None:
        number, kind = dice.randrange(12), dice.random()
        if kind < 0.6:
            parts = "\n\n".join(
                f"# Part {part}\n\nThe word is unique{number}x{dice.randrange(5)}."
                for part in range(dice.randint(1, 4))
            )
            await collection.ingest(make_note(number, content=parts))
        elif kind < 0.8:
            with suppress(NotFoundError):
                await collection.delete(f"note-{number:03}")
        elif kind < 0.9:
            with suppress(NotFoundError):
                async for _ in collection.update_embeddings([f"note-{number:03}"], everything=False):
                    pass
        elif kind < 0.93:
            await collection.replace_all(snapshot)
        else:
            await collection.follow()

    async def many(collection) -> None:
        for _ in range(4):
            # Two updates of embeddings at once are refused, and so may be whatever comes in between.
            with suppress(collection_module.FailedPreconditionError):
                await change(collection)

    for _ in range(8):
        # Looked at after few changes: one that was missed may be mended by a later one of the same document.
        await asyncio.gather(*(many(collection) for collection in two for _ in range(2)))
        for collection in two:
            await same_as_the_store(collection, collection._store)
    listed, _ = await two[0].page(after="", limit=100)
    for info in listed:
        content = (await two[0].get(info.document_id)).content
        for version in range(5):
            word = f"unique{int(info.document_id[-3:])}x{version}"
            found = [await words(collection, word) for collection in two]
            assert found[0] == found[1]
            assert (info.document_id in found[0]) == (f"{word}." in content)


async def test_an_index_that_only_follows_is_kept_quick_and_saved(two, make_note, monkeypatch, tmp_path):
    for module in (index, filling):
        monkeypatch.setattr(module, "FLAT_MAX", 60)
    monkeypatch.setattr(collection_module, "UPKEEP_EVERY", 10)
    monkeypatch.setattr(collection_module, "SAVE_EVERY", 30)
    one, other = two
    for number in range(70):
        await one.ingest(make_note(number))
        if number % 7 == 0:
            await other.follow()
    await other.follow()
    await asyncio.gather(*other._changes)
    assert other.index_kind() == "ivf_sq8"
    assert (tmp_path / "other" / "index.faiss").exists()
    assert await words(other, "unique57") == ["note-057"]


async def test_a_change_of_model_on_one_is_noticed_by_the_other_which_refuses_until_it_has_it(two, make_note, hashing):
    one, other = two
    for number in range(5):
        await one.ingest(make_note(number))
    new = type(hashing)("hashing-new")
    await one.migrate(new, spec="new")
    with pytest.raises(UnavailableError) as caught:
        await other.ingest(make_note(9))
    assert (caught.value.reason, caught.value.retry_after) == ("EMBEDDING_MODEL_CHANGED", 2.0)
    await other.follow()
    assert other.moved.is_set()
    with pytest.raises(UnavailableError, match="hashing-new") as caught:
        await other.search("unique3", count=1)
    assert caught.value.retry_after
    await other.open(new)
    assert (await other.search("unique3", count=1)).hits[0].passage.document_id == "note-003"
    assert not other.moved.is_set()
    for collection in two:
        await same_as_the_store(collection, collection._store)


async def test_an_index_whose_making_fails_is_made_again_at_the_next_look(two, make_note, tmp_path, monkeypatch):
    one, other = two
    for number in range(3):
        await one.ingest(make_note(number))
    await other.follow()
    snapshot = tmp_path / "snapshot"
    snapshot.write_bytes(b"".join([chunk async for chunk, _ in one.export()]))
    await one.ingest(make_note(3))
    await other.follow()
    await one.replace_all(snapshot)
    news, calls = other._store.news, 0

    async def failing(*given, **named):
        nonlocal calls
        calls += 1
        if calls == 2:
            # The new index is whole, but for a last look at what came meanwhile.
            raise UnavailableError("gone", reason="STORE_UNAVAILABLE")
        return await news(*given, **named)

    monkeypatch.setattr(other._store, "news", failing)
    with pytest.raises(UnavailableError):
        await other.follow()
    await same_as_the_store(other, other._store)
    assert await words(other, "unique3") == []


async def test_of_two_updates_of_the_embeddings_one_runs(two, make_note):
    one, other = two
    for number in range(3):
        await one.ingest(make_note(number))
    steps = one.update_embeddings([], everything=True)
    await anext(steps)
    with pytest.raises(collection_module.FailedPreconditionError):
        await anext(other.update_embeddings([], everything=True))
    assert [step async for step in steps][-1].complete
    assert [step async for step in other.update_embeddings([], everything=True)][-1].complete


async def test_of_two_servers_that_start_at_once_one_loads_the_corpus(
    store_url, tmp_path, hashing, make_note, monkeypatch
):
    """Everything is as it is in a server but the model, and the corpus, which is small."""
    chosen = [CorpusFile(Path(), {}, make_note(number, metadata={"corpus": True})) for number in range(15)]
    hashing.close = AsyncMock()
    monkeypatch.setattr(starting_module, "load_embedder", AsyncMock(return_value=hashing))
    monkeypatch.setattr(loading_module, "read_corpus", lambda: chosen)
    async with AsyncExitStack() as stack:
        tasks, collections, serving = [], [], [asyncio.Event(), asyncio.Event()]
        for number, told in enumerate(serving):
            store = await stack.enter_async_context(open_store(store_url))
            collection = Collection(store, index_path=tmp_path / str(number) / "index.faiss")

            async def set_serving(value: bool, *, reason: str = "", told=told) -> None:
                assert value == (not reason)
                (told.set if value else told.clear)()

            starting = Starting(
                settings=KnowledgeSettings.load(data_dir=tmp_path),
                store=store,
                collection=collection,
                readiness=Readiness(set_serving),
                stack=stack,
            )
            tasks.append(asyncio.ensure_future(starting.run()))
            collections.append(collection)
        async with asyncio.timeout(30):
            await asyncio.gather(*(told.wait() for told in serving))
        assert hashing.texts == 15, "each was embedded once"
        for collection in collections:
            await same_as_the_store(collection, collection._store)
            assert await words(collection, "unique7") == ["note-007"]
            await collection.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_server_asks_nothing_about_changes_of_its_own_that_it_hears_of(two, make_note, monkeypatch):
    one, other = two
    asked, news = 0, one._store.news

    async def counted(*given, **named):
        nonlocal asked
        asked += 1
        return await news(*given, **named)

    monkeypatch.setattr(one._store, "news", counted)
    heard: asyncio.Queue[int] = asyncio.Queue()
    async with one._store.listening(heard.put_nowait):
        await one.ingest(make_note(1))
        await one.follow(await asyncio.wait_for(heard.get(), 5))
        assert asked == 0
        await other.ingest(make_note(2))
        await one.follow(await asyncio.wait_for(heard.get(), 5))
        assert asked > 0
    assert await words(one, "unique2") == ["note-002"]
