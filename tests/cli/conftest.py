"""Stand-in programs for the supervisor, and the command line as a process."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Waits for a condition; fails when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come"
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run_cli(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `onenumbers` to its end, with no settings but `variables`."""
    return subprocess.run(
        [sys.executable, "-m", "onenumbers_cli.main", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean_environment() | variables,
    )


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}


@pytest.fixture(name="until")
def _until():
    return until


@pytest.fixture(name="alive")
def _alive():
    return alive


@pytest.fixture(name="run_cli")
def _run_cli():
    return run_cli


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose path is short enough for the unix sockets in it."""
    folder = Path(tempfile.mkdtemp(prefix="mesh-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
