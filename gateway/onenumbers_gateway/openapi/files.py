"""The paths that take files, described: they are HTTP of the gateway's own, not RPCs that the edge transcodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onenumbers.options.v1 import options_pb2
from onenumbers_gateway.descriptors import Contract, build_contract, snake_case
from onenumbers_gateway.openapi.components import Components
from onenumbers_gateway.schema import input_schema, output_schema
from onenumbers_gateway.uploads.form import FILE_FIELD
from onenumbers_gateway.uploads.routes import UPLOADS, UploadRoute
from onenumbers_gateway.xds.contract import files_of

_FILE = {"type": "string", "format": "binary"}


class FilePaths:
    """Describes uploads over HTTP."""

    def __init__(self) -> None:
        self._contracts = {route.path: _contract(route) for route in UPLOADS}

    def items(self, components: Components, *, groups: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Returns the paths with their operations.

        Args:
            components: Takes the schemas of the answers.
            groups: What a service is listed under; a path whose service is not in it is left out.
        """
        return {
            route.path: {"post": _operation(route, self._contracts[route.path], components, groups[route.service])}
            for route in UPLOADS
            if route.service in groups
        }


def _contract(route: UploadRoute) -> Contract:
    return build_contract(files_of(route.method.containing_service.file), [route.service], "upload")


def _operation(route: UploadRoute, contract: Contract, components: Components, group: str) -> dict[str, Any]:
    fields = _fields(route, contract)
    answer = contract.pool.FindMessageTypeByName(route.answered.full_name)
    form = {"type": "object", "properties": {FILE_FIELD: _FILE, **fields}, "required": [FILE_FIELD]}
    return {
        "operationId": snake_case(route.method.name),
        "summary": route.title,
        "description": route.about,
        "tags": [group],
        "x-grpc-method": f"{route.service}/{route.method.name}",
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form}, route.media_type: {"schema": _FILE}},
        },
        "responses": {
            "200": {
                "description": route.result,
                "content": {
                    "application/json": {"schema": components.share(answer.full_name, output_schema(contract, answer))}
                },
            },
            "default": {
                "description": "The call failed.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/google.rpc.Status"}}},
            },
        },
    }


def _fields(route: UploadRoute, contract: Contract) -> dict[str, dict[str, Any]]:
    """Returns the schemas of what describes a file, with the words of the tool that takes the same fields."""
    words = route.tool.GetOptions().Extensions[options_pb2.tool].arguments
    described = contract.pool.FindMessageTypeByName(route.described.full_name)
    schemas = input_schema(contract, described, descriptions=dict(words))["properties"]
    return {name: _as_text(schemas[name]) for name in route.fields}


def _as_text(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of a field in a query or a form, which carry text: an object is written as JSON."""
    if schema.get("type") != "object":
        return schema
    return {"type": "string", **({"description": schema["description"]} if "description" in schema else {})}
