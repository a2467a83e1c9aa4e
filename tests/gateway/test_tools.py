"""The gateway's RPCs over running servers: list, find, call, and every way in which a call can be wrong."""

import asyncio

import grpc
import jsonschema
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from onenumbers.gateway.v1 import gateway_pb2 as pb

BIRTH = {"day": 29, "month": 11, "year": 1990}


def request(name: str, arguments: dict, **fields) -> pb.CallToolRequest:
    message = pb.CallToolRequest(tool_name=name, **fields)
    message.arguments.update(arguments)
    return message


async def failure(call) -> tuple[grpc.StatusCode, str, list]:
    """Returns the status of a call that has to fail, with its details."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    details = dict(caught.value.trailing_metadata()).get("grpc-status-details-bin", b"")
    return caught.value.code(), caught.value.details(), list(status_pb2.Status.FromString(details).details)


def violations(details: list) -> dict[str, str]:
    for detail in details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            return {item.field: item.description for item in bad.field_violations}
    return {}


async def test_every_rpc_of_every_server_is_listed_with_schemas_that_are_valid(gateway):
    listed = await gateway.stub.ListTools(pb.ListToolsRequest())
    names = [tool.name for tool in listed.tools]
    assert names == sorted(names)
    assert {"calculate_life_path", "get_http_status", "echo", "count_down", "wait"} <= set(names)
    assert "collect" not in names, "client streams cannot be called with one JSON object"
    assert listed.total == len(names)
    assert list(listed.servers) == ["foreign", "utilities"]
    for tool in listed.tools:
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema.Draft202012Validator.check_schema(json_format.MessageToDict(schema))
        assert tool.available
        assert tool.description


async def test_what_the_contract_says_of_a_tool_is_shown(gateway):
    tool = (await gateway.stub.GetTool(pb.GetToolRequest(tool_name="calculate_life_path"))).tool
    assert tool.server == "utilities"
    assert tool.method == "onenumbers.utilities.v1.UtilitiesService/CalculateLifePath"
    assert tool.read_only
    assert tool.cache_ttl.seconds == 86_400
    assert {(item.method, item.path) for item in tool.http} >= {("POST", "/v1/numerology/life-path")}
    schema = json_format.MessageToDict(tool.input_schema)
    assert schema["properties"]["day"] | {"description": ""} == {
        "type": "integer",
        "minimum": 1,
        "maximum": 31,
        "description": "",
    }
    assert set(schema["required"]) == {"day", "month", "year"}
    jsonschema.validate(json_format.MessageToDict(tool.example), schema)


async def test_examples_of_all_our_tools_run_and_their_results_fit_the_output_schema(gateway):
    for tool in gateway.running.watch.catalog.of_server("utilities"):
        answer = await gateway.stub.CallTool(request(tool.name, dict(tool.definition.example)))
        jsonschema.validate(json_format.MessageToDict(answer.result), tool.output_schema)


async def test_pages_end_where_they_should_and_hold_everything_once(gateway):
    seen, token = [], ""
    while True:
        page = await gateway.stub.ListTools(pb.ListToolsRequest(page_size=2, page_token=token))
        assert len(page.tools) <= 2
        seen += [tool.name for tool in page.tools]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(gateway.names)
    code, message, details = await failure(gateway.stub.ListTools(pb.ListToolsRequest(page_token="made up")))
    assert (code, "page_token" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert "page_token" in violations(details)


async def test_lists_can_be_limited_to_a_server_or_a_tag(gateway):
    foreign = await gateway.stub.ListTools(pb.ListToolsRequest(server="foreign"))
    assert {tool.server for tool in foreign.tools} == {"foreign"}
    tag = gateway.running.watch.catalog.by_name["calculate_life_path"].definition.tags[0]
    tagged = await gateway.stub.ListTools(pb.ListToolsRequest(tag=tag))
    assert "calculate_life_path" in {tool.name for tool in tagged.tools}
    assert all(tag in tool.tags for tool in tagged.tools)
    code, message, _ = await failure(gateway.stub.ListTools(pb.ListToolsRequest(server="nobody")))
    assert code is grpc.StatusCode.NOT_FOUND
    assert "foreign, utilities" in message or "utilities, foreign" in message


async def test_search_finds_by_words_of_name_and_description(gateway):
    found = await gateway.stub.SearchTools(pb.SearchToolsRequest(query="life path from a date", limit=3))
    assert found.tools[0].name == "calculate_life_path"
    nothing = await gateway.stub.SearchTools(pb.SearchToolsRequest(query="xylophone"))
    assert not nothing.tools


async def test_a_call_returns_the_servers_result_and_says_where_it_came_from(gateway):
    answer = await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
    assert answer.success
    assert answer.server == "utilities"
    assert answer.result["result"]["value"] == 5
    assert answer.execution_time.ToTimedelta().total_seconds() > 0


async def test_a_result_is_served_again_only_to_the_same_request_of_a_tool_that_allows_it(gateway, foreign_server):
    first = await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
    again = await gateway.stub.CallTool(request("calculate_life_path", BIRTH | {"explain": None}))
    other = await gateway.stub.CallTool(request("calculate_life_path", BIRTH | {"day": 28}))
    states = [answer.cache for answer in (first, again, other)]
    assert states == [pb.CACHE_STATE_MISS, pb.CACHE_STATE_HIT, pb.CACHE_STATE_MISS]
    assert again.result == first.result
    for _ in range(2):
        answer = await gateway.stub.CallTool(request("get_http_status", {"code": 1}))
        assert answer.cache == pb.CACHE_STATE_UNSPECIFIED
    assert foreign_server[0].calls == 2


async def test_streams_are_collected(gateway):
    answer = await gateway.stub.CallTool(request("count_down", {"code": 3}))
    assert json_format.MessageToDict(answer.result) == {
        "messages": [{"text": "", "total": str(number)} for number in (3, 2, 1)]
    }


async def test_an_endless_stream_is_refused_and_cancelled(gateway):
    code, message, _ = await failure(gateway.stub.CallTool(request("count_down", {"code": 2_000_000_000})))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "foreign.v1.TextService/CountDown" in message


async def test_a_result_that_only_its_json_makes_too_large_is_refused_by_us_and_not_lost(gateway):
    """grpcio would refuse to send it, with neither a reason nor advice."""
    rows = [{"name": "Ioana Brândușa Țurcanu", **BIRTH}] * 700
    code, message, details = await failure(
        gateway.stub.CallTool(request("batch_calculate", {"profiles": rows, "explain": True}))
    )
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "call the method itself" in message
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in details)
    assert info.reason == "RESULT_TOO_LARGE"


async def test_an_unknown_tool_is_not_found_with_the_nearest_names(gateway):
    for call in (
        gateway.stub.CallTool(request("calculate_lifepath", BIRTH)),
        gateway.stub.GetTool(pb.GetToolRequest(tool_name="calculate_lifepath")),
    ):
        code, message, _ = await failure(call)
        assert code is grpc.StatusCode.NOT_FOUND
        assert "calculate_life_path" in message


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        ({"day": "x", "month": 1, "year": 2000}, "arguments.day", "must be an integer, not a string"),
        ({"day": 1.5, "month": 1, "year": 2000}, "arguments.day", "must be an integer, not 1.5"),
        ({"day": True, "month": 1, "year": 2000}, "arguments.day", "must be an integer, not a boolean"),
        ({"day": 10**12, "month": 1, "year": 2000}, "arguments.day", "must be from"),
        ({"day": 1, "month": 1, "year": 2000, "metod": "X"}, "arguments.metod", "did you mean 'method'?"),
        ({"day": 1, "month": 1, "year": 2000, "method": "NOPE"}, "arguments.method", "LIFE_PATH_METHOD"),
        ({"day": [1], "month": 1, "year": 2000}, "arguments.day", "not a list"),
        ({"day": 1, "month": 1, "year": 2000, "explain": "yes"}, "arguments.explain", "must be true or false"),
    ],
)
async def test_wrong_arguments_are_named_before_any_server_is_asked(gateway, arguments, field, words):
    code, message, details = await failure(gateway.stub.CallTool(request("calculate_life_path", arguments)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in violations(details)[field]
    assert words in message


async def test_rules_of_the_server_arrive_unchanged(gateway):
    for arguments, field in (
        ({"day": 31, "month": 4, "year": 2000}, "day"),
        ({"day": 32, "month": 1, "year": 2000}, "day"),
    ):
        code, _, details = await failure(gateway.stub.CallTool(request("calculate_life_path", arguments)))
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert field in violations(details)


async def test_all_wrong_values_of_nested_arguments_are_named_with_their_paths(gateway):
    arguments = {
        "many": [{"i32": 1}, {"i32": "x", "by_name": {"a": "b"}}],
        "inner": {"inner": {"nope": 1}},
        "left": "a",
        "right": 1,
    }
    code, _, details = await failure(gateway.stub.CallTool(request("echo", arguments)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert set(violations(details)) == {
        "arguments.many[1].i32",
        'arguments.many[1].by_name["a"]',
        "arguments.inner.inner.nope",
        "arguments.right",
    }


async def test_a_batch_answers_each_call_in_its_place(gateway):
    calls = [request("calculate_life_path", BIRTH), request("nope", {}), request("get_http_status", {"code": 7})]
    answer = await gateway.stub.BatchCallTools(pb.BatchCallToolsRequest(calls=calls))
    kinds = [item.WhichOneof("outcome") for item in answer.items]
    assert kinds == ["response", "error", "response"]
    assert answer.items[1].error.code == grpc.StatusCode.NOT_FOUND.value[0]
    assert answer.items[2].response.result["total"] == "7"


async def test_a_call_ends_at_the_callers_deadline_and_the_rpc_sees_it(gateway, foreign_server):
    behaviour = foreign_server[0]
    code, _, _ = await failure(gateway.stub.CallTool(request("wait", {}), timeout=0.3))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(5):
        await behaviour.cancelled.wait()


async def test_the_timeout_of_a_request_ends_the_call(gateway):
    limited = request("wait", {})
    limited.timeout.FromMilliseconds(200)
    code, _, _ = await failure(gateway.stub.CallTool(limited, timeout=20))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_deadline_of_one_millisecond(gateway):
    code, _, _ = await failure(gateway.stub.CallTool(request("wait", {}), timeout=0.001))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_cancelled_call_cancels_the_rpc(gateway, foreign_server):
    behaviour = foreign_server[0]
    call = gateway.stub.CallTool(request("wait", {}))
    async with asyncio.timeout(5):
        await behaviour.waiting.wait()
        call.cancel()
        await behaviour.cancelled.wait()


async def test_only_idempotent_methods_are_tried_again(gateway, foreign_server):
    behaviour = foreign_server[0]
    behaviour.fail_with = grpc.StatusCode.UNAVAILABLE
    code, message, _ = await failure(gateway.stub.CallTool(request("get_http_status", {})))
    assert (code, message) == (grpc.StatusCode.UNAVAILABLE, "told to fail")
    assert behaviour.calls == 4, "once, and MCP_MAX_RETRIES times again"
    behaviour.fail_with = grpc.StatusCode.FAILED_PRECONDITION
    behaviour.calls = 0
    await failure(gateway.stub.CallTool(request("get_http_status", {})))
    assert behaviour.calls == 1


async def test_statistics_count_what_happened(gateway):
    await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
    await gateway.stub.CallTool(request("calculate_life_path", BIRTH))
    await failure(gateway.stub.CallTool(request("calculate_life_path", {"day": "x"})))
    stats = (await gateway.stub.GetToolStats(pb.GetToolStatsRequest(tool_name="calculate_life_path"))).stats[0]
    assert (stats.calls, stats.errors, stats.cache_hits) == (3, 1, 1)
    assert dict(stats.calls_by_code) == {"OK": 2, "INVALID_ARGUMENT": 1}
    assert 0 < stats.p50_ms <= stats.p99_ms


async def test_requests_are_held_to_their_rules(gateway):
    code, message, _ = await failure(gateway.stub.CallTool(pb.CallToolRequest()))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "tool_name" in message
    code, _, _ = await failure(gateway.stub.CallTool(request("x" * 301, {})))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_request_larger_than_the_limit_is_refused(gateway):
    code, _, _ = await failure(gateway.stub.CallTool(request("echo", {"text": "x" * 5_000_000})))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_reflection_shows_every_service_and_its_options(gateway):
    from onenumbers_gateway.reflection_client import reflect

    contract = await reflect(gateway.channel, timeout_s=5)
    assert set(contract.services) == {
        "foreign.v1.TextService",
        "onenumbers.gateway.v1.GatewayService",
        "onenumbers.utilities.v1.UtilitiesService",
    }
    assert b"calculate_life_path" in b"".join(contract.files), "options are shown as the server gave them"
