"""`onenumbers up`: the whole mesh on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.markup import escape

from onenumbers_cli.child import ChildSpec
from onenumbers_cli.errors import CommandError, Exit
from onenumbers_cli.follow import Follower
from onenumbers_cli.mesh import SERVERS, Layout, children, installed, lay_out
from onenumbers_cli.output import err, out, print_text
from onenumbers_cli.preflight import PreflightError, check_ports, locked
from onenumbers_cli.prepare import prepare_models
from onenumbers_cli.readiness import missing_servers
from onenumbers_cli.supervisor import Supervisor
from onenumbers_runtime.settings import SettingsError

_Tell = Callable[[dict[str, str]], None]
_POLL_S = 0.1
_WAIT_FOR_ALL_S = 600.0
"""After this the mesh is reported as it is, ready or not: the first start embeds the whole corpus."""


def chosen(only: Collection[str], without: Collection[str]) -> list[str]:
    """Returns the servers to start.

    Raises:
        CommandError: One is unknown, or not installed.
    """
    present = installed()
    for option, names in (("--only", only), ("--without", without)):
        for name in names:
            if name not in SERVERS:
                raise CommandError(f"{option} {name}: the servers are {', '.join(SERVERS)}", Exit.USAGE)
    absent = [name for name in only if name not in present]
    if absent:
        raise CommandError(f"--only {absent[0]}: this server is not installed", Exit.USAGE)
    return [name for name in present if (not only or name in only) and name not in without]


def up(
    *, host: str | None, port: int | None, data_dir: Path | None, servers: Collection[str], verbose: bool = False
) -> None:
    """Starts everything, waits for a signal, ends everything.

    Raises:
        CommandError: It cannot start; nothing is left running.
    """
    began = time.monotonic()
    try:
        layout = lay_out(host=host, port=port, data_dir=data_dir, servers=servers)
        with locked(layout.edge.data_dir.absolute()):
            check_ports(layout.ports())
            specs = children(layout)
            prepare_models(layout)
            asyncio.run(_run(layout, specs, began=began, verbose=verbose))
    except SettingsError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    except PreflightError as error:
        raise CommandError(str(error), Exit.FAILED) from None


async def _run(layout: Layout, specs: list[ChildSpec], *, began: float, verbose: bool) -> None:
    stop = asyncio.Event()
    supervisor = Supervisor(specs, log_dir=layout.log_dir, report=_report)

    def on_signal() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    follower = Follower({name: child.log for name, child in supervisor.children.items()}, _show_line)
    async with supervisor:
        following = asyncio.create_task(follower.run()) if verbose else None
        waiting = asyncio.create_task(_wait_ready(layout, supervisor))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            missing = await waiting
            show(layout, time.monotonic() - began, missing)
        await stopped
        if following is not None:
            following.cancel()
        err.print("stopping: calls in flight are finished first, Ctrl-C again ends at once")
    err.print("stopped")


def _show_line(name: str, line: str) -> None:
    err.print(f"{name:>9} | {line}", markup=False)


def _report(line: str) -> None:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    err.print(f"[yellow]{now} {escape(line)}[/yellow]")


async def _wait_ready(layout: Layout, supervisor: Supervisor) -> dict[str, str]:
    """Waits until every server serves through the edge; returns those that do not in time, with the reason."""
    end = time.monotonic() + _WAIT_FOR_ALL_S
    edge = layout.edge
    missing = dict.fromkeys(["edge", *layout.servers], "starting")
    with _status() as tell:
        while missing and time.monotonic() < end:
            tell({name: _detail(supervisor, name, reason) for name, reason in missing.items()})
            await asyncio.sleep(_POLL_S)
            missing = await asyncio.to_thread(
                missing_servers, layout.local_host, edge.edge_port, layout.servers, token=edge.token
            )
    return missing


def _detail(supervisor: Supervisor, name: str, reason: str) -> str:
    """Returns what a child last logged where nothing better is known: loading and indexing take a while."""
    child = supervisor.children.get(name)
    lines = child.last_lines(1) if child is not None and reason == "starting" else []
    try:
        event = json.loads(lines[0]) if lines else {}
        words = [str(event["event"]).replace("_", " ")]
        words += [f"{event['done']} of {event['total']}"] if {"done", "total"} <= event.keys() else []
        return ", ".join(words)
    except (ValueError, KeyError, TypeError, AttributeError):
        return reason


@contextmanager
def _status() -> Iterator[_Tell]:
    """Shows what is still missing: in place on a terminal, one line per change otherwise."""
    if err.is_terminal:
        with err.status("starting") as live:

            def update(missing: dict[str, str]) -> None:
                words = "; ".join(f"{name} ({why})" for name, why in missing.items())
                live.update(escape(f"waiting for {words}"))

            yield update
        return
    before: list[str] = []

    def tell(missing: dict[str, str]) -> None:
        names = list(missing)
        if names != before:
            before[:] = names
            err.print(f"waiting for {', '.join(names)}")

    yield tell


def show(layout: Layout, seconds: float, missing: dict[str, str]) -> None:
    """Prints what listens where, and three calls to try."""
    address, edge = layout.edge_address, layout.edge
    rows = [
        ("mesh (gRPC, REST, MCP)", address),
        ("REST", f"http://{address}/v1/tools"),
        ("MCP", f"http://{address}/mcp"),
        ("gateway", f"gRPC 127.0.0.1:{edge.gateway_port}, HTTP 127.0.0.1:{edge.gateway_http_port}"),
        *((name, f"gRPC 127.0.0.1:{port}") for name, port in sorted(layout.servers.items())),
        ("Redis", layout.redis_url if layout.redis_is_ours else "as REDIS_URL says"),
        ("data", str(edge.data_dir.absolute())),
        ("logs", str(layout.log_dir.absolute())),
    ]
    for label, value in rows:
        # Not a table of rich's: that one folds a long path at the width of a terminal that is not there.
        out.print(f"[bold]{label:<24}[/bold]{escape(value)}")
    birth = '{"day": 14, "month": 11, "year": 1968}'
    method = "onenumbers.utilities.v1.UtilitiesService/CalculateLifePath"
    generic = f'{{"tool_name": "calculate_life_path", "arguments": {birth}}}'
    print_text("\nTry:")
    print_text(f"  grpcurl -plaintext -d '{birth}' {address} {method}")
    print_text(f"  curl 'http://{address}/v1/numerology/life-path?day=14&month=11&year=1968'")
    print_text(f"  curl http://{address}/mcp/tool-call -H 'Content-Type: application/json' -d '{generic}'")
    print_text(f"MCP clients connect to http://{address}/mcp (streamable HTTP).\n")
    for name, reason in missing.items():
        err.print(f"[yellow]not serving: {escape(name)} ({escape(reason)}); see its log[/yellow]")
    print_text(f"{'ready' if not missing else 'running'} after {seconds:.1f} s; Ctrl-C stops everything")
