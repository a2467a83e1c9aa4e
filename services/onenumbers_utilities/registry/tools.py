"""Makes a contract of the active utilities: one service with a typed method for each, ready for reflection."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from google.type import date_pb2

import onenumbers
from buf.validate import validate_pb2
from onenumbers.options.v1 import options_pb2
from onenumbers_runtime.errors import MeshError
from onenumbers_utilities.registry.definitions import Definition, Input, Record, read_inputs
from onenumbers_utilities.registry.limits import MAX_INTEGER, MAX_TEXT

PACKAGE: Final = "onenumbers.registered.v1"
SERVICE: Final = f"{PACKAGE}.RegisteredUtilitiesService"
METHOD_PREFIX: Final = f"/{SERVICE}/"
_FILE: Final = "onenumbers/registered/v1/registered.proto"
_IMPORTS: Final[Sequence[FileDescriptor]] = (
    validate_pb2.DESCRIPTOR,
    annotations_pb2.DESCRIPTOR,
    date_pb2.DESCRIPTOR,
    options_pb2.DESCRIPTOR,
)
_Field = descriptor_pb2.FieldDescriptorProto
_DATE: Final = ".google.type.Date"
_SCALARS: Final = {
    "int": _Field.TYPE_INT32,
    "double": _Field.TYPE_DOUBLE,
    "bool": _Field.TYPE_BOOL,
    "string": _Field.TYPE_STRING,
}
"""Results. A whole number has 32 bits there, and 64 as an input: see limits.MAX_RESULT."""
_AFTER_UNDERSCORE: Final = re.compile(r"_([a-z])")


@dataclass(frozen=True, slots=True)
class TypedTool:
    """An active utility with its messages."""

    record: Record
    request: type[Message]
    response: type[Message]

    def values(self, request: Message) -> dict[str, Any]:
        """Returns the inputs that a request gives, as `read_inputs` takes them."""
        found: dict[str, Any] = {}
        for item in self.record.definition.inputs:
            if request.HasField(item.name):
                value = getattr(request, item.name)
                found[item.name] = (
                    {"year": value.year, "month": value.month, "day": value.day} if item.kind == "date" else value
                )
        return found

    def answer(self, request: Message, result: Any) -> Message:
        """Returns the response: the result, the inputs as they were read, the formula and its version."""
        record = self.record
        response: Any = self.response(inputs=request, formula=record.definition.formula, version=record.version)
        if record.result.kind == "date":
            for item in result if record.result.repeated else [result]:
                target = response.result.add() if record.result.repeated else response.result
                target.year, target.month, target.day = item.year, item.month, item.day
        elif record.result.repeated:
            response.result.extend(result)
        else:
            response.result = result
        return response  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class RegisteredContract:
    """The contract of the active utilities at one moment."""

    pool: descriptor_pool.DescriptorPool
    tools: Mapping[str, TypedTool]
    """By the name of the method."""

    @property
    def services(self) -> tuple[str, ...]:
        """Names of its services; none while no utility is active."""
        return (SERVICE,) if self.tools else ()


def build_contract(records: Sequence[Record]) -> RegisteredContract:
    """Returns the contract of active utilities, in a pool of its own."""
    file = descriptor_pb2.FileDescriptorProto(
        name=_FILE, package=PACKAGE, syntax="proto3", dependency=[item.name for item in _IMPORTS]
    )
    service = descriptor_pb2.ServiceDescriptorProto(name=SERVICE.rpartition(".")[2])
    names: dict[str, Record] = {}
    for record in records:
        name = method_name(record.definition.utility_id)
        names[name] = record
        file.message_type.append(_request(f"{name}Request", record.definition))
        file.message_type.append(_response(f"{name}Response", f"{name}Request", record))
        service.method.append(_method(name, record))
    pool = descriptor_pool.DescriptorPool()
    for item in _closure(_IMPORTS):
        pool.AddSerializedFile(item.serialized_pb)
    if names:
        file.service.append(service)
        pool.AddSerializedFile(file.SerializeToString())

    def message(name: str) -> type[Message]:
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))

    return RegisteredContract(
        pool,
        {
            name: TypedTool(record, message(f"{name}Request"), message(f"{name}Response"))
            for name, record in names.items()
        },
    )


def method_name(utility_id: str) -> str:
    """Returns the method of a utility: "LuckyDay" for "lucky_day"; different ids always give different methods."""
    name = _AFTER_UNDERSCORE.sub(lambda match: match[1].upper(), utility_id)
    return name[0].upper() + name[1:]


def built_in_tools() -> frozenset[str]:
    """Returns the names of all tools of the contracts that this installation knows."""
    return frozenset(_tool_names(_contract_files()))


def _contract_files() -> Iterable[FileDescriptor]:
    for module in pkgutil.walk_packages(onenumbers.__path__, f"{onenumbers.__name__}."):
        if module.name.endswith("_pb2"):
            yield importlib.import_module(module.name).DESCRIPTOR


def _tool_names(files: Iterable[FileDescriptor]) -> Iterable[str]:
    for file in files:
        for service in file.services_by_name.values():
            for method in service.methods:
                declared = method.GetOptions().Extensions[options_pb2.tool].name
                yield declared or re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower()


def _closure(files: Iterable[FileDescriptor]) -> list[FileDescriptor]:
    found: dict[str, FileDescriptor] = {}

    def add(file: FileDescriptor) -> None:
        if file.name not in found:
            for dependency in file.dependencies:
                add(dependency)
            found[file.name] = file

    for file in files:
        add(file)
    return list(found.values())


def _request(name: str, definition: Definition) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=name)
    for number, item in enumerate(definition.inputs, start=1):
        field = message.field.add(name=item.name, number=number, label=_Field.LABEL_OPTIONAL)
        # Every input must be given, and 0 is not the same as nothing: all of them know whether they are set.
        rules = field.options.Extensions[validate_pb2.field]
        rules.required = True
        if item.kind == "date":
            field.type, field.type_name = _Field.TYPE_MESSAGE, _DATE
            continue
        field.type = _Field.TYPE_INT64 if item.kind == "int" else _Field.TYPE_STRING
        if item.kind == "int":
            rules.int64.gte, rules.int64.lte = -MAX_INTEGER, MAX_INTEGER
        else:
            rules.string.max_len = MAX_TEXT
        _make_optional(message, field)
    return message


def _response(name: str, request: str, record: Record) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=name)
    repeated, kind = record.result.repeated, record.result.kind
    result = message.field.add(
        name="result", number=1, label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    )
    if kind == "date":
        result.type, result.type_name = _Field.TYPE_MESSAGE, _DATE
    else:
        result.type = _SCALARS[kind]
        if not repeated:
            _make_optional(message, result)
    inputs = message.field.add(name="inputs", number=2, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_MESSAGE)
    inputs.type_name = f".{PACKAGE}.{request}"
    message.field.add(name="formula", number=3, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
    message.field.add(name="version", number=4, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_INT32)
    return message


def _make_optional(message: descriptor_pb2.DescriptorProto, field: descriptor_pb2.FieldDescriptorProto) -> None:
    """Makes a field `optional` as the compiler of protobuf does: with a oneof of its own."""
    field.proto3_optional = True
    field.oneof_index = len(message.oneof_decl)
    message.oneof_decl.add(name=f"_{field.name}")


def _method(name: str, record: Record) -> descriptor_pb2.MethodDescriptorProto:
    definition = record.definition
    method = descriptor_pb2.MethodDescriptorProto(
        name=name, input_type=f".{PACKAGE}.{name}Request", output_type=f".{PACKAGE}.{name}Response"
    )
    method.options.idempotency_level = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS
    http = method.options.Extensions[annotations_pb2.http]
    http.post, http.body = f"/v1/registered/{definition.utility_id}", "*"
    # No cache_ttl: a result must not outlive the version that gave it.
    tool = method.options.Extensions[options_pb2.tool]
    tool.name, tool.title, tool.description = definition.utility_id, definition.title, _description(definition)
    tool.tags.extend(["registered", *([definition.category.lower()] if definition.category else [])])
    for item in definition.inputs:
        if item.description:
            tool.arguments[item.name] = item.description
    if definition.examples:
        tool.example = _example(definition.inputs, definition.examples[0].inputs)
    return method


def _description(definition: Definition) -> str:
    text = definition.description.rstrip()
    if not definition.provenance:
        return text
    return f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} Source: {definition.provenance}"


def _example(inputs: Sequence[Input], values: Mapping[str, Any]) -> str:
    try:
        typed = read_inputs(inputs, values)
    except MeshError:  # pragma: no cover - what is active has run its examples
        return ""
    return json.dumps(
        {
            name: {"year": value.year, "month": value.month, "day": value.day} if isinstance(value, date) else value
            for name, value in typed.items()
        },
        ensure_ascii=False,
    )
