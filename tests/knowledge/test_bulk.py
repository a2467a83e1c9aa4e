"""A stream whose work fails is read to its end, so that the error reaches who sends it."""

import asyncio
from dataclasses import dataclass

import pytest

from onenumbers_knowledge.ingestion import bulk
from onenumbers_knowledge.ingestion.bulk import in_order


@dataclass(frozen=True)
class Item:
    key: str


async def work(item: Item) -> str:
    if item.key == "3":
        raise ValueError("full")
    if int(item.key) > 3:
        await asyncio.Event().wait()
    return item.key


async def failing(items) -> list[str]:
    done = []

    async def follow() -> None:
        async for result in in_order(items, work):
            done.append(result)

    with pytest.raises(ValueError, match="full"):
        await follow()
    return done


async def test_where_the_work_on_an_item_fails_the_rest_is_read_and_dropped():
    read = []

    async def items():
        for number in range(100):
            read.append(number)
            yield Item(str(number))
            await asyncio.sleep(0)

    assert await asyncio.wait_for(failing(items()), 10) == ["0", "1", "2"]
    assert read == list(range(100))


async def test_a_stream_that_never_ends_is_left_after_a_while(monkeypatch):
    monkeypatch.setattr(bulk, "DRAIN_S", 0.05)

    async def items():
        for number in range(5):
            yield Item(str(number))
        await asyncio.Event().wait()

    assert await asyncio.wait_for(failing(items()), 10) == ["0", "1", "2"]


async def test_a_stream_that_breaks_while_it_is_dropped_changes_nothing():
    async def items():
        for number in range(20):
            yield Item(str(number))
            await asyncio.sleep(0)
        raise OSError("gone")

    assert await asyncio.wait_for(failing(items()), 10) == ["0", "1", "2"]
