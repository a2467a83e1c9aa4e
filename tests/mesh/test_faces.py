"""The same call by every face: the same result, and bad input gets the same status that names the field."""

import grpc
import pytest

from onenumbers.gateway.v1 import gateway_pb2
from onenumbers.utilities.v1 import utilities_pb2

FACES = ("grpc", "rest", "mcp", "call")
JSON_FACES = ("rest", "mcp", "call")
LIFE_PATH, EXPRESSION, PROFILE = (
    "calculate_life_path",
    "calculate_expression_number",
    "analyze_numerology_profile",
)
BIRTH = {"day": 14, "month": 11, "year": 1968}
JSON = {"content-type": "application/json"}
FIVE_MB = "x" * 5_000_000


async def test_all_faces_give_the_same_result(faces):
    arguments = {"name": "Ioana Brândușa Țurcanu", **BIRTH, "as_of": {"year": 2031, "month": 6, "day": 17}}
    for face in FACES:
        found = (await faces.call(face, PROFILE, arguments)).result["profile"]
        assert found["life_path"]["value"] == 22, face
        assert found["expression"]["components"][1]["text"] == "BRANDUSA", face
    results = [(await faces.call(face, LIFE_PATH, BIRTH)).result["result"] for face in JSON_FACES]
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        (LIFE_PATH, {"day": 31, "month": 4, "year": 2000}, "day"),
        (LIFE_PATH, {"day": 29, "month": 2, "year": 1900}, "day"),
        (LIFE_PATH, {**BIRTH, "year": 9999}, "year"),
        (LIFE_PATH, {**BIRTH, "day": 32}, "day"),
        (LIFE_PATH, {"day": 14, "month": 11}, "year"),
        (LIFE_PATH, {}, "day"),
        (EXPRESSION, {"name": ""}, "name"),
        (EXPRESSION, {}, "name"),
        (EXPRESSION, {"name": "  .,- "}, "name"),
        (EXPRESSION, {"name": "Анна"}, "name"),
        (EXPRESSION, {"name": "A" * 10_000}, "name"),
        (PROFILE, {"name": "Ana", **BIRTH, "as_of": {"year": 2025, "month": 2, "day": 30}}, "as_of.day"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_value_that_breaks_a_rule_is_named_by_every_face(faces, face, tool, arguments, field):
    outcome = await faces.call(face, tool, arguments)
    assert outcome.status == "INVALID_ARGUMENT"
    assert field in outcome.fields


@pytest.mark.parametrize("face", JSON_FACES)
@pytest.mark.parametrize(
    "wrong",
    [{"day": "fourteen"}, {"day": 1.5}, {"day": 2**40}, {"day": [14]}, {"method": "MAGIC"}],
    ids=str,
)
async def test_a_value_of_a_wrong_type_is_refused(faces, face, wrong):
    outcome = await faces.call(face, LIFE_PATH, {**BIRTH, **wrong})
    assert outcome.status == "INVALID_ARGUMENT"
    if face == "rest":  # Envoy's transcoder says what is wrong, and names the field or shows the value
        assert outcome.message
    else:
        assert outcome.fields == tuple(wrong)


@pytest.mark.parametrize("face", ["mcp", "call"])
async def test_an_unknown_field_is_named(faces, face):
    outcome = await faces.call(face, LIFE_PATH, {**BIRTH, "dya": 14})
    assert (outcome.status, outcome.fields) == ("INVALID_ARGUMENT", ("dya",))


async def test_an_unknown_query_parameter_is_refused(faces):
    outcome = faces.json(await faces.http.get("/v1/numerology/life-path", params={**BIRTH, "dya": 14}))
    assert outcome.status == "INVALID_ARGUMENT"


async def test_an_unknown_tool_is_not_found_and_the_nearest_names_are_given(faces):
    called = await faces.native(faces.gateway.CallTool(gateway_pb2.CallToolRequest(tool_name="calculate_lifepath")))
    rest = faces.json(await faces.http.post("/v1/tools/calculate_lifepath:call", json={"arguments": {}}))
    for outcome in (called, rest):
        assert outcome.status == "NOT_FOUND"
        assert LIFE_PATH in outcome.message
    method = faces.channel.unary_unary("/onenumbers.utilities.v1.UtilitiesService/CalculateLifepath")
    assert (await faces.native(method(b"", timeout=20))).status == "UNIMPLEMENTED"
    assert faces.json(await faces.http.post("/v1/numerology/lifepath", json=BIRTH)).status == "NOT_FOUND"
    platform = await faces.http.post("/mcp/tool-call", json={"tool_name": "calculate_lifepath", "arguments": {}})
    assert platform.status_code == 404
    assert LIFE_PATH in platform.text


@pytest.mark.parametrize("path", ["/v1/numerology/expression", "/v1/tools/calculate_expression_number:call", "/mcp"])
@pytest.mark.parametrize(
    "body",
    [b'{"name": "\xff\xfe"}', b"{", b"[]", b"", b'{"name": "\\ud800"}'],
    ids=["utf8", "cut", "list", "empty", "half"],
)
async def test_bodies_that_are_no_json_are_400(faces, path, body):
    accept = {"accept": "application/json, text/event-stream"}
    answer = await faces.http.post(path, content=body, headers=JSON | accept)
    assert answer.status_code == 400, answer.text
    assert "Traceback" not in answer.text


async def test_a_native_message_that_is_not_utf8_is_an_invalid_argument(faces):
    method = faces.channel.unary_unary("/onenumbers.utilities.v1.UtilitiesService/CalculateExpressionNumber")
    outcome = await faces.native(method(b"\x0a\x02\xff\xfe", timeout=20))
    assert outcome.status == "INVALID_ARGUMENT"


async def test_a_body_of_five_megabytes_is_refused_by_every_face_and_the_next_call_works(faces):
    request = utilities_pb2.CalculateExpressionNumberRequest(name=FIVE_MB)
    assert (await faces.native(faces.utilities.CalculateExpressionNumber(request, timeout=20))).status == (
        "RESOURCE_EXHAUSTED"
    )
    assert (await faces.call("call", EXPRESSION, {"name": FIVE_MB})).status == "RESOURCE_EXHAUSTED"
    for path in ("/v1/numerology/expression", "/mcp"):
        answer = await faces.http.post(path, json={"name": FIVE_MB})
        assert answer.status_code == 413, (path, answer.status_code)
    for face in FACES:
        assert (await faces.call(face, LIFE_PATH, BIRTH)).status == "OK"


async def test_a_deadline_of_one_millisecond_is_exceeded(faces):
    rows = [{"name": "Ana Pop", **BIRTH}] * 500
    request = utilities_pb2.BatchCalculateRequest(profiles=[utilities_pb2.ProfileInput(**row) for row in rows])
    assert (await faces.native(faces.utilities.BatchCalculate(request, timeout=0.001))).status == "DEADLINE_EXCEEDED"
    call = gateway_pb2.CallToolRequest(tool_name="batch_calculate")
    call.arguments.update({"profiles": rows})
    assert (await faces.native(faces.gateway.CallTool(call, timeout=0.001))).status == "DEADLINE_EXCEEDED"


async def test_a_stream_that_its_reader_leaves_ends_and_the_mesh_serves_on(faces):
    call = faces.gateway.WatchTools(gateway_pb2.WatchToolsRequest(), timeout=20)
    first = await call.read()
    assert first is not grpc.aio.EOF
    assert call.cancel()
    async with faces.http.stream("GET", "/v1/tools:watch") as answer:
        assert answer.status_code == 200
        await anext(answer.aiter_lines())
    assert (await faces.call("call", LIFE_PATH, BIRTH)).status == "OK"
