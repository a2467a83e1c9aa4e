"""MCP through the official client and raw HTTP, in both eras of the protocol."""

import asyncio
import json

import httpx
import pytest
from mcp import ClientSession
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

BIRTH = {"day": 29, "month": 11, "year": 1990}
META = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
ACCEPT = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


def modern_request(name: str, arguments: dict, **meta) -> tuple[dict, dict]:
    """Headers and body of a plain tools/call of the era 2026-07-28."""
    body = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {
            "name": name,
            "arguments": arguments,
            "_meta": {
                META + "protocolVersion": MODERN,
                META + "clientCapabilities": {},
                META + "clientInfo": {"name": "test", "version": "1"},
                **meta,
            },
        },
    }
    headers = ACCEPT | {"mcp-protocol-version": MODERN, "mcp-method": "tools/call", "mcp-name": name}
    return headers, body


async def test_the_modern_client_lists_and_calls(gateway):
    async with Client(gateway.mcp_url) as client:
        listed = await client.list_tools()
        tools = {tool.name: tool for tool in listed.tools}
        assert set(tools) == gateway.names
        life_path = tools["calculate_life_path"]
        assert life_path.annotations.read_only_hint
        assert life_path.input_schema["properties"]["day"]["maximum"] == 31
        result = await client.call_tool("calculate_life_path", BIRTH)
        assert result.structured_content["result"]["value"] == 5
        assert json.loads(result.content[0].text) == result.structured_content


async def test_a_client_of_the_earlier_era_lists_and_calls(gateway):
    async with streamable_http_client(gateway.mcp_url) as streams, ClientSession(streams[0], streams[1]) as session:
        started = await session.initialize()
        assert started.capabilities.tools.list_changed
        assert {tool.name for tool in (await session.list_tools()).tools} == gateway.names
        for _ in range(3):
            result = await session.call_tool("calculate_life_path", BIRTH)
            assert result.structured_content["result"]["value"] == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"day": "x", "month": 1, "year": 2000}, "day: must be an integer"),
        ({"day": 32, "month": 1, "year": 2000}, "day: must be"),
        ({"day": 31, "month": 4, "year": 2000}, "day"),
        ({"day": 1, "month": 1, "year": 2000, "nope": 1}, "nope: is not a field"),
        ({}, "day"),
    ],
)
async def test_a_failed_call_is_a_tool_error_that_says_why_in_both_eras(gateway, arguments, words):
    async with Client(gateway.mcp_url) as client:
        modern = await client.call_tool("calculate_life_path", arguments)
    async with streamable_http_client(gateway.mcp_url) as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        await session.call_tool("calculate_life_path", BIRTH)
        earlier = await session.call_tool("calculate_life_path", arguments)
    for result in (modern, earlier):
        assert result.is_error
        assert result.content[0].text.startswith("INVALID_ARGUMENT: ")
        assert words in result.content[0].text
        status = json.loads(result.content[1].text)
        assert status["code"] == 3
        assert any(detail["@type"].endswith("BadRequest") for detail in status["details"])


async def test_an_unknown_tool_is_a_protocol_error_with_the_nearest_names(gateway):
    async with Client(gateway.mcp_url) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("calculate_lifepath", BIRTH)
    assert caught.value.error.code == -32602
    assert "calculate_life_path" in caught.value.error.message


async def test_the_short_way_answers_the_same_as_the_sdk(gateway):
    """A progress token sends the same call through the SDK's own machinery."""
    async with httpx.AsyncClient() as http:
        for arguments in (BIRTH, BIRTH | {"day": 32}):
            headers, body = modern_request("calculate_life_path", arguments)
            short = await http.post(gateway.mcp_url, json=body, headers=headers)
            headers, body = modern_request("calculate_life_path", arguments, progressToken="p")
            long = await http.post(gateway.mcp_url, json=body, headers=headers)
            assert short.status_code == long.status_code == 200
            assert short.headers["content-type"] == "application/json"
            text = long.text
            if long.headers["content-type"].startswith("text/event-stream"):
                text = [line for line in text.splitlines() if line.startswith("data:")][-1].removeprefix("data:")
            assert json.loads(text) == short.json()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"mcp-name": "another"}, 400),
        ({"mcp-method": "tools/list"}, 400),
        ({"mcp-protocol-version": "1999-01-01"}, 400),
        ({"host": "evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
    ],
)
async def test_headers_that_do_not_fit_are_refused(gateway, change, status):
    headers, body = modern_request("calculate_life_path", BIRTH)
    async with httpx.AsyncClient() as http:
        answer = await http.post(gateway.mcp_url, json=body, headers=headers | change)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b'"x"', b'{"jsonrpc":"2.0"}', b"[" * 100_000])
async def test_bodies_that_are_no_request_are_400(gateway, content):
    headers, _ = modern_request("calculate_life_path", BIRTH)
    async with httpx.AsyncClient() as http:
        answer = await http.post(gateway.mcp_url, content=content, headers=headers)
    assert answer.status_code == 400
    assert "error" in answer.json()


async def test_a_body_beyond_the_limit_is_413(gateway):
    headers, body = modern_request("echo", {"text": "x" * 5_000_000})
    async with httpx.AsyncClient() as http:
        answer = await http.post(gateway.mcp_url, json=body, headers=headers)
    assert answer.status_code == 413


async def test_another_path_is_a_404_that_says_where_things_are(gateway):
    async with httpx.AsyncClient() as http:
        answer = await http.get(gateway.mcp_url.replace("/mcp", "/nothing"))
    assert answer.status_code == 404
    assert answer.json()["code"] == 5
    assert "/v1/tools" in answer.json()["message"]


async def test_a_client_that_goes_away_cancels_the_rpc(gateway, foreign_server):
    behaviour = foreign_server[0]
    headers, body = modern_request("wait", {})
    async with httpx.AsyncClient() as http:
        task = asyncio.create_task(http.post(gateway.mcp_url, json=body, headers=headers, timeout=60))
        async with asyncio.timeout(10):
            await behaviour.waiting.wait()
            task.cancel()
            await behaviour.cancelled.wait()


async def test_messages_of_a_stream_are_reported_as_progress(gateway):
    seen: list[float] = []

    async def on_progress(progress, total, message):
        seen.append(progress)

    async with streamable_http_client(gateway.mcp_url) as streams, ClientSession(streams[0], streams[1]) as session:
        await session.initialize()
        result = await session.call_tool("count_down", {"code": 4}, progress_callback=on_progress)
    assert [item["total"] for item in result.structured_content["messages"]] == ["4", "3", "2", "1"]
    assert seen == [1, 2, 3]


async def test_a_token_is_asked_for_where_one_is_set(utilities, start_gateway):
    locked = await start_gateway({"utilities": utilities.port}, auth_token="let-me-in")
    headers, body = modern_request("calculate_life_path", BIRTH)
    async with httpx.AsyncClient() as http:
        for given in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic let-me-in"}):
            answer = await http.post(locked.mcp_url, json=body, headers=headers | given)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        answer = await http.post(locked.mcp_url, json=body, headers=headers | {"authorization": "Bearer let-me-in"})
        assert answer.status_code == 200
