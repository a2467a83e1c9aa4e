"""A protobuf message's descriptor as JSON Schema, for grammars. Reads descriptors and imports no protobuf.

The names and forms are those of the protobuf JSON mapping, so that json_format.ParseDict reads what was written. Fields
that `optional` or a oneof marks may be left out; all others are asked for, so that the model does not skip them.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from onenumbers_runtime.errors import InvalidArgumentError, invalid

MAX_CHOICES = 16
"""Combinations of a message's oneofs: each is a schema of its own."""

_DOUBLE, _FLOAT, _INT64, _UINT64, _INT32, _FIXED64, _FIXED32, _BOOL, _STRING = range(1, 10)
_GROUP, _MESSAGE, _BYTES, _UINT32, _ENUM, _SFIXED32, _SFIXED64, _SINT32, _SINT64 = range(10, 19)
_SIGNED32 = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_UNSIGNED32 = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_SCALARS: dict[int, dict[str, Any]] = {
    _DOUBLE: {"type": "number"},
    _FLOAT: {"type": "number"},
    _INT64: {"type": "integer"},
    _SINT64: {"type": "integer"},
    _SFIXED64: {"type": "integer"},
    _UINT64: {"type": "integer", "minimum": 0},
    _FIXED64: {"type": "integer", "minimum": 0},
    _INT32: _SIGNED32,
    _SINT32: _SIGNED32,
    _SFIXED32: _SIGNED32,
    _UINT32: _UNSIGNED32,
    _FIXED32: _UNSIGNED32,
    _BOOL: {"type": "boolean"},
    _STRING: {"type": "string"},
}
_KNOWN: dict[str, dict[str, Any]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.DoubleValue": {"type": ["number", "null"]},
    "google.protobuf.FloatValue": {"type": ["number", "null"]},
    "google.protobuf.Int32Value": {**_SIGNED32, "type": ["integer", "null"]},
    "google.protobuf.UInt32Value": {**_UNSIGNED32, "type": ["integer", "null"]},
    "google.protobuf.Empty": {"type": "object", "additionalProperties": False},
}


def message_schema(descriptor: Any) -> dict[str, Any]:
    """Returns the JSON Schema of a message.

    Args:
        descriptor: A google.protobuf.descriptor.Descriptor.

    Raises:
        InvalidArgumentError: A field has a type that no grammar is made of, such as bytes or Any; names the field.
    """
    known = _KNOWN.get(descriptor.full_name)
    if known is not None:
        return known
    definitions: dict[str, Any] = {}
    reference = _message(descriptor, definitions, descriptor.name)
    return {**reference, "$defs": definitions}


def _refuse(path: str, why: str) -> InvalidArgumentError:
    return invalid(path, why, rule="schema.message", reason="SCHEMA_UNSUPPORTED")


def _message(descriptor: Any, definitions: dict[str, Any], path: str) -> dict[str, Any]:
    name = descriptor.full_name
    known = _KNOWN.get(name)
    if known is not None:
        return known
    if name.startswith("google.protobuf."):
        raise _refuse(path, f"is a {name}, of which no grammar is made")
    reference = {"$ref": f"#/$defs/{name}"}
    if name in definitions:
        return reference
    definitions[name] = {}  # a message that holds itself finds it here
    # A oneof of one member that begins with "_" is how `optional` is kept.
    choices = [one for one in descriptor.oneofs if not (len(one.fields) == 1 and one.name.startswith("_"))]
    several = 1
    for one in choices:
        several *= len(one.fields) + 1
    if several > MAX_CHOICES:
        raise _refuse(path, f"has oneofs with more than {MAX_CHOICES} combinations")
    inside = {field.name for one in choices for field in one.fields}
    schemas = {field.name: _field(field, definitions, f"{path}.{field.name}") for field in descriptor.fields}
    required = {field.name for field in descriptor.fields if field.name not in inside and _asked_for(field, name)}
    variants = []
    for chosen in product(*([*one.fields, None] for one in choices)):
        taken = {field.name for field in chosen if field is not None}
        fields = [field for field in descriptor.fields if field.name not in inside or field.name in taken]
        variants.append(
            {
                "type": "object",
                "properties": {field.json_name: schemas[field.name] for field in fields},
                "required": [field.json_name for field in fields if field.name in required | taken],
                "additionalProperties": False,
            }
        )
    definitions[name] = variants[0] if len(variants) == 1 else {"anyOf": variants}
    return reference


def _asked_for(field: Any, owner: str) -> bool:
    if field.is_repeated:
        return True
    if field.type == _MESSAGE:
        return not _reaches(field.message_type, owner, set())
    return not field.has_presence


def _reaches(descriptor: Any, target: str, seen: set[str]) -> bool:
    """Tells whether a message holds another one somewhere: such a field asked for would never end."""
    if descriptor.full_name == target:
        return True
    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    held = (field.message_type for field in descriptor.fields if field.type == _MESSAGE)
    return any(_reaches(one, target, seen) for one in held)


def _field(field: Any, definitions: dict[str, Any], path: str) -> dict[str, Any]:
    if field.type == _MESSAGE and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        if key.type != _STRING:
            raise _refuse(path, "is a map whose keys are no strings")
        return {"type": "object", "additionalProperties": _single(value, definitions, path)}
    one = _single(field, definitions, path)
    return {"type": "array", "items": one} if field.is_repeated else one


def _single(field: Any, definitions: dict[str, Any], path: str) -> dict[str, Any]:
    if field.type == _MESSAGE:
        return _message(field.message_type, definitions, path)
    if field.type == _ENUM:
        return {"enum": [value.name for value in field.enum_type.values]}
    if field.type not in _SCALARS:
        raise _refuse(path, "is of bytes, of which no grammar is made")
    return _SCALARS[field.type]
