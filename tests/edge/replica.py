"""A server in a process of its own, for tests that kill it: echoes every message of LabService, slowly if told so.

Usage: replica.py DELAY_MS. Prints its port when it listens.
"""

import asyncio
import sys

import grpc


async def main(delay_s: float) -> None:
    async def echo(request: bytes, _context: grpc.aio.ServicerContext) -> bytes:
        await asyncio.sleep(delay_s)
        return request

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("lab.v1.LabService", {"Echo": handler, "Write": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) / 1000))
