"""The servicer of UtilityRegistryService, and a running registry with everything that serves it."""
# ruff: noqa: N802 - gRPC names the methods of a servicer after the contract.

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import grpc
import structlog
from sqlalchemy import URL

from onenumbers.utilities.v1 import registry_pb2 as pb
from onenumbers.utilities.v1 import registry_pb2_grpc
from onenumbers_runtime.contract import ChangingContract
from onenumbers_runtime.database import DatabaseError
from onenumbers_runtime.health import HEALTH_SERVICE
from onenumbers_runtime.server import Service, StartupError
from onenumbers_utilities import registry_convert as convert
from onenumbers_utilities.registered_tools import RegisteredTools
from onenumbers_utilities.registry.definitions import Record
from onenumbers_utilities.registry.registry import Registry
from onenumbers_utilities.registry.sandbox import Sandbox
from onenumbers_utilities.registry.store import open_store
from onenumbers_utilities.registry.tools import build_contract, built_in_tools

log = structlog.get_logger()

REGISTRY_SERVICE: Final = pb.DESCRIPTOR.services_by_name["UtilityRegistryService"].full_name
_PAGE: Final = 100
_LARGEST_PAGE: Final = 1_000
_FRAME_BYTES: Final = 1_024
"""What a response needs beside its utilities: token and total, rounded up."""


class RegistryServicer(registry_pb2_grpc.UtilityRegistryServiceServicer):
    """Serves the registry.

    Args:
        registry: The registry.
        max_response_bytes: Largest response; a page ends before it.
    """

    def __init__(self, registry: Registry, *, max_response_bytes: int) -> None:
        self._registry = registry
        self._max_response_bytes = max_response_bytes

    async def RegisterUtility(
        self,
        request: pb.RegisterUtilityRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.RegisterUtilityResponse:
        """Verifies a definition and stores it."""
        record = await self._registry.register(convert.definition(request.definition), request.proposer)
        return pb.RegisterUtilityResponse(utility=convert.utility(record))

    async def ListUtilities(
        self,
        request: pb.ListUtilitiesRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ListUtilitiesResponse:
        """Lists utilities, page by page."""
        limit = min(request.page_size or _PAGE, _LARGEST_PAGE)
        status = convert.status(request.status)
        records, total = await self._registry.page(
            after=convert.after(request.page_token), limit=limit + 1, status=status
        )
        response = pb.ListUtilitiesResponse(total=total)
        size = _FRAME_BYTES
        for record in records[:limit]:
            item = convert.utility(record)
            size += item.ByteSize() + 6
            if size > self._max_response_bytes and response.utilities:
                break
            response.utilities.append(item)
        if len(response.utilities) < len(records):
            response.next_page_token = convert.token(response.utilities[-1].definition.utility_id)
        return response

    async def GetUtility(
        self,
        request: pb.GetUtilityRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.GetUtilityResponse:
        """Returns one utility with its history."""
        record, history = await self._registry.get(request.utility_id)
        response = pb.GetUtilityResponse(utility=convert.utility(record))
        for item in history:
            added = response.history.add(status=convert.STATUSES[item.status], version=item.version, note=item.note)
            added.time.FromDatetime(item.time)
        return response

    async def EvaluateUtility(
        self,
        request: pb.EvaluateUtilityRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.EvaluateUtilityResponse:
        """Calculates with an active utility."""
        result, record = await self._registry.evaluate(request.utility_id, convert.struct(request.inputs))
        return pb.EvaluateUtilityResponse(result=convert.value_of(result), version=record.version)

    async def DeprecateUtility(
        self,
        request: pb.DeprecateUtilityRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.DeprecateUtilityResponse:
        """Takes a utility out of use."""
        return pb.DeprecateUtilityResponse(
            utility=convert.utility(await self._registry.deprecate(request.utility_id, request.reason))
        )


@dataclass(frozen=True, slots=True)
class RunningRegistry:
    """A registry that serves; what to hand to the server."""

    registry: Registry
    service: Service
    contract: ChangingContract
    tools: RegisteredTools

    @property
    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """Handlers of the registered tools, of reflection, and of the announcement of changes."""
        return [self.tools, *self.contract.handlers()]


@asynccontextmanager
async def running_registry(
    *,
    url: URL,
    services: Sequence[str],
    max_response_bytes: int,
    cpu_s: float = 1.0,
    memory_bytes: int = 256 << 20,
    workers: int = 1,
) -> AsyncIterator[RunningRegistry]:
    """Opens the registry of a server while the context is open.

    Args:
        url: The store, as `database_url` returns it.
        services: Full names of the other services of the server, for reflection.
        max_response_bytes: Largest response.
        cpu_s: Seconds of processor time of one evaluation.
        memory_bytes: Memory that evaluations may use.
        workers: Processes that evaluate.

    Raises:
        StartupError: The store cannot be opened.
    """
    tools = RegisteredTools()
    changing = ChangingContract((*services, REGISTRY_SERVICE, HEALTH_SERVICE))

    def use(records: Sequence[Record]) -> None:
        contract = build_contract(records)
        tools.use(contract)
        changing.use(contract.services, contract.pool)
        log.info("registered_tools", count=len(contract.tools))

    try:
        async with (
            open_store(url) as store,
            Sandbox(cpu_s=cpu_s, memory_bytes=memory_bytes, workers=workers) as sandbox,
            Registry(store=store, sandbox=sandbox, taken=built_in_tools(), now=_now, on_change=use) as registry,
        ):
            tools.registry = registry
            servicer = RegistryServicer(registry, max_response_bytes=max_response_bytes)
            yield RunningRegistry(registry, registry_service(servicer), changing, tools)
    except DatabaseError as error:
        raise StartupError(str(error)) from error


def registry_service(servicer: RegistryServicer) -> Service:
    """Returns the service to register with a server."""
    return Service(
        full_name=REGISTRY_SERVICE,
        add=registry_pb2_grpc.add_UtilityRegistryServiceServicer_to_server,
        servicer=servicer,
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
