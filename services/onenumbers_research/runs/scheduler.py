"""Starts a discovery every so often: one at a time, on the server that holds the runs of the data folder. Pure.

When the last one was started is stored with the runs. A slot that was missed, while the server was down or while the
run before it went on, is made up for once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from onenumbers_research.runs.records import RunState, Schedule
from onenumbers_research.runs.running import Runs
from onenumbers_runtime.errors import ResourceExhaustedError, UnavailableError

log = structlog.get_logger()

DISCOVERY: Final = "discovery"
"""Kind of the runs that are started."""
MOST_JITTER: Final = timedelta(minutes=10)
_JITTER_SHARE: Final = 0.1
_LONGEST_PAUSE: Final = timedelta(minutes=10)
"""After which the clock is looked at again: it may have been set, or the machine have slept."""
_AGAIN: Final = timedelta(minutes=1)
"""Pause after a start that was refused."""

Listener = Callable[[bool, str], None]
"""Told whether scheduled discoveries succeed, and why not."""


def due(schedule: Schedule | None, every: timedelta, now: datetime) -> datetime:
    """Returns when the next slot is: at once before the first run and for one that was missed."""
    return now if schedule is None else max(now, schedule.last_started + every)


class DiscoveryScheduler:
    """Starts discoveries. Times are UTC without zone.

    Args:
        runs: The runs of this server.
        every: From one start to the next.
        now: The time.
        pause: Waits for so many seconds.
        random: A number of 0-1: each start is put off by so much of a tenth of the interval, at most 10 minutes, so
            that meshes that were started together do not read together.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        every: timedelta,
        now: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self._runs = runs
        self._now = now
        self._pause = pause
        self._random = random
        self._listener: Listener | None = None
        self.every = every
        self.next_start: datetime | None = None
        """When the next run is due; None while one goes on."""
        self.last_started: datetime | None = None
        """When the last one was started."""
        self.started = 0
        """Runs that it has started since the server was."""

    def on_outcome(self, listener: Listener) -> None:
        """Has a listener told, now and after each scheduled run, whether it succeeded."""
        self._listener = listener
        listener(True, "")

    async def run(self) -> None:
        """Starts runs for ever."""
        while True:
            try:
                await self._slot()
            except (ResourceExhaustedError, UnavailableError) as error:
                log.warning("scheduled_discovery_put_off", reason=error.message)
                await self._pause(_AGAIN.total_seconds())

    async def _slot(self) -> None:
        """Waits for the run that goes on, then for the next slot, and has a run start and end."""
        for run in await self._runs.unfinished():
            if run.scheduled:
                self.next_start = None
                await self._until_ended(run.run_id)
        schedule = await self._runs.schedule(DISCOVERY)
        self.last_started = schedule.last_started if schedule is not None else None
        jitter = min(self.every * _JITTER_SHARE, MOST_JITTER) * self._random()
        start = due(schedule, self.every, self._now()) + jitter
        while (left := start - self._now()) > timedelta():
            self.next_start = start
            await self._pause(min(left, _LONGEST_PAUSE).total_seconds())
        since = schedule.read_until if schedule is not None else 0
        told = datetime.fromtimestamp(since / 1e9, UTC).isoformat(timespec="seconds") if since else "the beginning"
        run = await self._runs.start(
            DISCOVERY,
            {"category": "", "search_depth": "", "scheduled": True, "since": since},
            f"Scheduled discovery of utilities in what has changed since {told}",
        )
        self.last_started, self.next_start = run.started, None
        self.started += 1
        log.info("scheduled_discovery_started", run_id=run.run_id)
        await self._until_ended(run.run_id)

    async def _until_ended(self, run_id: str) -> None:
        async for _ in self._runs.watch(run_id):
            pass
        run = await self._runs.get(run_id)
        if self._listener is not None and run.state is not RunState.CANCELLED:
            self._listener(run.state is RunState.SUCCEEDED, run.failure)
