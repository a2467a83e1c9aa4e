"""Reads the whole contract of a running server by gRPC reflection, v1 first, then v1alpha."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2

from onenumbers_runtime.reflection import SERVICE_V1, SERVICE_V1ALPHA

log = structlog.get_logger()
_Request = reflection_pb2.ServerReflectionRequest

INFRASTRUCTURE = (
    "grpc.health.",
    "grpc.reflection.",
    "grpc.channelz.",
    "grpc.admin.",
    "envoy.service.",
    "onenumbers.contract.",
)
"""Packages whose services belong to the plumbing and never become tools."""
MAX_SERVICES = 1_000
MAX_FILES = 5_000
MAX_BYTES = 32 * 1024 * 1024


class ReflectionError(Exception):
    """The contract could not be read; the message is one line and says why."""


@dataclass(frozen=True, slots=True)
class ReflectedContract:
    """What a server says of itself."""

    services: tuple[str, ...]
    """Full names, sorted, without infrastructure."""
    files: tuple[bytes, ...]
    """Serialized FileDescriptorProto, dependencies first; the same contract always gives the same order."""
    descriptor_hash: str
    """SHA-256 over the files, hexadecimal."""


def is_infrastructure(service: str) -> bool:
    """Tells whether a service is plumbing."""
    return service.startswith(INFRASTRUCTURE)


def hash_files(files: Iterable[bytes]) -> str:
    """Returns SHA-256 over the files and their lengths, hexadecimal."""
    digest = hashlib.sha256()
    for content in files:
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


async def reflect(
    channel: grpc.aio.Channel, *, timeout_s: float, metadata: Sequence[tuple[str, str]] = ()
) -> ReflectedContract:
    """Reads all services of the server behind `channel` and every file that they need.

    A service whose files the server cannot give is left out; the others stand.

    Args:
        channel: Channel to one instance.
        timeout_s: Seconds for everything.
        metadata: Sent with the stream, such as the token.

    Raises:
        ReflectionError: No answer, no reflection, limits exceeded, or none of its services is complete.
    """
    try:
        return await _reflect_version(channel, SERVICE_V1, timeout_s, metadata)
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
            raise ReflectionError(f"reflection failed: {describe(error)}") from error
    try:
        return await _reflect_version(channel, SERVICE_V1ALPHA, timeout_s, metadata)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            raise ReflectionError("the server has no reflection service") from error
        raise ReflectionError(f"reflection failed: {describe(error)}") from error


def describe(error: grpc.aio.AioRpcError) -> str:
    """Returns one short line about a failed call, for the reason of a server's state."""
    details = error.details() or ""
    lowered = details.lower()
    if "connection refused" in lowered:
        return "connection refused"
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED or "timed out" in lowered or "timeout" in lowered:
        return "no answer in time"
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return "connection lost" if "socket" in lowered or "recv" in lowered or "goaway" in lowered else "unavailable"
    first_line = details.splitlines()[0][:200] if details else ""
    return f"{error.code().name}: {first_line}" if first_line else error.code().name


@asynccontextmanager
async def _session(
    channel: grpc.aio.Channel, service: str, timeout_s: float, metadata: Sequence[tuple[str, str]]
) -> AsyncIterator[_Session]:
    call = channel.stream_stream(
        f"/{service}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )(timeout=timeout_s, metadata=tuple(metadata))
    try:
        yield _Session(call)
        await call.done_writing()
    finally:
        call.cancel()


class _Session:
    """One reflection stream: a question, an answer."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def ask(self, question: _Request) -> reflection_pb2.ServerReflectionResponse:
        answer: Any = grpc.aio.EOF
        # A stream that the server has refused is already finished when the question is written.
        with contextlib.suppress(asyncio.InvalidStateError):
            await self._call.write(question)
            answer = await self._call.read()
        if not isinstance(answer, reflection_pb2.ServerReflectionResponse):
            code = await self._call.code()
            if code is grpc.StatusCode.OK:
                raise ReflectionError("the reflection stream ended early")
            raise grpc.aio.AioRpcError(
                code,
                await self._call.initial_metadata(),
                await self._call.trailing_metadata(),
                await self._call.details(),
            )
        return answer


class _Files:
    """The files of one server, bounded."""

    def __init__(self) -> None:
        self.by_name: dict[str, descriptor_pb2.FileDescriptorProto] = {}
        self.raw: dict[str, bytes] = {}
        self._bytes = 0

    def add(self, contents: Iterable[bytes]) -> list[str]:
        """Keeps the files that are new; returns the names of all."""
        names = []
        for content in contents:
            try:
                file = descriptor_pb2.FileDescriptorProto.FromString(content)
            except DecodeError:
                raise ReflectionError("the server sent a file descriptor that cannot be decoded") from None
            names.append(file.name)
            if file.name in self.by_name:
                continue
            self._bytes += len(content)
            if len(self.by_name) >= MAX_FILES or self._bytes > MAX_BYTES:
                raise ReflectionError(f"the contract is larger than {MAX_FILES} files or {MAX_BYTES} bytes")
            self.by_name[file.name] = file
            self.raw[file.name] = content
        return names

    def closure(self, name: str, order: dict[str, None]) -> bool:
        """Adds a file and all that it imports to `order`, dependencies first; False where one is missing."""
        stack: list[tuple[str, bool]] = [(name, False)]
        new: dict[str, None] = {}
        visiting: set[str] = set()
        while stack:
            current, done = stack.pop()
            if done:
                new[current] = None
                continue
            if current in order or current in new or current in visiting:
                continue
            if current not in self.by_name:
                return False
            visiting.add(current)
            stack.append((current, True))
            stack.extend((item, False) for item in sorted(self.by_name[current].dependency, reverse=True))
        order.update(new)
        return True


async def _reflect_version(
    channel: grpc.aio.Channel, service: str, timeout_s: float, metadata: Sequence[tuple[str, str]]
) -> ReflectedContract:
    files = _Files()
    homes: dict[str, str] = {}
    async with _session(channel, service, timeout_s, metadata) as session:
        answer = await session.ask(_Request(list_services="*"))
        names = sorted(item.name for item in answer.list_services_response.service if not is_infrastructure(item.name))
        if len(names) > MAX_SERVICES:
            raise ReflectionError(f"the server has more than {MAX_SERVICES} services")
        for name in names:
            answer = await session.ask(_Request(file_containing_symbol=name))
            if answer.WhichOneof("message_response") == "file_descriptor_response":
                added = files.add(answer.file_descriptor_response.file_descriptor_proto)
                home = next((file for file in added if name in _services_of(files.by_name[file])), None)
                if home is not None:
                    homes[name] = home
        await _complete(session, files)
    return _contract(names, homes, files)


async def _complete(session: _Session, files: _Files) -> None:
    """Fetches imports until none is missing that can be had; takes well-known ones from our own copy."""
    asked: set[str] = set()
    while missing := sorted(
        {item for file in files.by_name.values() for item in file.dependency} - files.by_name.keys() - asked
    ):
        for name in missing:
            asked.add(name)
            answer = await session.ask(_Request(file_by_filename=name))
            if answer.WhichOneof("message_response") == "file_descriptor_response":
                files.add(answer.file_descriptor_response.file_descriptor_proto)
            if name not in files.by_name and name.startswith("google/protobuf/"):
                try:
                    files.add([Default().FindFileByName(name).serialized_pb])
                except KeyError:
                    continue


def _services_of(file: descriptor_pb2.FileDescriptorProto) -> set[str]:
    prefix = f"{file.package}." if file.package else ""
    return {prefix + service.name for service in file.service}


def _contract(names: Sequence[str], homes: Mapping[str, str], files: _Files) -> ReflectedContract:
    order: dict[str, None] = {}
    complete = [name for name in names if name in homes and files.closure(homes[name], order)]
    if left_out := sorted(set(names) - set(complete)):
        log.warning("services_left_out", services=left_out, reason="the server does not give all of their files")
        if not complete:
            raise ReflectionError(f"the server does not give the files of its services ({', '.join(left_out[:3])})")
    contents = tuple(files.raw[name] for name in order)
    return ReflectedContract(services=tuple(complete), files=contents, descriptor_hash=hash_files(contents))
