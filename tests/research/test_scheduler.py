"""The scheduler over a real store and real runs, with a clock that the test moves."""

import asyncio
import contextlib
import itertools
from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from onenumbers_research.runs.metrics import RunCollector
from onenumbers_research.runs.records import Change, RunState, Schedule
from onenumbers_research.runs.running import Runs
from onenumbers_research.runs.scheduler import DISCOVERY, DiscoveryScheduler, due
from onenumbers_research.runs.store import open_run_store
from onenumbers_runtime.errors import UnavailableError

START = datetime(2026, 1, 1)  # noqa: DTZ001 - the store keeps UTC without zone
DAY = timedelta(hours=24)


class Clock:
    """Time stands still until the test moves it."""

    def __init__(self) -> None:
        self.time = START
        self.waiting = asyncio.Event()
        self._moved = asyncio.Condition()

    def now(self) -> datetime:
        return self.time

    async def pause(self, seconds: float) -> None:
        end = self.time + timedelta(seconds=seconds)
        while self.time < end:
            self.waiting.set()
            async with self._moved:
                await self._moved.wait()

    async def move(self, by: timedelta) -> None:
        """Lets time pass, once the scheduler waits for it."""
        await asyncio.wait_for(self.waiting.wait(), 30)
        self.waiting.clear()
        self.time += by
        async with self._moved:
            self._moved.notify_all()


class Reading:
    """Work that notes what it was asked, and ends when the test lets it, or at once."""

    def __init__(self, *, patient: bool = False) -> None:
        self.asked: list[dict] = []
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.go = asyncio.Semaphore(0)
        self.patient = patient
        self.fails = False

    async def __call__(self, context) -> None:
        self.asked.append(dict(context.run.request))
        await self.begun.put(context.run.run_id)
        if self.patient:
            await self.go.acquire()
        if self.fails:
            raise UnavailableError("the knowledge server does not answer", reason="SERVER_UNAVAILABLE")
        if context.run.scheduled:
            number = len(self.asked)
            await context.record("discover", "Planned.", Change(plan=[], planned_until=number * 1_000))
            await context.record("discover", "Read.", Change(read=True))


@contextlib.asynccontextmanager
async def scheduling(path, clock, work, *, random=lambda: 0.0, **limits):
    """Runs with a scheduler of every 24 hours."""
    ids = (f"{clock.time.isoformat()}-{number}" for number in itertools.count())
    async with (
        open_run_store(path) as store,
        Runs(store, work={DISCOVERY: work, "other": work}, now=clock.now, new_id=lambda: next(ids), **limits) as runs,
    ):
        scheduler = DiscoveryScheduler(runs, every=DAY, now=clock.now, pause=clock.pause, random=random)
        task = asyncio.create_task(scheduler.run())
        try:
            yield runs, scheduler
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def path(tmp_path):
    return tmp_path / "research" / "runs.sqlite"


async def begun(work) -> str:
    return await asyncio.wait_for(work.begun.get(), 30)


def test_the_next_slot_is_one_interval_after_the_last_start_or_at_once():
    assert due(None, DAY, START) == START
    assert due(Schedule(START - timedelta(hours=1)), DAY, START) == START + timedelta(hours=23)
    assert due(Schedule(START - timedelta(days=9)), DAY, START) == START


async def test_a_run_starts_every_interval_and_reads_on_from_where_the_last_one_ended(path):
    clock, work = Clock(), Reading()
    async with scheduling(path, clock, work) as (runs, scheduler):
        await begun(work)
        for _ in range(2):
            # Moved in steps, as a long pause looks at the clock now and then.
            for _ in range(24):
                await clock.move(timedelta(hours=1))
            await begun(work)
        await asyncio.wait_for(clock.waiting.wait(), 30)
        listed = await runs.page(before=None, limit=10)
    assert [each["since"] for each in work.asked] == [0, 1_000, 2_000]
    assert [run.scheduled for run in listed] == [True] * 3
    assert [run.started - START for run in reversed(listed)] == [timedelta(), DAY, 2 * DAY]
    assert scheduler.started == 3
    assert scheduler.next_start == START + 3 * DAY


async def test_the_time_of_the_last_start_outlives_the_server_and_a_missed_slot_runs_once(path):
    clock, work = Clock(), Reading()
    async with scheduling(path, clock, work):
        await begun(work)
        await asyncio.wait_for(clock.waiting.wait(), 30)
    clock.time += timedelta(hours=5)
    clock.waiting.clear()
    async with scheduling(path, clock, work) as (_, scheduler):
        await asyncio.wait_for(clock.waiting.wait(), 30)
        assert scheduler.next_start == START + DAY, "a restart does not begin anew"
    assert len(work.asked) == 1
    clock.time += timedelta(days=10)
    clock.waiting.clear()
    async with scheduling(path, clock, work) as (_, scheduler):
        await begun(work)
        await asyncio.wait_for(clock.waiting.wait(), 30)
        assert scheduler.next_start == clock.time + DAY
    assert len(work.asked) == 2, "ten missed slots are one run"


async def test_two_never_go_on_at_once_not_even_after_a_restart(path):
    """A run that is longer than the interval makes the next slot wait; it runs once when the first has ended."""
    clock, work = Clock(), Reading(patient=True)
    async with scheduling(path, clock, work):
        await begun(work)
    clock.time += 3 * DAY
    async with scheduling(path, clock, work) as (runs, scheduler):
        await begun(work)  # the same run, taken up again
        assert len(await runs.unfinished()) == 1
        assert scheduler.started == 0
        work.go.release()
        await begun(work)
        assert len([run for run in await runs.unfinished() if run.scheduled]) == 1
        assert [run.started for run in await runs.page(before=None, limit=9)] == [START + 3 * DAY, START]
        work.go.release()


async def test_a_run_that_failed_is_told_and_the_next_one_reads_the_same_again(path):
    clock, work, told = Clock(), Reading(), []
    work.fails = True
    async with scheduling(path, clock, work) as (_, scheduler):
        scheduler.on_outcome(lambda well, reason: told.append((well, reason)))
        await begun(work)
        work.fails = False
        await clock.move(DAY)
        await begun(work)
        await asyncio.wait_for(clock.waiting.wait(), 30)
    assert [each["since"] for each in work.asked] == [0, 0]
    assert told == [(True, ""), (False, "the knowledge server does not answer"), (True, "")]


async def test_starts_are_put_off_by_at_most_ten_minutes(path):
    clock, work = Clock(), Reading()
    async with scheduling(path, clock, work, random=lambda: 1.0) as (runs, _):
        await clock.move(timedelta(minutes=10))
        await begun(work)
        (run,) = await runs.page(before=None, limit=9)
    assert run.started == START + timedelta(minutes=10)


async def test_a_full_server_puts_the_start_off(path):
    clock, work = Clock(), Reading(patient=True)
    async with open_run_store(path) as store, Runs(
        store, work={DISCOVERY: work, "other": work}, now=clock.now, new_id=iter("abcdef").__next__,
        max_running=1, max_queued=0,
    ) as runs:  # fmt: skip
        await runs.start("other", {}, "Something else")
        await begun(work)
        scheduler = DiscoveryScheduler(runs, every=DAY, now=clock.now, pause=clock.pause, random=lambda: 0.0)
        task = asyncio.create_task(scheduler.run())
        await asyncio.wait_for(clock.waiting.wait(), 30)
        assert scheduler.started == 0
        work.go.release()
        async for event in runs.watch("a"):
            if event.state is RunState.SUCCEEDED:
                break
        await clock.move(timedelta(minutes=1))
        await begun(work)
        assert scheduler.started == 1
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_runs_and_the_schedule_are_metrics(path):
    clock, work = Clock(), Reading()
    async with scheduling(path, clock, work) as (runs, scheduler):
        await begun(work)
        await asyncio.wait_for(clock.waiting.wait(), 30)
        registry = CollectorRegistry()
        registry.register(RunCollector(runs, scheduler))
        text = generate_latest(registry).decode()
    for line in (
        'onenumbers_research_runs{state="running"} 0.0',
        'onenumbers_research_runs_ended_total{state="succeeded"} 1.0',
        "onenumbers_discovery_schedule_starts_total 1.0",
        "onenumbers_discovery_schedule_interval_seconds 86400.0",
        "onenumbers_discovery_schedule_last_start_timestamp_seconds 1.7672256e+09",
        "onenumbers_discovery_schedule_next_start_timestamp_seconds 1.767312e+09",
    ):
        assert line in text
