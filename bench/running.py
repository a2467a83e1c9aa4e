"""What the benchmarks share: a running mesh, peers as processes, h2load, and tables for docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def need(program: str, package: str) -> str:
    """Returns the path of a program, or ends with a line that says what to install."""
    found = shutil.which(program)
    if found is None:
        sys.exit(f"{program} is needed for this benchmark: install {package}")
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_port(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"a peer ended with status {process.returncode}: {process.args}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port} after {seconds} s")


@contextmanager
def process(
    *command: str | Path, port: int, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program that listens on `port` while the context is open."""
    started = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | (environment or {}),
    )  # fmt: skip
    try:
        wait_port(port, started)
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(timeout=15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@dataclass(frozen=True)
class Mesh:
    """A running mesh and where its parts listen."""

    edge: int
    utilities: int
    gateway: int
    http: int
    start_s: float
    pid: int


@contextmanager
def mesh(data_dir: Path, *, environment: dict[str, str] | None = None) -> Iterator[Mesh]:
    """Runs `onenumbers up` on free ports, with the result cache off."""
    names = (
        "MCP_RESEARCH_PORT",
        "MCP_KNOWLEDGE_PORT",
        "MCP_UTILITIES_PORT",
        "MCP_GATEWAY_PORT",
        "MCP_GATEWAY_HTTP_PORT",
    )
    ports = {name: free_port() for name in names}
    edge = free_port()
    variables = {name: str(port) for name, port in ports.items()} | {"MCP_RESULT_CACHE": "off"} | (environment or {})
    began = time.monotonic()
    up = subprocess.Popen(
        [BIN / "onenumbers", "up", "--port", str(edge), "--data-dir", data_dir],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | variables,
    )  # fmt: skip
    try:
        while True:
            if up.poll() is not None:
                sys.exit(f"`onenumbers up` ended with status {up.returncode}")
            with suppress(OSError, ValueError):
                with urllib.request.urlopen(f"http://127.0.0.1:{edge}/health", timeout=1) as answer:
                    # The state of Redis is "ok" long before every server serves.
                    if json.load(answer)["status"] == "ok":
                        break
            if time.monotonic() - began > 180:
                sys.exit("the mesh is not ready after 180 s")
            time.sleep(0.02)
        yield Mesh(
            edge=edge,
            utilities=ports["MCP_UTILITIES_PORT"],
            gateway=ports["MCP_GATEWAY_PORT"],
            http=ports["MCP_GATEWAY_HTTP_PORT"],
            start_s=time.monotonic() - began,
            pid=up.pid,
        )
    finally:
        up.send_signal(signal.SIGINT)
        try:
            up.wait(timeout=20)
        except subprocess.TimeoutExpired:
            up.kill()
            up.wait()


@dataclass(frozen=True)
class Load:
    """Outcome of one load: calls per second and latencies in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float
    failed: int


def h2load(
    url: str,
    *,
    body: Path,
    headers: dict[str, str],
    requests: int,
    clients: int,
    streams: int = 1,
    http1: bool = False,
) -> Load:
    """Loads `url` with h2load and reads latencies from its log."""
    log = body.with_suffix(f".{clients}.log")
    log.unlink(missing_ok=True)
    command = [
        need("h2load", "nghttp2-client"),
        "-n",
        str(requests),
        "-c",
        str(clients),
        "-m",
        str(streams),
        "-d",
        str(body),
    ]
    command += ["--log-file", str(log), *(["--h1"] if http1 else [])]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run([*command, url], capture_output=True, text=True, timeout=300, check=True)
    rate = float(re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", done.stdout)[1])  # type: ignore[index]
    ok = int(re.search(r"status codes: (\d+) 2xx", done.stdout)[1])  # type: ignore[index]
    times = sorted(int(line.split("\t")[2]) / 1000 for line in log.read_text().splitlines())
    return Load(rate, times[len(times) // 2], times[int(len(times) * 0.99)], requests - ok)


_WRK_SCRIPT = """
local before, after = [[{before}]], [[{after}]]
local count = 0
wrk.method = "POST"
{headers}
request = function()
  count = count + 1
  return wrk.format(nil, nil, nil, after == "" and before or before .. count .. after)
end
"""


def wrk(url: str, *, body: tuple[str, str], headers: dict[str, str], seconds: float, clients: int) -> Load:
    """Loads `url` with wrk.

    Between the two parts of the body stands a number that no two calls share; none where the second part is empty.
    """
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_WRK_SCRIPT.format(before=body[0], after=body[1], headers=lines))
        script.flush()
        command = [need("wrk", "wrk"), "-t1", f"-c{clients}", f"-d{seconds:g}s", "--latency", "-s", script.name, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1])  # type: ignore[index]
    failed = sum(int(found) for found in re.findall(r"Non-2xx or 3xx responses: (\d+)", done))
    failed += sum(
        int(number) for line in re.findall(r"Socket errors: (.*)", done) for number in re.findall(r"\d+", line)
    )
    times = {share: _milliseconds(text) for share, text in re.findall(r"(50|99)%\s+([\d.]+\w+)", done)}
    return Load(rate, times["50"], times["99"], failed)


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def machine() -> str:
    """Returns what the figures were measured on, in words."""
    import platform
    import sysconfig

    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} cores ({model}), Python {platform.python_version()} {'with' if optimised else 'without'} PGO"
    )


def write_table(section: str, text: str) -> None:
    """Replaces one section of docs/benchmarks.md, between its markers, and prints it."""
    path = ROOT / "docs" / "benchmarks.md"
    whole = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    block = f"{begin}\n{text.strip()}\n{end}"
    if begin in whole:
        whole = whole[: whole.index(begin)] + block + whole[whole.index(end) + len(end) :]
    else:
        whole = f"{whole.rstrip()}\n\n{block}\n"
    path.write_text(whole, encoding="utf-8")
    print(text)
