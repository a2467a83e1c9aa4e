"""Serves each active utility as a typed method of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError, Message
from google.protobuf.wrappers_pb2 import BytesValue

from onenumbers_runtime.errors import InvalidArgumentError, UnimplementedError, invalid
from onenumbers_utilities.registry.definitions import read_inputs
from onenumbers_utilities.registry.registry import Registry
from onenumbers_utilities.registry.tools import METHOD_PREFIX, RegisteredContract, TypedTool, build_contract

_METHOD: Final = re.compile(r"[A-Z]\w{0,79}\Z", re.ASCII)
_MAX_UNKNOWN: Final = 1_000
"""Methods without a tool that are looked up in the store; each one leaves a line in the metrics."""


class RegisteredTools(grpc.GenericRpcHandler):
    """Serves each active utility as a method of its own. What it serves changes while the server runs."""

    def __init__(self) -> None:
        self._contract = build_contract(())
        self._handlers: dict[str, Any] = {}
        self._unknown: set[str] = set()
        self.registry: Registry | None = None
        """Where it looks what is active now."""

    def use(self, contract: RegisteredContract) -> None:
        """Serves this contract from now on."""
        self._contract = contract
        self._handlers = {name: handler for name, handler in self._handlers.items() if name in contract.tools}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Returns the handler of a method; also of one that another replica may have registered a moment ago."""
        path = str(handler_call_details.method)
        if not path.startswith(METHOD_PREFIX):
            return None
        name = path.removeprefix(METHOD_PREFIX)
        if name not in self._contract.tools:
            if not _METHOD.match(name) or (name not in self._unknown and len(self._unknown) >= _MAX_UNKNOWN):
                return None
            self._unknown.add(name)
        handler = self._handlers.get(name)
        if handler is None:
            handler = self._handlers[name] = self._handler(name)
        return handler

    def _handler(self, name: str) -> Any:
        async def call(request: BytesValue, context: Any) -> Message:  # noqa: ARG001
            return await self._call(name, request.value)

        # The type of the request is known only once the store was asked which version stands.
        return grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=lambda content: BytesValue(value=content),
            response_serializer=lambda message: message.SerializeToString(),
        )

    async def _call(self, name: str, content: bytes) -> Message:
        if self.registry is None:
            raise UnimplementedError("no utility is registered", reason="UTILITY_NOT_ACTIVE")
        await self.registry.look()
        tool = self._contract.tools.get(name)
        if tool is None:
            raise UnimplementedError(f"no active utility has the method {name}", reason="UTILITY_NOT_ACTIVE")
        self._unknown.discard(name)
        return await _answer(tool, content, self.registry)


async def _answer(tool: TypedTool, content: bytes, registry: Registry) -> Message:
    try:
        request = tool.request.FromString(content)
    except DecodeError:
        raise invalid(
            "(request)", f"is no {tool.request.DESCRIPTOR.full_name}", rule="request.encoding", reason="BAD_REQUEST"
        ) from None
    inputs = read_inputs(tool.record.definition.inputs, tool.values(request), prefix="")
    try:
        result = await registry.calculate(tool.record, inputs)
    except InvalidArgumentError as error:
        raise _at_root(error) from None
    return tool.answer(request, result)


def _at_root(error: InvalidArgumentError) -> InvalidArgumentError:
    """Returns an error about "inputs" with the paths of a request whose fields are the inputs."""
    (violation,) = error.violations
    field = violation.field.removeprefix("inputs").removeprefix(".") or "(request)"
    moved = replace(violation, field=field)
    return InvalidArgumentError(f"{field}: {moved.description}", reason=error.reason, violations=[moved])
