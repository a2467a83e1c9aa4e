"""What a server's descriptors say that the edge needs: methods, how they may be retried, and their HTTP paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodOptions
from google.protobuf.message import DecodeError, Message

_OUR_PREFIXES = ("google/protobuf/", "google/api/", "google/rpc/", "google/type/")
"""Files of which everyone has the same; one copy serves all."""


_HTTP = "google.api.http"


class ContractError(Exception):
    """The descriptors of a server cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC."""

    service: str
    """Full name of its service."""
    name: str
    client_streaming: bool
    server_streaming: bool
    idempotent: bool
    """Whether a call that may have been executed can be sent again (its `idempotency_level`)."""
    bindings: tuple[tuple[str, str], ...]
    """HTTP method and path template of each google.api.http binding."""

    @property
    def path(self) -> str:
        """Path of the call in gRPC."""
        return f"/{self.service}/{self.name}"

    @property
    def streaming(self) -> bool:
        """Whether one side may send more than one message."""
        return self.client_streaming or self.server_streaming


@dataclass(frozen=True, slots=True)
class Contract:
    """The descriptors of one server, reduced to what transcoding needs, dependencies first."""

    files: tuple[bytes, ...]
    methods: tuple[Method, ...]


def read_contract(files: Iterable[bytes], services: Iterable[str]) -> Contract:
    """Returns the contract of `services` out of serialized FileDescriptorProto in dependency order.

    Options other than google.api.http are removed, and with them the imports that only they need: two servers that
    were built with different versions of an option file stay compatible that way.

    Raises:
        ContractError: A file is damaged, one that it imports is missing, or a service is in none of them.
    """
    parsed = [_parse(data) for data in files]
    wanted = frozenset(services)
    methods = tuple(method for file in parsed for method in _methods(file) if method.service in wanted)
    missing = wanted - {_join(file.package, service.name) for file in parsed for service in file.service}
    if missing:
        raise ContractError(f"no descriptor of {', '.join(sorted(missing))}")
    reduced = _reduce(parsed, wanted)
    _prove(reduced)
    return Contract(files=tuple(file.SerializeToString(deterministic=True) for file in reduced), methods=methods)


def files_of(*descriptors: FileDescriptor) -> tuple[bytes, ...]:
    """Returns generated files with all that they import, serialized, dependencies first."""
    found: dict[str, bytes] = {}

    def visit(file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            visit(dependency)
        found.setdefault(file.name, file.serialized_pb)

    for descriptor in descriptors:
        visit(descriptor)
    return tuple(found.values())


def symbols_of(file: FileDescriptorProto) -> Iterator[str]:
    """Yields the full names of what a file defines at its top level."""
    for elements in (file.message_type, file.enum_type, file.service):
        yield from (_join(file.package, element.name) for element in cast(Any, elements))


def _parse(data: bytes) -> FileDescriptorProto:
    try:
        return FileDescriptorProto.FromString(data)
    except DecodeError as error:
        raise ContractError("a file descriptor is damaged") from error


def _methods(file: FileDescriptorProto) -> Iterator[Method]:
    for service in file.service:
        for method in service.method:
            yield Method(
                service=_join(file.package, service.name),
                name=method.name,
                client_streaming=method.client_streaming,
                server_streaming=method.server_streaming,
                idempotent=method.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN,
                bindings=tuple(_bindings(method.options)),
            )


def _bindings(options: MethodOptions) -> Iterator[tuple[str, str]]:
    if not options.HasExtension(annotations_pb2.http):
        return
    rule = options.Extensions[annotations_pb2.http]
    for binding in (rule, *rule.additional_bindings):
        pattern = binding.WhichOneof("pattern")
        if pattern == "custom":
            yield binding.custom.kind, binding.custom.path
        elif pattern is not None:
            yield pattern.upper(), getattr(binding, pattern)


def _reduce(files: list[FileDescriptorProto], services: frozenset[str]) -> list[FileDescriptorProto]:
    by_name = {file.name: file for file in files}
    definer = {symbol: file.name for file in files for symbol in _all_types(file)}
    keep = {file.name for file in files if any(_join(file.package, s.name) in services for s in file.service)}
    reduced: dict[str, FileDescriptorProto] = {}
    for file in reversed(files):
        if file.name not in keep:
            continue
        copy = FileDescriptorProto()
        copy.CopyFrom(file)
        _strip(copy)
        needed = {definer.get(name.removeprefix("."), "") for name in _references(copy)} - {file.name}
        if "" in needed:
            unknown = next(name for name in _references(copy) if name.removeprefix(".") not in definer)
            raise ContractError(f"{file.name} uses {unknown.removeprefix('.')}, which no file defines")
        # Public imports reach types through a file that has none of them: import where they are.
        del copy.dependency[:], copy.public_dependency[:], copy.weak_dependency[:], copy.option_dependency[:]
        copy.dependency.extend(sorted(needed))
        keep |= needed
        reduced[file.name] = copy
    return [reduced[name] for name in by_name if name in reduced]


def _strip(file: FileDescriptorProto) -> None:
    """Removes source information, extensions and every custom option but google.api.http."""
    file.ClearField("source_code_info")
    del file.extension[:]
    for options in _options(file):
        options.DiscardUnknownFields()
        for option, _ in options.ListFields():
            if option.is_extension and option.full_name != _HTTP:
                options.ClearExtension(cast(Any, option))
    for message in _messages(file.message_type):
        del message.extension[:]


def _options(file: FileDescriptorProto) -> Iterator[Message]:
    yield file.options
    enums = list(file.enum_type)
    for message in _messages(file.message_type):
        yield message.options
        yield from (field.options for field in message.field)
        yield from (oneof.options for oneof in message.oneof_decl)
        yield from (extension_range.options for extension_range in message.extension_range)
        enums.extend(message.enum_type)
    for enum in enums:
        yield enum.options
        yield from (value.options for value in enum.value)
    for service in file.service:
        yield service.options
        yield from (method.options for method in service.method)


def _messages(
    messages: Iterable[descriptor_pb2.DescriptorProto],
) -> Iterator[descriptor_pb2.DescriptorProto]:
    for message in messages:
        yield message
        yield from _messages(message.nested_type)


def _all_types(file: FileDescriptorProto) -> Iterator[str]:
    def walk(scope: str, messages: Iterable[descriptor_pb2.DescriptorProto]) -> Iterator[str]:
        for message in messages:
            name = _join(scope, message.name)
            yield name
            yield from (_join(name, enum.name) for enum in message.enum_type)
            yield from walk(name, message.nested_type)

    yield from walk(file.package, file.message_type)
    yield from (_join(file.package, enum.name) for enum in file.enum_type)


def _references(file: FileDescriptorProto) -> Iterator[str]:
    for message in _messages(file.message_type):
        yield from (field.type_name for field in message.field if field.type_name)
    for service in file.service:
        for method in service.method:
            yield from (method.input_type, method.output_type)


def _prove(files: list[FileDescriptorProto]) -> None:
    """Builds the files in a pool of their own, for Envoy refuses a whole update over one bad file."""
    pool = descriptor_pool.DescriptorPool()
    try:
        for file in files:
            pool.Add(file)
        for file in files:
            pool.FindFileByName(file.name)
    except (TypeError, KeyError) as error:
        raise ContractError(f"descriptors do not fit together: {error}") from error
    for file in files:
        for service in file.service:
            for method in service.method:
                _check_http(method.options, pool.FindMessageTypeByName(method.input_type.removeprefix(".")))


def _check_http(options: MethodOptions, request: Descriptor) -> None:
    if not options.HasExtension(annotations_pb2.http):
        return
    rule = options.Extensions[annotations_pb2.http]
    for binding in (rule, *rule.additional_bindings):
        _check_binding(binding, request)


def _check_binding(binding: http_pb2.HttpRule, request: Descriptor) -> None:
    body = binding.body
    if body and body != "*" and body not in request.fields_by_name:
        raise ContractError(f"{request.full_name} has no field {body!r} to take a body")


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def is_shared(name: str) -> bool:
    """Tells whether a file is one of Google's common ones, of which ours serves for all."""
    return name.startswith(_OUR_PREFIXES)
