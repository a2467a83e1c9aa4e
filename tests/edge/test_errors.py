"""Errors and limits: the right status on every face, JSON for HTTP clients, a plain status for gRPC clients."""

import asyncio
import json
import socket

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

LAB = "lab.v1.LabService"


def error_of(answer: httpx.Response, status: int, code: int) -> dict:
    """Checks that the answer is a google.rpc.Status and returns it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert body.keys() == {"code", "message", "details"}
    assert body["code"] == code
    return body


def reason_of(body: dict) -> str:
    (info,) = [item for item in body["details"] if item["@type"].endswith("google.rpc.ErrorInfo")]
    assert info["domain"] == "onenumbers.mesh"
    assert info["metadata"]["request_id"]
    return info["reason"]


@pytest.mark.parametrize(
    ("code", "status"),
    [(3, 400), (5, 404), (6, 409), (7, 403), (8, 429), (9, 400), (12, 501), (13, 500), (14, 503), (16, 401), (4, 504)],
)
async def test_a_servers_status_becomes_json_with_its_details(lab_edge, code, status):
    edge, _ = lab_edge
    body = error_of(await edge.http.post("/v1/lab/fail", json={"code": code, "message": "no, “never”"}), status, code)
    assert body["message"] == "no, “never”"
    (detail,) = body["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert (detail["field_violations"][0]["field"], detail["field_violations"][0]["description"]) == ("text", "is bad")


async def test_a_servers_status_reaches_grpc_clients_unchanged(lab_edge, lab):
    edge, _ = lab_edge
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await lab.call(edge.channel, LAB, "Fail")(lab.message("lab.v1.FailRequest")(code=9, message="not now"))
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    detail = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(detail)
    assert detail.field_violations[0].description == "is bad"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[1]",
        b'"text"',
        b'{"count": "many"}',
        b'{"count": 1.5}',
        b'{"text": {}}',
        b'{"text": "\xff\xfe"}',
        b'{"mood": "NO"}',
    ],
)
async def test_bodies_that_are_no_such_message_are_400(lab_edge, content):
    edge, behaviour = lab_edge
    answer = await edge.http.post("/v1/lab/echo", content=content, headers={"content-type": "application/json"})
    body = error_of(answer, 400, 3)
    assert body["message"]
    assert reason_of(body) == "INVALID_REQUEST"
    assert behaviour.calls == 0


async def test_an_unknown_field_in_a_json_body_is_ignored(lab_edge):
    """Envoy's transcoder has no option to refuse it; the documentation says so."""
    edge, _ = lab_edge
    answer = await edge.http.post("/v1/lab/echo", json={"text": "a", "unheard": 1})
    assert answer.status_code == 200
    assert "unheard" not in answer.json()


async def test_an_unknown_query_parameter_is_400(lab_edge):
    edge, behaviour = lab_edge
    body = error_of(await edge.http.get("/v1/lab/echo/a?unheard=1"), 400, 3)
    assert "unheard" in body["message"]
    assert behaviour.calls == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("POST", "/v1/nothing"),
        ("DELETE", "/v1/lab/echo"),
        ("POST", "/lab.v1.LabService/Nothing"),
    ],
)
async def test_unknown_paths_and_methods_are_404(lab_edge, method, path):
    edge, _ = lab_edge
    assert reason_of(error_of(await edge.http.request(method, path), 404, 5)) == "UNKNOWN_PATH"


@pytest.mark.parametrize("path", ["/lab.v1.LabService/Nothing", "/no.such.Service/Call"])
async def test_unknown_grpc_methods_are_unimplemented(lab_edge, path):
    edge, _ = lab_edge
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await edge.channel.unary_unary(path)(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_json_body_beyond_the_limit_is_413_and_the_server_does_not_see_it(lab_edge):
    edge, behaviour = lab_edge
    for path in ("/v1/lab/echo", "/mcp", f"/{LAB}/Sum"):
        answer = await edge.http.post(path, json={"text": "x" * 5_000_000})
        assert reason_of(error_of(answer, 413, 8)) == "BODY_TOO_LARGE"
    assert behaviour.calls == 0
    just_fits = await edge.http.post("/v1/lab/echo", json={"text": "x" * 3_900_000})
    assert just_fits.status_code == 200


async def test_a_grpc_message_beyond_the_servers_limit_is_resource_exhausted(lab_edge, lab):
    edge, _ = lab_edge
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await lab.call(edge.channel, LAB, "Echo")(lab.message("lab.v1.EchoRequest")(text="x" * 5_000_000))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_too_many_or_too_large_headers_are_431(lab_edge):
    edge, behaviour = lab_edge
    many = await edge.http.post("/v1/lab/echo", json={}, headers={f"x-h{i}": "v" for i in range(200)})
    assert many.status_code == 431
    large = await edge.http.post("/v1/lab/echo", json={}, headers={"x-large": "v" * 70_000})
    assert large.status_code == 431
    assert behaviour.calls == 0


async def test_garbage_on_the_connection_is_400_and_harms_nobody(lab_edge):
    edge, _ = lab_edge
    host, port = edge.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\x00\xff\xfe nonsense\r\n\r\n")
    await writer.drain()
    assert b"400" in (await reader.read())[:20]
    writer.close()
    await writer.wait_closed()
    assert (await edge.http.post("/v1/lab/echo", json={})).status_code == 200


@pytest.mark.parametrize("edge_options", [{"timeout_s": 0.2}])
async def test_a_unary_call_without_deadline_ends_at_the_edges_timeout(edge, lab, mesh, edge_options):
    """The server is a port that takes the call and says nothing, so that it is the edge alone that ends it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        await edge.serve(mesh.describe("lab", lab, silent.getsockname()[1]))
        body = error_of(await edge.http.post("/v1/lab/wait", json={"seconds": 30}), 504, 4)
        assert reason_of(body) == "DEADLINE_EXCEEDED"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await lab.call(edge.channel, LAB, "Wait")(lab.message("lab.v1.WaitRequest")(seconds=30))
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("edge_options", [{"timeout_s": 0.2}])
async def test_the_edges_timeout_is_the_deadline_of_the_server(lab_edge, lab, edge_options):
    """Whichever of both ends the call first, the caller reads 504 and the server stops working."""
    edge, behaviour = lab_edge
    error_of(await edge.http.post("/v1/lab/wait", json={"seconds": 30}), 504, 4)
    async with asyncio.timeout(5):
        await behaviour.cancelled.wait()


async def test_a_deadline_of_one_millisecond(lab_edge, lab):
    edge, _behaviour = lab_edge
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await lab.call(edge.channel, LAB, "Wait")(lab.message("lab.v1.WaitRequest")(seconds=30), timeout=0.001)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    answer = await edge.http.post("/v1/lab/wait", json={"seconds": 30}, headers={"grpc-timeout": "1m"})
    error_of(answer, 504, 4)


async def test_a_deadline_sent_by_the_client_reaches_the_server(lab_edge, lab):
    """The header is forwarded, so the RPC is cancelled at the server as well."""
    edge, behaviour = lab_edge
    with pytest.raises(grpc.aio.AioRpcError):
        await lab.call(edge.channel, LAB, "Wait")(lab.message("lab.v1.WaitRequest")(seconds=30), timeout=0.3)
    async with asyncio.timeout(5):
        await behaviour.cancelled.wait()


async def test_a_server_that_is_down_is_503_and_unavailable(edge, lab, mesh):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    await edge.serve(mesh.describe("lab", lab, port))
    body = error_of(await edge.http.post("/v1/lab/echo", json={}), 503, 14)
    assert reason_of(body) == "UPSTREAM_UNAVAILABLE"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await lab.call(edge.channel, LAB, "Echo")(lab.message("lab.v1.EchoRequest")())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert (await edge.http.get("/v1/tools")).status_code == 200


async def test_a_server_whose_instances_are_all_unhealthy_gets_no_call(edge, lab, mesh):
    behaviour = mesh.Lab(lab)
    async with mesh.serving(behaviour.handlers()) as port:
        server = mesh.describe("lab", lab, port)
        sick = tuple(mesh.replace(endpoint, healthy=False) for endpoint in server.endpoints)
        await edge.serve(mesh.replace(server, endpoints=sick))
        body = error_of(await edge.http.post("/v1/lab/echo", json={}), 503, 14)
        assert reason_of(body) == "UPSTREAM_UNAVAILABLE"
        assert "no instance of the server" in body["message"]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await lab.call(edge.channel, LAB, "Echo")(lab.message("lab.v1.EchoRequest")())
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert caught.value.details() == body["message"]
        assert behaviour.calls == 0
        await edge.serve(server)
        assert (await edge.http.post("/v1/lab/echo", json={})).status_code == 200


async def test_the_access_log_is_json_lines(lab_edge_with_log):
    edge, log = lab_edge_with_log
    await edge.http.post("/v1/lab/echo", json={}, headers={"x-request-id": "logged"})
    await edge.envoy.stop()
    (line,) = [json.loads(text) for text in log.read_text().splitlines()]
    assert line["request_id"] == "logged"
    assert line["path"] == "/v1/lab/echo"
    assert line["rpc"] == f"/{LAB}/Echo"
    assert line["status"] == 200


@pytest.fixture
def log(tmp_path):
    return tmp_path / "access.log"


@pytest.fixture
def edge_options(request, log):
    """The access log only where a test reads it; otherwise what the test's parametrisation says."""
    return {"access_log": str(log)} if "lab_edge_with_log" in request.fixturenames else {}


@pytest.fixture
def lab_edge_with_log(lab_edge, log):
    return lab_edge[0], log
