"""Runs as operations, over a real store: limits, order, cancelling, watching, and going on after a restart."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import datetime

import pytest

from onenumbers_research.runs.records import Change, Finding, RunState, Verdict
from onenumbers_research.runs.running import Runs, uninterrupted
from onenumbers_research.runs.store import RunStoreError, open_run_store
from onenumbers_runtime.errors import NotFoundError, ResourceExhaustedError, UnavailableError

NOW = datetime(2026, 1, 1)  # noqa: DTZ001 - the store keeps UTC without zone


class Steps:
    """Work of five parts; each waits until the test lets it go on."""

    def __init__(self) -> None:
        self.permits = asyncio.Semaphore(0)
        self.did: list[str] = []

    async def __call__(self, context) -> None:
        if context.run.plan is None:
            await context.record("plan", "Planned.", Change(plan=[f"part-{number}" for number in range(5)]))
        for number in range(5):
            part = f"part-{number}"
            if part in context.run.done:
                continue
            await self.permits.acquire()
            self.did.append(part)
            finding = Finding(part, part.title(), Verdict.REGISTERED, "it was due", utility_id=part)
            await context.record("work", f"Did {part}.", Change(finding=finding, done=part))

    def allow(self, count: int) -> None:
        for _ in range(count):
            self.permits.release()


@asynccontextmanager
async def opened(path, work, **options) -> AsyncIterator[Runs]:
    ids = (f"{path.stat().st_mtime_ns if path.exists() else 0}-{number}" for number in itertools.count(1))
    async with (
        open_run_store(path) as store,
        Runs(store, work={"steps": work}, now=lambda: NOW, new_id=lambda: next(ids), **options) as runs,
    ):
        yield runs


@pytest.fixture
def path(tmp_path):
    return tmp_path / "research" / "runs.sqlite"


async def begin(runs):
    return await runs.start("steps", {"a": 1}, "Five parts")


async def until(runs, run_id, reached):
    """Watches until an event fulfils a condition; returns the events so far."""
    events = []
    async with asyncio.timeout(30), aclosing(runs.watch(run_id)) as watching:
        async for event in watching:
            events.append(event)
            if reached(event):
                break
    return events


async def test_a_run_is_watched_from_its_start_and_then_live(path):
    work = Steps()
    async with opened(path, work) as runs:
        run = await begin(runs)
        early = asyncio.create_task(until(runs, run.run_id, lambda event: event.state.ended))
        work.allow(2)
        await until(runs, run.run_id, lambda event: event.message == "Did part-1.")
        work.allow(3)
        events = await early
        late = await until(runs, run.run_id, lambda event: event.state.ended)
        ended = await runs.get(run.run_id)
    assert events == late
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.step for event in events] == ["start", "start", "plan", *["work"] * 5, "end"]
    assert ended.state is RunState.SUCCEEDED
    assert ended.ended == NOW
    assert [finding.utility_id for finding in ended.findings] == work.did


async def test_only_so_many_run_and_wait(path):
    """Two run, one waits, the fourth is refused; when one has ended there is room again, in order."""
    work = Steps()
    async with opened(path, work, max_running=2, max_queued=1) as runs:
        started = [await begin(runs) for _ in range(3)]
        for run in started[:2]:
            await until(runs, run.run_id, lambda event: event.step == "plan")
        assert (await runs.get(started[2].run_id)).state is RunState.QUEUED
        with pytest.raises(ResourceExhaustedError) as caught:
            await begin(runs)
        assert caught.value.retry_after
        await runs.cancel(started[0].run_id)
        await until(runs, started[2].run_id, lambda event: event.step == "plan")
        await begin(runs)


async def test_many_starts_at_once_do_not_pass_the_limit(path):
    work = Steps()
    async with opened(path, work, max_running=1, max_queued=2) as runs:
        outcomes = await asyncio.gather(*(begin(runs) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(outcome, ResourceExhaustedError) for outcome in outcomes) == 17


async def test_a_cancelled_run_keeps_what_it_found_and_stays_cancelled(path):
    work = Steps()
    async with opened(path, work) as runs:
        run = await begin(runs)
        work.allow(2)
        await until(runs, run.run_id, lambda event: event.message == "Did part-1.")
        cancelled = await runs.cancel(run.run_id)
        assert cancelled.state is RunState.CANCELLED
        assert len(cancelled.findings) == 2
        assert await runs.cancel(run.run_id) == cancelled, "once more changes nothing"
        events = await until(runs, run.run_id, lambda event: event.state.ended)
        assert events[-1].message == "Cancelled."
    async with opened(path, work) as runs:
        assert (await runs.get(run.run_id)).state is RunState.CANCELLED


async def test_a_run_that_waits_can_be_cancelled(path):
    work = Steps()
    async with opened(path, work, max_running=1) as runs:
        first, second = await begin(runs), await begin(runs)
        assert (await runs.cancel(second.run_id)).state is RunState.CANCELLED
        work.allow(5)
        await until(runs, first.run_id, lambda event: event.state.ended)
        assert (await runs.get(first.run_id)).state is RunState.SUCCEEDED


async def test_a_run_goes_on_after_a_restart_from_its_last_finished_part(path):
    work = Steps()
    parts = [f"part-{number}" for number in range(5)]
    async with opened(path, work, max_running=1) as runs:
        run, waiting = await begin(runs), await begin(runs)
        work.allow(2)
        await until(runs, run.run_id, lambda event: event.message == "Did part-1.")
    assert work.did == parts[:2]
    work.allow(8)
    async with opened(path, work, max_running=1) as runs:
        for each in (run, waiting):
            events = await until(runs, each.run_id, lambda event: event.state.ended)
            resumed = any(event.message == "Goes on after a restart." for event in events)
            assert resumed is (each is run)
            ended = await runs.get(each.run_id)
            assert ended.state is RunState.SUCCEEDED
            assert [finding.utility_id for finding in ended.findings] == parts
    assert work.did == [*parts, *parts]


async def test_a_failure_is_told_in_words_that_may_be_shown(path):
    async def away(_):
        raise UnavailableError("the knowledge server does not answer", reason="SERVER_UNAVAILABLE")

    async def broken(_):
        raise ValueError("/secret/path")

    for work, reason in (
        (away, "the knowledge server does not answer"),
        (broken, "an internal error: see the server's log"),
    ):
        async with opened(path, work) as runs:
            run = await begin(runs)
            events = await until(runs, run.run_id, lambda event: event.state.ended)
            ended = await runs.get(run.run_id)
        assert (ended.state, ended.failure) == (RunState.FAILED, reason)
        assert "secret" not in "".join(event.message for event in events)


async def test_those_who_watch_are_told_when_the_server_stops(path):
    work = Steps()
    async with opened(path, work) as runs:
        run = await begin(runs)
        watching = asyncio.create_task(until(runs, run.run_id, lambda event: event.state.ended))
        await until(runs, run.run_id, lambda event: event.step == "plan")
        await runs.stop()
        with pytest.raises(UnavailableError):
            await watching
        with pytest.raises(UnavailableError):
            await begin(runs)


async def test_runs_are_listed_newest_first_page_by_page(path):
    work = Steps()
    async with opened(path, work) as runs:
        started = [(await begin(runs)).run_id for _ in range(5)]
        first = await runs.page(before=None, limit=2)
        second = await runs.page(before=first[-1].key, limit=10)
        with pytest.raises(NotFoundError):
            await runs.get("nothing")
    assert [run.run_id for run in (*first, *second)] == started[::-1]


async def test_one_process_at_a_time_holds_the_store(path):
    async with open_run_store(path):
        with pytest.raises(RunStoreError, match="another research server"):
            async with open_run_store(path):
                pass


async def test_a_file_that_is_no_store_is_refused(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(RunStoreError, match="cannot be opened"):
        async with open_run_store(path):
            pass


async def test_what_must_not_be_cut_in_half_is_not():
    """A cancellation takes effect after the work, never in it."""
    halves, begun, go = [], asyncio.Event(), asyncio.Event()

    async def two_halves():
        halves.append(1)
        begun.set()
        await go.wait()
        halves.append(2)

    task = asyncio.create_task(uninterrupted(two_halves()))
    await begun.wait()
    task.cancel()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert halves == [1, 2]
