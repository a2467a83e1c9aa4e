"""The OpenAPI document of a running mesh: a client that knows nothing else gets the results of the other faces."""

import jsonschema
import pytest
from google.protobuf import json_format
from openapi_spec_validator import OpenAPIV31SpecValidator

from onenumbers.gateway.v1 import gateway_pb2


@pytest.fixture
async def described(faces):
    answer = await faces.http.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(described):
    """Yields path, verb and operation."""
    for path, item in described["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def request_of(path, verb, operation):
    """Returns an HTTP request made of the document's examples alone."""
    query = {}
    for item in operation.get("parameters", ()):
        if "example" not in item:
            continue
        if item["in"] == "path":
            path = path.replace(f"{{{item['name']}}}", str(item["example"]))
        else:
            query[item["name"]] = item["example"]
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = {"json": media["example"]} if "example" in media else {}
    return {"method": verb.upper(), "url": path, "params": query, **body}


async def test_the_document_is_valid_and_every_tool_is_in_it(faces, described):
    OpenAPIV31SpecValidator(described).validate()
    tools = (await faces.gateway.ListTools(gateway_pb2.ListToolsRequest(page_size=5000), timeout=20)).tools
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(ids)) == len(ids)
    assert {tool.name for tool in tools} <= set(ids)
    methods = {operation["x-grpc-method"] for _, _, operation in operations(described)}
    assert {tool.method for tool in tools} <= methods


async def test_a_client_that_knows_only_the_document_gets_what_the_generic_call_gives(faces, described):
    """The example of every tool that reads only, on every path that the document gives it."""
    called = 0
    listed = await faces.gateway.ListTools(gateway_pb2.ListToolsRequest(page_size=5000), timeout=20)
    tools = {tool.method: tool for tool in listed.tools if tool.read_only and tool.HasField("example")}
    for path, verb, operation in operations(described):
        tool = tools.get(operation["x-grpc-method"])
        if tool is None or "{" in request_of(path, verb, operation)["url"]:
            continue
        answer = await faces.http.request(**request_of(path, verb, operation))
        generic = await faces.http.post(
            f"/v1/tools/{tool.name}:call", json={"arguments": json_format.MessageToDict(tool.example)}
        )
        assert answer.status_code == generic.status_code, (operation["operationId"], answer.text, generic.text)
        if answer.status_code != 200:
            assert answer.json()["message"] == generic.json()["message"]
            continue
        if tool.server_streaming or "*/*" in operation["responses"]["200"]["content"]:
            continue
        assert answer.json() == generic.json()["result"], operation["operationId"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": described["components"]}).validate(answer.json())
        called += 1
    assert called >= 60


async def test_it_follows_the_catalog(faces, described):
    """A formula that becomes a tool becomes a path of the document, without a restart."""
    tool = (await faces.http.get("/v1/tools/register_utility")).json()["tool"]
    definition = tool["example"]["definition"] | {"utility_id": "half_of_the_day"}
    assert "half_of_the_day" not in str(described)
    registered = await faces.http.post("/v1/utilities", json={"definition": definition})
    assert registered.status_code == 200, registered.text
    try:
        async for line in lines_of(faces, "/v1/tools:watch"):
            if "half_of_the_day" in line:
                break
        found = (await faces.http.get("/openapi.json")).json()
        assert "/v1/registered/half_of_the_day" in found["paths"]
    finally:
        await faces.http.post("/v1/utilities/half_of_the_day:deprecate", json={"note": "made for a test"})


async def lines_of(faces, path):
    async with faces.http.stream("GET", path) as answer:
        async for line in answer.aiter_lines():
            yield line
