"""The path that takes files, described: it is HTTP of the gateway's own, not an RPC that the edge transcodes."""

from __future__ import annotations

from typing import Any, Final

from onenumbers.knowledge.v1 import upload_pb2
from onenumbers_gateway.descriptors import Contract, build_contract
from onenumbers_gateway.openapi.components import Components
from onenumbers_gateway.schema import input_schema, output_schema
from onenumbers_gateway.uploads import FIELDS, UPLOAD_SERVICE
from onenumbers_gateway.xds.contract import files_of
from onenumbers_gateway.xds.routes import UPLOAD_PATH

_ABOUT: Final = {
    "filename": "Name of the file; a form brings its own.",
    "content_type": "Media type, where the file's content does not tell.",
    "category": "Category of its documents.",
    "source": "Kind of source.",
    "document_id": "Identifier of the document; made from the content when left out.",
    "metadata": "Free metadata, a JSON object.",
}


class FilePath:
    """Describes uploads over HTTP."""

    def __init__(self) -> None:
        self._contract: Contract = build_contract(files_of(upload_pb2.DESCRIPTOR), [UPLOAD_SERVICE], "upload")

    def item(self, components: Components, *, group: str) -> dict[str, dict[str, Any]]:
        """Returns the path with its operation.

        Args:
            components: Takes the schema of the answer.
            group: What it is listed under.
        """
        find = self._contract.pool.FindMessageTypeByName
        answer = find("onenumbers.knowledge.v1.UploadFileResponse")
        described = input_schema(self._contract, find("onenumbers.knowledge.v1.UploadedFile"))
        fields = {name: self._field(name, described["properties"][name]) for name in FIELDS}
        operation = {
            "operationId": "upload_file",
            "summary": "Upload a file",
            "description": "Takes a file of any size up to the limit, as a form or alone, and ingests what it holds.",
            "tags": [group],
            "x-grpc-method": f"{UPLOAD_SERVICE}/UploadFile",
            "parameters": [
                {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "multipart/form-data": {
                        "schema": {
                            "type": "object",
                            "properties": {"file": {"type": "string", "format": "binary"}, **fields},
                            "required": ["file"],
                        }
                    },
                    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                },
            },
            "responses": {
                "200": {
                    "description": "The documents with their outcome, and warnings.",
                    "content": {
                        "application/json": {
                            "schema": components.share(answer.full_name, output_schema(self._contract, answer))
                        }
                    },
                },
                "default": {
                    "description": "The call failed.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/google.rpc.Status"}}},
                },
            },
        }
        return {UPLOAD_PATH: {"post": operation}}

    @staticmethod
    def _field(name: str, schema: dict[str, Any]) -> dict[str, Any]:
        # A form and a query carry text: the object is written as JSON.
        kept = {"type": "string"} if name == "metadata" else {k: v for k, v in schema.items() if k != "description"}
        return {**kept, "description": _ABOUT[name]}
