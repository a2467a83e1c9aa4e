"""A utility registered while the mesh runs is a tool on all four faces at once: real server, gateway and Envoy."""

import asyncio
import contextlib
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import json_format
from mcp.client import Client

from onenumbers.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from onenumbers.utilities.v1 import registry_pb2 as pb
from onenumbers_gateway.app import RunningGateway, running_gateway
from onenumbers_gateway.descriptors import build_contract
from onenumbers_gateway.reflection_client import reflect
from onenumbers_gateway.settings import GatewaySettings
from onenumbers_gateway.xds.envoy import start_envoy
from onenumbers_gateway.xds.settings import EdgeSettings

BORN = {"born": {"year": 1968, "month": 11, "day": 14}}
NAME = "attitude_of_a_day"
METHOD = "/onenumbers.registered.v1.RegisteredUtilitiesService/AttitudeOfADay"


class Mesh:
    """A whole mesh: one utilities server, the gateway, Envoy."""

    def __init__(self, gateway: RunningGateway, address: str, http: httpx.AsyncClient, channel: Any) -> None:
        self.gateway = gateway
        self.address = address
        self.http = http
        self.channel = channel
        self.stub = gateway_pb2_grpc.GatewayServiceStub(channel)

    async def rest(self, arguments: dict[str, Any], name: str = NAME) -> httpx.Response:
        return await self.http.post(f"/v1/registered/{name}", json=arguments)

    async def mcp(self, arguments: dict[str, Any], name: str = NAME) -> Any:
        async with Client(f"http://{self.address}/mcp") as client:
            return await client.call_tool(name, arguments)

    async def call_tool(self, arguments: dict[str, Any], name: str = NAME) -> dict[str, Any]:
        request = gateway_pb2.CallToolRequest(tool_name=name)
        request.arguments.update(arguments)
        return json_format.MessageToDict((await self.stub.CallTool(request)).result)

    async def native(self, arguments: dict[str, Any], method: str = METHOD) -> dict[str, Any]:
        """Calls as grpcurl does: the contract comes from the reflection of the same port."""
        contract = await reflect(self.channel, timeout_s=5)
        built = build_contract(contract.files, contract.services, contract.descriptor_hash)
        (found,) = [item for item in built.methods if item.path == method]
        answer = await self.channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=found.response_class.FromString,
        )(json_format.ParseDict(arguments, found.request_class()))
        return json_format.MessageToDict(answer, preserving_proto_field_name=True)

    async def until(self, condition: Any, within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            while not await condition():  # noqa: ASYNC110 - what it asks about has no event
                await asyncio.sleep(0.02)

    async def routed(self, name: str = NAME) -> bool:
        """Whether the edge routes the tool; its configuration follows the catalog."""
        return (await self.rest({}, name)).status_code != 404

    def listed(self, name: str = NAME) -> bool:
        return name in self.gateway.watch.catalog.by_name


@contextlib.asynccontextmanager
async def mesh_over(port: int) -> AsyncIterator[Mesh]:
    folder = Path(tempfile.mkdtemp(prefix="mesh-"))
    try:
        settings = GatewaySettings.load(
            data_dir=folder,
            gateway_port=0,
            gateway_http_port=0,
            grace_period_s=0.5,
            utilities_url=f"127.0.0.1:{port}",
            knowledge_url="none",
            research_url="none",
        )
        edge = EdgeSettings.load(data_dir=folder, edge_port=0, grace_period_s=1)
        async with running_gateway(settings, edge) as gateway, start_envoy(edge) as envoy:
            await envoy.ready()
            address = await envoy.listen_address()
            async with (
                httpx.AsyncClient(base_url=f"http://{address}", timeout=20) as http,
                grpc.aio.insecure_channel(address) as channel,
            ):
                yield Mesh(gateway, address, http, channel)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_utility_registered_while_the_mesh_runs_is_a_tool_on_all_four_faces(replica, refused):
    async with mesh_over(replica.server.port) as mesh:
        assert not mesh.listed()
        assert not mesh.listed("watch_contract")
        assert (await mesh.rest(BORN)).status_code == 404
        changes = mesh.stub.WatchTools(gateway_pb2.WatchToolsRequest())
        first = await changes.read()

        await replica.register()
        # At once: told by the server, not found by a poll (the interval of reflection is a minute).
        async with asyncio.timeout(5):
            while (changed := await changes.read()).catalog_version <= first.catalog_version or not mesh.listed():
                pass
        assert changed.catalog_version > first.catalog_version
        await mesh.until(mesh.routed, within_s=5)

        native = await mesh.native(BORN)
        assert native == {
            "result": 7,
            "inputs": {"born": {"year": 1968, "month": 11, "day": 14}},
            "formula": "reduce(month(born) + day(born))",
            "version": 1,
        }
        rest = await mesh.rest(BORN)
        assert (rest.status_code, rest.json()) == (200, native)
        called = await mesh.mcp(BORN)
        assert called.structured_content == native
        assert await mesh.call_tool(BORN) == native

        tool = (await mesh.stub.GetTool(gateway_pb2.GetToolRequest(tool_name=NAME))).tool
        assert (tool.title, tool.read_only, tool.available) == ("Attitude", True, True)
        assert "Source: the platform's own convention" in tool.description
        assert list(tool.tags) == ["registered", "date"]
        assert json_format.MessageToDict(tool.example) == BORN
        schema = json_format.MessageToDict(tool.input_schema)
        assert schema["required"] == ["born"]
        assert schema["properties"]["born"]["description"] == "Date of birth."

        # Each face refuses the same with the same words.
        bad = {"born": {"year": 1968, "month": 11, "day": 31}}
        code, violations, _ = await refused(mesh.native(bad))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        (words,) = violations.values()
        assert list(violations) == ["born.day"]
        answer = await mesh.rest(bad)
        assert answer.status_code == 400
        assert words in answer.text
        failed = await mesh.mcp(bad)
        assert failed.is_error
        assert words in failed.content[0].text
        code, violations, _ = await refused(mesh.call_tool(bad))
        assert violations == {"born.day": words}

        # A new version with another input, then none: every face follows.
        await replica.register(
            inputs=[{"name": "born", "type": "UTILITY_INPUT_TYPE_DATE"}, {"name": "plus", "type": 1}],
            formula="reduce(month(born) + day(born) + plus)",
            examples=[{"inputs": {"born": "1968-11-14", "plus": 1}, "expected": 8}],
        )
        more = {**BORN, "plus": 2}

        async def follows() -> bool:
            return (await mesh.rest(more)).status_code == 200

        await mesh.until(follows, within_s=5)
        expected = {"result": 9, "version": 2}
        assert expected.items() <= (await mesh.native(more)).items()
        assert expected.items() <= (await mesh.rest(more)).json().items()
        assert expected.items() <= (await mesh.mcp(more)).structured_content.items()
        assert expected.items() <= (await mesh.call_tool(more)).items()

        await replica.deprecate(NAME)

        async def gone() -> bool:
            return not mesh.listed() and not await mesh.routed()

        await mesh.until(gone, within_s=5)
        assert (await refused(mesh.call_tool(BORN)))[0] is grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await mesh.channel.unary_unary(METHOD)(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert (await replica.get(NAME)).utility.status == pb.UTILITY_STATUS_DEPRECATED


async def test_a_gateway_that_starts_later_finds_what_is_registered(replica):
    await replica.register()
    await replica.register(utility_id="second_one")
    async with mesh_over(replica.server.port) as mesh:
        assert mesh.listed()
        await mesh.until(mesh.routed, within_s=5)
        assert (await mesh.call_tool(BORN, "second_one"))["result"] == 7


async def test_many_changes_in_a_row_end_in_the_last_state(replica):
    """Announcements that overtake each other lose nothing: the catalog is what the registry says in the end."""
    async with mesh_over(replica.server.port) as mesh:
        for number in range(12):
            await replica.register(utility_id=f"quick_{number}")
        for number in range(0, 12, 2):
            await replica.deprecate(f"quick_{number}")

        async def settled() -> bool:
            return {f"quick_{number}" for number in range(12) if mesh.listed(f"quick_{number}")} == {
                f"quick_{number}" for number in range(1, 12, 2)
            }

        await mesh.until(settled, within_s=5)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_example_of_the_documentation_works_as_it_is_printed(replica):
    text = (Path(__file__).parents[2] / "docs" / "registry.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    printed = json.loads(re.findall(r"```json\n(.*?)```", text, re.DOTALL)[0])
    assert len(commands) == 5
    answers = []
    async with mesh_over(replica.server.port) as mesh:
        for command in commands:
            if "/v1/registered/" in command:
                await mesh.until(lambda: mesh.routed("attitude_number"), within_s=5)
            process = await asyncio.create_subprocess_shell(
                command.replace("localhost:8000", mesh.address), stdout=asyncio.subprocess.PIPE
            )
            out, _ = await process.communicate()
            answers.append(json.loads(out))
    registered, called, shown, evaluated, deprecated = answers
    assert (registered["utility"]["status"], registered["utility"]["accuracy"]) == ("UTILITY_STATUS_ACTIVE", 1)
    assert called == printed
    assert len(shown["history"]) == 3
    assert (evaluated["result"], evaluated["version"]) == (7, 1)
    assert deprecated["utility"]["status"] == "UTILITY_STATUS_DEPRECATED"
