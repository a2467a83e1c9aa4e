"""A registry over a real store and real worker processes, behind a real server."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from onenumbers.utilities.v1 import registry_pb2 as pb
from onenumbers.utilities.v1 import registry_pb2_grpc
from onenumbers_runtime.database import sqlite_url
from onenumbers_runtime.server import GrpcServer
from onenumbers_runtime.testing import running
from onenumbers_utilities.registry.sandbox import Sandbox
from onenumbers_utilities.registry.store import default_path
from onenumbers_utilities.registry_service import RunningRegistry, running_registry

ATTITUDE: dict[str, Any] = {
    "utility_id": "attitude_of_a_day",
    "title": "Attitude",
    "description": "Month and day of birth, added and reduced with masters kept.",
    "inputs": [{"name": "born", "type": "UTILITY_INPUT_TYPE_DATE", "description": "Date of birth."}],
    "formula": "reduce(month(born) + day(born))",
    "category": "Date",
    "provenance": "the platform's own convention",
    "examples": [
        {"inputs": {"born": "1968-11-14"}, "expected": 7, "source": "by hand"},
        {"inputs": {"born": {"year": 2000, "month": 1, "day": 10}}, "expected": 11},
    ],
}
"""A definition that becomes a tool."""


class Replica:
    """A utilities server with nothing but the registry, and a client of it."""

    def __init__(self, registry: RunningRegistry, server: GrpcServer, channel: grpc.aio.Channel) -> None:
        self.registry = registry
        self.server = server
        self.channel = channel
        self.stub = registry_pb2_grpc.UtilityRegistryServiceStub(channel)

    async def register(self, definition: dict[str, Any] = ATTITUDE, **changes: Any) -> pb.Utility:
        message = pb.RegisterUtilityRequest(proposer="a test")
        json_format.ParseDict({**definition, **changes}, message.definition)
        return (await self.stub.RegisterUtility(message)).utility

    async def evaluate(self, utility_id: str, **inputs: Any) -> Any:
        request = json_format.ParseDict({"utility_id": utility_id, "inputs": inputs}, pb.EvaluateUtilityRequest())
        return json_format.MessageToDict((await self.stub.EvaluateUtility(request)).result)

    async def deprecate(self, utility_id: str) -> pb.Utility:
        request = pb.DeprecateUtilityRequest(utility_id=utility_id, reason="the source was misread")
        return (await self.stub.DeprecateUtility(request)).utility

    async def get(self, utility_id: str) -> pb.GetUtilityResponse:
        return await self.stub.GetUtility(pb.GetUtilityRequest(utility_id=utility_id))


@contextlib.asynccontextmanager
async def replica_on(folder: Path, *, settings: Any = None, **options: Any) -> AsyncIterator[Replica]:
    """A replica over the store in a folder."""
    async with (
        running_registry(
            url=sqlite_url(default_path(folder)), services=[], max_response_bytes=4 << 20, **options
        ) as registry,
        running([registry.service], settings=settings, generic_handlers=registry.handlers, reflection=False) as (
            server,
            channel,
        ),
    ):
        yield Replica(registry, server, channel)


async def refusal(call: Any) -> tuple[grpc.StatusCode, dict[str, str], str]:
    """Returns the code of a refused call, its violations (description by field) and its message."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    violations: dict[str, str] = {}
    for key, value in caught.value.trailing_metadata():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
                    found = error_details_pb2.BadRequest.FromString(detail.value)
                    violations |= {item.field: item.description for item in found.field_violations}
    return caught.value.code(), violations, caught.value.details()


@pytest.fixture
async def replica(tmp_path: Path) -> AsyncIterator[Replica]:
    async with replica_on(tmp_path) as started:
        yield started


@pytest.fixture
def start_replica() -> Callable[..., contextlib.AbstractAsyncContextManager[Replica]]:
    return replica_on


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as started:
        yield started


@pytest.fixture
def refused() -> Any:
    return refusal


@pytest.fixture
def attitude() -> dict[str, Any]:
    return dict(ATTITUDE)
