"""JSON Schema (2020-12) of messages, from descriptors and their buf.validate rules.

The schemas describe protobuf's JSON mapping with the field names of the contract (snake_case). Requests may also use
lowerCamelCase names and enum numbers, which the mapping allows; the schemas show the one form that is emitted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from buf.validate import validate_pb2
from onenumbers_gateway import rules as rule_keywords
from onenumbers_gateway.descriptors import Contract, real_oneofs

Schema = dict[str, Any]

_INT32 = frozenset(
    (
        FieldDescriptor.TYPE_INT32,
        FieldDescriptor.TYPE_SINT32,
        FieldDescriptor.TYPE_SFIXED32,
    )
)
_UINT32 = frozenset((FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32))
_INT64 = frozenset((FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_SFIXED64))
_UINT64 = frozenset((FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64))
_FLOATS = frozenset((FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE))

_NOT_FINITE: Schema = {"enum": ["NaN", "Infinity", "-Infinity"]}

_WELL_KNOWN: Mapping[str, Callable[[], Schema]] = {
    "google.protobuf.Timestamp": lambda: {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": lambda: {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
        "description": 'Seconds with a final "s", such as "1.5s".',
    },
    "google.protobuf.FieldMask": lambda: {"type": "string", "description": "Field paths, separated by commas."},
    "google.protobuf.Struct": lambda: {"type": "object"},
    "google.protobuf.Value": dict,
    "google.protobuf.ListValue": lambda: {"type": "array"},
    "google.protobuf.Empty": lambda: {"type": "object", "additionalProperties": False},
    "google.protobuf.Any": lambda: {
        "type": "object",
        "properties": {"@type": {"type": "string", "description": "Type URL of the message."}},
        "required": ["@type"],
    },
}
_WRAPPERS = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)


def input_schema(
    contract: Contract,
    descriptor: Descriptor,
    *,
    descriptions: Mapping[str, str] | None = None,
    example: Mapping[str, Any] | None = None,
) -> Schema:
    """Returns the schema of a tool's arguments.

    Args:
        contract: Where rules are looked up.
        descriptor: Request message.
        descriptions: Of fields by name; nested ones as "parent.child".
        example: Arguments that are known to work.
    """
    schema = _Builder(contract, descriptions or {}, is_input=True).root(descriptor)
    if example:
        schema["examples"] = [dict(example)]
    return schema


def output_schema(contract: Contract, descriptor: Descriptor, *, collected: bool = False) -> Schema:
    """Returns the schema of a tool's result.

    Args:
        contract: Where rules are looked up.
        descriptor: Response message.
        collected: Whether the result is the list of a stream's messages, under "messages".
    """
    schema = _Builder(contract, {}, is_input=False).root(descriptor)
    if not collected:
        return schema
    definitions = schema.pop("$defs", {})
    definitions.setdefault(descriptor.full_name, schema)
    return {
        "type": "object",
        "properties": {
            "messages": {
                "type": "array",
                "items": {"$ref": f"#/$defs/{descriptor.full_name}"},
                "description": "Messages of the stream, in order.",
            }
        },
        "additionalProperties": False,
        "$defs": definitions,
    }


class _Builder:
    """Builds one schema document: a root and the definitions that it refers to."""

    def __init__(self, contract: Contract, descriptions: Mapping[str, str], *, is_input: bool) -> None:
        self._contract = contract
        self._descriptions = descriptions
        self._is_input = is_input
        self._definitions: dict[str, Schema] = {}

    def root(self, descriptor: Descriptor) -> Schema:
        well_known = self._well_known(descriptor)
        if well_known is not None:
            return well_known if well_known.get("type") == "object" else {"type": "object"}
        schema = self._message(descriptor, prefix="", is_root=True)
        if self._definitions:
            schema["$defs"] = {name: self._definitions[name] for name in sorted(self._definitions)}
        return schema

    def _message(self, descriptor: Descriptor, *, prefix: str, is_root: bool = False) -> Schema:
        properties: dict[str, Schema] = {}
        required: list[str] = []
        for field in descriptor.fields:
            rules = self._contract.rules(field) if self._is_input else None
            properties[field.name] = self._property(field, rules, prefix=prefix)
            if self._is_input and rule_keywords.is_required(field, rules):
                required.append(field.name)
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            schema["required"] = required
        self._oneofs(descriptor, schema, is_root=is_root)
        return schema

    def _oneofs(self, descriptor: Descriptor, schema: Schema, *, is_root: bool) -> None:
        """Says that members of a oneof exclude each other.

        With `dependentSchemas`, for model providers refuse `oneOf` and its like at the top of a tool's schema; that one
        of them must be set is said there in words.
        """
        needed: list[Schema] = []
        for name, members in real_oneofs(descriptor):
            names = [member.name for member in members]
            for member in names:
                others = {other: False for other in names if other != member}
                if others:
                    schema.setdefault("dependentSchemas", {})[member] = {"properties": others}
            if self._is_input and self._contract.oneof_required(name):
                if is_root:
                    schema["description"] = f"Exactly one of {', '.join(names)} must be given."
                else:
                    needed.append({"anyOf": [{"required": [member]} for member in names]})
        if needed:
            schema["allOf"] = needed

    def _property(self, field: FieldDescriptor, rules: validate_pb2.FieldRules | None, *, prefix: str) -> Schema:
        path = f"{prefix}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            schema = self._map(field, rules, path)
        elif field.is_repeated:
            item_rules = rules.repeated.items if rules is not None and rules.HasField("repeated") else None
            schema = {
                "type": "array",
                "items": self._value(field, item_rules, path),
                **rule_keywords.keywords(rules),
            }
        else:
            schema = self._value(field, rules, path)
        description = self._descriptions.get(path)
        return {**schema, "description": description} if description else schema

    def _map(self, field: FieldDescriptor, rules: validate_pb2.FieldRules | None, path: str) -> Schema:
        entry = field.message_type
        if entry is None:  # pragma: no cover - a map field always has its entry type
            return {"type": "object"}
        map_rules = rules.map if rules is not None and rules.HasField("map") else None
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        schema: Schema = {
            "type": "object",
            "additionalProperties": self._value(value, map_rules.values if map_rules is not None else None, path),
        }
        names: Schema = {}
        if key.type == FieldDescriptor.TYPE_BOOL:
            names = {"enum": ["true", "false"]}
        elif key.type != FieldDescriptor.TYPE_STRING:
            names = {"pattern": "^-?[0-9]+$"}
        elif map_rules is not None:
            names = rule_keywords.keywords(map_rules.keys)
        if names:
            schema["propertyNames"] = names
        return {**schema, **rule_keywords.keywords(rules)}

    def _value(self, field: FieldDescriptor, rules: validate_pb2.FieldRules | None, path: str) -> Schema:
        if field.message_type is not None:
            return self._reference(field.message_type, rules, path)
        if field.enum_type is not None:
            return _enum(field.enum_type, rules)
        schema = {**self._scalar(field, rules), **rule_keywords.keywords(rules)}
        if rule_keywords.allows_zero_beside(rules) and "type" in schema:
            return _with_zero(schema, field)
        return schema

    def _reference(self, descriptor: Descriptor, rules: validate_pb2.FieldRules | None, path: str) -> Schema:
        if descriptor.full_name in _WRAPPERS:
            return {
                **self._scalar(descriptor.fields_by_name["value"], rules),
                **rule_keywords.keywords(rules),
            }
        well_known = self._well_known(descriptor)
        if well_known is not None:
            return well_known
        name = descriptor.full_name
        if name not in self._definitions:
            self._definitions[name] = {}  # stands for it while it is built: a message may contain itself
            self._definitions[name] = self._message(descriptor, prefix=f"{path}.")
        return {"$ref": f"#/$defs/{name}"}

    def _well_known(self, descriptor: Descriptor) -> Schema | None:
        maker = _WELL_KNOWN.get(descriptor.full_name)
        return maker() if maker is not None else None

    def _scalar(self, field: FieldDescriptor, rules: validate_pb2.FieldRules | None) -> Schema:
        kind = field.type
        if kind in _INT32:
            return {"type": "integer", "minimum": -(1 << 31), "maximum": (1 << 31) - 1}
        if kind in _UINT32:
            return {"type": "integer", "minimum": 0, "maximum": (1 << 32) - 1}
        if kind in _INT64 or kind in _UINT64:
            pattern = "^[0-9]+$" if kind in _UINT64 else "^-?[0-9]+$"
            lowest: Schema = {"minimum": 0} if kind in _UINT64 else {}
            # Always a string in a result, for JavaScript would round the number.
            return {"type": ["integer", "string"] if self._is_input else "string", "pattern": pattern, **lowest}
        if kind in _FLOATS:
            if rule_keywords.is_finite(rules):
                return {"type": "number"}
            return {"anyOf": [{"type": "number"}, dict(_NOT_FINITE)]}
        if kind == FieldDescriptor.TYPE_BOOL:
            return {"type": "boolean"}
        if kind == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return {"type": "string"}


def _enum(descriptor: EnumDescriptor, rules: validate_pb2.FieldRules | None) -> Schema:
    if descriptor.full_name == "google.protobuf.NullValue":
        return {"type": "null"}
    values = {value.name: value.number for value in descriptor.values}
    if rules is not None and rules.HasField("enum") and rules.ignore != validate_pb2.IGNORE_ALWAYS:
        limits = rules.enum
        members = set(getattr(limits, "in")) or ({limits.const} if limits.HasField("const") else None)
        keep_zero = rule_keywords.allows_zero_beside(rules)
        values = {
            name: number
            for name, number in values.items()
            if (keep_zero and number == 0) or ((members is None or number in members) and number not in limits.not_in)
        }
    return {"type": "string", "enum": list(values)}


def _with_zero(schema: Schema, field: FieldDescriptor) -> Schema:
    """Allows the zero value beside what the rules allow."""
    zero: list[Any] = [field.default_value] if not isinstance(field.default_value, bytes) else [""]
    if field.type in _INT64 | _UINT64:
        zero = [0, "0"]
    if set(schema) <= {"type", "enum"} and "enum" in schema:
        return {**schema, "enum": [*schema["enum"], *zero]}
    return {"anyOf": [schema, {"enum": zero}]}
