"""Texts of several callers share batches, each caller gets his turn, and who leaves takes his texts with him."""

import asyncio
import os
import sys
import threading

import numpy as np
import pytest

from onenumbers_models.embedding.lane import BATCH_TOKENS, SHORT_BATCH_TOKENS, Lane
from onenumbers_runtime import precedence as precedence_module
from onenumbers_runtime.errors import InvalidArgumentError, ResourceExhaustedError, UnavailableError
from onenumbers_runtime.precedence import Precedence


class Steps:
    """Computes a batch only when it is let; the vector of a text is its first token."""

    def __init__(self):
        self.batches = []
        self.let = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.failing = False

    def vectors(self, texts):
        self.batches.append([int(tokens[0]) for tokens in texts])
        self.begun.release()
        assert self.let.acquire(timeout=30)
        if self.failing:
            raise ValueError("broken")
        return np.array([[tokens[0]] for tokens in texts], dtype=np.float32)


def tokenize(text):
    """ "7:3" has three tokens and the vector 7."""
    value, _, count = text.partition(":")
    if value == "bad":
        raise InvalidArgumentError("bad", reason="BAD")
    return np.full(int(count or 1), int(value), dtype=np.int32)


@pytest.fixture
async def steps():
    return Steps()


@pytest.fixture
async def lane(steps):
    made = Lane("test", steps, tokenize=tokenize, places=100, batch_texts=8)
    yield made
    steps.let.release(1000)
    await asyncio.to_thread(made.close)


async def busy(lane, steps):
    """Occupies the lane with one text, so that what follows waits."""
    first = asyncio.ensure_future(lane.vectors(["0"]))
    await asyncio.sleep(0)
    assert await asyncio.to_thread(steps.begun.acquire, timeout=30)
    return first


async def calls(lane, *texts):
    tasks = [asyncio.ensure_future(lane.vectors(item)) for item in texts]
    await asyncio.sleep(0)
    return tasks


async def test_callers_share_a_batch_one_text_each_in_turn(lane, steps):
    await busy(lane, steps)
    tasks = await calls(lane, ["1", "2", "3", "4", "5"], ["11"], ["21", "22", "23"])
    steps.let.release(1000)
    results = await asyncio.gather(*tasks)
    assert [[int(v[0]) for v in rows] for rows in results] == [[1, 2, 3, 4, 5], [11], [21, 22, 23]]
    assert steps.batches == [[0], [1, 11, 21, 2, 22, 3, 23, 4], [5]]
    assert lane.waiting == 0


async def test_a_batch_is_full_at_its_tokens(lane, steps):
    await busy(lane, steps)
    half = BATCH_TOKENS // 2
    tasks = await calls(lane, [f"1:{half}", f"2:{half}", "3:1", f"4:{BATCH_TOKENS + 50}", "5:1"])
    steps.let.release(1000)
    await asyncio.gather(*tasks)
    assert steps.batches == [[0], [1, 2], [3], [4], [5]]


async def test_texts_of_a_caller_who_left_are_not_computed_and_free_their_places(lane, steps):
    await busy(lane, steps)
    leaving, staying = await calls(lane, [str(n) for n in range(1, 61)], ["99"])
    with pytest.raises(ResourceExhaustedError):
        await lane.vectors(["7"] * 60)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert lane.waiting == 2
    more = (await calls(lane, ["7"] * 60))[0]
    steps.let.release(1000)
    assert [int(v[0]) for v in await staying] == [99]
    assert len(await more) == 60
    assert not any(1 <= n <= 6 or 8 <= n <= 60 for batch in steps.batches for n in batch)


async def test_a_bad_text_fails_its_caller_alone(lane, steps):
    await busy(lane, steps)
    good, bad = await calls(lane, ["1", "2"], ["3", "bad", "4"])
    steps.let.release(1000)
    assert len(await good) == 2
    with pytest.raises(InvalidArgumentError):
        await bad
    assert lane.waiting == 0


async def test_a_batch_that_fails_is_told_to_all_of_its_callers_and_the_next_one_works(lane, steps):
    first = await busy(lane, steps)
    steps.failing = True
    steps.let.release()
    with pytest.raises(ValueError, match="broken"):
        await first
    steps.failing = False
    steps.let.release(1000)
    assert int((await lane.vectors(["5"]))[0][0]) == 5
    assert lane.waiting == 0


async def test_who_waits_when_it_closes_is_told(lane, steps):
    first = await busy(lane, steps)
    (waiting,) = await calls(lane, ["1"] * 20)
    closing = asyncio.ensure_future(asyncio.to_thread(lane.close))
    while not lane._closing:  # noqa: ASYNC110 - set by another thread
        await asyncio.sleep(0)
    steps.let.release(1)
    assert len(await first) == 1
    with pytest.raises(UnavailableError):
        await waiting
    await closing
    with pytest.raises(UnavailableError):
        await lane.vectors(["1"])


class Priority:
    """Gives each text the nice value of the thread that computes it."""

    def vectors(self, texts):
        nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        return np.full((len(texts), 1), nice, dtype=np.float32)


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has a priority for each thread")
async def test_what_runs_in_the_background_comes_after_everything_else():
    own = os.getpriority(os.PRIO_PROCESS, 0)
    for behind in (None, Precedence()):
        lane = Lane("test", Priority(), tokenize=tokenize, places=10, batch_texts=8, behind=behind)
        ((nice,),) = await lane.vectors(["1"])
        await asyncio.to_thread(lane.close)
        assert nice == (min(19, own + 10) if behind else own)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


@pytest.fixture
async def giving_way(steps, monkeypatch):
    """A lane that waits for what goes before it, and that."""
    monkeypatch.setattr(precedence_module, "PATIENCE_S", 30)
    precedence = Precedence()
    made = Lane("test", steps, tokenize=tokenize, places=100, batch_texts=8, behind=precedence)
    yield made, precedence
    steps.let.release(1000)
    await asyncio.to_thread(made.close)


async def test_no_batch_is_begun_while_something_goes_before_the_lane(giving_way, steps):
    lane, precedence = giving_way
    with precedence.foreground():
        (task,) = await calls(lane, ["1"])
        steps.let.release(1000)
        # The thread is given every chance to go wrong.
        assert not await asyncio.to_thread(steps.begun.acquire, timeout=0.2)
        assert not task.done()
    assert int((await asyncio.wait_for(task, 5))[0][0]) == 1


async def test_batches_are_short_while_something_comes_now_and_then(giving_way, steps, monkeypatch):
    lane, precedence = giving_way
    texts = [f"{n}:{SHORT_BATCH_TOKENS // 2}" for n in range(1, 7)]
    with precedence.foreground():
        (task,) = await calls(lane, texts)
    steps.let.release(1000)
    await task
    assert steps.batches == [[1, 2], [3, 4], [5, 6]]
    monkeypatch.setattr(precedence_module, "RECENT_S", 0)
    await lane.vectors(texts)
    assert steps.batches[3:] == [[1, 2, 3, 4, 5, 6]], "nobody came for a while"
