"""Where indexes are touched: one call at a time, searches first, and nobody is left waiting."""

import asyncio
import threading

import pytest

from onenumbers_knowledge.index.thread import IndexThread


class Held:
    """An index thread that is busy until it is let go, and a note of what it did."""

    def __init__(self):
        self.thread = IndexThread()
        self.done = []
        self.begun, self._let = threading.Event(), threading.Event()
        self.first = asyncio.ensure_future(self.thread.run(self._hold))

    def _hold(self):
        self.begun.set()
        assert self._let.wait(30)

    def ask(self, name, *, search=False):
        return asyncio.ensure_future(self.thread.run(lambda: self.done.append(name), search=search))

    async def let(self):
        """Lets go once everything that was asked for waits."""
        await asyncio.sleep(0)
        self._let.set()
        await self.first


@pytest.fixture
async def held():
    made = Held()
    await asyncio.sleep(0)
    assert await asyncio.to_thread(made.begun.wait, 30)
    yield made
    made._let.set()
    await asyncio.to_thread(made.thread.close)


async def test_searches_go_before_what_came_earlier(held):
    asked = [held.ask("change"), held.ask("one", search=True), held.ask("upkeep"), held.ask("two", search=True)]
    await held.let()
    await asyncio.gather(*asked)
    assert held.done == ["one", "two", "change", "upkeep"]


async def test_a_change_comes_to_its_turn_where_searches_never_stop(held):
    asked = [held.ask("change"), held.ask("upkeep"), *(held.ask(n, search=True) for n in range(10))]
    await held.let()
    await asyncio.gather(*asked)
    assert held.done == [0, 1, 2, 3, "change", 4, 5, 6, 7, "upkeep", 8, 9]


async def test_who_leaves_before_his_turn_has_nothing_run(held):
    leaving, staying = held.ask("leaving"), held.ask("staying")
    await asyncio.sleep(0)
    leaving.cancel()
    await held.let()
    await staying
    assert held.done == ["staying"]
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_results_and_errors_go_to_their_callers(held):
    await held.let()

    def broken():
        raise ValueError("broken")

    assert await held.thread.run(lambda: 7) == 7
    with pytest.raises(ValueError, match="broken"):
        await held.thread.run(broken, search=True)
    assert await held.thread.run(lambda: 8, search=True) == 8


async def test_at_the_end_what_waits_is_done_and_nothing_more_is_taken(held):
    asked = held.ask("waits")
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(asyncio.to_thread(held.thread.close))
    await held.let()
    await asyncio.gather(asked, closing)
    assert held.done == ["waits"]
    with pytest.raises(RuntimeError):
        await held.thread.run(lambda: 1)
