"""`onenumbers up`: what it refuses, and the mesh itself with the server that needs no model."""

import asyncio
import fcntl
import http.server
import json
import os
import shutil
import signal
import socket
import sys
import threading
import urllib.request

import psutil
import pytest

from onenumbers_cli.preflight import Port, PreflightError, check_ports, locked
from onenumbers_cli.readiness import missing_servers

INNER = ("MCP_RESEARCH_PORT", "MCP_KNOWLEDGE_PORT", "MCP_UTILITIES_PORT", "MCP_GATEWAY_PORT", "MCP_GATEWAY_HTTP_PORT")


@pytest.fixture
def ports():
    """Free ports by variable, and one more for the edge as EDGE."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in (*INNER, "EDGE")}
    found = {name: str(one.getsockname()[1]) for name, one in sockets.items()}
    for one in sockets.values():
        one.close()
    return found


def inner(ports):
    return {name: ports[name] for name in INNER}


@pytest.mark.parametrize("name", ["EDGE", "MCP_GATEWAY_PORT", "MCP_UTILITIES_PORT"])
def test_a_taken_port_is_one_line_that_names_what_changes_it(run_cli, ports, short_dir, name):
    with socket.create_server(("127.0.0.1", int(ports[name]))):
        result = run_cli("up", "--port", ports["EDGE"], "--data-dir", str(short_dir), **inner(ports))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert f"port {ports[name]} on 127.0.0.1 is taken" in result.stderr
    assert ("--port" if name == "EDGE" else name) in result.stderr
    assert not (short_dir / "logs").exists()


def test_one_port_for_two_parts_is_refused():
    with pytest.raises(PreflightError, match="wanted by a and by b: change MCP_B"):
        check_ports([Port("a", "127.0.0.1", 65001, "MCP_A"), Port("b", "127.0.0.1", 65001, "MCP_B")])


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(PreflightError, match=r"cannot listen on 192\.0\.2\.1:65001"):
        check_ports([Port("the edge", "192.0.2.1", 65001, "--host")])


def test_a_second_mesh_on_the_same_folder_is_refused(run_cli, ports, short_dir):
    with locked(short_dir):
        result = run_cli("up", "--port", ports["EDGE"], "--data-dir", str(short_dir), **inner(ports))
    assert result.returncode == 1
    assert result.stderr == (
        f"a mesh already runs on {short_dir} (process {os.getpid()}): stop it, or choose another --data-dir\n"
    )


def test_the_lock_of_a_dead_mesh_does_not_count(short_dir):
    (short_dir / "run").mkdir()
    (short_dir / "run" / "up.lock").write_text("1")
    with locked(short_dir), (short_dir / "run" / "up.lock").open() as file:
        assert file.read() == str(os.getpid())
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(
    ("arguments", "variables", "line"),
    [
        (["--host", "0.0.0.0"], {}, "refusing to listen on 0.0.0.0 without authentication"),
        (["--without", "research", "--only", "cake"], {}, "--only cake: the servers are"),
        ([], {"MCP_UTILITIES_PORT": "x"}, "MCP_UTILITIES_PORT: must be a port"),
        ([], {"MCP_GATEWAY_PORT": "0"}, "MCP_GATEWAY_PORT: must be a port"),
        ([], {"MCP_EDGE_CONCURRENCY": "none"}, "MCP_EDGE_CONCURRENCY: "),
        (["--data-dir", "/tmp/" + "long" * 30], {}, "a unix socket's path"),
    ],
)
def test_wrong_settings_are_one_line_and_status_2(run_cli, short_dir, arguments, variables, line):
    result = run_cli("up", "--data-dir", str(short_dir), *arguments, **variables)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result
    assert line in result.stderr


def test_a_data_folder_that_cannot_be_written_is_one_line(run_cli, ports):
    result = run_cli("up", "--port", ports["EDGE"], "--data-dir", "/proc/mesh", **inner(ports))
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert "the data folder /proc/mesh cannot be used" in result.stderr


def serving(status, body):
    """A server on loopback that answers everything with one body."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.mark.parametrize(
    ("status", "body", "missing"),
    [
        (200, {"servers": {"a": {"status": "SERVER_STATUS_SERVING"}}}, {"b": "starting"}),
        (
            503,
            {"servers": {"a": {"status": "SERVER_STATUS_SERVING"}, "b": {"status": "X", "reason": "loads"}}},
            {"b": "loads"},
        ),
        (404, [], {"gateway": "starting", "a": "starting", "b": "starting"}),
        (200, {"servers": []}, {"gateway": "starting", "a": "starting", "b": "starting"}),
        (401, {}, {"edge": "refuses the mesh's own token"}),
    ],
)
def test_readiness_is_what_the_edge_says(status, body, missing):
    server = serving(status, json.dumps(body).encode())
    try:
        assert missing_servers("127.0.0.1", server.server_port, ["a", "b"]) == missing
    finally:
        server.shutdown()
        server.server_close()


def test_an_edge_that_does_not_answer_is_missing(ports):
    assert missing_servers("127.0.0.1", int(ports["EDGE"]), ["a"]) == {"edge": "starting", "a": "starting"}


def life_path(port):
    url = f"http://127.0.0.1:{port}/v1/numerology/life-path?day=14&month=11&year=1968"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["result"]["value"]
    except OSError:
        return None


async def test_the_mesh_starts_heals_and_ends_without_leaving_anything(ports, short_dir, until, alive):
    """A server that dies is replaced and reported; Ctrl-C ends every process with status 0."""
    out = short_dir / "out"
    with out.open("w") as file:
        up = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "onenumbers_cli.main", "up", "--only", "utilities"),
            *("--port", ports["EDGE"], "--data-dir", str(short_dir / "data")),
            stdout=file,
            stderr=file,
            env=os.environ | inner(ports),
        )
    try:
        await until(lambda: "ready after" in out.read_text() or up.returncode is not None, 60)
        assert "ready after" in out.read_text(), out.read_text()
        assert "\x1b" not in out.read_text()
        for line in out.read_text().splitlines():
            if line.startswith("  curl ") and shutil.which("curl"):
                done = await asyncio.create_subprocess_shell(f"{line} -sf", stdout=asyncio.subprocess.PIPE)
                answer, _ = await done.communicate()
                assert b'"value":22' in answer, line
        assert await asyncio.to_thread(life_path, ports["EDGE"]) == 22
        children = psutil.Process(up.pid).children()
        assert len(children) == 4, children
        utilities = next(one for one in children if "onenumbers_utilities" in one.cmdline())
        utilities.kill()
        await until(lambda: "utilities was ended by SIGKILL; starting it again in 0.5 s" in out.read_text())
        await until(lambda: life_path(ports["EDGE"]) == 22)
        everything = psutil.Process(up.pid).children(recursive=True)
        up.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(up.wait(), 30) == 0
        assert not [one for one in everything if alive(one.pid)]
        assert out.read_text().endswith("stopped\n")
        assert "killed" not in out.read_text()
    finally:
        if up.returncode is None:
            up.kill()
            await up.wait()
