"""Start, health, reflection, draining, and what goes wrong at start."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from onenumbers_runtime import probe
from onenumbers_runtime.server import GrpcServer, PortInUseError
from onenumbers_runtime.settings import MeshSettings, SettingsError
from onenumbers_runtime.testing import running

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("server", ["gateway", "knowledge", "research", "utilities"])
def test_each_server_turns_grpcs_fork_handlers_off_before_grpc_reads_the_setting(server):
    """They ended children of uvloop with SIGSEGV: a formula's process, a model's, Envoy."""
    program = f"""
        import importlib.abc, os, sys

        class Watch(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name == "grpc":
                    print(os.environ.get("GRPC_ENABLE_FORK_SUPPORT"))

        sys.meta_path.insert(0, Watch())
        import onenumbers_{server}.__main__
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "false\n"


async def test_health_is_not_serving_until_ready_for_the_server_and_each_service(echo_service):
    async with running([echo_service], serving=False) as (server, channel):
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", echo_service.full_name):
            assert (await health.Check(health_pb2.HealthCheckRequest(service=service))).status == NOT_SERVING
        await server.set_serving(True)
        for service in ("", echo_service.full_name):
            assert (await health.Check(health_pb2.HealthCheckRequest(service=service))).status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health.Check(health_pb2.HealthCheckRequest(service="no.such.Service"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_watchers_see_draining(echo_service):
    async with running([echo_service]) as (server, channel):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        draining = asyncio.ensure_future(server.drain())
        assert (await watch.read()).status == NOT_SERVING
        await draining


async def test_draining_finishes_calls_in_flight_and_is_safe_to_repeat(echo, echo_service):
    async with running([echo_service]) as (server, channel):
        call = asyncio.ensure_future(echo.grpc.EchoServiceStub(channel).Echo(echo.pb2.EchoRequest(text="wait")))
        await echo_service.servicer.entered.wait()
        draining = asyncio.ensure_future(server.drain())
        echo_service.servicer.release.set()
        assert (await call).text == "wait"
        await draining
        await server.drain()


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_and_describes_only_what_is_served(echo_service, version):
    async with running([echo_service]) as (_, channel):
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        requests = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=echo_service.full_name),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="grpc.reflection.v1.ServerReflection"),
        ]
        answers = [answer async for answer in call(iter(requests))]
    assert {service.name for service in answers[0].list_services_response.service} == {
        echo_service.full_name,
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert answers[1].file_descriptor_response.file_descriptor_proto
    assert answers[2].file_descriptor_response.file_descriptor_proto


async def test_a_taken_port_is_a_one_line_error_and_leaves_nothing_bound(echo_service):
    settings = MeshSettings.load()
    async with running([echo_service]) as (first, _):
        with pytest.raises(PortInUseError, match=f"port {first.port} on 127.0.0.1 is taken"):
            async with GrpcServer(name="second", settings=settings, services=[echo_service], port=first.port):
                pass


def test_listening_beyond_loopback_asks_for_authentication():
    with pytest.raises(SettingsError, match="MCP_AUTH_TOKEN_FILE"):
        MeshSettings.load(host="0.0.0.0").require_safe_host()
    MeshSettings.load(host="0.0.0.0", auth_token="t").require_safe_host()
    MeshSettings.load(host="0.0.0.0", allow_unauthenticated=True).require_safe_host()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("MCP_LOG_LEVEL", "loud"), ("MCP_MAX_MESSAGE_BYTES", "many"), ("MCP_DEFAULT_DEADLINE", "-1")],
)
def test_a_wrong_setting_is_one_line_that_names_the_variable(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^{variable}: [^\n]+$"):
        MeshSettings.load()


def test_the_token_comes_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "token").write_text("abc\n")
    monkeypatch.setenv("MCP_AUTH_TOKEN_FILE", str(tmp_path / "token"))
    assert MeshSettings.load().token == "abc"
    (tmp_path / "token").unlink()
    with pytest.raises(SettingsError, match="MCP_AUTH_TOKEN_FILE"):
        MeshSettings.load()


PROGRAM = textwrap.dedent("""
    import asyncio, sys
    from onenumbers_runtime.server import GrpcServer, run
    from onenumbers_runtime.settings import MeshSettings
    settings = MeshSettings.load(grace_period_s=30)
    async def main():
        async with GrpcServer(name="demo", settings=settings, services=[], port=0) as server:
            if "slow" in sys.argv:
                print(server.port, flush=True)
                await asyncio.sleep(60)
            await server.set_serving(True)
            print(server.port, flush=True)
            await server.serve_until_signal()
            if "hang" in sys.argv:
                await asyncio.sleep(60)
    sys.exit(run(main, settings=settings, server="demo"))
""")


@pytest.fixture
def program():
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_sigterm_drains_and_exits_with_0_and_logs_json(program):
    process, port = program()
    assert probe.main([f"127.0.0.1:{port}"]) == 0
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert '"event": "server_stopped"' in errors
    assert probe.main([f"127.0.0.1:{port}", "--timeout", "0.5"]) == 1


def test_a_signal_ends_a_server_that_is_still_loading(program):
    process, _ = program("slow")
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert '"event": "server_stopped"' in errors


def test_a_second_signal_exits_at_once(program):
    process, _ = program("hang")
    process.send_signal(signal.SIGINT)
    while "signal_received" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
