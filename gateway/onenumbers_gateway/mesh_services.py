"""Health and reflection of the whole mesh in one place: what the standard clients ask the edge for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import cast

import grpc
import structlog
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

from onenumbers.gateway.v1 import gateway_pb2
from onenumbers_gateway.model import MeshSnapshot, ServerStatus
from onenumbers_gateway.xds.contract import files_of, is_shared, symbols_of
from onenumbers_runtime.health import HEALTH_SERVICE, NOT_SERVING, SERVING, Health
from onenumbers_runtime.reflection import REFLECTION_SERVICES, handlers, v1_file

log = structlog.get_logger()

GATEWAY_SERVICE: str = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"].full_name


class MeshHealth(Health):
    """Health of every service of the mesh, as the gateway last saw it.

    The empty name stands for the gateway itself: whether calls may be sent here at all. It stays SERVING when one
    server is down, for the others still serve.
    """

    def __init__(self) -> None:
        super().__init__((GATEWAY_SERVICE,))
        self._ready = False

    async def set_all(self, serving: bool) -> None:
        """Sets the state of the gateway; that of the servers comes from the snapshots."""
        self._ready = serving
        for service in ("", GATEWAY_SERVICE):
            await self.set(service, SERVING if serving else NOT_SERVING)

    async def use(self, snapshot: MeshSnapshot) -> None:
        """Takes over what a snapshot says. Services that are gone become SERVICE_UNKNOWN for those who watch them."""
        states: dict[str, int] = {}
        for server in snapshot.servers:
            serving = server.status is ServerStatus.SERVING
            for service in server.services:
                # Two servers may have one service: one that serves is enough.
                states[service] = SERVING if serving or states.get(service) == SERVING else NOT_SERVING
        states.pop(GATEWAY_SERVICE, None)
        for service in set(self.services) - {"", GATEWAY_SERVICE} - states.keys():
            await self.set(service, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
            self._server_status.pop(service, None)
        for service, state in states.items():
            if self._server_status.get(service) != state:
                await self.set(service, state)
        self.services = ("", GATEWAY_SERVICE, *states)


class MeshReflection(ReflectionServicer):
    """Reflection over every service of the mesh, with all options as the servers gave them."""

    def __init__(self) -> None:
        super().__init__((), pool=DescriptorPool())
        self._hash = ""
        self.use(MeshSnapshot())

    def use(self, snapshot: MeshSnapshot) -> None:
        """Shows the services of a snapshot. Where two servers define one type differently, the first is shown."""
        digest = hashlib.sha256(
            "".join(f"{server.descriptor_hash} {server.services}" for server in snapshot.servers).encode()
        ).hexdigest()
        if digest == self._hash:
            return
        union = _Union()
        own = files_of(*(cast(FileDescriptor, pb2.DESCRIPTOR) for pb2 in (gateway_pb2, health_pb2, reflection_pb2)))
        union.add([*own, v1_file().SerializeToString()])
        names = {GATEWAY_SERVICE, HEALTH_SERVICE, *REFLECTION_SERVICES}
        for server in snapshot.servers:
            refused = union.add(server.files)
            if refused is None:
                names.update(server.services)
            else:
                log.warning("left_out_of_reflection", server=server.name, reason=refused)
        self._pool, self._service_names, self._hash = union.pool, tuple(sorted(names)), digest

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """Returns the handlers of both versions of the service."""
        return handlers(self)


class _Union:
    """Files of several servers in one pool."""

    def __init__(self) -> None:
        self.pool = DescriptorPool()
        self._files: dict[str, bytes] = {}
        self._definers: dict[str, str] = {}

    def add(self, files: Iterable[bytes]) -> str | None:
        """Adds a server's files; returns why it has to stay out, or None."""
        for content in files:
            file = FileDescriptorProto.FromString(content)
            known = self._files.get(file.name)
            if known == content or (known is not None and is_shared(file.name)):
                continue
            if known is not None:
                return f"{file.name} is defined otherwise by another server"
            symbols = list(symbols_of(file))
            taken = next((symbol for symbol in symbols if symbol in self._definers), None)
            if taken is not None:
                return f"{taken} is also defined in {self._definers[taken]}"
            try:
                self.pool.AddSerializedFile(content)
            except TypeError as error:
                return f"{file.name} does not build: {str(error).splitlines()[0][:200]}"
            self._files[file.name] = content
            self._definers.update(dict.fromkeys(symbols, file.name))
        return None
