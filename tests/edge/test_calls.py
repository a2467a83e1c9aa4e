"""Calls through a real Envoy: gRPC of every kind, JSON, and the gateway's own paths."""

import asyncio
import json

import grpc
import pytest
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

LAB = "lab.v1.LabService"


async def test_unary_call(lab_edge, lab):
    edge, _ = lab_edge
    answer = await lab.call(edge.channel, LAB, "Echo")(lab.message("lab.v1.EchoRequest")(text="héllo", count=3))
    assert (answer.text, answer.count) == ("héllo", 3)


async def test_server_stream(lab_edge, lab):
    edge, _ = lab_edge
    stream = lab.call(edge.channel, LAB, "Count")(lab.message("lab.v1.CountRequest")(to=100))
    assert [item.number async for item in stream] == list(range(1, 101))


async def test_client_stream(lab_edge, lab):
    edge, _ = lab_edge
    number = lab.message("lab.v1.CountResponse")
    answer = await lab.call(edge.channel, LAB, "Sum")(iter([number(number=value) for value in range(10)]))
    assert answer.number == 45


async def test_bidirectional_stream_answers_each_message_before_the_next(lab_edge, lab):
    edge, _ = lab_edge
    call = lab.call(edge.channel, LAB, "Talk")()
    for text in ("one", "two", "three"):
        await call.write(lab.message("lab.v1.EchoRequest")(text=text))
        assert (await call.read()).text == text.upper()
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_health_and_reflection_are_the_gateways(lab_edge):
    edge, _ = lab_edge
    health = await health_pb2_grpc.HealthStub(edge.channel).Check(health_pb2.HealthCheckRequest())
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    requests = iter([reflection_pb2.ServerReflectionRequest(list_services="*")])
    answers = reflection_pb2_grpc.ServerReflectionStub(edge.channel).ServerReflectionInfo(requests)
    listed = [service.name async for answer in answers for service in answer.list_services_response.service]
    assert listed == ["whole.mesh.Service"]


async def test_json_equals_protobufs_own_json_format(lab_edge, lab):
    """Names as in the proto, zero values and empty lists printed, absent optional fields left out."""
    edge, _ = lab_edge
    for body in (
        {},
        {"text": "é", "count": -1, "big": "9007199254740993", "note": "", "text_tags": ["a"], "mood": "MOOD_GOOD"},
        {"ratio": 0.1, "scores": {"b": 2}, "inner": {"text": "deep"}},
        {"ratio": "NaN", "textTags": ["json names are understood"]},
    ):
        answer = await edge.http.post("/v1/lab/echo", json=body)
        assert answer.status_code == 200, answer.text
        message = json_format.ParseDict(body, lab.message("lab.v1.EchoResponse")())
        assert answer.json() == json.loads(
            json_format.MessageToJson(
                message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
        )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v1/lab/echo/hello?count=2", "hello"),
        ("/v1/lab/echo/with%20space?count=2", "with space"),
        ("/v1/lab/shelves/7:read?count=2", "shelves/7"),
    ],
)
async def test_path_templates_and_query_parameters(lab_edge, path, text):
    edge, _ = lab_edge
    answer = await edge.http.get(path)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["text"], answer.json()["count"]) == (text, 2)


async def test_a_method_without_an_http_rule_is_reached_by_its_name(lab_edge):
    edge, _ = lab_edge
    answer = await edge.http.post(f"/{LAB}/Sum", json=[{"number": 2}, {"number": 40}])
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"number": 42}


async def test_streams_are_json_lines(lab_edge):
    edge, _ = lab_edge
    answer = await edge.http.get("/v1/lab/count?to=3")
    assert [json.loads(line) for line in answer.text.splitlines()] == [{"number": number} for number in (1, 2, 3)]


async def test_streams_are_server_sent_events_for_those_who_ask(lab_edge):
    edge, _ = lab_edge
    answer = await edge.http.get("/v1/lab/count?to=2", headers={"accept": "text/event-stream"})
    assert answer.headers["content-type"] == "text/event-stream"
    assert [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line] == [
        {"number": 1},
        {"number": 2},
    ]


async def test_the_first_message_of_a_stream_arrives_before_its_end_and_leaving_cancels_the_rpc(lab_edge):
    edge, behaviour = lab_edge
    async with edge.http.stream("GET", "/v1/lab/count?forever=true") as answer:
        async for line in answer.aiter_lines():
            assert json.loads(line) == {"number": 1}
            break
    async with asyncio.timeout(5):
        await behaviour.cancelled.wait()


async def test_a_cancelled_grpc_stream_is_seen_by_the_rpc(lab_edge, lab):
    edge, behaviour = lab_edge
    call = lab.call(edge.channel, LAB, "Count")(lab.message("lab.v1.CountRequest")(forever=True))
    assert (await call.read()).number == 1
    call.cancel()
    async with asyncio.timeout(5):
        await behaviour.cancelled.wait()


async def test_the_gateways_annotated_paths_are_transcoded_below_mcp_too(lab_edge):
    edge, _ = lab_edge
    for answer in (
        await edge.http.get("/v1/tools"),
        await edge.http.get("/mcp/tools"),
        await edge.http.post("/mcp/tools", json={}),
    ):
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == 7
    watched = await edge.http.get("/v1/tools:watch")
    assert [json.loads(line)["catalog_version"] for line in watched.text.splitlines()] == ["1", "2"]


async def test_encoded_names_reach_path_variables_whole(lab_edge):
    edge, _ = lab_edge
    answer = await edge.http.get("/v1/tools/a%2Fb")
    assert answer.json()["tool"]["name"] == "a/b", answer.text


@pytest.mark.parametrize("path", ["/", "/mcp", "/mcp/other", "/openapi.json", "/docs", "/.well-known/mcp"])
async def test_the_gateways_http_paths_pass_through(lab_edge, path):
    edge, _ = lab_edge
    answer = await edge.http.get(
        path, headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["path"] == path
    assert answer.json()["headers"]["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c")


async def test_mcp_posts_pass_through_with_their_body(lab_edge):
    edge, _ = lab_edge
    answer = await edge.http.post("/mcp", content=b"\xff" * 1000, headers={"content-type": "application/json"})
    assert answer.json()["bytes"] == 1000


async def test_mcp_streams_are_not_held_back(lab_edge):
    edge, _ = lab_edge
    async with edge.http.stream("GET", "/mcp/events") as answer:
        async for line in answer.aiter_lines():
            assert line == "data: one"
            break


async def test_request_id_and_trace_reach_the_server_and_the_id_comes_back(lab_edge, lab):
    edge, behaviour = lab_edge
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await edge.http.post(
        "/v1/lab/echo", json={}, headers={"x-request-id": "mine-1", "traceparent": trace, "authorization": "Bearer t"}
    )
    assert answer.headers["x-request-id"] == "mine-1"
    assert behaviour.metadata["x-request-id"] == "mine-1"
    assert behaviour.metadata["traceparent"] == trace
    assert behaviour.metadata["authorization"] == "Bearer t"
    assert answer.headers["server"] == "onenumbers-mesh"
    generated = await edge.http.post("/v1/lab/echo", json={})
    assert generated.headers["x-request-id"] == behaviour.metadata["x-request-id"] != "mine-1"


async def test_grpc_web(lab_edge, lab):
    edge, _ = lab_edge
    message = lab.message("lab.v1.EchoRequest")(text="web").SerializeToString()
    body = b"\x00" + len(message).to_bytes(4, "big") + message
    answer = await edge.http.post(
        f"/{LAB}/Echo", content=body, headers={"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    )
    print(answer, answer.headers, answer.content)
    length = int.from_bytes(answer.content[1:5], "big")
    assert lab.message("lab.v1.EchoResponse").FromString(answer.content[5 : 5 + length]).text == "web"
    assert b"grpc-status:0" in answer.content[5 + length :]
