"""Helpers of the test suites: real servers on free ports, also of contracts that nobody else has heard of."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha._async import ReflectionServicer

from onenumbers_runtime.reflection import handlers as reflection_handlers_of
from onenumbers_runtime.server import GrpcServer, Service
from onenumbers_runtime.settings import MeshSettings


@asynccontextmanager
async def running(
    services: Sequence[Service], *, settings: MeshSettings | None = None, serving: bool = True, **options: Any
) -> AsyncIterator[tuple[GrpcServer, grpc.aio.Channel]]:
    """Yields a server on a free port of loopback, and a channel to it."""
    settings = settings if settings is not None else MeshSettings.load(grace_period_s=2.0)
    async with GrpcServer(name="test", settings=settings, services=services, port=0, **options) as server:
        if serving:
            await server.set_serving(True)
        async with grpc.aio.insecure_channel(server.address) as channel:
            yield server, channel


def kind_of(method: Any) -> str:
    """The kind of a method as grpcio's functions are named, such as "unary_stream"."""
    return "_".join("stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming))


class CompiledContract:
    """A compiled contract with message classes from a pool of its own."""

    def __init__(self, data: bytes) -> None:
        files = descriptor_pb2.FileDescriptorSet.FromString(data).file
        self.files = tuple(file.SerializeToString() for file in files)
        self.services = tuple(f"{f.package}.{s.name}" for f in files for s in f.service)
        self.hash = hashlib.sha256(data).hexdigest()
        pool = descriptor_pool.DescriptorPool()
        for file in files:
            pool.Add(file)
        self._pool = pool

    @classmethod
    def of(cls, *files: FileDescriptor) -> Self:
        """Returns the contract of generated files with all that they import, as reflection tells it."""
        found: dict[str, bytes] = {}

        def add(file: FileDescriptor) -> None:
            if file.name not in found:
                for other in file.dependencies:
                    add(other)
                found[file.name] = file.serialized_pb

        for file in files:
            add(file)
        described = descriptor_pb2.FileDescriptorSet()
        for data in found.values():
            described.file.add().MergeFromString(data)
        return cls(described.SerializeToString())

    def reflection(self) -> list[grpc.GenericRpcHandler]:
        """Returns the handlers of reflection over this contract."""
        return reflection_handlers_of(ReflectionServicer(self.services, pool=self._pool))

    def message(self, name: str) -> Any:
        """Returns a message class."""
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))

    def handlers(self, service: str, behaviours: Mapping[str, Callable[..., Any]]) -> grpc.GenericRpcHandler:
        """Returns the handler of a service, from one coroutine function or generator per method."""
        methods = self._pool.FindServiceByName(service).methods_by_name
        handlers = {}
        for name, behaviour in behaviours.items():
            method = methods[name]
            handlers[name] = getattr(grpc, f"{kind_of(method)}_rpc_method_handler")(
                behaviour,
                request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
        return grpc.method_handlers_generic_handler(service, handlers)

    def call(self, channel: grpc.aio.Channel, service: str, name: str) -> Any:
        """Returns the callable that makes calls of a method."""
        method = self._pool.FindServiceByName(service).methods_by_name[name]
        return getattr(channel, kind_of(method))(
            f"/{service}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )


def compile_contract(sources: Mapping[str, str], folder: Path, *, include: Sequence[Path] = ()) -> CompiledContract:
    """Compiles proto sources, by file name, with the compiler of grpcio-tools (a development dependency)."""
    from importlib.resources import files as resource_files

    from grpc_tools import protoc

    home = folder / f"protos-{hashlib.sha256(repr(sources).encode()).hexdigest()[:8]}"
    home.mkdir(exist_ok=True)
    for name, text in sources.items():
        (home / name).write_text(text, encoding="utf-8")
    out = home / "set.bin"
    includes = [f"-I{path}" for path in (home, resource_files("grpc_tools") / "_proto", *include)]
    arguments = ["protoc", *includes, "--include_imports", f"--descriptor_set_out={out}", *sources]
    if protoc.main(arguments) != 0:
        raise ValueError(f"protoc refused {', '.join(sources)}")
    return CompiledContract(out.read_bytes())


@asynccontextmanager
async def serving_handlers(*handlers: grpc.GenericRpcHandler, port: int = 0) -> AsyncIterator[int]:
    """Serves handlers without our runtime, as a foreign server would; yields the bound port of loopback."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(handlers)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield bound
    finally:
        await server.stop(grace=0)
