"""Arguments of a tool as its request message: protobuf's JSON mapping, with errors that name the field and the rule."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from onenumbers_gateway.results import WELL_KNOWN
from onenumbers_runtime.errors import FieldViolation, InvalidArgumentError

MAX_VIOLATIONS = 20
"""Errors that one answer names."""
MAX_DEPTH = 60
"""Messages inside messages."""

Read = Callable[[Any, str], Any]

_BITS = {
    FieldDescriptor.TYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_SINT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.TYPE_FIXED32: (0, (1 << 32) - 1),
    FieldDescriptor.TYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_SINT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.TYPE_FIXED64: (0, (1 << 64) - 1),
}
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LARGEST_FLOAT = 3.4028235677973366e38


class _WrongError(Exception):
    """One value is wrong."""

    def __init__(self, path: str, description: str, rule: str) -> None:
        super().__init__(description)
        self.violation = FieldViolation(field=path or "(arguments)", description=description, rule=rule)


class ArgumentReader:
    """Reads arguments into messages; what a type needs is compiled once."""

    def __init__(self) -> None:
        self._compiled: dict[str, dict[str, _Field]] = {}

    def read(self, arguments: Mapping[str, Any], message: Message) -> None:
        """Fills a message.

        Args:
            arguments: By field name, as the contract writes it or in lowerCamelCase.
            message: Empty message to fill.

        Raises:
            InvalidArgumentError: With one violation per wrong value, up to a limit.
        """
        wrong: list[FieldViolation] = []
        self._fill(message, arguments, "", wrong, 0)
        if wrong:
            text = "; ".join(f"{item.field}: {item.description}" for item in wrong[:3])
            if len(wrong) > 3:
                text += f"; and {len(wrong) - 3} more"
            raise InvalidArgumentError(text, reason="INVALID_ARGUMENTS", violations=wrong)

    def _fields(self, descriptor: Descriptor) -> dict[str, _Field]:
        found = self._compiled.get(descriptor.full_name)
        if found is None:
            found = {}
            for descriptor_field in descriptor.fields:
                field = _Field(descriptor_field)
                found[descriptor_field.json_name] = field
                found[descriptor_field.name] = field
            self._compiled[descriptor.full_name] = found
        return found

    def _fill(self, message: Message, value: Any, path: str, wrong: list[FieldViolation], depth: int) -> None:
        descriptor = cast(Descriptor, message.DESCRIPTOR)
        fields = self._fields(descriptor)
        if depth > MAX_DEPTH:
            _add(wrong, _WrongError(path, f"is nested deeper than {MAX_DEPTH} levels", "depth"))
            return
        seen: dict[str, str] = {}
        # In the contract's order: a google.protobuf.Struct has none, and the same arguments should fail the same way.
        for name, item in sorted(value.items(), key=lambda pair: _order(fields, pair[0])):
            field = fields.get(name)
            here = f"{path}.{name}" if path else str(name)
            if field is None:
                _add(wrong, _unknown(here, str(name), descriptor))
                continue
            if seen.setdefault(field.name, name) != name:
                _add(wrong, _WrongError(here, f"is given twice, also as {seen[field.name]!r}", "field.once"))
                continue
            if item is None and not field.takes_null:
                continue
            if field.oneof and (before := seen.setdefault(f"oneof {field.oneof}", name)) != name:
                _add(wrong, _WrongError(here, f"cannot stand beside {before!r}: only one may be set", "oneof"))
                continue
            try:
                self._set(message, field, item, here, wrong, depth)
            except _WrongError as error:
                _add(wrong, error)

    def _set(self, message: Any, field: _Field, item: Any, here: str, wrong: list[FieldViolation], depth: int) -> None:
        if field.is_map:
            self._set_map(message, field, item, here, wrong, depth)
        elif field.is_repeated:
            if not isinstance(item, list):
                raise _WrongError(here, f"must be a list, not {_kind(item)}", "type")
            container = getattr(message, field.name)
            for index, each in enumerate(item):
                where = f"{here}[{index}]"
                try:
                    if field.message_type is None:
                        container.append(field.read(each, where))
                    else:
                        self._submessage(container.add(), field.message_type, each, where, wrong, depth)
                except _WrongError as error:
                    _add(wrong, error)
                if len(wrong) >= MAX_VIOLATIONS:
                    return
        elif field.message_type is not None:
            target = getattr(message, field.name)
            target.SetInParent()
            self._submessage(target, field.message_type, item, here, wrong, depth)
        else:
            setattr(message, field.name, field.read(item, here))

    def _set_map(
        self, message: Any, field: _Field, item: Any, here: str, wrong: list[FieldViolation], depth: int
    ) -> None:
        if not isinstance(item, dict):
            raise _WrongError(here, f"must be an object, not {_kind(item)}", "type")
        container = getattr(message, field.name)
        for key, each in item.items():
            where = f'{here}["{key}"]'
            try:
                read_key = field.read_key(key, where)
                if field.message_type is None:
                    container[read_key] = field.read(each, where)
                else:
                    self._submessage(container[read_key], field.message_type, each, where, wrong, depth)
            except _WrongError as error:
                _add(wrong, error)

    def _submessage(
        self, target: Message, descriptor: Descriptor, item: Any, here: str, wrong: list[FieldViolation], depth: int
    ) -> None:
        if descriptor.full_name in WELL_KNOWN:
            try:
                json_format.ParseDict(item, target)
            except (json_format.ParseError, TypeError, ValueError, AttributeError, RecursionError):
                raise _WrongError(here, _WELL_KNOWN_FORMS.get(descriptor.name, "is not well-formed"), "type") from None
        elif isinstance(item, dict):
            self._fill(target, item, here, wrong, depth + 1)
        else:
            raise _WrongError(here, f"must be an object, not {_kind(item)}", "type")


class _Field:
    """How one field is read."""

    __slots__ = ("index", "is_map", "is_repeated", "message_type", "name", "oneof", "read", "read_key", "takes_null")

    def __init__(self, field: FieldDescriptor) -> None:
        entry = field.message_type
        self.name = field.name
        self.index = field.index
        self.is_map = entry is not None and bool(entry.GetOptions().map_entry)
        self.is_repeated = field.is_repeated and not self.is_map
        value = entry.fields_by_name["value"] if self.is_map and entry is not None else field
        self.message_type = value.message_type
        self.read: Read = _reader(value) if value.message_type is None else _no_scalar
        self.read_key: Read = (
            _key_reader(entry.fields_by_name["key"]) if self.is_map and entry is not None else _no_scalar
        )
        oneof = field.containing_oneof
        self.oneof = oneof.name if oneof is not None and len(oneof.fields) > 1 else ""
        self.takes_null = (
            entry is not None and entry.full_name == "google.protobuf.Value" and not field.is_repeated
        ) or (field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue")


_WELL_KNOWN_FORMS = {
    "Timestamp": 'must be a time such as "2026-01-31T12:00:00Z"',
    "Duration": 'must be seconds with a final "s", such as "1.5s"',
    "FieldMask": "must be field paths, separated by commas",
    "Struct": "must be an object",
    "ListValue": "must be a list",
    "Empty": "must be an empty object",
    "Any": 'must be an object with the type under "@type"',
}


def _order(fields: Mapping[str, _Field], name: str) -> tuple[int, str]:
    field = fields.get(name)
    return (field.index if field is not None else len(fields), name)


def _add(wrong: list[FieldViolation], error: _WrongError) -> None:
    if len(wrong) < MAX_VIOLATIONS:
        wrong.append(error.violation)


def _unknown(path: str, name: str, descriptor: Descriptor) -> _WrongError:
    names = [field.name for field in descriptor.fields]
    near = get_close_matches(name[:100], names, n=1, cutoff=0.6)
    known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    hint = f"did you mean {near[0]!r}?" if near else f"the fields are: {known}" if names else "there are no fields"
    return _WrongError(path[:200], f"is not a field; {hint}", "field.known")


def _kind(value: Any) -> str:
    """Returns what a JSON value is, in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


def _no_scalar(_: Any, path: str) -> Any:
    raise _WrongError(path, "is not a single value", "type")


def _reader(field: FieldDescriptor) -> Read:
    if field.enum_type is not None:
        return _enum_reader(field.enum_type)
    kind = field.type
    if kind in _BITS:
        lowest, highest = _BITS[kind]
        return lambda value, path: _integer(value, path, lowest, highest)
    if kind in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        is_single = kind == FieldDescriptor.TYPE_FLOAT
        return lambda value, path: _number(value, path, is_single=is_single)
    if kind == FieldDescriptor.TYPE_BOOL:
        return _boolean
    return _bytes if kind == FieldDescriptor.TYPE_BYTES else _string


def _key_reader(field: FieldDescriptor) -> Read:
    if field.type == FieldDescriptor.TYPE_STRING:
        return _string
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _bool_key
    return _reader(field)


def _integer(value: Any, path: str, lowest: int, highest: int) -> int:
    if type(value) is not int:
        if (isinstance(value, float) and value.is_integer()) or (
            isinstance(value, str)
            and len(value) <= 20
            and value.removeprefix("-").isascii()
            and (value.removeprefix("-").isdigit())
        ):
            value = int(value)
        else:
            shown = f"{value!r}" if isinstance(value, float) else _kind(value)
            raise _WrongError(path, f"must be an integer, not {shown}", "type")
    if not lowest <= value <= highest:
        raise _WrongError(path, f"must be from {lowest} to {highest}", "range")
    return int(value)


def _number(value: Any, path: str, *, is_single: bool) -> float:
    if isinstance(value, str):
        if value in _NOT_FINITE:
            return _NOT_FINITE[value]
        try:
            number = float(value) if len(value) < 400 and "_" not in value and value.strip() == value else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise _WrongError(path, "must be a number, not a string", "type")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _WrongError(path, f"must be a number, not {_kind(value)}", "type")
    else:
        try:
            number = float(value)
        except OverflowError:
            raise _WrongError(path, "is too large for a number", "range") from None
    if is_single and abs(number) > _LARGEST_FLOAT:
        raise _WrongError(path, "is too large for a 32-bit number", "range")
    return number


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _WrongError(path, f"must be true or false, not {_kind(value)}", "type")
    return value


def _bool_key(value: Any, path: str) -> bool:
    if value not in ("true", "false"):
        raise _WrongError(path, 'its key must be "true" or "false"', "type")
    return bool(value == "true")


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _WrongError(path, f"must be a string, not {_kind(value)}", "type")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _WrongError(path, "is not valid Unicode: it holds half of a surrogate pair", "utf8") from None
    return value


def _bytes(value: Any, path: str) -> bytes:
    if not isinstance(value, str):
        raise _WrongError(path, f"must be a string in base64, not {_kind(value)}", "type")
    try:
        text = value.replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _WrongError(path, "is not base64", "type") from None


def _enum_reader(descriptor: EnumDescriptor) -> Read:
    if descriptor.full_name == "google.protobuf.NullValue":
        return lambda _, __: 0
    numbers = {value.name: value.number for value in descriptor.values}

    def read(value: Any, path: str) -> int:
        if isinstance(value, str):
            number = numbers.get(value)
            if number is not None:
                return number
        elif type(value) is int or (isinstance(value, float) and value.is_integer()):
            return _integer(value, path, -(1 << 31), (1 << 31) - 1)
        near = get_close_matches(str(value)[:100], numbers, n=1, cutoff=0.6) if isinstance(value, str) else []
        hint = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(numbers)}"
        raise _WrongError(path, f"is not one of the names of {descriptor.name}; {hint}", "enum")

    return read
