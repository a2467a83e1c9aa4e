"""Parts that are down, die, come back and change: what is left keeps serving, and nothing is lost."""

import asyncio
import os
import signal
import sys

import grpc
import pytest

from onenumbers.gateway.v1 import gateway_pb2 as pb
from onenumbers_gateway.model import ServerStatus
from onenumbers_runtime.testing import compile_contract, serving_handlers

BIRTH = {"day": 29, "month": 11, "year": 1990}


def request(name: str, arguments: dict) -> pb.CallToolRequest:
    message = pb.CallToolRequest(tool_name=name)
    message.arguments.update(arguments)
    return message


def status(gateway, name: str) -> ServerStatus:
    return gateway.running.discovery.current().server(name).status


async def free_port() -> int:
    async with serving_handlers() as port:
        return port


async def test_a_server_that_is_down_at_the_start_is_found_when_it_comes(
    foreign_server, start_gateway, start_utilities
):
    port = await free_port()
    gateway = await start_gateway({"utilities": port, "foreign": foreign_server[1]})
    assert "calculate_life_path" not in gateway.names
    assert "get_http_status" in gateway.names
    health = await gateway.stub.GetServerHealth(pb.GetServerHealthRequest())
    assert health.status == "degraded"
    assert health.servers["utilities"].status == pb.SERVER_STATUS_UNREACHABLE
    assert health.servers["utilities"].reason == "connection refused"
    assert not health.servers["utilities"].HasField("response_time_ms")
    async with start_utilities(port):
        await gateway.until(lambda: "calculate_life_path" in gateway.names, within_s=3)
        answer = await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
        assert answer.result["result"]["value"] == 5
        health = await gateway.stub.GetServerHealth(pb.GetServerHealthRequest())
        assert health.status == "ok"
        assert health.servers["utilities"].response_time_ms > 0
        assert health.servers["utilities"].last_check.seconds > 0


async def test_a_server_that_goes_keeps_its_tools_listed_as_unavailable_and_the_others_serve(
    foreign_server, start_gateway, start_utilities
):
    port = await free_port()
    async with start_utilities(port):
        gateway = await start_gateway({"utilities": port, "foreign": foreign_server[1]})
        assert status(gateway, "utilities") is ServerStatus.SERVING
    await gateway.until(lambda: status(gateway, "utilities") is ServerStatus.UNREACHABLE)
    await gateway.until(lambda: not gateway.running.watch.catalog.by_name["calculate_life_path"].available)
    tool = (await gateway.stub.GetTool(pb.GetToolRequest(tool_name="calculate_life_path"))).tool
    assert (tool.available, tool.stale) == (False, True)
    assert tool.unavailable_reason
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "utilities" in caught.value.details()
    assert (await gateway.stub.CallTool(request("get_http_status", {"code": 3}))).success


async def test_a_stale_result_is_served_with_its_age_while_the_server_is_away(start_gateway, start_utilities):
    port = await free_port()
    async with start_utilities(port):
        gateway = await start_gateway({"utilities": port})
        kept = await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
    await gateway.until(lambda: status(gateway, "utilities") is ServerStatus.UNREACHABLE)
    fresh = await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
    assert fresh.cache == pb.CACHE_STATE_HIT
    assert fresh.result == kept.result
    assert fresh.HasField("age")


async def test_a_draining_server_gets_no_more_calls_before_it_is_gone(start_gateway, utilities):
    gateway = await start_gateway({"utilities": utilities.port})
    await utilities.set_serving(False)
    await gateway.until(lambda: status(gateway, "utilities") is ServerStatus.NOT_SERVING, within_s=2)
    assert "NOT_SERVING" in gateway.running.discovery.current().server("utilities").reason
    await utilities.set_serving(True)
    await gateway.until(lambda: status(gateway, "utilities") is ServerStatus.SERVING, within_s=2)


async def test_a_server_killed_in_a_call_is_unavailable_and_found_again(start_gateway, foreign_server, tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onenumbers_utilities"),
        env={**os.environ, "MCP_UTILITIES_PORT": str(port := await free_port()), "MCP_DATA_DIR": str(tmp_path)},
        stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    gateway = await start_gateway({"utilities": port, "foreign": foreign_server[1]}, result_cache="off")
    await gateway.until(lambda: status(gateway, "utilities") is ServerStatus.SERVING)
    rows = [{"name": "Anna Maria", "day": 1 + n % 28, "month": 1 + n % 12, "year": 1950} for n in range(1000)]
    call = gateway.stub.CallTool(request("batch_calculate", {"profiles": rows}))
    await asyncio.sleep(0.03)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
    await gateway.until(lambda: status(gateway, "utilities") is ServerStatus.UNREACHABLE, within_s=3)
    assert (await gateway.stub.CallTool(request("get_http_status", {}))).success


async def test_redis_may_die_and_come_back_without_a_failed_call(
    redis_process, foreign_server, utilities, start_gateway, start_utilities
):
    servers = {"utilities": utilities.port, "foreign": foreign_server[1]}
    gateway = await start_gateway(servers, redis_url=redis_process.url)
    store = gateway.running.store
    await gateway.until(lambda: store.state == "ok")
    redis_process.kill()
    await gateway.until(lambda: store.state == "unavailable")
    for day in range(1, 20):
        assert (await gateway.stub.CallTool(request("calculate_life_path", BIRTH | {"day": day}))).success
    health = await gateway.stub.GetServerHealth(pb.GetServerHealthRequest())
    assert (health.status, health.cache) == ("ok", "unavailable")
    redis_process.start()
    await gateway.until(lambda: store.state == "ok")
    # The new Redis was empty: what a later gateway finds there was written back.
    other = await start_gateway({"utilities": await free_port()}, redis_url=redis_process.url)
    assert "calculate_life_path" not in other.names, "another address is another server"
    down = dict(servers, research=await free_port())
    third = await start_gateway(down, redis_url=redis_process.url)
    assert {"calculate_life_path", "get_http_status"} <= third.names


async def test_a_gateway_that_starts_while_servers_are_down_lists_what_redis_remembers(
    redis_process, start_gateway, start_utilities
):
    port = await free_port()
    async with start_utilities(port):
        first = await start_gateway({"utilities": port}, redis_url=redis_process.url)
        await first.until(lambda: first.running.store.state == "ok")
        known = first.names
    second = await start_gateway({"utilities": port}, redis_url=redis_process.url)
    assert second.names == known
    tool = second.running.watch.catalog.by_name["calculate_life_path"]
    assert (tool.stale, tool.available) == (True, False)
    async with start_utilities(port):
        await second.until(lambda: second.running.watch.catalog.by_name["calculate_life_path"].available)
        assert not second.running.watch.catalog.by_name["calculate_life_path"].stale


async def test_a_damaged_record_in_redis_is_ignored(redis_process, start_gateway, utilities):
    import redis

    client = redis.Redis(unix_socket_path=str(redis_process.socket))
    client.set("onenumbers:server:utilities", b"not what was written")
    client.set("onenumbers:server:ghost", b"\x00" * 100)
    client.close()
    gateway = await start_gateway({"utilities": utilities.port}, redis_url=redis_process.url)
    assert "calculate_life_path" in gateway.names


ONE = """
syntax = "proto3";
package changing.v1;
message M { string text = 1; }
service ChangingService { rpc First(M) returns (M); %s }
"""


async def answer(request, context):
    return request


async def test_a_redeployed_servers_new_tools_are_there_within_a_second(tmp_path, utilities, start_gateway):
    one = compile_contract({"changing.proto": ONE % ""}, tmp_path)
    two = compile_contract({"changing.proto": ONE % "rpc Second(M) returns (M);"}, tmp_path)
    name = "changing.v1.ChangingService"
    async with serving_handlers(one.handlers(name, {"First": answer}), *one.reflection()) as port:
        gateway = await start_gateway({"utilities": utilities.port, "changing": port})
        assert "first" in gateway.names
        assert "second" not in gateway.names
    handlers = {"First": answer, "Second": answer}
    async with serving_handlers(two.handlers(name, handlers), *two.reflection(), port=port):
        await gateway.until(lambda: "second" in gateway.names, within_s=1.5)
        assert (await gateway.stub.CallTool(request("second", {"text": "a"}))).result["text"] == "a"


async def test_refresh_reads_a_contract_that_changed_behind_an_open_connection(tmp_path, start_gateway):
    one = compile_contract({"changing.proto": ONE % ""}, tmp_path)
    two = compile_contract({"changing.proto": ONE % "rpc Second(M) returns (M);"}, tmp_path)
    current = one.reflection()

    class Switch(grpc.GenericRpcHandler):
        def service(self, handler_call_details):
            for handler in current:
                found = handler.service(handler_call_details)
                if found is not None:
                    return found
            return None

    handlers = two.handlers("changing.v1.ChangingService", {"First": answer, "Second": answer})
    async with serving_handlers(handlers, Switch()) as port:
        gateway = await start_gateway({"changing": port})
        assert gateway.names == {"first"}
        current[:] = two.reflection()
        refreshed = await gateway.stub.RefreshTools(pb.RefreshToolsRequest(server="changing"))
        assert (refreshed.total, dict(refreshed.failures)) == (2, {})
        assert gateway.names == {"first", "second"}
        page = await gateway.stub.ListTools(pb.ListToolsRequest())
        assert [tool.name for tool in page.tools] == ["first", "second"]


async def test_a_tool_keeps_its_name_when_another_server_brings_the_same(tmp_path, start_gateway, redis_process):
    text = 'syntax = "proto3"; package %s; message M {} service S { rpc First(M) returns (M); }'
    contracts = {name: compile_contract({f"{name}.proto": text % name}, tmp_path) for name in ("aaa", "bbb")}

    def handlers(name):
        return [contracts[name].handlers(f"{name}.S", {"First": answer}), *contracts[name].reflection()]

    late = await free_port()
    async with serving_handlers(*handlers("bbb")) as early:
        servers = {"aaa": late, "bbb": early}
        gateway = await start_gateway(servers, redis_url=redis_process.url)
        assert gateway.names == {"first"}
        async with serving_handlers(*handlers("aaa"), port=late):
            await gateway.until(lambda: len(gateway.names) == 2)
            by_name = gateway.running.watch.catalog.by_name
            assert by_name["first"].server == "bbb"
            assert by_name["aaa_first"].server == "aaa"
            await gateway.until(lambda: gateway.running.store.state == "ok")
            again = await start_gateway(servers, redis_url=redis_process.url)
            names = {name: tool.server for name, tool in again.running.watch.catalog.by_name.items()}
            assert names == {"first": "bbb", "aaa_first": "aaa"}, "a restart changes no name either"


async def test_a_server_without_reflection_hides_only_itself(utilities, start_gateway):
    async with serving_handlers() as port:
        gateway = await start_gateway({"utilities": utilities.port, "mute": port})
        health = await gateway.stub.GetServerHealth(pb.GetServerHealthRequest(server="mute"))
        assert "no reflection" in health.servers["mute"].reason
        assert "calculate_life_path" in gateway.names


async def test_changes_of_the_catalog_are_streamed(foreign_server, start_gateway, start_utilities):
    port = await free_port()
    gateway = await start_gateway({"utilities": port, "foreign": foreign_server[1]})
    stream = gateway.stub.WatchTools(pb.WatchToolsRequest())
    async with asyncio.timeout(10):
        first = await stream.read()
        assert "get_http_status" in first.added
        async with start_utilities(port):
            change = await stream.read()
            while "calculate_life_path" not in change.added:
                change = await stream.read()
    stream.cancel()


async def test_health_of_each_service_is_asked_in_one_place(gateway, utilities):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    stub = health_pb2_grpc.HealthStub(gateway.channel)
    service = "onenumbers.utilities.v1.UtilitiesService"
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=service))
    async with asyncio.timeout(10):
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        await utilities.set_serving(False)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
