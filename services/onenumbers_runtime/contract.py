"""A contract that changes while its server runs: announced to whoever watches, and shown by reflection at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import grpc
from google.protobuf.descriptor_pool import Default, DescriptorPool
from grpc_reflection.v1alpha._async import ReflectionServicer

from onenumbers.contract.v1 import contract_pb2 as pb
from onenumbers_runtime.reflection import REFLECTION_SERVICES, handlers, publish_v1

CONTRACT_SERVICE = pb.DESCRIPTOR.services_by_name["ContractService"].full_name


class ChangingContract:
    """The contract of a server whose services are not all known when it starts.

    Serves reflection over what stands and announces every change. Register its `handlers` with the server in place of
    the server's own reflection.

    Args:
        services: Full names of the services that never change, from the default pool.
    """

    def __init__(self, services: Iterable[str]) -> None:
        publish_v1()
        self._fixed = (*services, CONTRACT_SERVICE, *REFLECTION_SERVICES)
        # Any: its type stubs take its generator for a coroutine.
        self._reflection: Any = ReflectionServicer(self._fixed)
        self._revision = 0
        self._changed = asyncio.Event()

    @property
    def revision(self) -> int:
        """Grows with every change."""
        return self._revision

    def use(self, services: Sequence[str], pool: DescriptorPool) -> None:
        """Shows `services` from `pool` beside the fixed ones, in place of those of the call before, and announces it.

        Args:
            services: Full names; may be none.
            pool: Where their files are.
        """
        self._reflection = ReflectionServicer((*self._fixed, *services), pool=_Layered(pool, Default()))
        self._revision += 1
        before, self._changed = self._changed, asyncio.Event()
        before.set()

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """Returns the handlers of reflection, both versions, and of ContractService."""
        watch = grpc.unary_stream_rpc_method_handler(
            self._watch,
            request_deserializer=pb.WatchContractRequest.FromString,
            response_serializer=pb.WatchContractResponse.SerializeToString,
        )
        servicer: Any = self
        return [
            *handlers(servicer),
            grpc.method_handlers_generic_handler(CONTRACT_SERVICE, {"WatchContract": watch}),
        ]

    async def ServerReflectionInfo(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Answers each question from the contract as it stands then, also on a stream that was opened before."""
        async for request in requests:
            async for answer in self._reflection.ServerReflectionInfo(_only(request), context):
                yield answer

    async def _watch(
        self,
        request: pb.WatchContractRequest,  # noqa: ARG002
        context: Any,  # noqa: ARG002
    ) -> AsyncIterator[pb.WatchContractResponse]:
        while True:
            changed = self._changed
            yield pb.WatchContractResponse(revision=self._revision)
            await changed.wait()


async def _only(request: Any) -> AsyncIterator[Any]:
    yield request


class _Layered:
    """A pool that looks in the first pool, then in the second, as far as reflection asks."""

    def __init__(self, first: DescriptorPool, second: DescriptorPool) -> None:
        self._pools = (first, second)

    def _find(self, method: str, *arguments: Any) -> Any:
        first, second = self._pools
        try:
            return getattr(first, method)(*arguments)
        except KeyError:
            return getattr(second, method)(*arguments)

    def FindFileByName(self, name: str) -> Any:  # noqa: N802
        return self._find("FindFileByName", name)

    def FindFileContainingSymbol(self, name: str) -> Any:  # noqa: N802
        return self._find("FindFileContainingSymbol", name)

    def FindMessageTypeByName(self, name: str) -> Any:  # noqa: N802
        # Extensions are asked for by the message that they extend: all of ours are in the default pool.
        return self._pools[1].FindMessageTypeByName(name)

    def FindExtensionByNumber(self, message: Any, number: int) -> Any:  # noqa: N802
        return self._pools[1].FindExtensionByNumber(message, number)

    def FindAllExtensions(self, message: Any) -> Any:  # noqa: N802
        return self._pools[1].FindAllExtensions(message)
