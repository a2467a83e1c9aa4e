"""Searches go before documents that are being written."""

import asyncio
from contextlib import ExitStack

import pytest

from onenumbers_runtime import precedence as module
from onenumbers_runtime.errors import InvalidArgumentError


@pytest.fixture
def patient(monkeypatch):
    """Nobody gives up waiting during a test."""
    monkeypatch.setattr(module, "PATIENCE_S", 30)


async def waits(precedence) -> None:
    """Returns when something waits for what is in the foreground."""
    async with asyncio.timeout(5):
        while all(waiter.done() for waiter in precedence._waiting):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)


@pytest.mark.usefixtures("patient")
async def test_a_document_is_neither_cut_nor_stored_while_a_search_runs(collection, hashing, make_note):
    with collection.precedence.foreground():
        writing = asyncio.create_task(collection.ingest(make_note(1)))
        await waits(collection.precedence)
        assert hashing.texts == 0
    # It has begun, and another search comes before it is stored.
    embed = hashing.embed

    async def embed_and_be_overtaken(texts):
        found = await embed(texts)
        search.enter_context(collection.precedence.foreground())
        return found

    hashing.embed = embed_and_be_overtaken
    with ExitStack() as search:
        await waits(collection.precedence)
        assert hashing.texts == 1
        assert (await collection.counts()).documents == 0
    await asyncio.wait_for(writing, 5)
    assert (await collection.counts()).documents == 1


@pytest.mark.usefixtures("patient")
async def test_duplicates_are_looked_for_when_no_search_runs(collection, make_note):
    await collection.ingest(make_note(1))
    with collection.precedence.foreground():
        looking = asyncio.create_task(collection.nearly_the_same("note-001"))
        await waits(collection.precedence)
    assert await asyncio.wait_for(looking, 5) == []


async def test_a_search_is_in_the_foreground_until_it_has_answered_or_failed(collection, hashing, make_note):
    await collection.ingest(make_note(1))
    seen = []
    embed_query = hashing.embed_query

    async def embed_query_and_look(text):
        seen.append(collection.precedence._running)
        return await embed_query(text)

    hashing.embed_query = embed_query_and_look
    assert not collection.precedence.recent
    assert (await collection.search("unique1", count=1)).hits
    assert seen == [1]
    assert collection.precedence._running == 0
    with pytest.raises(InvalidArgumentError):
        await collection.search(" ", count=1)
    assert collection.precedence._running == 0


async def test_documents_come_to_their_end_also_where_searches_never_stop(collection, make_note):
    with collection.precedence.foreground():
        await asyncio.wait_for(collection.ingest(make_note(1)), 30)
    assert (await collection.counts()).documents == 1
