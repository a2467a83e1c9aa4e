"""Starts the mesh as a user would and calls it with real clients: grpcurl, grpc-health-probe, curl, MCP, the CLI.

Usage: python scripts/smoke.py [--keep-data DIR]

Prints one line per check; the exit status is 1 when one fails. Everything listens on free ports of loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).parent / "onenumbers"
PERSON = {"name": "Ioana Brândușa Țurcanu", "day": 14, "month": 11, "year": 1968}
BIRTH = {"day": 14, "month": 11, "year": 1968}


def free_ports(count: int) -> list[int]:
    """Returns ports of loopback that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def run(*command: str | Path, stdin: str = "", timeout: float = 120) -> str:
    """Runs a client and returns what it printed; fails with what it said."""
    done = subprocess.run(
        [str(part) for part in command], input=stdin, capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Mesh:
    """`onenumbers up` on free ports with a data folder of its own."""

    def __init__(self, data_dir: Path) -> None:
        ports = free_ports(6)
        names = (
            "MCP_RESEARCH_PORT",
            "MCP_KNOWLEDGE_PORT",
            "MCP_UTILITIES_PORT",
            "MCP_GATEWAY_PORT",
            "MCP_GATEWAY_HTTP_PORT",
        )
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("MCP_")}
        self.environment |= {name: str(port) for name, port in zip(names, ports, strict=False)}
        self.port = ports[5]
        self.address = f"127.0.0.1:{self.port}"
        self.log = data_dir / "smoke.log"
        data_dir.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [COMMAND, "up", "--port", str(self.port), "--data-dir", data_dir],
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            env=self.environment,
        )

    def wait_ready(self, seconds: float) -> float:
        """Returns the seconds until the mesh reports that everything serves."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"`onenumbers up` ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}"
                )
            try:
                health = json.loads(run("curl", "-sf", f"http://{self.address}/health", timeout=5))
                if health.get("status") == "ok":
                    return time.monotonic() - started
            except (AssertionError, ValueError):
                pass
            time.sleep(0.25)
        raise AssertionError(f"not ready after {seconds} s:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> float:
        """Ends it as Ctrl-C would; returns the seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        return time.monotonic() - started


def check_grpcurl(mesh: Mesh) -> None:
    """Lists and calls with grpcurl by reflection alone."""
    listed = run("grpcurl", "-plaintext", mesh.address, "list").split()
    for service in (
        "onenumbers.utilities.v1.UtilitiesService",
        "onenumbers.knowledge.v1.KnowledgeService",
        "onenumbers.research.v1.ResearchService",
        "onenumbers.gateway.v1.GatewayService",
        "grpc.health.v1.Health",
    ):
        assert service in listed, (service, listed)
    method = "onenumbers.utilities.v1.UtilitiesService/CalculateLifePath"
    answer = json.loads(run("grpcurl", "-plaintext", "-d", json.dumps(BIRTH), mesh.address, method))
    assert answer["result"]["value"] == 22, answer


def check_health_probe(mesh: Mesh) -> None:
    """Asks for the aggregated health."""
    run("grpc-health-probe", "-addr", mesh.address, "-service", "onenumbers.utilities.v1.UtilitiesService")


def check_curl(mesh: Mesh) -> None:
    """Calls the REST paths, the new and the platform's."""
    base = f"http://{mesh.address}"
    post = ("curl", "-s", "-H", "Content-Type: application/json", "-d")
    assert json.loads(run(*post, json.dumps(BIRTH), f"{base}/v1/numerology/life-path"))["result"]["value"] == 22
    profile = json.loads(run(*post, json.dumps(PERSON), f"{base}/numerology/calculate"))["profile"]
    assert profile["expression"]["value"] == 11, profile["expression"]
    called = json.loads(
        run(*post, json.dumps({"tool_name": "calculate_life_path", "arguments": BIRTH}), f"{base}/mcp/tool-call")
    )
    assert called["success"] is True, called
    assert called["result"]["result"]["value"] == 22, called
    names = {tool["name"] for tool in json.loads(run("curl", "-s", f"{base}/mcp/tools"))["tools"]}
    assert {"calculate_life_path", "semantic_search", "answer_question"} <= names, names
    refused = json.loads(run(*post, json.dumps(BIRTH | {"day": 32}), f"{base}/v1/numerology/life-path"))
    assert refused["code"] == 3, refused
    assert "day" in refused["message"], refused
    hits = json.loads(run("curl", "-sG", f"{base}/v1/knowledge:search", "--data-urlencode", "query=life path 7"))[
        "hits"
    ]
    assert hits, "semantic search found nothing"


def check_browser_side(mesh: Mesh) -> None:
    """Gets the console and the OpenAPI document, and takes files as curl sends them."""
    base = f"http://{mesh.address}"
    assert "<title>1Numbers Mesh</title>" in run("curl", "-sfL", base)
    paths = json.loads(run("curl", "-sf", f"{base}/openapi.json"))["paths"]
    assert {"/v1/numerology/life-path", "/v1/research:answer", "/v1/knowledge/files", "/v1/tools"} <= set(paths)
    form = ("-F", "file=@-;filename=smoke.txt", "-F", "category=utility")
    taken = json.loads(run("curl", "-sf", *form, f"{base}/v1/knowledge/files", stdin="The gate number is a test."))
    assert taken["documents"][0]["document"]["title"] == "smoke", taken
    people = "name,day,month,year\nAna Pop,14,11,1968\n"
    asked = ("-F", "file=@-;filename=people.csv", "-F", "number=22", "-F", "context=life_path")
    counted = json.loads(run("curl", "-sf", *asked, f"{base}/v1/research/populations:analyze", stdin=people))
    assert (counted["observed"], counted["cases"]) == ("1", "1"), counted


def check_mcp(mesh: Mesh) -> None:
    """Calls a tool with the official MCP client, in both eras."""
    from mcp import ClientSession
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    url = f"http://{mesh.address}/mcp"

    async def earlier() -> None:
        async with streamable_http_client(url) as streams, ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            for _ in range(2):
                result = await session.call_tool("calculate_life_path", BIRTH)
                assert result.structured_content["result"]["value"] == 22, result

    async def modern() -> None:
        async with Client(url) as client:
            tools: Any = await client.list_tools()
            assert "semantic_search" in {tool.name for tool in tools.tools}
            result: Any = await client.call_tool("calculate_life_path", BIRTH)
            assert result.structured_content["result"]["value"] == 22, result

    asyncio.run(earlier())
    asyncio.run(modern())


def check_cli(mesh: Mesh) -> None:
    """Calls the command line."""
    target = ("--target", mesh.address)
    assert "calculate_life_path" in run(COMMAND, "tools", "--json", *target)
    called = json.loads(run(COMMAND, "call", "calculate_life_path", json.dumps(BIRTH), "--json", *target))
    assert "22" in json.dumps(called), called
    run(COMMAND, "health", "--json", *target)
    answer = run(COMMAND, "ask", "What is a karmic debt number?", "--json", *target)
    assert "citations" in answer, answer


CHECKS: list[tuple[str, Callable[[Mesh], None], str | None]] = [
    ("grpcurl", check_grpcurl, "grpcurl"),
    ("grpc-health-probe", check_health_probe, "grpc-health-probe"),
    ("curl", check_curl, "curl"),
    ("console, OpenAPI and a file", check_browser_side, "curl"),
    ("MCP client", check_mcp, None),
    ("command line", check_cli, None),
]


def main() -> int:
    """Runs all checks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep-data", type=Path, help="data folder to use and keep (default: a temporary one)")
    keep: Path | None = parser.parse_args().keep_data
    failed = 0
    with tempfile.TemporaryDirectory(prefix="onenumbers-smoke-") as scratch:
        mesh = Mesh(keep or Path(scratch))
        try:
            print(f"ready after {mesh.wait_ready(400):.1f} s on {mesh.address}")
            for name, check, binary in CHECKS:
                if binary is not None and shutil.which(binary) is None:
                    print(f"SKIPPED  {name}: {binary} is not installed")
                    continue
                try:
                    check(mesh)
                    print(f"ok       {name}")
                except Exception as error:
                    failed += 1
                    print(f"FAILED   {name}: {type(error).__name__}: {error}")
            seconds = mesh.stop()
            print(f"stopped after {seconds:.1f} s with status {mesh.process.returncode}")
            failed += seconds > 10 or mesh.process.returncode != 0
        finally:
            if mesh.process.poll() is None:
                mesh.process.kill()
            if failed:
                print(mesh.log.read_text()[-4000:])
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
