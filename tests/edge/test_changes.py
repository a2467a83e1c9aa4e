"""What changes while the edge runs: contracts, servers, instances, the control plane and Envoy itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import pytest

from onenumbers_gateway.xds.ads import AdsServer
from onenumbers_gateway.xds.envoy import start_envoy

LAB = "lab.v1.LabService"
SOURCE = (Path(__file__).parent / "lab.proto").read_text()
WITH_MORE = SOURCE.replace(
    "  rpc Sum(",
    '  rpc Shout(EchoRequest) returns (EchoResponse) { option (google.api.http) = {get: "/v1/lab/shout/{text}"}; }\n'
    "  rpc Sum(",
)


class Load:
    """Calls through the edge without a pause, and counts what failed."""

    def __init__(self, edge, lab) -> None:
        self._call = lab.call(edge.channel, LAB, "Echo")
        self._message = lab.message("lab.v1.EchoRequest")
        self._http = edge.http
        self.calls = 0
        self.failures: list[str] = []

    async def _grpc(self) -> None:
        while True:
            try:
                assert (await self._call(self._message(text="a"), timeout=10)).text == "a"
            except (grpc.aio.AioRpcError, AssertionError) as error:
                self.failures.append(repr(error))
            self.calls += 1

    async def _json(self) -> None:
        while True:
            answer = await self._http.post("/v1/lab/echo", json={"text": "a"})
            if answer.status_code != 200:
                self.failures.append(answer.text)
            self.calls += 1

    async def more(self, calls: int) -> None:
        """Waits until that many more calls are done."""
        wanted = self.calls + calls
        async with asyncio.timeout(20):
            while self.calls < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def load(edge, lab) -> AsyncIterator[Load]:
    running = Load(edge, lab)
    tasks = [asyncio.create_task(running._grpc()) for _ in range(3)] + [asyncio.create_task(running._json())]
    await running.more(50)
    try:
        yield running
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_contract_changes_under_load_without_a_failed_call(edge, lab, compile_proto, mesh):
    more = compile_proto({"lab.proto": WITH_MORE})
    behaviour = mesh.Lab(more)
    shout = more.handlers(LAB, {"Shout": behaviour.echo})
    async with mesh.serving(behaviour.handlers(), shout) as port:
        # Two handlers of one service: grpc asks them in turn.
        await edge.serve(mesh.describe("lab", lab, port))
        assert (await edge.http.get("/v1/lab/shout/a")).status_code == 404
        async with load(edge, lab) as running:
            for _ in range(5):
                await edge.serve(mesh.describe("lab", more, port))
                assert (await edge.http.get("/v1/lab/shout/hey")).json()["text"] == "hey"
                await running.more(30)
                await edge.serve(mesh.describe("lab", lab, port))
                assert (await edge.http.get("/v1/lab/shout/hey")).status_code == 404
                await running.more(30)
        assert running.failures == []


async def test_servers_come_and_go_without_a_failed_call_on_the_others(lab_edge, lab, compile_proto, mesh):
    edge, _ = lab_edge
    lab_server = edge.source.current().servers[0]
    new = compile_proto(
        {
            "new.proto": """syntax = "proto3"; package fresh.v1; import "google/api/annotations.proto";
            message M { string text = 1; }
            service S { rpc Get(M) returns (M) { option (google.api.http) = {get: "/v1/fresh/{text}"}; } }"""
        }
    )

    async def get(request, _context):
        return request

    async with load(edge, lab) as running:
        async with mesh.serving(new.handlers("fresh.v1.S", {"Get": get})) as port:
            await edge.serve(lab_server, mesh.describe("fresh", new, port))
            assert (await edge.http.get("/v1/fresh/a")).json() == {"text": "a"}
            message = new.message("fresh.v1.M")
            assert (await new.call(edge.channel, "fresh.v1.S", "Get")(message(text="b"))).text == "b"
            await running.more(30)
            await edge.serve(lab_server)
        assert (await edge.http.get("/v1/fresh/a")).status_code == 404
        await running.more(30)
    assert running.failures == []


async def test_a_server_whose_contract_envoy_cannot_use_leaves_the_others_alone(lab_edge, lab, compile_proto, mesh):
    edge, _ = lab_edge
    lab_server = edge.source.current().servers[0]
    broken = mesh.replace(mesh.describe("broken", lab, 1), files=(b"\xff\xff",), services=("broken.v1.S",))
    await edge.serve(lab_server, broken)
    assert (await edge.http.post("/v1/lab/echo", json={"text": "a"})).status_code == 200
    assert "broken" in edge.ads.left_out


async def test_an_instance_that_is_killed_costs_no_idempotent_call(edge, lab, mesh, start_replica):
    replicas = [await start_replica(5) for _ in range(3)]
    ports = [replica.port for replica in replicas]
    await edge.serve(mesh.describe("lab", lab, *ports))
    async with load(edge, lab) as running:
        replicas[0].kill()
        await running.more(200)
        await edge.serve(mesh.describe("lab", lab, *ports[1:]))
        await running.more(50)
    assert running.failures == []


async def test_the_edge_serves_on_while_its_control_plane_is_away_and_takes_its_new_one(edge, lab, mesh):
    behaviour = mesh.Lab(lab)
    async with mesh.serving(behaviour.handlers()) as port:
        await edge.serve(mesh.describe("lab", lab, port))
        await edge.ads.__aexit__(None, None, None)
        for _ in range(20):
            assert (await edge.http.post("/v1/lab/echo", json={"text": "a"})).status_code == 200
        async with AdsServer(source=edge.source, settings=edge.settings) as again, load(edge, lab) as running:
            async with asyncio.timeout(20):
                await again.wait_served(edge.source.current().version)
            await running.more(20)
        assert running.failures == []


async def test_an_envoy_that_was_killed_is_replaced_and_serves(edge, lab, mesh):
    behaviour = mesh.Lab(lab)
    async with mesh.serving(behaviour.handlers()) as port:
        await edge.serve(mesh.describe("lab", lab, port))
        edge.envoy._process.kill()
        await edge.envoy.wait()
        with pytest.raises(httpx.TransportError):
            await edge.http.post("/v1/lab/echo", json={"text": "a"})
        async with start_envoy(edge.settings) as envoy:
            await envoy.ready()
            async with httpx.AsyncClient(base_url=f"http://{await envoy.listen_address()}") as http:
                async with asyncio.timeout(10):
                    await edge.ads.wait_served(edge.source.current().version)
                assert (await http.post("/v1/lab/echo", json={"text": "a"})).json()["text"] == "a"


async def test_stopping_the_edge_cuts_no_call(edge, lab, mesh):
    behaviour = mesh.Lab(lab)
    async with mesh.serving(behaviour.handlers()) as port:
        await edge.serve(mesh.describe("lab", lab, port))
        call = asyncio.create_task(edge.http.post("/v1/lab/wait", json={"seconds": 0.5}))
        async with asyncio.timeout(5):
            await behaviour.waiting.wait()
        await edge.envoy.stop()
        assert (await call).json()["text"] == "waited"
