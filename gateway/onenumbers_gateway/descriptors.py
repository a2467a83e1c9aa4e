"""The contract of one server as usable descriptors: a pool of its own, message classes, tool options, HTTP paths.

Options are decoded with the server's own descriptors and never with ours: an extension number says nothing of who
declared it, and a server that never heard of our options must not be misread.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.api import http_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from buf.validate import validate_pb2
from onenumbers.options.v1 import options_pb2
from onenumbers_gateway.reflection_client import is_infrastructure

TOOL_EXTENSION = "onenumbers.options.v1.tool"
HTTP_EXTENSION = "google.api.http"
FIELD_RULES_EXTENSION = "buf.validate.field"
ONEOF_RULES_EXTENSION = "buf.validate.oneof"

NO_SIDE_EFFECTS = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
IDEMPOTENT = descriptor_pb2.MethodOptions.IDEMPOTENT

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+")
_TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,127}\Z")


class ContractError(Exception):
    """A server's descriptors do not fit together; the message is one line."""


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """An HTTP path of a method (google.api.http)."""

    method: str
    path: str
    body: str


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC that can become a tool: unary, or streaming from the server."""

    full_name: str
    """Such as "onenumbers.utilities.v1.UtilitiesService/CalculateLifePath"."""
    service: str
    name: str
    descriptor: MethodDescriptor
    request_class: type[Message]
    response_class: type[Message]
    server_streaming: bool
    read_only: bool
    idempotent: bool
    options: options_pb2.ToolOptions | None
    """The tool option; None where the server does not know it."""
    http: tuple[HttpBinding, ...]

    @property
    def path(self) -> str:
        """The path of the call, "/package.Service/Method"."""
        return f"/{self.full_name}"

    @property
    def tool_name(self) -> str:
        """The declared name, or the method's in snake case."""
        if self.options is not None and _TOOL_NAME.match(self.options.name):
            return self.options.name
        return snake_case(self.name)


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything that calls and schemas need of one server's descriptors."""

    descriptor_hash: str
    pool: descriptor_pool.DescriptorPool
    methods: tuple[Method, ...]
    """In the order of services and of their methods."""
    _field_rules: dict[str, bytes] = field(repr=False)
    _required_oneofs: frozenset[str] = field(repr=False)

    def rules(self, descriptor: FieldDescriptor) -> validate_pb2.FieldRules | None:
        """Returns the buf.validate rules of a field, or None where it has none."""
        content = self._field_rules.get(descriptor.full_name)
        if content is None:
            return None
        try:
            return validate_pb2.FieldRules.FromString(content)
        except DecodeError:
            return None

    def oneof_required(self, full_name: str) -> bool:
        """Tells whether one member of a oneof must be set."""
        return full_name in self._required_oneofs


def snake_case(name: str) -> str:
    """Returns "get_http_status" for "GetHTTPStatus"."""
    return "_".join(word.lower() for word in _WORDS.findall(name)) or name.lower()


def build_contract(files: Sequence[bytes], services: Iterable[str], descriptor_hash: str) -> Contract:
    """Builds a fresh pool of the files and reads the methods of `services` from it.

    Args:
        files: Serialized FileDescriptorProto, dependencies first.
        services: Full names; infrastructure is left out.
        descriptor_hash: Kept as the contract's identity.

    Raises:
        ContractError: The files do not build, or a service is not in them.
    """
    pool = descriptor_pool.DescriptorPool()
    try:
        for content in files:
            pool.AddSerializedFile(content)
        _add_error_details(pool)
        decoder = _OptionDecoder(pool)
        parsed = [decoder.file(content) for content in files]
        methods = [
            method
            for service in services
            if not is_infrastructure(service)
            for method in _methods(pool, decoder, parsed, service)
        ]
    except (TypeError, KeyError, DecodeError, ValueError) as error:
        line = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ContractError(f"its descriptors cannot be used: {line}") from error
    field_rules, required_oneofs = _validation_rules(decoder, parsed)
    return Contract(
        descriptor_hash=descriptor_hash,
        pool=pool,
        methods=tuple(methods),
        _field_rules=field_rules,
        _required_oneofs=frozenset(required_oneofs),
    )


class ContractCache:
    """Contracts by hash: replicas, restarts and unchanged servers share one. Keeps the last `size`."""

    def __init__(self, size: int = 512) -> None:
        self._size = size
        self._contracts: OrderedDict[str, Contract] = OrderedDict()

    def get(self, files: Sequence[bytes], services: Sequence[str], descriptor_hash: str) -> Contract:
        """Returns the contract, built at most once.

        Raises:
            ContractError: The files do not build.
        """
        key = f"{descriptor_hash}:{','.join(services)}"
        contract = self._contracts.get(key)
        if contract is None:
            contract = build_contract(files, services, descriptor_hash)
            self._contracts[key] = contract
            while len(self._contracts) > self._size:
                self._contracts.popitem(last=False)
        self._contracts.move_to_end(key)
        return contract


def _add_error_details(pool: descriptor_pool.DescriptorPool) -> None:
    """Lets a google.rpc.Status inside a result show its details, also where the server's files lack their types."""
    try:
        pool.FindMessageTypeByName("google.rpc.ErrorInfo")
    except KeyError:
        for file in (*error_details_pb2.DESCRIPTOR.dependencies, error_details_pb2.DESCRIPTOR):
            try:
                pool.FindFileByName(file.name)
            except KeyError:
                pool.AddSerializedFile(file.serialized_pb)


class _OptionDecoder:
    """Reads options of descriptors with the extensions that a pool itself declares."""

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self._pool = pool
        self._extensions = {
            name: self._extension(name)
            for name in (TOOL_EXTENSION, HTTP_EXTENSION, FIELD_RULES_EXTENSION, ONEOF_RULES_EXTENSION)
        }
        try:
            descriptor = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
            self._file_class: Any = GetMessageClass(descriptor)
        except KeyError:
            # Without descriptor.proto among its files a server can have no options of its own.
            self._file_class = descriptor_pb2.FileDescriptorProto

    def _extension(self, name: str) -> FieldDescriptor | None:
        try:
            return self._pool.FindExtensionByName(name)
        except KeyError:
            return None

    def file(self, content: bytes) -> Any:
        return self._file_class.FromString(content)

    def raw(self, options: Any, name: str) -> bytes | None:
        """Returns an extension's content, or None where it is not declared or not set."""
        extension = self._extensions[name]
        if extension is None or not options.HasExtension(extension):
            return None
        content: bytes = options.Extensions[extension].SerializeToString()
        return content


def _methods(
    pool: descriptor_pool.DescriptorPool, decoder: _OptionDecoder, parsed: Iterable[Any], service: str
) -> Iterator[Method]:
    descriptor = pool.FindServiceByName(service)
    options = {
        method.name: method.options
        for file in parsed
        if file.name == descriptor.file.name
        for item in file.service
        if item.name == descriptor.name
        for method in item.method
    }
    for method in descriptor.methods:
        if method.client_streaming:
            continue
        level = options[method.name].idempotency_level
        tool = decoder.raw(options[method.name], TOOL_EXTENSION)
        http = decoder.raw(options[method.name], HTTP_EXTENSION)
        yield Method(
            full_name=f"{service}/{method.name}",
            service=service,
            name=method.name,
            descriptor=method,
            request_class=GetMessageClass(method.input_type),
            response_class=GetMessageClass(method.output_type),
            server_streaming=method.server_streaming,
            read_only=level == NO_SIDE_EFFECTS,
            idempotent=level in (NO_SIDE_EFFECTS, IDEMPOTENT),
            options=options_pb2.ToolOptions.FromString(tool) if tool is not None else None,
            http=tuple(_bindings(http_pb2.HttpRule.FromString(http))) if http is not None else (),
        )


def _bindings(rule: http_pb2.HttpRule) -> Iterator[HttpBinding]:
    kind = rule.WhichOneof("pattern")
    if kind == "custom":
        yield HttpBinding(method=rule.custom.kind.upper(), path=rule.custom.path, body=rule.body)
    elif kind is not None:
        yield HttpBinding(method=kind.upper(), path=getattr(rule, kind), body=rule.body)
    for item in rule.additional_bindings:
        yield from _bindings(item)


def _validation_rules(decoder: _OptionDecoder, parsed: Iterable[Any]) -> tuple[dict[str, bytes], set[str]]:
    fields: dict[str, bytes] = {}
    oneofs: set[str] = set()

    def walk(prefix: str, message: Any) -> None:
        name = f"{prefix}.{message.name}" if prefix else message.name
        for item in message.field:
            if item.HasField("options") and (found := decoder.raw(item.options, FIELD_RULES_EXTENSION)) is not None:
                fields[f"{name}.{item.name}"] = found
        for oneof in message.oneof_decl:
            rules = decoder.raw(oneof.options, ONEOF_RULES_EXTENSION) if oneof.HasField("options") else None
            if rules is not None and validate_pb2.OneofRules.FromString(rules).required:
                oneofs.add(f"{name}.{oneof.name}")
        for nested in message.nested_type:
            walk(name, nested)

    for file in parsed:
        if file.package not in ("buf.validate", "google.protobuf"):
            for message in file.message_type:
                walk(file.package, message)
    return fields, oneofs


def real_oneofs(descriptor: Descriptor) -> Iterator[tuple[str, list[FieldDescriptor]]]:
    """Yields name and members of each oneof that the contract's author wrote; `optional` makes hidden ones."""
    for oneof in descriptor.oneofs:
        members = list(oneof.fields)
        if not (len(members) == 1 and oneof.name.startswith("_")):
            yield oneof.full_name, members
