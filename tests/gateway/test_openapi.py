"""The OpenAPI document: valid, complete, and made of the same descriptors as every other face."""

from functools import partial
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from onenumbers_gateway.arguments import ArgumentReader
from onenumbers_gateway.catalog import define
from onenumbers_gateway.descriptors import build_contract
from onenumbers_gateway.openapi.components import Components
from onenumbers_gateway.openapi.document import Operation, document
from onenumbers_gateway.openapi.files import FilePaths
from onenumbers_gateway.openapi.parameters import body_schema, parameters, path_of
from onenumbers_gateway.results import ResultWriter
from onenumbers_gateway.uploads.routes import DOCUMENTS, POPULATIONS
from onenumbers_runtime.testing import compile_contract

VENDOR = Path(__file__).parents[2] / "protos" / "vendor"
PROTO = """
syntax = "proto3";
package shelf.v1;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
service ShelfService {
  rpc GetBook(GetBookRequest) returns (Book) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*/books/*}:read"
      additional_bindings: {post: "/v1/read" body: "*"}
    };
  }
  rpc PutBook(PutBookRequest) returns (Book) {
    option (google.api.http) = {put: "/v1/shelves/{shelf}" body: "book"};
  }
  rpc WatchBooks(WatchBooksRequest) returns (stream Book) {
    option (google.api.http) = {get: "/v1/books:watch"};
  }
  rpc DrawBook(GetBookRequest) returns (google.api.HttpBody) {
    option (google.api.http) = {get: "/v1/drawing"};
  }
  rpc CountBooks(WatchBooksRequest) returns (Book);
}
message GetBookRequest { string name = 1; Page page = 2; repeated string tags = 3; map<string, string> labels = 4; }
message Page { int32 from = 1; int32 to = 2; Page next = 3; repeated Book books = 4; }
message PutBookRequest { string shelf = 1; Book book = 2; bool overwrite = 3; }
message WatchBooksRequest {}
message Book { string title = 1; int64 pages = 2; Book sequel = 3; }
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    compiled = compile_contract({"shelf.proto": PROTO}, tmp_path_factory.mktemp("shelf"), include=[VENDOR])
    contract = build_contract(compiled.files, ["shelf.v1.ShelfService"], "x")
    reader, writer = ArgumentReader(), ResultWriter(contract.pool)
    operations = [
        Operation(method.tool_name, "shelf", define(contract, method, reader, writer)) for method in contract.methods
    ]
    return document(operations, version="1", authenticated=False)


def test_it_is_a_valid_document(found):
    OpenAPIV31SpecValidator(found).validate()


def test_path_query_and_body_take_what_the_rule_gives_them(found):
    read = found["paths"]["/v1/{name}:read"]["get"]
    names = {item["name"]: item["in"] for item in read["parameters"]}
    assert names.pop("name") == "path"
    # Values within messages are written with dots; maps and lists of messages belong into a body.
    assert set(names) >= {"page.from", "page.to", "page.next.from", "tags"}
    assert set(names.values()) == {"query"}
    assert not [name for name in names if name.startswith(("labels", "page.books"))]
    assert "requestBody" not in read
    put = found["paths"]["/v1/shelves/{shelf}"]["put"]
    assert {item["name"]: item["in"] for item in put["parameters"]} == {"shelf": "path", "overwrite": "query"}
    assert put["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/shelf.v1.Book.Argument")


def test_additional_bindings_and_methods_without_a_rule_are_described_too(found):
    ids = [item["operationId"] for path in found["paths"].values() for item in path.values()]
    assert sorted(ids) == ["count_books", "draw_book", "get_book", "get_book_2", "put_book", "watch_books"]
    assert "post" in found["paths"]["/shelf.v1.ShelfService/CountBooks"]


def test_streams_and_bodies_of_other_kinds_say_what_they_are(found):
    stream = found["paths"]["/v1/books:watch"]["get"]["responses"]["200"]["content"]
    assert set(stream) == {"application/json", "text/event-stream"}
    drawing = found["paths"]["/v1/drawing"]["get"]["responses"]["200"]["content"]
    assert set(drawing) == {"*/*"}


def test_a_message_that_holds_itself_is_one_component(found):
    book = found["components"]["schemas"]["shelf.v1.Book"]
    assert book["properties"]["sequel"] == {"$ref": "#/components/schemas/shelf.v1.Book"}
    assert "$defs" not in str(found)


def test_one_message_described_in_two_ways_has_two_names():
    components = Components()

    def with_note(note):
        return {"$ref": "#/$defs/a.B", "$defs": {"a.B": {"$ref": "#/$defs/a.C"}, "a.C": {"description": note}}}

    first, same, other = (components.take(with_note(note)) for note in ("one", "one", "two"))
    assert first == same == {"$ref": "#/components/schemas/a.B"}
    assert other == {"$ref": "#/components/schemas/a.B2"}
    assert components.schemas["a.B2"] == {"$ref": "#/components/schemas/a.C2"}
    assert components.schemas["a.C2"] == {"description": "two"}


def test_a_token_is_asked_for_where_the_mesh_asks_for_one():
    found = document([], version="1", authenticated=True)
    assert found["security"] == [{"bearer": []}]
    OpenAPIV31SpecValidator(found).validate()


def test_required_fields_of_a_body_are_those_that_the_path_does_not_carry():
    schema = {
        "properties": {"id": {"type": "string"}, "text": {"type": "string"}},
        "required": ["id", "text"],
        "additionalProperties": False,
    }
    assert path_of("/v1/{id=**}:write") == "/v1/{id}:write"
    assert [item.required for item in parameters("/v1/{id=**}:write", "*", schema)] == [True]
    assert body_schema("/v1/{id}", "*", schema) == {
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
        "additionalProperties": False,
    }
    assert body_schema("/v1/{id}", "", schema) is None


def described_paths(**groups: str) -> dict:
    """The document of the paths that take files alone, where servers of these services are there."""
    known = {"knowledge": DOCUMENTS.service, "research": POPULATIONS.service}
    items = partial(FilePaths().items, groups={known[name]: group for name, group in groups.items()})
    found = document([], version="1", authenticated=False, beside=items)
    OpenAPIV31SpecValidator(found).validate()
    return found


@pytest.mark.parametrize("route", [DOCUMENTS, POPULATIONS], ids=lambda route: route.path)
def test_paths_that_take_files_are_described_with_the_rules_of_the_contract(route):
    found = described_paths(knowledge="knowledge", research="research")
    operation = found["paths"][route.path]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", *route.fields}
    assert {item["name"] for item in operation["parameters"]} == set(route.fields)
    assert route.media_type in operation["requestBody"]["content"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["$ref"].rsplit("/", maxsplit=1)[-1] in found["components"]["schemas"]


def test_fields_beside_a_file_have_the_words_and_the_limits_of_the_contract():
    paths = described_paths(knowledge="knowledge", research="research")["paths"]

    def fields(path: str) -> dict:
        return paths[path]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]

    documents, populations = fields("/v1/knowledge/files"), fields("/v1/research/populations:analyze")
    assert documents["filename"]["maxLength"] == 255
    assert documents["metadata"]["type"] == "string", "a form carries an object as JSON"
    assert (populations["number"]["minimum"], populations["number"]["maximum"]) == (1, 33)
    assert "life_path" in populations["context"]["description"]
    assert "NAME_REFERENCE_UNIFORM" in populations["name_reference"]["enum"]
    assert "population_csv" not in populations, "it is the file"


def test_a_path_that_takes_files_is_described_where_its_server_is_there():
    assert list(described_paths(research="research")["paths"]) == ["/v1/research/populations:analyze"]
    assert not described_paths()["paths"]
