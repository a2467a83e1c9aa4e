"""How a google.api.http rule spreads the fields of a request over path, query and body. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_VARIABLE = re.compile(r"\{([^}=]+)(?:=[^}]*)?\}")
_DEEPEST = 4
"""Messages within messages whose fields become query parameters; deeper ones belong into a body."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field outside the body."""

    name: str
    """Path of the field, such as "as_of.year"."""
    place: str
    """"path" or "query"."""
    schema: Schema
    required: bool


def path_of(template: str) -> str:
    """Returns the path as OpenAPI writes it: "/v1/{name=shelves/*}:read" becomes "/v1/{name}:read"."""
    return _VARIABLE.sub(r"{\1}", template)


def parameters(template: str, body: str, schema: Schema) -> list[Parameter]:
    """Returns the parameters of a binding.

    Args:
        template: Path template of the rule.
        body: What the body takes: "*" all the rest, a field's name, or nothing.
        schema: JSON Schema of the request, with its definitions.
    """
    variables = _VARIABLE.findall(template)
    found = [Parameter(name, "path", _at(name, schema), required=True) for name in variables]
    if body == "*":
        return found
    return [*found, *(item for item in _leaves(schema, schema, "") if _free(item.name, variables, body))]


def body_schema(template: str, body: str, schema: Schema) -> Schema | None:
    """Returns the schema of a binding's body; None where it has none."""
    if not body:
        return None
    if body != "*":
        return {**schema.get("properties", {}).get(body, {}), "$defs": schema.get("$defs", {})}
    variables = set(_VARIABLE.findall(template))
    rest = {name: value for name, value in schema.get("properties", {}).items() if name not in variables}
    required = [name for name in schema.get("required", ()) if name not in variables]
    kept = {key: value for key, value in schema.items() if key not in ("properties", "required", "examples")}
    return {**kept, "properties": rest, **({"required": required} if required else {})}


def _free(name: str, variables: list[str], body: str) -> bool:
    return name not in variables and name.split(".", maxsplit=1)[0] != body


def _at(path: str, schema: Schema) -> Schema:
    definitions = schema.get("$defs", {})
    found: Schema = schema
    for name in path.split("."):
        found = _resolved(found, definitions).get("properties", {}).get(name, {"type": "string"})
    return found


def _leaves(schema: Schema, root: Schema, prefix: str, *, needed: bool = True) -> Iterator[Parameter]:
    """Yields the fields that a query can carry: values and lists of values, also within messages."""
    if prefix.count(".") >= _DEEPEST:
        return
    definitions = root.get("$defs", {})
    wanted = schema.get("required", ())
    for name, value in schema.get("properties", {}).items():
        path, required = f"{prefix}{name}", needed and name in wanted
        if "$ref" in value:
            yield from _leaves(_resolved(value, definitions), root, f"{path}.", needed=required)
        elif _is_value(value) or (value.get("type") == "array" and _is_value(value.get("items", {}))):
            yield Parameter(path, "query", value, required)


def _resolved(schema: Schema, definitions: Mapping[str, Any]) -> Schema:
    reference = schema.get("$ref")
    return definitions.get(reference.removeprefix("#/$defs/"), {}) if isinstance(reference, str) else schema


def _is_value(schema: Schema) -> bool:
    """Tells whether a schema is one of a single value, which a query can carry."""
    if "$ref" in schema:
        return False
    if "type" not in schema:
        return all(_is_value(part) for part in schema.get("anyOf", ())) if "anyOf" in schema else "enum" in schema
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return not {"object", "array"} & set(kinds)
