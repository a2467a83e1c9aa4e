"""Messages as JSON objects: protobuf's JSON mapping with the contract's field names, compiled once per message type.

The same as `json_format.MessageToDict(preserving_proto_field_name=True, always_print_fields_with_no_presence=True)`,
several times faster: that function looks every field up again for every message.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

Converter = Callable[[Any], Any]

_INT64 = frozenset(
    (
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
    )
)
WELL_KNOWN = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Any", "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Empty"),
        *("DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value"),
        *("BoolValue", "StringValue", "BytesValue"),
    )
)
"""Messages whose JSON is not an object of their fields."""


class ResultWriter:
    """Turns messages of one pool into JSON objects.

    Args:
        pool: Where the types inside google.protobuf.Any are looked up.
    """

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool
        self._compiled: dict[str, _MessageWriter] = {}

    def write(self, message: Message) -> Any:
        """Returns the JSON value of a message: an object, but for well-known types.

        Raises:
            json_format.SerializeToJsonError: A value has no JSON, such as an Any of an unknown type.
        """
        return self.converter(cast(Descriptor, message.DESCRIPTOR))(message)

    def converter(self, descriptor: Descriptor) -> Converter:
        """Returns the function that writes messages of a type."""
        if descriptor.full_name in WELL_KNOWN:
            return self._well_known
        found = self._compiled.get(descriptor.full_name)
        if found is None:
            found = self._compiled[descriptor.full_name] = _MessageWriter()
            # Known before its fields are compiled: a message may contain itself.
            found.compile(descriptor, self)
        return found

    def _well_known(self, message: Message) -> Any:
        return json_format.MessageToDict(
            message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
            descriptor_pool=self._pool,
        )


class _MessageWriter:
    """Writes messages of one type."""

    __slots__ = ("_maps", "_messages", "_optional", "_plain", "_repeated")

    def compile(self, descriptor: Descriptor, writer: ResultWriter) -> None:
        """Sorts the fields by how they are written."""
        self._plain: list[tuple[str, Converter | None]] = []
        self._optional: list[tuple[str, Converter | None]] = []
        self._messages: list[tuple[str, Converter]] = []
        self._repeated: list[tuple[str, Converter | None]] = []
        self._maps: list[tuple[str, Converter, Converter | None]] = []
        for field in descriptor.fields:
            entry = field.message_type
            if entry is not None and entry.GetOptions().map_entry:
                key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
                self._maps.append((field.name, _key(key), _value(value, writer)))
            elif field.is_repeated:
                self._repeated.append((field.name, _value(field, writer)))
            elif entry is not None:
                self._messages.append((field.name, writer.converter(entry)))
            elif field.has_presence:
                self._optional.append((field.name, _value(field, writer)))
            else:
                self._plain.append((field.name, _value(field, writer)))

    def __call__(self, message: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, convert in self._plain:
            value = getattr(message, name)
            result[name] = value if convert is None else convert(value)
        for name, convert in self._optional:
            if message.HasField(name):
                value = getattr(message, name)
                result[name] = value if convert is None else convert(value)
        for name, write in self._messages:
            if message.HasField(name):
                result[name] = write(getattr(message, name))
        for name, convert in self._repeated:
            values = getattr(message, name)
            result[name] = list(values) if convert is None else [convert(value) for value in values]
        for name, write_key, convert in self._maps:
            items = getattr(message, name).items()
            result[name] = {write_key(key): value if convert is None else convert(value) for key, value in items}
        return result


def _value(field: FieldDescriptor, writer: ResultWriter) -> Converter | None:
    """Returns how one value of a field is written; None where it is JSON already."""
    if field.message_type is not None:
        return writer.converter(field.message_type)
    if field.enum_type is not None:
        return _enum(field.enum_type)
    kind = field.type
    if kind in _INT64:
        return str
    if kind == FieldDescriptor.TYPE_FLOAT:
        return _float
    if kind == FieldDescriptor.TYPE_DOUBLE:
        return _double
    if kind == FieldDescriptor.TYPE_BYTES:
        return _bytes
    return None


def _key(field: FieldDescriptor) -> Converter:
    return _bool_key if field.type == FieldDescriptor.TYPE_BOOL else str


def _bool_key(value: bool) -> str:
    return "true" if value else "false"


def _enum(descriptor: EnumDescriptor) -> Converter:
    if descriptor.full_name == "google.protobuf.NullValue":
        return lambda _: None
    names = {number: value.name for number, value in descriptor.values_by_number.items()}
    # An open enum may hold a number that nobody named; its JSON is the number.
    return lambda number: names.get(number, number)


def _bytes(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _float(value: float) -> float | str:
    """Returns the shortest number that is the same as a 32-bit float."""
    if not math.isfinite(value):
        return _double(value)
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        try:
            if struct.unpack("<f", struct.pack("<f", short))[0] == value:
                return _double(short)
        except OverflowError:
            continue
    return _double(float(f"{value:.9g}"))
