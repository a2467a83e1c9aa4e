"""Between the contract of the registry and its domain."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from google.protobuf import struct_pb2

from onenumbers.utilities.v1 import registry_pb2 as pb
from onenumbers_runtime.errors import invalid
from onenumbers_utilities.registry.definitions import Definition, Example, Input, InputKind, Record, Status
from onenumbers_utilities.registry.definitions import plain as plain_value

_KINDS: Final[dict[int, InputKind]] = {
    pb.UTILITY_INPUT_TYPE_INTEGER: "int",
    pb.UTILITY_INPUT_TYPE_STRING: "string",
    pb.UTILITY_INPUT_TYPE_DATE: "date",
}
_INPUT_TYPES: Final = {kind: pb.UtilityInputType.ValueType(number) for number, kind in _KINDS.items()}
_RESULT_TYPES: Final = {
    "int": pb.UTILITY_RESULT_TYPE_INTEGER,
    "double": pb.UTILITY_RESULT_TYPE_DOUBLE,
    "bool": pb.UTILITY_RESULT_TYPE_BOOL,
    "string": pb.UTILITY_RESULT_TYPE_STRING,
    "date": pb.UTILITY_RESULT_TYPE_DATE,
}
STATUSES: Final = {
    Status.PROPOSED: pb.UTILITY_STATUS_PROPOSED,
    Status.VALIDATED: pb.UTILITY_STATUS_VALIDATED,
    Status.ACTIVE: pb.UTILITY_STATUS_ACTIVE,
    Status.DEPRECATED: pb.UTILITY_STATUS_DEPRECATED,
}
"""Statuses of the contract by those of the domain."""


def status(number: int) -> Status | None:
    """Returns a status of the contract as the domain has it; None where it is not stated."""
    return next((status for status, known in STATUSES.items() if known == number), None)


def definition(message: pb.UtilityDefinition) -> Definition:
    """Returns a definition as the domain has it; its fields have passed the rules of the contract."""
    return Definition(
        utility_id=message.utility_id,
        title=message.title,
        description=message.description,
        inputs=tuple(Input(item.name, _KINDS[item.type], item.description) for item in message.inputs),
        formula=message.formula,
        category=message.category,
        provenance=message.provenance,
        examples=tuple(Example(struct(item.inputs), plain(item.expected), item.source) for item in message.examples),
    )


def utility(record: Record) -> pb.Utility:
    """Returns a stored utility as the contract shows it."""
    definition = record.definition
    message = pb.Utility(
        definition=pb.UtilityDefinition(
            utility_id=definition.utility_id,
            title=definition.title,
            description=definition.description,
            inputs=[
                pb.UtilityInput(name=item.name, type=_INPUT_TYPES[item.kind], description=item.description)
                for item in definition.inputs
            ],
            formula=definition.formula,
            category=definition.category,
            provenance=definition.provenance,
            examples=[
                pb.WorkedExample(
                    inputs=value_of(dict(item.inputs)).struct_value,
                    expected=value_of(item.expected),
                    source=item.source,
                )
                for item in definition.examples
            ],
        ),
        version=record.version,
        status=STATUSES[record.status],
        examples_reproduced=record.examples_reproduced,
        examples_given=record.examples_given,
        accuracy=record.accuracy,
        result_type=_RESULT_TYPES[record.result.kind],
        result_repeated=record.result.repeated,
    )
    message.updated.FromDatetime(record.updated)
    return message


def struct(message: struct_pb2.Struct) -> dict[str, Any]:
    """Returns a JSON object as a dictionary; see `plain`."""
    return {name: plain(value) for name, value in message.fields.items()}


def plain(value: struct_pb2.Value) -> Any:
    """Returns a JSON value: numbers without a fraction as int, null and what is not set as None."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return struct(value.struct_value)
    if kind == "list_value":
        return [plain(item) for item in value.list_value.values]
    if kind is None or kind == "null_value":
        return None
    found = getattr(value, kind)
    return int(found) if isinstance(found, float) and found.is_integer() else found


def value_of(value: Any) -> struct_pb2.Value:
    """Returns a value of a utility as a JSON value; dates become "YYYY-MM-DD"."""
    message = struct_pb2.Value()
    value = plain_value(value)
    if isinstance(value, dict):
        message.struct_value.SetInParent()
        for name, item in value.items():
            message.struct_value.fields[name].CopyFrom(value_of(item))
    elif isinstance(value, list):
        message.list_value.SetInParent()
        message.list_value.values.extend(map(value_of, value))
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, str):
        message.string_value = value
    else:
        message.null_value = struct_pb2.NULL_VALUE
    return message


def token(utility_id: str) -> str:
    """Returns the token of the page that begins after a utility."""
    return base64.urlsafe_b64encode(f"1:{utility_id}".encode()).decode()


def after(page_token: str) -> str:
    """Returns the id after which a page begins; raises InvalidArgumentError for what `token` never returned."""
    if not page_token:
        return ""
    try:
        text = base64.b64decode(page_token, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("1:"):
        raise invalid("page_token", "is no token of this listing", rule="page_token.valid")
    return text.removeprefix("1:")
