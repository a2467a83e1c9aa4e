"""Pages of other sites cannot use a mesh that listens on loopback."""

import grpc
import pytest

from onenumbers_gateway.xds.routes import build_routes
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_gateway.xds.transcoding import Transcoder

LAB = "lab.v1.LabService"
TEXT = {"content-type": "text/plain"}


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null", "file://"])
@pytest.mark.parametrize("path", ["/v1/lab/echo", "/mcp", f"/{LAB}/Echo"])
async def test_a_page_of_another_site_is_refused_before_any_server_sees_it(lab_edge, origin, path):
    """A POST of plain text is sent for any page without asking first."""
    edge, behaviour = lab_edge
    answer = await edge.http.post(path, content=b'{"text": "x"}', headers=TEXT | {"origin": origin})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["code"] == 7
    assert behaviour.calls == 0


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8000", "localhost.evil.example", "192.168.1.4:8000"])
async def test_a_name_that_was_made_to_lead_here_is_refused(lab_edge, name):
    edge, behaviour = lab_edge
    answer = await edge.http.post("/v1/lab/echo", json={"text": "x"}, headers={"host": name})
    assert (answer.status_code, answer.json()["code"]) == (403, 7)
    assert behaviour.calls == 0


@pytest.mark.parametrize("name", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
async def test_this_machine_is_served_with_and_without_a_page(lab_edge, name):
    edge, _ = lab_edge
    for headers in ({"host": name}, {"host": name, "origin": f"http://{name}"}):
        answer = await edge.http.post("/v1/lab/echo", json={"text": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["text"]) == (200, "x"), headers


async def test_grpc_clients_may_call_the_mesh_by_any_name(lab_edge, lab):
    edge, behaviour = lab_edge
    async with grpc.aio.insecure_channel(edge.address, [("grpc.default_authority", "mesh.internal")]) as channel:
        echoed = await lab.call(channel, LAB, "Echo")(lab.message("lab.v1.EchoRequest")(text="x"), timeout=10)
    assert echoed.text == "x"
    assert behaviour.calls == 1


@pytest.mark.parametrize(("host", "refusals"), [("127.0.0.1", 2), ("::1", 2), ("0.0.0.0", 0), ("10.0.0.7", 0)])
def test_a_mesh_that_listens_wider_leaves_that_to_its_authentication(host, refusals):
    settings = EdgeSettings.load(edge_host=host)
    routes = build_routes(settings, owners=(), gateway_methods=(), transcoder=Transcoder(), events_transcoder=None)
    assert sum(route.direct_response.status == 403 for route in routes.virtual_hosts[0].routes) == refusals
