"""What can be known of the containers without a container engine: files, settings, entry points, the wiring itself."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest
import yaml

from onenumbers_gateway.settings import GatewaySettings
from onenumbers_gateway.xds.envoy import envoy_binary
from onenumbers_gateway.xds.settings import EdgeSettings
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_research.settings import ResearchSettings
from onenumbers_utilities.settings import UtilitiesSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVERS = ("utilities", "knowledge", "research", "gateway")
SETTINGS = {
    "utilities": [UtilitiesSettings],
    "knowledge": [KnowledgeSettings],
    "research": [ResearchSettings],
    "gateway": [GatewaySettings, EdgeSettings],
}


def variables(*classes) -> set[str]:
    return {str(field.validation_alias) for one in classes for field in one.model_fields.values()}


def test_the_whole_mesh_is_there():
    assert set(COMPOSE["services"]) == {"redis", *SERVERS, "edge"}


@pytest.mark.parametrize("name", [*SERVERS, "redis", "edge"])
def test_a_service_restarts_is_limited_and_rotates_its_log(name):
    service = COMPOSE["services"][name]
    assert service["restart"] == "unless-stopped"
    assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_locked_down_and_probed_on_the_port_it_listens_on(name):
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "ports" not in service, "only the edge is published"
    assert service["build"]["args"]["SERVER"] == name
    command = service["healthcheck"]["test"]
    assert command[:4] == ["CMD", "python", "-m", "onenumbers_runtime.probe"]
    port = service["environment"][f"MCP_{name.upper()}_PORT"]
    assert command[4] == f"127.0.0.1:{port}"


@pytest.mark.parametrize("name", ["utilities", "knowledge"])
def test_a_server_that_keeps_data_takes_the_database_of_the_environment(name):
    assert COMPOSE["services"][name]["environment"]["DATABASE_URL"] == "${DATABASE_URL:-}"
    drivers = re.findall(r"^(asyncpg|aiosqlite)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert sorted(drivers) == ["aiosqlite", "asyncpg"], "the images have both drivers"


def test_replicas_share_a_database_and_nothing_else():
    replicas = yaml.safe_load((ROOT / "deploy" / "replicas.yml").read_text())["services"]
    assert set(replicas) == {"knowledge"}
    assert replicas["knowledge"]["deploy"]["replicas"] == 2
    assert replicas["knowledge"]["environment"]["DATABASE_URL"].startswith("${DATABASE_URL:?")
    # Without a name: each container gets a volume of its own, in the place of the shared one.
    assert replicas["knowledge"]["volumes"] == [COMPOSE["services"]["knowledge"]["volumes"][0].split(":")[1]]
    # The gateway takes every address of this name as an instance.
    assert COMPOSE["services"]["gateway"]["environment"]["MCP_KNOWLEDGE_URL"] == "knowledge:5001"


@pytest.mark.parametrize("name", SERVERS)
def test_every_variable_of_a_server_is_one_that_it_reads(name):
    assert set(COMPOSE["services"][name]["environment"]) <= variables(*SETTINGS[name])


def test_every_variable_of_the_example_is_used_and_none_is_a_secret():
    example = (ROOT / ".env.example").read_text()
    names = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert names == used
    assert not re.search(r"(TOKEN|PASSWORD|SECRET|KEY)=(?!\./)", example)


def test_only_loopback_is_published_and_the_token_is_a_secret_file():
    edge = COMPOSE["services"]["edge"]
    assert edge["ports"] == ["${MCP_PUBLISH:-127.0.0.1:8000}:8000"]
    for name in SERVERS:
        assert COMPOSE["services"][name]["secrets"] == ["token"]
        assert COMPOSE["services"][name]["environment"]["MCP_AUTH_TOKEN_FILE"] == "/run/secrets/token"
    assert "file" in COMPOSE["secrets"]["token"]


def test_named_volumes_hold_what_has_to_stay():
    assert set(COMPOSE["volumes"]) == {"redis", "utilities", "knowledge", "models"}
    assert COMPOSE["services"]["knowledge"]["volumes"] == ["knowledge:/data"]


def test_the_image_runs_as_nobody_and_holds_no_secret():
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER onenumbers$", text, re.MULTILINE)
    assert text.index("\nUSER onenumbers") < text.index("\nCMD ")
    assert not re.search(r"token|secret|password", text, re.IGNORECASE)
    excluded = re.search(r"grep -vE '\^\(([^)]*)\)==", text)
    assert excluded
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert set(excluded[1].split("|")) <= locked, "what is left out is in the lock"


def context() -> list[Path]:
    """The files that the build gets: what .dockerignore lets through."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    found = []
    for name in allowed:
        path = ROOT / name
        found += [path] if path.is_file() else [item for item in path.rglob("*") if item.is_file()]
    return [item for item in found if "__pycache__" not in item.parts]


def test_the_build_gets_what_it_copies_and_the_wheel_holds_every_server_and_its_data(tmp_path):
    copied = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = [word for line in copied for word in line.split()[:-1]]
    for item in context():
        target = tmp_path / "src" / item.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(item, target)
    for source in sources:
        assert (tmp_path / "src" / source).exists(), source
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=tmp_path / "src",
        check=True,
        capture_output=True,
    )
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for server in SERVERS:
        assert f"onenumbers_{server}/__main__.py" in names
    assert "onenumbers_runtime/probe.py" in names
    assert "onenumbers_knowledge/migrations/versions/0001_documents.py" in names
    assert sum(name.startswith("onenumbers_knowledge/corpus/") for name in names) >= 420
    assert not [name for name in names if name.endswith((".gguf", ".sqlite", ".log"))]


def test_envoys_bootstrap_is_up_to_date_and_envoy_accepts_it(tmp_path):
    assert (
        subprocess.run(
            [sys.executable, "scripts/write_envoy_bootstrap.py", "--check"], cwd=ROOT, check=False
        ).returncode
        == 0
    )
    command = [str(envoy_binary(EdgeSettings.load(data_dir=tmp_path))), "--mode", "validate", "--config-path"]
    done = subprocess.run([*command, str(ROOT / "deploy" / "envoy.json")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


async def test_the_wiring_of_the_containers_serves_with_a_token_and_refuses_without(tmp_path):
    """The processes of the images with the variables of the compose file, on loopback and free ports."""
    utilities, grpc_port, http_port, ads, edge = free_ports(5)
    (tmp_path / "token").write_text("from-a-secret-file\n")
    moved = {
        "MCP_HOST": "127.0.0.1",
        "MCP_AUTH_TOKEN_FILE": str(tmp_path / "token"),
        "MCP_UTILITIES_PORT": str(utilities),
        "MCP_UTILITIES_URL": f"localhost:{utilities}",
        "MCP_KNOWLEDGE_URL": "none",
        "MCP_RESEARCH_URL": "none",
        "MCP_GATEWAY_HOST": "localhost",
        "MCP_GATEWAY_PORT": str(grpc_port),
        "MCP_GATEWAY_HTTP_PORT": str(http_port),
        "MCP_EDGE_HOST": "127.0.0.1",
        "MCP_EDGE_PORT": str(edge),
        "MCP_ADS_ADDRESS": f"127.0.0.1:{ads}",
        "REDIS_URL": "",
        "MCP_GRACE_PERIOD": "1",
        "MCP_DATA_DIR": str(tmp_path / "data"),
    }
    written = json.loads((ROOT / "deploy" / "envoy.json").read_text())
    text = json.dumps(written).replace('"gateway"', '"127.0.0.1"').replace("5012", str(ads))
    text = text.replace("/tmp/envoy-admin.sock", str(tmp_path / "admin.sock"))
    (tmp_path / "envoy.json").write_text(text)
    command = COMPOSE["services"]["edge"]["command"][1:]
    command[command.index("--config-path") + 1] = str(tmp_path / "envoy.json")
    processes = []

    async def start(*words: str, **environment: str) -> None:
        processes.append(
            await asyncio.create_subprocess_exec(
                *words,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment},
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        )

    try:
        for server in ("utilities", "gateway"):
            given = {
                key: str(value)
                for key, value in COMPOSE["services"][server]["environment"].items()
                if "$" not in str(value)
            }
            await start("sh", "-c", "exec python -m onenumbers_${SERVER}", **{**given, **moved, "SERVER": server})
        await start(str(envoy_binary(EdgeSettings.load(data_dir=tmp_path))), *command, "--disable-hot-restart")
        body = {"day": 14, "month": 11, "year": 1968}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{edge}") as http, asyncio.timeout(40):
            headers = {"authorization": "Bearer from-a-secret-file"}
            while True:
                try:
                    answer = await http.post("/v1/numerology/life-path", json=body, headers=headers)
                    if answer.status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
            assert answer.json()["result"]["value"] == 22
            assert (await http.post("/v1/numerology/life-path", json=body)).status_code == 401
            assert (await http.get("/v1/tools")).status_code == 401
            assert (await http.post("/mcp", json={})).status_code == 401
            listed = await http.get("/v1/tools", headers=headers)
            assert "calculate_life_path" in {tool["name"] for tool in listed.json()["tools"]}
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
        for process in processes:
            await asyncio.wait_for(process.wait(), 20)
