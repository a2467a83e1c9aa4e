"""Health probe for containers and scripts: `python -m onenumbers_runtime.probe HOST:PORT`."""

from __future__ import annotations

import argparse
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from onenumbers_runtime.settings import target


def main(arguments: list[str] | None = None) -> int:
    """Asks a server for its health. Exit status: 0 SERVING, 1 another state or none, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m onenumbers_runtime.probe",
        description="Asks a gRPC server for its health; the exit status is 0 when it is SERVING.",
        epilog="example: python -m onenumbers_runtime.probe 127.0.0.1:5002 --timeout 2",
    )
    parser.add_argument("target", help="host:port of the server")
    parser.add_argument("--service", default="", help="full name of a service; the whole server when left out")
    parser.add_argument("--timeout", type=float, default=2.0, help="seconds to wait (default: 2)")
    options = parser.parse_args(arguments)
    with grpc.insecure_channel(target(options.target)) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(  # type: ignore[attr-defined]
                health_pb2.HealthCheckRequest(service=options.service), timeout=options.timeout
            )
        except grpc.RpcError as error:
            sys.stderr.write(f"{options.target}: {error.code().name}: {error.details()}\n")
            return 1
    state = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    sys.stdout.write(f"{state}\n")
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main())
