"""Servers that announce themselves in Redis are found, shared by all gateways, and forgotten when their lease ends."""

import asyncio

import pytest
import redis.asyncio as redis

from onenumbers.gateway.v1 import gateway_pb2 as pb
from onenumbers_gateway.model import ServerStatus
from onenumbers_runtime.registration import Registration, connect, record_key
from onenumbers_runtime.settings import MeshSettings, SettingsError


@pytest.fixture
async def client(redis_process):
    connected = redis.Redis.from_url(redis_process.url)
    yield connected
    await connected.aclose()


def instances(gateway, name):
    """Addresses of a server's instances, if it serves."""
    server = gateway.running.discovery.current().server(name)
    if server is None or server.status is not ServerStatus.SERVING:
        return []
    return sorted(endpoint.port for endpoint in server.endpoints)


async def test_a_server_that_registers_is_callable_on_every_gateway_and_goes_when_it_withdraws(
    redis_process, start_gateway, start_utilities
):
    one = await start_gateway({}, redis_url=redis_process.url)
    other = await start_gateway({}, redis_url=redis_process.url)
    async with start_utilities(redis_url=redis_process.url, advertise="auto") as server:
        for gateway in (one, other):
            await gateway.until(lambda gateway=gateway: instances(gateway, "utilities") == [server.port])
            await gateway.until(lambda gateway=gateway: "calculate_life_path" in gateway.names)
            call = pb.CallToolRequest(tool_name="calculate_life_path")
            call.arguments.update({"day": 14, "month": 11, "year": 1968})
            assert (await gateway.stub.CallTool(call, timeout=10)).server == "utilities"
    for gateway in (one, other):
        await gateway.until(lambda gateway=gateway: not instances(gateway, "utilities"))
        snapshot = gateway.running.discovery.current().server("utilities")
        assert snapshot.endpoints == ()
        assert snapshot.reason == "none of its instances is registered"
        assert "calculate_life_path" in gateway.names, "its tools stay listed"


async def test_a_registered_instance_joins_the_configured_ones(redis_process, start_gateway, start_utilities):
    async with start_utilities() as first:
        gateway = await start_gateway({"utilities": first.port}, redis_url=redis_process.url)
        async with start_utilities(redis_url=redis_process.url, advertise="auto") as second:
            both = sorted((first.port, second.port))
            await gateway.until(lambda: instances(gateway, "utilities") == both)
        await gateway.until(lambda: instances(gateway, "utilities") == [first.port])


async def test_an_instance_that_is_configured_and_registered_counts_once(
    redis_process, client, start_gateway, utilities
):
    await client.set(record_key("onenumbers", "utilities", utilities.address), utilities.address)
    gateway = await start_gateway({"utilities": utilities.port}, redis_url=redis_process.url)
    await gateway.until(lambda: instances(gateway, "utilities"))
    assert instances(gateway, "utilities") == [utilities.port]


async def test_a_lease_that_nobody_renews_ends_the_registration(redis_process, client, start_gateway, utilities):
    gateway = await start_gateway({}, redis_url=redis_process.url)
    await client.set(record_key("onenumbers", "extra", utilities.address), utilities.address, px=3_000)
    await client.publish("onenumbers:instances", "extra")
    await gateway.until(lambda: instances(gateway, "extra") == [utilities.port])
    await gateway.until(lambda: not instances(gateway, "extra"))


async def test_a_registration_outlives_a_redis_that_was_away(redis_process, client, start_gateway, utilities):
    gateway = await start_gateway({}, redis_url=redis_process.url)
    async with Registration(connect(redis_process.url), prefix="onenumbers", server="extra", address=utilities.address):
        await gateway.until(lambda: instances(gateway, "extra"))
        redis_process.kill()
        redis_process.start()
        assert gateway.running.discovery.channel("extra") is not None, "what was known stays"
        key = record_key("onenumbers", "extra", utilities.address)
        async with asyncio.timeout(15):
            while not await registered(client, key):  # noqa: ASYNC110 - Redis sets no event
                await asyncio.sleep(0.1)
        await gateway.until(lambda: instances(gateway, "extra"))


async def registered(client, key):
    try:
        return await client.get(key)
    except redis.ConnectionError:
        return None


@pytest.mark.parametrize("record", ["x", "utilities:", "UPPER:127.0.0.1:1", "a:127.0.0.1:99999999", "a:\udcff:1"])
async def test_records_that_are_no_registration_are_ignored(redis_process, client, start_gateway, record):
    await client.set(f"onenumbers:instance:{record}".encode(errors="surrogateescape"), "x")
    gateway = await start_gateway({}, redis_url=redis_process.url)
    assert gateway.running.discovery.current().servers == ()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"advertise": "here", "redis_url": "redis://x"}, "MCP_ADVERTISE: 'here' is no address"),
        ({"advertise": "auto"}, "MCP_ADVERTISE needs REDIS_URL"),
    ],
)
def test_wrong_addresses_are_refused_at_the_start(values, words):
    with pytest.raises(SettingsError, match=words):
        MeshSettings.load(**values)
