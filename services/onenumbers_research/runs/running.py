"""Research runs as operations: started, stored, watched, cancelled, and taken up again after a restart. Pure."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self, TypeVar

import structlog

from onenumbers_research.runs.records import Change, Run, RunEvent, RunState, Schedule
from onenumbers_research.runs.store import RunStore
from onenumbers_runtime.errors import MeshError, NotFoundError, ResourceExhaustedError, UnavailableError

log = structlog.get_logger()

T = TypeVar("T")

MAX_RUNNING: Final = 2
"""Runs that go on at once."""
MAX_QUEUED: Final = 8
"""Runs that wait; more are refused."""
_RETRY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class RunContext:
    """A run as the work that it does sees it."""

    run: Run
    """The run as it was when the work began: what is in `run.done` was finished before a restart."""
    record: Callable[[str, str, Change], Awaitable[bool]]
    """Appends an event (step, message, what changes) durably."""
    mark_done: Callable[[str], Awaitable[None]]
    """Notes that a part of the plan is finished, without an event."""


Work = Callable[[RunContext], Awaitable[None]]


class Runs:
    """All runs of a server, as an async context manager. Runs that had not ended go on when it is entered.

    A run that is cut off by the end of the process stays unfinished in the store; one that is cancelled has ended.

    Args:
        store: Where they are kept.
        work: What a run of each kind does.
        now: The time, UTC without zone.
        new_id: Makes identifiers.
        max_running: Runs that go on at once.
        max_queued: Runs that wait; more are refused.
    """

    def __init__(
        self,
        store: RunStore,
        *,
        work: Mapping[str, Work],
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        max_running: int = MAX_RUNNING,
        max_queued: int = MAX_QUEUED,
    ) -> None:
        self._store = store
        self._work = dict(work)
        self._now = now
        self._new_id = new_id
        self._places = asyncio.Semaphore(max_running)
        self._limit = max_running + max_queued
        self._starting = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelling: set[str] = set()
        self._versions: Counter[str] = Counter()
        self._changed = asyncio.Condition()
        self._stopping = False
        self.running = 0
        """Runs that go on."""
        self.ended: Counter[RunState] = Counter()
        """Runs that have ended since the server was started, by state."""

    @property
    def waiting(self) -> int:
        """Runs that wait for their turn."""
        return len(self._tasks) - self.running

    async def unfinished(self) -> list[Run]:
        """Returns the runs that have not ended, oldest first."""
        return await uninterrupted(self._store.unfinished())

    async def schedule(self, kind: str) -> Schedule | None:
        """Returns what is stored of the schedule of runs of a kind; None before the first one."""
        return await uninterrupted(self._store.schedule(kind))

    async def __aenter__(self) -> Self:
        for run in await self._store.unfinished():
            log.info("research_run_resumed", run_id=run.run_id, kind=run.kind, done=len(run.done))
            self._go(run.run_id)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Cuts off the runs, which go on at the next start, and ends those who watch. Safe to call again."""
        self._stopping = True
        async with self._changed:
            self._changed.notify_all()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def start(self, kind: str, request: Mapping[str, Any], subject: str) -> Run:
        """Stores a run and lets it go on by itself.

        Raises:
            ResourceExhaustedError: As many runs as may go on and wait already do.
            UnavailableError: The server is stopping.
        """
        if self._stopping:
            raise _stopping()
        if len(self._tasks) + self._starting >= self._limit:
            raise ResourceExhaustedError(
                f"{self._limit} research runs go on or wait already: wait for one to end, or cancel one",
                reason="TOO_MANY_RESEARCH_RUNS",
                metadata={"limit": str(self._limit)},
                retry_after=_RETRY_S,
            )
        self._starting += 1
        try:
            # Stored and let go as one: a caller who leaves in between would leave a run that nobody takes up.
            return await uninterrupted(self._created(kind, request, subject))
        finally:
            self._starting -= 1

    async def _created(self, kind: str, request: Mapping[str, Any], subject: str) -> Run:
        run_id = self._new_id()
        run = await self._store.create(run_id, kind=kind, request=request, subject=subject, now=self._now())
        if not self._stopping:
            self._go(run_id)
        return run

    async def get(self, run_id: str) -> Run:
        """Returns a run. Raises NotFoundError."""
        run = await uninterrupted(self._store.get(run_id))
        if run is None:
            raise NotFoundError(f"there is no research run '{run_id[:100]}'", reason="RESEARCH_RUN_NOT_FOUND")
        return run

    async def page(self, *, before: int | None, limit: int) -> list[Run]:
        """Returns runs, newest first, that were started before the one with this key."""
        return await uninterrupted(self._store.page(before=before, limit=limit))

    async def cancel(self, run_id: str) -> Run:
        """Cancels a run and returns it as it ended; one that has ended is returned as it is. Raises NotFoundError."""
        await self.get(run_id)
        task = self._tasks.get(run_id)
        if task is not None:
            self._cancelling.add(run_id)
            task.cancel()
            await asyncio.wait([task])
            if task.cancelled():
                # It was cancelled before it ever ran, and could note nothing.
                await self._end(run_id, "Cancelled.", RunState.CANCELLED)
        return await self.get(run_id)

    async def watch(self, run_id: str) -> AsyncIterator[RunEvent]:
        """Yields the events of a run from its start until it ends.

        Raises:
            NotFoundError: There is no such run.
            UnavailableError: The server is stopping; the run goes on after the next start.
        """
        await self.get(run_id)
        last = 0
        while True:
            version = self._versions[run_id]
            for each in await uninterrupted(self._store.events(run_id, after=last)):
                last = each.sequence
                yield each
                if each.state.ended:
                    return
            async with self._changed:
                await self._changed.wait_for(lambda: self._stopping or self._versions[run_id] != version)  # noqa: B023
            if self._stopping and self._versions[run_id] == version:
                raise _stopping()

    def _go(self, run_id: str) -> None:
        # A context of its own: the deadline of the call that starts a run is not the run's.
        task = asyncio.get_running_loop().create_task(
            self._guarded(run_id), name=f"research-run-{run_id}", context=contextvars.Context()
        )
        self._tasks[run_id] = task
        task.add_done_callback(lambda _: self._forget(run_id))

    def _forget(self, run_id: str) -> None:
        self._tasks.pop(run_id, None)
        self._cancelling.discard(run_id)

    async def _guarded(self, run_id: str) -> None:
        try:
            async with self._places:
                self.running += 1
                try:
                    await self._perform(run_id)
                finally:
                    self.running -= 1
        except asyncio.CancelledError:
            if run_id in self._cancelling:
                await self._end(run_id, "Cancelled.", RunState.CANCELLED)
        except MeshError as error:
            await self._end(run_id, f"Failed: {error.message}", RunState.FAILED, error.message)
        except Exception:
            log.exception("research_run_failed", run_id=run_id)
            await self._end(run_id, "Failed.", RunState.FAILED, "an internal error: see the server's log")

    async def _perform(self, run_id: str) -> None:
        run = await self.get(run_id)
        resumed = run.state is RunState.RUNNING
        message = "Goes on after a restart." if resumed else "Runs."
        await self._record(run_id, "start", message, Change(state=RunState.RUNNING))

        async def record(step: str, text: str, change: Change) -> bool:
            return await self._record(run_id, step, text, change)

        async def mark_done(part: str) -> None:
            await uninterrupted(self._store.mark_done(run_id, part))

        await self._work[run.kind](RunContext(run, record, mark_done))
        await self._end(run_id, "Done.", RunState.SUCCEEDED)

    async def _end(self, run_id: str, message: str, state: RunState, failure: str = "") -> None:
        self.ended[state] += 1
        with suppress(UnavailableError):
            await self._record(run_id, "end", message, Change(state=state, failure=failure))
        log.info("research_run_ended", run_id=run_id, state=state.value, reason=failure or None)

    async def _record(self, run_id: str, step: str, message: str, change: Change) -> bool:
        written = await uninterrupted(
            self._store.record(run_id, now=self._now(), step=step, message=message, change=change)
        )
        async with self._changed:
            self._versions[run_id] += 1
            self._changed.notify_all()
        return written


async def uninterrupted(coroutine: Coroutine[Any, Any, T]) -> T:
    """Awaits something that must not be cut in half: a cancellation takes effect only after it has ended.

    Everything that uses the store is such a thing: a transaction that is cut off would lose its connection.
    """
    task = asyncio.ensure_future(coroutine)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait([task])
        with contextlib.suppress(Exception):
            task.exception()
        raise


def _stopping() -> UnavailableError:
    return UnavailableError("the research server is stopping", reason="SERVER_STOPPING", retry_after=1.0)
