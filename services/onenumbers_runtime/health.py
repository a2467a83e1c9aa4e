"""Health that tells the truth: NOT_SERVING until ready, and while draining."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer

HEALTH_SERVICE = "grpc.health.v1.Health"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health(HealthServicer):
    """The standard health service over a fixed set of services.

    Unlike its base, it reports "" as NOT_SERVING from the start.
    """

    def __init__(self, services: tuple[str, ...]) -> None:
        super().__init__()
        self.services = ("", *services)
        self._server_status = dict.fromkeys(self.services, NOT_SERVING)

    async def set_all(self, serving: bool) -> None:
        """Sets the state of every service and of the server as a whole."""
        for service in self.services:
            await self.set(service, SERVING if serving else NOT_SERVING)

    def status(self, service: str = "") -> int:
        """Returns the state of a service, as HealthCheckResponse.ServingStatus."""
        return int(self._server_status.get(service, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN))


def health_handler(servicer: HealthServicer) -> grpc.GenericRpcHandler:
    """Returns the handler of the health service."""
    request = health_pb2.HealthCheckRequest.FromString
    response = health_pb2.HealthCheckResponse.SerializeToString
    return grpc.method_handlers_generic_handler(
        HEALTH_SERVICE,
        {
            "Check": grpc.unary_unary_rpc_method_handler(
                servicer.Check, request_deserializer=request, response_serializer=response
            ),
            "Watch": grpc.unary_stream_rpc_method_handler(
                servicer.Watch, request_deserializer=request, response_serializer=response
            ),
        },
    )
