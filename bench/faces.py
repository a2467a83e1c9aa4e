"""MCP and REST through the mesh, against what one writes by hand: an SDK server and a Starlette bridge.

Usage: python bench/faces.py [--rounds N] [--seconds S]

Each round measures both sides in turn; the table shows medians and the ratio of each round. One worker each, cache off.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import urllib.request
from pathlib import Path

from running import BIN, ROOT, Load, free_port, machine, median, mesh, process, write_table, wrk

ARGUMENTS = {"day": 14, "month": 11, "year": 1968}
META = "io.modelcontextprotocol/"
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
MODERN = JSON | {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "calculate_life_path"}


def call(modern: bool) -> dict[str, object]:
    params: dict[str, object] = {"name": "calculate_life_path", "arguments": ARGUMENTS}
    if modern:
        params["_meta"] = {
            META + "protocolVersion": "2026-07-28",
            META + "clientCapabilities": {},
            META + "clientInfo": {"name": "bench", "version": "1"},
        }
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def split(content: dict[str, object]) -> tuple[str, str]:
    """Returns the JSON before and after the call's id, for a session must not see one id twice at once."""
    if "id" not in content:
        return json.dumps(content), ""
    before, after = json.dumps(content | {"id": "\0"}).split('"\\u0000"')
    return before, after


def open_session(url: str) -> dict[str, str]:
    """Opens a session of the earlier era and returns the headers of its calls."""
    initialize = {
        "jsonrpc": "2.0",
        "id": 0,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        },
    }
    headers = JSON | {"mcp-protocol-version": "2025-11-25"}
    request = urllib.request.Request(url, json.dumps(initialize).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        headers["mcp-session-id"] = answer.headers["mcp-session-id"]
        answer.read()
    ready = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
    urllib.request.urlopen(urllib.request.Request(url, ready, headers), timeout=10).read()
    return headers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="length of one load")
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, mesh(options.data_dir or Path(scratch) / "data") as ours:
        sdk, bridge = free_port(), free_port()
        target = f"127.0.0.1:{ours.utilities}"
        peers = ROOT / "bench" / "peers"
        bodies = {
            name: split(content)
            for name, content in (("modern", call(True)), ("earlier", call(False)), ("rest", dict(ARGUMENTS)))
        }
        with (
            process(BIN / "python", peers / "mcp_sdk.py", str(sdk), target, port=sdk),
            process(BIN / "python", peers / "rest_starlette.py", str(bridge), target, port=bridge),
        ):
            path = "/v1/numerology/life-path"
            pairs = {
                "MCP 2026-07-28": ("modern", "/mcp", sdk, "SDK server with a stub"),
                "MCP 2025-11-25": ("earlier", "/mcp", sdk, "SDK server with a stub"),
                "REST": ("rest", path, bridge, "Starlette with a stub"),
            }
            rows = ["| Face | Clients | Mesh, calls/s | Peer, calls/s | Ratio (min-max) | Mesh p50/p99 ms | Peer p50/p99 ms | Peer |",
                    "|---|---|---|---|---|---|---|---|"]  # fmt: skip
            for face, (kind, route, peer, peer_name) in pairs.items():
                for clients in (1, 16):
                    results: list[tuple[Load, Load]] = []
                    for _ in range(options.rounds):
                        pair = []
                        for port in (ours.edge, peer):
                            url = f"http://127.0.0.1:{port}{route}"
                            headers = {"modern": MODERN, "rest": {"content-type": "application/json"}}.get(kind)
                            headers = headers or open_session(url)
                            load = wrk(
                                url, body=bodies[kind], headers=headers, seconds=options.seconds, clients=clients
                            )
                            assert load.failed == 0, f"{face}: {load.failed} calls failed on port {port}"
                            pair.append(load)
                        results.append((pair[0], pair[1]))
                    ratios = sorted(a.rate / b.rate for a, b in results)
                    columns = [f"{median([side.rate for side in sides]):.0f}" for sides in zip(*results, strict=True)]
                    latencies = [
                        f"{median([side.p50_ms for side in sides]):.2f} / {median([side.p99_ms for side in sides]):.2f}"
                        for sides in zip(*results, strict=True)
                    ]
                    rows.append(
                        f"| {face} | {clients} | {columns[0]} | {columns[1]} | {median(ratios):.2f} "
                        f"({ratios[0]:.2f}-{ratios[-1]:.2f}) | {latencies[0]} | {latencies[1]} | {peer_name} |"
                    )
    note = f"`python bench/faces.py --rounds {options.rounds} --seconds {options.seconds:g}`, {machine()}. One worker each, result cache off; the mesh's figures include the edge."
    write_table("faces", "## MCP and REST against hand-written bridges\n\n" + note + "\n\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
