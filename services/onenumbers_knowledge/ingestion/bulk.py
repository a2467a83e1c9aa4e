"""Bulk ingestion: documents in a stream, one acknowledgement each, in order, with bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection
from typing import Any, Protocol, TypeVar

WINDOW = 8
"""Documents in work at once; the next one is read when the first of them is acknowledged."""
DRAIN_S = 2.0
"""Seconds that what still comes is read, and dropped, after the work on an item has failed."""


class Keyed(Protocol):
    """An item of a stream."""

    @property
    def key(self) -> str:
        """Items of one key are worked on one after the other."""
        ...


ItemT = TypeVar("ItemT", bound=Keyed)
ResultT = TypeVar("ResultT")


async def in_order(
    items: AsyncIterator[ItemT], work: Callable[[ItemT], Awaitable[ResultT]], *, window: int = WINDOW
) -> AsyncGenerator[ResultT, None]:
    """Works on the items of a stream, some at once, and yields the results in the order of the items.

    A result is yielded as soon as it is there, also while the next item has not come: a caller may wait for each
    acknowledgement before it sends the next document. What is in work when the caller goes away is cancelled.

    Where the work on an item fails, the rest of the stream is read before the error is raised: a status that reaches
    gRPC's client in Python while it sends is lost there, and its caller is told of an internal error.

    Args:
        items: The stream.
        work: What is done with an item.
        window: Items in work at once.
    """
    pending: deque[asyncio.Task[ResultT]] = deque()
    latest: dict[str, asyncio.Task[ResultT]] = {}
    reader: asyncio.Task[ItemT | None] | None = None
    ended = False
    try:
        while True:
            if reader is None and not ended and len(pending) < window:
                reader = asyncio.ensure_future(_next(items))
            waited: set[asyncio.Task[object]] = set()
            if reader is not None:
                waited.add(reader)
            if pending:
                waited.add(pending[0])
            if not waited:
                return
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if reader is not None and reader.done():
                item, reader = reader.result(), None
                if item is None:
                    ended = True
                else:
                    task = asyncio.ensure_future(_after(latest.get(item.key), work, item))
                    latest[item.key] = task
                    pending.append(task)
            while pending and pending[0].done():
                yield pending.popleft().result()
            latest = {key: task for key, task in latest.items() if not task.done()}
    except Exception:
        await _cancel(pending)
        await _drained(items, reader)
        raise
    finally:
        await _cancel([*pending, *([reader] if reader is not None else [])])


async def _next(items: AsyncIterator[ItemT]) -> ItemT | None:
    async for item in items:
        return item
    return None


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _drained(items: AsyncIterator[ItemT], reader: asyncio.Task[ItemT | None] | None) -> None:
    # What else goes wrong now is no news.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(DRAIN_S):
            item = await (reader if reader is not None else _next(items))
            while item is not None:
                item = await _next(items)


async def _after(
    before: asyncio.Task[ResultT] | None, work: Callable[[ItemT], Awaitable[ResultT]], item: ItemT
) -> ResultT:
    if before is not None:
        await asyncio.wait([before])
    return await work(item)
