"""The OpenAPI 3.1 document of the REST face: every tool of the catalog and the gateway's own methods. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onenumbers_gateway.catalog import ToolDefinition
from onenumbers_gateway.descriptors import HttpBinding
from onenumbers_gateway.openapi.components import Components, Schema
from onenumbers_gateway.openapi.parameters import Parameter, body_schema, parameters, path_of
from onenumbers_gateway.schema import output_schema

_HTTP_BODY: Final = "google.api.HttpBody"
_VERBS: Final = frozenset(("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"))
_INTRODUCTION: Final = (
    "Numerology is a tradition with documented rules: the tools compute what each school prescribes and show the sums; "
    "they claim no prediction.\n\nJSON is protobuf's mapping with the names of the contract; 64-bit integers are "
    "strings. A method that streams answers with one JSON message per line, or with server-sent events where the "
    "request accepts `text/event-stream`. Every failure carries a google.rpc.Status."
)
_STATUS: Final[Schema] = {
    "type": "object",
    "description": "google.rpc.Status: what went wrong, for a program and for a reader.",
    "properties": {
        "code": {"type": "integer", "description": "Code of gRPC, such as 3 for INVALID_ARGUMENT."},
        "message": {"type": "string", "description": "One line that names the field and the rule."},
        "details": {
            "type": "array",
            "description": "ErrorInfo (reason, domain), BadRequest (fields), RetryInfo (when to try again).",
            "items": {
                "type": "object",
                "properties": {"@type": {"type": "string"}},
                "required": ["@type"],
                "additionalProperties": True,
            },
        },
    },
    "required": ["code", "message"],
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A method that the document describes."""

    name: str
    """Unique; for a tool its name."""
    group: str
    """What it is listed under: the server's name."""
    definition: ToolDefinition


def document(
    operations: Iterable[Operation],
    *,
    version: str,
    authenticated: bool,
    beside: Callable[[Components], Mapping[str, Mapping[str, Any]]] | None = None,
) -> dict[str, Any]:
    """Returns the document as JSON can hold it.

    A method without a google.api.http rule is described under its gRPC path, where the edge takes JSON as well.

    Args:
        operations: What to describe, in the order in which it is listed.
        version: Version of the mesh.
        authenticated: Whether calls carry a bearer token.
        beside: Returns the items of paths that are no RPCs of the edge.
    """
    components = Components()
    components.schemas["google.rpc.Status"] = dict(_STATUS)
    paths: dict[str, dict[str, Any]] = {}
    groups: dict[str, None] = {}
    for operation in operations:
        groups.setdefault(operation.group)
        for number, binding in enumerate(_bindings(operation.definition), start=1):
            item = paths.setdefault(path_of(binding.path), {})
            # Two servers may claim one path; the edge asks the first of them.
            item.setdefault(binding.method.lower(), _operation(operation, binding, number, components))
    for path, described in (beside(components) if beside is not None else {}).items():
        paths.setdefault(path, dict(described))
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "1Numbers Mesh", "version": version, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in groups],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {"schemas": {name: components.schemas[name] for name in sorted(components.schemas)}},
    }
    if authenticated:
        found["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"bearer": []}]
    return found


def _bindings(definition: ToolDefinition) -> Sequence[HttpBinding]:
    known = [item for item in definition.method.http if item.method.upper() in _VERBS]
    return known or [HttpBinding("POST", definition.method.path, "*")]


def _operation(operation: Operation, binding: HttpBinding, number: int, components: Components) -> dict[str, Any]:
    definition = operation.definition
    found: dict[str, Any] = {
        "operationId": operation.name if number == 1 else f"{operation.name}_{number}",
        "summary": definition.title,
        "description": definition.description,
        "tags": [operation.group],
        "x-grpc-method": definition.method.full_name,
    }
    listed = [
        _parameter(item, definition.example, components)
        for item in parameters(binding.path, binding.body, definition.input_schema)
    ]
    if listed:
        found["parameters"] = listed
    body = body_schema(binding.path, binding.body, definition.input_schema)
    if body is not None:
        media: dict[str, Any] = {"schema": components.take(body, suffix=".Argument")}
        example = _body_example(definition.example, binding)
        if example is not None:
            media["example"] = example
        found["requestBody"] = {"required": bool(body.get("required")), "content": {"application/json": media}}
    found["responses"] = {
        "200": {"description": "The result.", "content": _result(definition, components)},
        "default": {
            "description": "The call failed.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/google.rpc.Status"}}},
        },
    }
    return found


def _parameter(item: Parameter, example: Mapping[str, Any] | None, components: Components) -> dict[str, Any]:
    schema = components.take(item.schema)
    description = schema.pop("description", None)
    found: dict[str, Any] = {"name": item.name, "in": item.place, "required": item.required, "schema": schema}
    if description:
        found["description"] = description
    value: Any = example
    for name in item.name.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is not None:
        found["example"] = value
    return found


def _body_example(example: Mapping[str, Any] | None, binding: HttpBinding) -> Any:
    if example is None:
        return None
    if binding.body != "*":
        return example.get(binding.body)
    return {name: value for name, value in example.items() if f"{{{name}}}" not in path_of(binding.path)}


def _result(definition: ToolDefinition, components: Components) -> dict[str, Any]:
    message = definition.method.descriptor.output_type
    if message.full_name == _HTTP_BODY:
        return {"*/*": {}}
    schema = components.share(message.full_name, output_schema(definition.contract, message))
    if not definition.method.server_streaming:
        return {"application/json": {"schema": schema}}
    return {
        # The edge calls its lines of JSON by this type; the schema is that of a line.
        "application/json": {"schema": {"description": "One message per line.", **schema}},
        "text/event-stream": {"schema": {"description": "One message per event's data.", **schema}},
    }
