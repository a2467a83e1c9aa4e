"""Several servers on one store, and servers that die."""

import asyncio
import json
import os
import sys
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf import json_format

from onenumbers.contract.v1 import contract_pb2, contract_pb2_grpc
from onenumbers.utilities.v1 import registry_pb2 as pb
from onenumbers.utilities.v1 import registry_pb2_grpc
from onenumbers_gateway.descriptors import build_contract
from onenumbers_gateway.reflection_client import reflect
from onenumbers_runtime.settings import MeshSettings

SERVICE = "onenumbers.registered.v1.RegisteredUtilitiesService"
BORN = {"born": {"year": 1968, "month": 11, "day": 14}}


async def methods(channel) -> dict[str, object]:
    contract = await reflect(channel, timeout_s=5)
    built = build_contract(contract.files, contract.services, contract.descriptor_hash)
    return {method.name: method for method in built.methods if method.service == SERVICE}


async def call(channel, method, arguments=BORN):
    behaviour = channel.unary_unary(
        method.path,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=method.response_class.FromString,
    )
    return await behaviour(json_format.ParseDict(arguments, method.request_class()))


async def test_a_replica_announces_and_serves_what_another_registered(start_replica, tmp_path):
    async with start_replica(tmp_path) as one, start_replica(tmp_path) as other:
        watch = contract_pb2_grpc.ContractServiceStub(other.channel).WatchContract(contract_pb2.WatchContractRequest())
        async with asyncio.timeout(5):
            before = (await watch.read()).revision
            assert not await methods(other.channel)
            await one.register()
            assert (await watch.read()).revision > before
            found = await methods(other.channel)
            assert list(found) == ["AttitudeOfADay"]
            assert (await call(other.channel, found["AttitudeOfADay"])).result == 7
            await one.deprecate("attitude_of_a_day")
            await watch.read()
            assert not await methods(other.channel)


async def test_a_watch_of_the_contract_has_no_deadline_and_holds_up_nothing(start_replica, tmp_path):
    """It outlives the deadline of calls that bring none, takes no place of a call, and is not waited for at the end."""
    settings = MeshSettings.load(default_deadline_s=0.05, grace_period_s=60, max_concurrent_rpcs=1)
    async with start_replica(tmp_path, settings=settings) as replica:
        stub = contract_pb2_grpc.ContractServiceStub(replica.channel)
        watches = [stub.WatchContract(contract_pb2.WatchContractRequest()) for _ in range(3)]
        for watch in watches:
            await watch.read()
        ended = asyncio.gather(*(watch.code() for watch in watches))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), 0.3)
        request = pb.ListUtilitiesRequest()
        await replica.stub.ListUtilities(request, timeout=10)
        async with asyncio.timeout(10):
            await replica.server.drain()
            await ended


async def test_a_watch_of_the_contract_needs_the_token(start_replica, tmp_path, refused):
    settings = MeshSettings.load(auth_token="a token")
    async with start_replica(tmp_path, settings=settings) as replica:
        stub = contract_pb2_grpc.ContractServiceStub(replica.channel)
        code, _, _ = await refused(stub.WatchContract(contract_pb2.WatchContractRequest()).read())
        assert code is grpc.StatusCode.UNAUTHENTICATED


async def test_a_replica_serves_a_tool_before_it_has_heard_of_it(start_replica, tmp_path):
    """A caller who was told by one replica may reach another one first: that one asks the store before it answers."""
    async with start_replica(tmp_path) as one, start_replica(tmp_path) as other:
        for number in range(20):
            await one.register(utility_id=f"tool_{number}")
            method = (await methods(one.channel))[f"Tool_{number}"]
            assert (await call(other.channel, method)).result == 7
            assert await other.evaluate(f"tool_{number}", born="1968-11-14") == 7


async def test_a_replica_uses_a_new_version_from_the_next_call_on(start_replica, tmp_path, refused):
    async with start_replica(tmp_path) as one, start_replica(tmp_path) as other:
        await one.register()
        method = (await methods(one.channel))["AttitudeOfADay"]
        for number in range(20):
            changed = f"month(born) + day(born) + {number}"
            examples = [{"inputs": {"born": "1968-11-14"}, "expected": 25 + number}]
            await one.register(formula=changed, examples=examples)
            answer = await call(other.channel, method)
            assert (answer.result, answer.version, answer.formula) == (25 + number, number + 2, changed)
        await one.deprecate("attitude_of_a_day")
        assert (await refused(call(other.channel, method)))[0] is grpc.StatusCode.UNIMPLEMENTED


async def test_methods_that_nobody_registered_are_unimplemented_and_bounded(replica, refused):
    await replica.register()
    for name in ("Nope", "nope", "A" * 200, "A.b", "../etc"):
        code, _, _ = await refused(replica.channel.unary_unary(f"/{SERVICE}/{name}")(b""))
        assert code is grpc.StatusCode.UNIMPLEMENTED
    tools = replica.registry.tools
    tools._unknown = {f"U{number}" for number in range(1000)}
    await refused(replica.channel.unary_unary(f"/{SERVICE}/OneMore")(b""))
    assert len(tools._unknown) == 1000


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [(b"", "born", "must be given"), (b"\xff\xff\xff", "(request)", "is no onenumbers.registered.v1")],
)
async def test_a_native_request_that_is_none_is_named(replica, refused, content, field, words):
    await replica.register()
    code, violations, _ = await refused(replica.channel.unary_unary(f"/{SERVICE}/AttitudeOfADay")(content))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in violations[field]


@pytest.mark.parametrize(
    ("formula", "expected", "as_json"),
    [
        ("born", "1968-11-14", {"year": 1968, "month": 11, "day": 14}),
        ("[born]", ["1968-11-14"], [{"year": 1968, "month": 11, "day": 14}]),
        ("day(born) == 14", True, True),
        ("day(born) - 14", 0, 0),
        ("double(day(born)) / 4.0", 3.5, 3.5),
        ("string(year(born))", "1968", "1968"),
        ("chain(year(born))", [1968, 24, 6], [1968, 24, 6]),
        ("['a'].filter(x, x == 'b')", [], None),
    ],
)
async def test_results_are_typed_as_the_formula_gives_them(replica, formula, expected, as_json):
    await replica.register(formula=formula, examples=[{"inputs": {"born": "1968-11-14"}, "expected": expected}])
    method = (await methods(replica.channel))["AttitudeOfADay"]
    answer = json_format.MessageToDict(await call(replica.channel, method))
    assert answer.get("result") == as_json


async def started(folder: Path) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onenumbers_utilities"),
        env={**os.environ, "MCP_UTILITIES_PORT": "0", "MCP_LOG_FORMAT": "json", "MCP_DATA_DIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        port = 0
        async for line in process.stdout:
            event = json.loads(line)
            port = event.get("port", port)
            if event["event"] == "health_changed":
                return process, port
    raise AssertionError("the server ended")


async def test_a_killed_server_comes_back_with_its_tools_and_leaves_no_worker(tmp_path, attitude):
    process, port = await started(tmp_path)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            request = pb.RegisterUtilityRequest()
            json_format.ParseDict(attitude, request.definition)
            await registry_pb2_grpc.UtilityRegistryServiceStub(channel).RegisterUtility(request)
            workers = psutil.Process(process.pid).children()
            assert len(workers) == 1
    finally:
        process.kill()
        await process.wait()
    # Its end of the pipe is gone, so the worker ends by itself.
    psutil.wait_procs(workers, timeout=10)
    assert not [one for one in workers if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    process, port = await started(tmp_path)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert (await call(channel, (await methods(channel))["AttitudeOfADay"])).result == 7
    finally:
        process.terminate()
        assert await process.wait() == 0
