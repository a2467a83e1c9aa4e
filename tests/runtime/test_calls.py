"""What a client sees of a call, whatever happens in it."""

import asyncio
import json

import grpc
import pytest
from google.rpc import error_details_pb2
from structlog.testing import capture_logs

from onenumbers_runtime.settings import MeshSettings
from onenumbers_runtime.status import status_of_call
from onenumbers_runtime.testing import running


@pytest.fixture
def stub(echo):
    return lambda channel: echo.grpc.EchoServiceStub(channel)


async def failure(call) -> tuple[grpc.StatusCode, str, dict[str, object]]:
    """Returns status code, message and details by type name of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = status_of_call(caught.value)
    details = {}
    for packed in status.details:
        name = packed.TypeName().rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        packed.Unpack(message)
        details[name] = message
    return caught.value.code(), status.message, details


async def test_all_four_kinds_of_calls_work(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        request = echo.pb2.EchoRequest
        assert (await stub(channel).Echo(request(text="hi"))).text == "hi"
        assert [r.text async for r in stub(channel).Stream(request(text="a b c"))] == ["a", "b", "c"]
        assert (await stub(channel).Collect(iter([request(text="a"), request(text="b")]))).text == "a b"
        assert [r.text async for r in stub(channel).Chat(iter([request(text="x"), request(text="y")]))] == ["x", "y"]


async def test_a_domain_error_arrives_with_reason_and_metadata(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        code, message, details = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="missing")))
    assert code is grpc.StatusCode.NOT_FOUND
    assert message == "no such thing"
    assert details["ErrorInfo"].reason == "THING_UNKNOWN"
    assert details["ErrorInfo"].domain == "onenumbers.mesh"
    assert dict(details["ErrorInfo"].metadata) == {"nearest": "thin"}


async def test_a_violation_names_field_and_rule(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        code, message, details = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="invalid")))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert message == "items[0].name: is odd"
    violation = details["BadRequest"].field_violations[0]
    assert (violation.field, violation.description, violation.reason) == ("items[0].name", "is odd", "odd")


async def test_a_rule_of_the_contract_is_enforced_in_unary_and_streamed_requests(echo, echo_service, stub):
    bad = echo.pb2.EchoRequest(text="x", items=[echo.pb2.Item(name="ok"), echo.pb2.Item(name="long")])
    async with running([echo_service]) as (_, channel):
        for call in (stub(channel).Echo(bad), stub(channel).Collect(iter([echo.pb2.EchoRequest(text="a"), bad]))):
            code, message, details = await failure(call)
            assert code is grpc.StatusCode.INVALID_ARGUMENT
            assert "items[1].name" in message
            assert details["BadRequest"].field_violations[0].reason == "string.max_len"


async def test_retry_info_says_when(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        code, _, details = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="full")))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details["RetryInfo"].retry_delay.ToMilliseconds() == 1500


@pytest.mark.parametrize("kind", ["unary", "stream"])
async def test_an_unexpected_exception_leaks_nothing_but_the_request_id(echo, echo_service, stub, kind):
    async with running([echo_service]) as (_, channel):
        with capture_logs() as logged:
            request, metadata = echo.pb2.EchoRequest(text="crash"), (("x-request-id", "abc-1"),)
            if kind == "unary":
                call = stub(channel).Echo(request, metadata=metadata)
            else:
                stream = stub(channel).Stream(request, metadata=metadata)

                async def drained():
                    async for _ in stream:
                        pass

                call = drained()
            code, message, details = await failure(call)
    assert code is grpc.StatusCode.INTERNAL
    assert message == "internal error"
    assert details["ErrorInfo"].metadata["request_id"] == "abc-1"
    assert "secret" not in str(details)
    failed = next(entry for entry in logged if entry["event"] == "call_failed")
    assert "secret detail" in str(failed["exc_info"])


async def test_the_request_id_comes_back_and_a_wild_one_is_replaced(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        for sent, kept in (("job-7", True), ("x" * 500, False)):
            call = stub(channel).Echo(echo.pb2.EchoRequest(text="a"), metadata=(("x-request-id", sent),))
            await call
            returned = dict(await call.trailing_metadata())["x-request-id"]
            assert (returned == sent) is kept
            assert returned


async def test_a_client_deadline_cancels_the_handler(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        code, _, _ = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="wait"), timeout=0.2))
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED
        await asyncio.wait_for(echo_service.servicer.cancelled.wait(), 5)


async def test_a_deadline_of_one_millisecond_fails_as_deadline_exceeded(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        await channel.channel_ready()
        code, _, _ = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="wait"), timeout=0.001))
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_call_without_deadline_gets_the_default_one(echo, echo_service, stub):
    settings = MeshSettings.load(default_deadline_s=0.1, grace_period_s=1)
    async with running([echo_service], settings=settings) as (_, channel):
        code, message, details = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="wait")))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "0.1 s" in message
    assert details["ErrorInfo"].reason == "DEFAULT_DEADLINE_EXCEEDED"


async def test_a_cancelled_stream_is_seen_by_the_handler(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        call = stub(channel).Stream(echo.pb2.EchoRequest(text="wait"))
        assert (await call.read()).text == "wait"
        call.cancel()
        await asyncio.wait_for(echo_service.servicer.cancelled.wait(), 5)


async def test_calls_beyond_the_limit_are_refused_and_the_place_is_given_back(echo, echo_service, stub):
    settings = MeshSettings.load(max_concurrent_rpcs=1, grace_period_s=1)
    async with running([echo_service], settings=settings) as (_, channel):
        waiting = asyncio.ensure_future(stub(channel).Echo(echo.pb2.EchoRequest(text="wait")))
        await echo_service.servicer.entered.wait()
        code, _, details = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="hi")))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert details["RetryInfo"].retry_delay.seconds == 1
        echo_service.servicer.release.set()
        await waiting
        assert (await stub(channel).Echo(echo.pb2.EchoRequest(text="hi"))).text == "hi"


async def test_a_message_of_five_megabytes_is_refused(echo, echo_service, stub):
    async with running([echo_service]) as (_, channel):
        code, _, _ = await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="x" * 5_000_000)))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_token_is_asked_for_everywhere_but_in_health_checks(echo, echo_service, stub):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    settings = MeshSettings.load(auth_token="s3cret-token", grace_period_s=1)
    with capture_logs() as logged:
        async with running([echo_service], settings=settings) as (_, channel):
            request = echo.pb2.EchoRequest(text="hi")
            for metadata in ((), (("authorization", "Bearer wrong"),), (("authorization", "s3cret-token"),)):
                code, message, _ = await failure(stub(channel).Echo(request, metadata=metadata))
                assert code is grpc.StatusCode.UNAUTHENTICATED
                assert "s3cret" not in message
            good = (("authorization", "Bearer s3cret-token"),)
            assert (await stub(channel).Echo(request, metadata=good)).text == "hi"
            answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert "s3cret" not in json.dumps(logged, default=str)
    assert "s3cret" not in repr(settings)


async def test_metrics_count_calls_by_status(echo, echo_service, stub):
    async with running([echo_service]) as (server, channel):
        await stub(channel).Echo(echo.pb2.EchoRequest(text="hi"))
        await failure(stub(channel).Echo(echo.pb2.EchoRequest(text="missing")))

        def count(code: str) -> float | None:
            labels = {"grpc_service": "runtime.test.v1.EchoService", "grpc_method": "Echo", "grpc_code": code}
            return server.metrics.registry.get_sample_value("grpc_server_handled_total", labels)

        assert (count("OK"), count("NOT_FOUND")) == (1.0, 1.0)


@pytest.mark.parametrize("method", ["Echo", "Collect"])
async def test_bytes_that_are_no_request_are_the_callers_mistake(echo, echo_service, method):
    """grpcio's own answer is UNKNOWN with the exception's text."""
    async with running([echo_service]) as (_, channel):
        path = f"/{echo_service.full_name}/{method}"
        call = channel.unary_unary(path) if method == "Echo" else channel.stream_unary(path)
        damaged = b"\x0a\x02\xff\xfe"
        code, message, details = await failure(call(damaged if method == "Echo" else iter([damaged])))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "DecodeError" not in message
    assert details["ErrorInfo"].reason == "UNREADABLE_MESSAGE"
