"""The clients that people use: grpcurl and grpc_health_probe. Where one is not installed its tests say so."""

import json
import shutil
import subprocess

import pytest

BIRTH = {"day": 14, "month": 11, "year": 1968}
METHOD = "onenumbers.utilities.v1.UtilitiesService/CalculateLifePath"


@pytest.fixture(scope="module")
def grpcurl(mesh):
    """Runs grpcurl against the mesh."""
    return client("grpcurl", lambda binary, *parts: [binary, *parts[:-1], "-plaintext", mesh.address, *parts[-1]])


@pytest.fixture(scope="module")
def probe(mesh):
    """Runs grpc_health_probe against the mesh."""
    return client("grpc-health-probe", lambda binary, *parts: [binary, "-addr", mesh.address, *parts])


def client(name, command):
    binary = shutil.which(name) or shutil.which(name.replace("-", "_"))
    if binary is None:
        pytest.skip(f"{name} IS NOT INSTALLED: nothing is known of how the mesh answers it")
    return lambda *parts: subprocess.run(
        command(binary, *parts), capture_output=True, text=True, timeout=60, check=False
    )


def test_grpcurl_lists_and_describes_every_service(grpcurl):
    services = grpcurl(["list"]).stdout.split()
    assert {
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "onenumbers.gateway.v1.GatewayService",
        "onenumbers.utilities.v1.UtilitiesService",
    } <= set(services)
    for service in services:
        described = grpcurl(["describe", service])
        assert described.returncode == 0, described.stderr
        assert described.stdout.startswith(f"{service} is a service")


def test_grpcurl_calls_a_tool(grpcurl):
    called = grpcurl("-d", json.dumps(BIRTH), [METHOD])
    assert json.loads(called.stdout)["result"]["value"] == 22


def test_grpcurl_shows_the_status_with_its_details(grpcurl):
    refused = grpcurl("-d", json.dumps(BIRTH | {"day": 32}), [METHOD])
    assert "Code: InvalidArgument" in refused.stderr
    assert "google.rpc.BadRequest" in refused.stderr


def test_grpcurl_calls_a_tool_by_name_through_the_gateway(grpcurl):
    call = {"tool_name": "calculate_life_path", "arguments": BIRTH}
    called = grpcurl("-d", json.dumps(call), ["onenumbers.gateway.v1.GatewayService/CallTool"])
    assert json.loads(called.stdout)["result"]["result"]["value"] == 22


def test_the_probe_tells_what_serves_from_what_is_unknown(probe):
    assert probe().returncode == 0
    assert probe("-service", "onenumbers.utilities.v1.UtilitiesService").returncode == 0
    assert probe("-service", "no.such.Service").returncode != 0
