"""Peer: a hand-written REST bridge, Starlette in front of the gRPC stub. One worker.

Usage: python bench/peers/rest_starlette.py HTTP_PORT GRPC_TARGET
"""

from __future__ import annotations

import sys

import grpc
import uvicorn
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from onenumbers.utilities.v1 import utilities_pb2, utilities_pb2_grpc


def main() -> None:
    port, target = int(sys.argv[1]), sys.argv[2]
    stub: utilities_pb2_grpc.UtilitiesServiceStub | None = None

    async def life_path(request: Request) -> Response:
        nonlocal stub
        if stub is None:
            stub = utilities_pb2_grpc.UtilitiesServiceStub(grpc.aio.insecure_channel(target))
        try:
            message = json_format.ParseDict(await request.json(), utilities_pb2.CalculateLifePathRequest())
        except (json_format.ParseError, ValueError) as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        response = await stub.CalculateLifePath(message, timeout=10)
        return JSONResponse(json_format.MessageToDict(response, preserving_proto_field_name=True))

    app = Starlette(routes=[Route("/v1/numerology/life-path", life_path, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
