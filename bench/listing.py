"""Discovery of 1,000 tools on 100 real gRPC servers, and ListTools over them.

Usage: python bench/listing.py [--servers N] [--tools N] [--requests N]

The servers live in one process, each with a port, a contract, reflection and health of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from running import BIN, free_port, h2load, machine, process, write_table

from onenumbers.gateway.v1 import gateway_pb2

PROTO = """
syntax = "proto3";
package bench{number}.v1;
// Arguments of every tool.
message Request {{ string name = 1; int32 day = 2; int32 month = 3; int32 year = 4; }}
message Response {{ int32 value = 1; repeated string steps = 2; }}
service BenchService {{
{methods}
}}
"""


async def serve(servers: int, tools: int) -> None:
    """Serves until standard input closes; prints the ports when all listen."""
    from grpc_health.v1 import health_pb2
    from grpc_health.v1.health import aio as health_aio

    from onenumbers_runtime.health import health_handler
    from onenumbers_runtime.testing import compile_contract, serving_handlers

    async def answer(_request, _context):
        raise NotImplementedError

    ports = []
    with tempfile.TemporaryDirectory() as scratch:
        async with AsyncExitStack() as stack:
            for number in range(servers):
                lines = [f"  rpc Tool{number}x{tool}(Request) returns (Response);" for tool in range(tools)]
                text = PROTO.format(number=number, methods="\n".join(lines))
                contract = compile_contract({f"bench{number}.proto": text}, Path(scratch))
                health = health_aio.HealthServicer()
                await health.set("", health_pb2.HealthCheckResponse.SERVING)
                behaviours = {f"Tool{number}x{tool}": answer for tool in range(tools)}
                handlers = [contract.handlers(f"bench{number}.v1.BenchService", behaviours), *contract.reflection()]
                ports.append(await stack.enter_async_context(serving_handlers(*handlers, health_handler(health))))
            print(json.dumps(ports), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--tools", type=int, default=10, help="tools per server")
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.servers, options.tools))
        return
    wanted = options.servers * options.tools
    command = [sys.executable, __file__, "--serve", "--servers", str(options.servers), "--tools", str(options.tools)]
    synthetic = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert synthetic.stdout is not None
    assert synthetic.stdin is not None
    ports = json.loads(synthetic.stdout.readline())
    grpc_port, http_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as scratch:
        environment = {
            **{f"MCP_{name}_URL": "none" for name in ("RESEARCH", "KNOWLEDGE", "UTILITIES")},
            "MCP_EXTRA_SERVERS": ",".join(f"bench{number}=127.0.0.1:{port}" for number, port in enumerate(ports)),
            "MCP_GATEWAY_PORT": str(grpc_port),
            "MCP_GATEWAY_HTTP_PORT": str(http_port),
            "MCP_DATA_DIR": scratch,
            "MCP_LOG_LEVEL": "warning",
        }
        body = Path(scratch) / "list.bin"
        body.write_bytes(b"\x00\x00\x00\x00\x00")
        began = time.monotonic()
        with process(BIN / "python", "-m", "onenumbers_gateway", port=http_port, environment=environment):
            while count(grpc_port) < wanted:
                assert time.monotonic() - began < 60, "not all tools were discovered"
            discovered = time.monotonic() - began
            headers = {"content-type": "application/grpc", "te": "trailers"}
            url = f"http://127.0.0.1:{grpc_port}/onenumbers.gateway.v1.GatewayService/ListTools"
            h2load(url, body=body, headers=headers, requests=200, clients=1)
            load = h2load(url, body=body, headers=headers, requests=options.requests, clients=1)
            size = len(page(grpc_port))
    synthetic.stdin.close()
    synthetic.wait(timeout=20)
    text = (
        f"## Listing\n\n`python bench/listing.py`, {machine()}.\n\n"
        f"{wanted} tools on {options.servers} gRPC servers (one process): from the start of the gateway's process to the "
        f"whole list {discovered:.2f} s. ListTools with all {wanted} tools and their schemas ({size / 1e6:.1f} MB), one "
        f"client, {options.requests} calls: p50 {load.p50_ms:.2f} ms, p99 {load.p99_ms:.2f} ms."
    )
    write_table("listing", text)


def page(port: int) -> bytes:
    """Returns the first page of the tool list, serialized."""
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_unary("/onenumbers.gateway.v1.GatewayService/ListTools")
        return bytes(call(b"", timeout=10))


def count(port: int) -> int:
    import grpc

    with suppress(grpc.RpcError):
        return int(gateway_pb2.ListToolsResponse.FromString(page(port)).total)
    time.sleep(0.02)
    return 0


if __name__ == "__main__":
    main()
