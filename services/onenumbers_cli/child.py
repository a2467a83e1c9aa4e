"""One child process of the mesh: its start, its log, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onenumbers_cli import exec_child

MAX_LOG_BYTES = 10 * 1024 * 1024
"""A larger log is moved to NAME.log.1, which replaces the one before."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A program to run and to keep running."""

    name: str
    """Short name, also of its log."""
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_rank: int
    """Children of the lowest rank are ended first; those of one rank together."""
    before_stop: Callable[[], Awaitable[object]] | None = field(default=None)
    """Run before SIGTERM, such as the draining of connections."""


class Child:
    """A started program. Its output goes to a file that only ever grows at its end.

    Args:
        spec: What to run.
        log: File of its output.
    """

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id; None while it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Starts it in a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(self.log)
        wrapper = [sys.executable, "-I", "-S", exec_child.__file__, str(os.getpid())]
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *wrapper,
                *self.spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.spec.environment),
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Waits until it ends; returns its exit status, negative for a signal."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def stop(self, *, within_s: float) -> bool:
        """Asks it to end, and makes it end when the time is up; returns whether it ended by itself."""
        process = self._process
        if process is None or process.returncode is not None:
            return True
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        if self.spec.before_stop is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.spec.before_stop(), timeout=within_s * 0.8)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), timeout=max(0.1, end - loop.time()))
        except TimeoutError:
            self.kill()
            await process.wait()
            return False
        self._kill_group(process.pid)
        return True

    def kill(self) -> None:
        """Ends it and what it started, at once."""
        if self.pid is not None:
            self._kill_group(self.pid)

    @staticmethod
    def _kill_group(leader: int) -> None:
        # It leads a session, and so a group, of its own: helpers that it left behind are in there and nobody else.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)

    def last_lines(self, count: int = 3) -> list[str]:
        """Returns the last lines of its log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 8192))
                return log.read().decode(errors="replace").strip().splitlines()[-count:]
        except OSError:
            return []


def rotate(log: Path) -> None:
    """Moves the content of a large log to NAME.log.1. The file stays, for a running child writes to it."""
    try:
        if log.stat().st_size <= MAX_LOG_BYTES:
            return
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
    except FileNotFoundError:
        return
