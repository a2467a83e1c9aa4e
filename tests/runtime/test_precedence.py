"""Work in bulk waits for what is in the foreground, but never for ever."""

import asyncio
import threading

import pytest

from onenumbers_runtime import precedence as module
from onenumbers_runtime.precedence import Precedence


@pytest.fixture
def patient(monkeypatch):
    """Nobody gives up waiting during a test."""
    monkeypatch.setattr(module, "PATIENCE_S", 30)


@pytest.mark.usefixtures("patient")
async def test_nobody_waits_for_nobody():
    precedence = Precedence()
    await asyncio.wait_for(precedence.passed(), 5)
    await asyncio.wait_for(asyncio.to_thread(precedence.wait), 5)
    assert not precedence.recent


@pytest.mark.usefixtures("patient")
async def test_tasks_and_threads_wait_until_the_last_one_has_left():
    precedence = Precedence()
    events = []
    began = threading.Event()

    async def task() -> None:
        await precedence.passed()
        events.append("task")

    def thread() -> None:
        began.set()
        precedence.wait()
        events.append("thread")

    with precedence.foreground():
        with precedence.foreground():
            waiting = [asyncio.create_task(task()), asyncio.create_task(asyncio.to_thread(thread))]
            await asyncio.to_thread(began.wait, 5)
        await asyncio.sleep(0)
        assert precedence.recent
        events.append("left")
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert events[0] == "left"
    assert sorted(events[1:]) == ["task", "thread"]


@pytest.mark.usefixtures("patient")
async def test_it_is_left_also_where_the_work_fails_or_is_cancelled():
    precedence = Precedence()

    async def work() -> None:
        with precedence.foreground():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(precedence.passed())
    await asyncio.sleep(0)
    assert not waiting.done()
    task.cancel()
    await asyncio.wait_for(waiting, 5)
    with pytest.raises(ValueError, match="broken"), precedence.foreground():
        raise ValueError("broken")
    await asyncio.wait_for(precedence.passed(), 5)


@pytest.mark.usefixtures("patient")
async def test_who_waits_can_be_cancelled_and_nothing_of_him_stays():
    precedence = Precedence()
    with precedence.foreground():
        waiting = asyncio.create_task(precedence.passed())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not precedence._waiting
    await asyncio.wait_for(precedence.passed(), 5)


async def test_patience_ends(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    precedence = Precedence()
    with precedence.foreground():
        await asyncio.wait_for(precedence.passed(), 5)
        await asyncio.wait_for(asyncio.to_thread(precedence.wait), 5)
        assert precedence.recent


async def test_somebody_is_expected_again_for_a_while(monkeypatch):
    precedence = Precedence()
    with precedence.foreground():
        pass
    assert precedence.recent
    monkeypatch.setattr(module, "RECENT_S", 0)
    assert not precedence.recent
