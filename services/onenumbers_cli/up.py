"""`onenumbers up`: the whole mesh on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import grpc
from rich.markup import escape
from rich.table import Table

from onenumbers.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from onenumbers_cli.errors import CommandError, Exit
from onenumbers_cli.mesh import Layout, children, lay_out
from onenumbers_cli.output import err, out, print_text
from onenumbers_cli.preflight import PreflightError, check_ports, locked
from onenumbers_cli.prepare import prepare_models
from onenumbers_cli.supervisor import Supervisor
from onenumbers_runtime.settings import SettingsError

_POLL_S = 0.1
_WAIT_FOR_ALL_S = 600.0
"""After this the mesh is reported as it is, ready or not: the first start embeds the whole corpus."""


def up(*, host: str | None, port: int | None, data_dir: Path | None, without: list[str]) -> None:
    """Starts everything, waits for a signal, ends everything.

    Raises:
        CommandError: It cannot start; nothing is left running.
    """
    try:
        layout = lay_out(host=host, port=port, data_dir=data_dir, without=without)
        with locked(layout.edge.data_dir.absolute()):
            check_ports(layout.ports())
            prepare_models(layout)
            asyncio.run(_run(layout))
    except SettingsError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    except PreflightError as error:
        raise CommandError(str(error), Exit.FAILED) from None


async def _run(layout: Layout) -> None:
    started = time.monotonic()
    stop = asyncio.Event()
    supervisor = Supervisor(children(layout), log_dir=layout.log_dir, report=_report)

    def on_signal() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    async with supervisor:
        waiting = asyncio.create_task(_wait_ready(layout, stop))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            missing = await waiting
            show(layout, time.monotonic() - started, missing)
        await stopped
        err.print("stopping: calls in flight are finished first, Ctrl-C again ends at once")
    err.print("stopped")


def _report(line: str) -> None:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    err.print(f"[yellow]{now} {escape(line)}[/yellow]")


async def _wait_ready(layout: Layout, stop: asyncio.Event) -> dict[str, str]:
    """Waits until every server serves through the edge; returns those that do not in time, with the reason."""
    end = time.monotonic() + _WAIT_FOR_ALL_S
    metadata = (("authorization", f"Bearer {layout.edge.token}"),) if layout.edge.token is not None else ()
    missing = dict.fromkeys(["edge", *layout.servers], "starting")
    async with grpc.aio.insecure_channel(layout.edge_address, options=_FAST_RECONNECT) as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        with _status() as tell:
            while missing and time.monotonic() < end and not stop.is_set():
                tell(missing)
                try:
                    health = await stub.GetServerHealth(
                        gateway_pb2.GetServerHealthRequest(), timeout=2, metadata=metadata
                    )
                except grpc.aio.AioRpcError as error:
                    missing = dict.fromkeys(["edge", *layout.servers], "starting")
                    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                        return {"edge": "refuses our own token"}
                else:
                    missing = {
                        name: health.servers[name].reason or "starting"
                        for name in layout.servers
                        if health.servers[name].status != gateway_pb2.SERVER_STATUS_SERVING
                    }
                if missing:
                    await asyncio.sleep(_POLL_S)
    return missing


_FAST_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]


@contextmanager
def _status() -> Iterator[Callable[[dict[str, str]], None]]:
    """Shows what is still missing: in place on a terminal, one line per change otherwise."""
    if err.is_terminal:
        with err.status("starting") as live:
            yield lambda missing: live.update(
                "waiting for " + escape("; ".join(f"{name} ({why})" for name, why in missing.items()))
            )
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
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("mesh (gRPC, REST, MCP)", address)
    table.add_row("REST", f"http://{address}/v1/tools")
    table.add_row("MCP", f"http://{address}/mcp")
    table.add_row("gateway", f"gRPC 127.0.0.1:{edge.gateway_port}, HTTP 127.0.0.1:{edge.gateway_http_port}")
    for name, port in sorted(layout.servers.items()):
        table.add_row(name, f"gRPC 127.0.0.1:{port}")
    table.add_row("Redis", layout.redis_url if layout.redis_is_ours else "as REDIS_URL says")
    table.add_row("data, logs", f"{edge.data_dir.absolute()}, {layout.log_dir}")
    out.print(table)
    print_text("")
    print_text("Try:")
    method = "onenumbers.utilities.v1.UtilitiesService/CalculateLifePath"
    birth = '{"day": 14, "month": 11, "year": 1968}'
    print_text(f"  grpcurl -plaintext -d '{birth}' {address} {method}")
    print_text(f"  curl 'http://{address}/v1/numerology/life-path?day=14&month=11&year=1968'")
    print_text(f"  onenumbers call calculate_life_path '{birth}' --target {address}")
    print_text("")
    for name, reason in missing.items():
        err.print(f"[yellow]not serving: {escape(name)} ({escape(reason)}); see its log[/yellow]")
    print_text(f"{'ready' if not missing else 'running'} after {seconds:.1f} s; Ctrl-C stops everything")
