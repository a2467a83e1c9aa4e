"""Keeps the processes of the mesh running, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from onenumbers_cli.child import Child, ChildSpec, rotate

STOP_LIMIT_S = 9.0
"""All children are gone after this, politely or not."""
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_HEALTHY_AFTER_S = 60.0
"""A child that lived this long starts with the first pause again."""
_LOG_CHECK_S = 15.0

Report = Callable[[str], None]


class Supervisor:
    """Runs children, as an async context manager: starts them on entering, ends them on leaving.

    Args:
        specs: What to run, in the order of their starts.
        log_dir: Folder of their logs.
        report: Told in one line what a person should know.
        first_pause_s: Seconds before the first restart of a child; doubled with each that follows soon.
        stop_limit_s: Seconds after which all children are gone, politely or not.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        log_dir: Path,
        report: Report,
        first_pause_s: float = _FIRST_PAUSE_S,
        stop_limit_s: float = STOP_LIMIT_S,
    ) -> None:
        self.children = {spec.name: Child(spec, log_dir / f"{spec.name}.log") for spec in specs}
        self.restarts = dict.fromkeys(self.children, 0)
        self._report = report
        self._first_pause_s = first_pause_s
        self._stop_limit_s = stop_limit_s
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        for child in self.children.values():
            await child.start()
        self._tasks = [
            *(asyncio.create_task(self._keep(child), name=name) for name, child in self.children.items()),
            asyncio.create_task(self._keep_logs_small()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Ends all children, rank by rank, within the limit. Safe to call again."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        end = time.monotonic() + self._stop_limit_s
        ranks = sorted({child.spec.stop_rank for child in self.children.values()})
        for index, rank in enumerate(ranks):
            members = [child for child in self.children.values() if child.spec.stop_rank == rank]
            # What an earlier rank does not need is left to the later ones; each keeps a share.
            left = end - time.monotonic()
            share = max(0.3, left / (len(ranks) - index) * (1.5 if index + 1 < len(ranks) else 1.0))
            ended = await asyncio.gather(*(child.stop(within_s=min(share, left)) for child in members))
            for child, willing in zip(members, ended, strict=True):
                if not willing:
                    self._report(f"{child.spec.name} did not end in time and was killed")

    def kill(self) -> None:
        """Ends all children at once."""
        for child in self.children.values():
            child.kill()

    async def _keep(self, child: Child) -> None:
        pause = self._first_pause_s
        while True:
            started = time.monotonic()
            status = await child.wait()
            if self._stopping:
                return
            if time.monotonic() - started > _HEALTHY_AFTER_S:
                pause = self._first_pause_s
            last = child.last_lines(1)
            self._report(
                f"{child.spec.name} {ending(status)}; starting it again in {pause:g} s"
                + (f" (last line of {child.log.name}: {last[0][:300]})" if last else "")
            )
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            self.restarts[child.spec.name] += 1
            await child.start()

    async def _keep_logs_small(self) -> None:
        while True:
            await asyncio.sleep(_LOG_CHECK_S)
            for child in self.children.values():
                with contextlib.suppress(OSError):
                    rotate(child.log)


def ending(status: int) -> str:
    """Returns how a process ended, in words."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
