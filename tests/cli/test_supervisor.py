"""The supervisor with real processes: restarts, order of the end, and that nothing is left behind."""

import asyncio
import os
import re
import signal
import sys

from onenumbers_cli import child as child_module
from onenumbers_cli.child import ChildSpec
from onenumbers_cli.follow import Follower
from onenumbers_cli.supervisor import Supervisor

PATIENT = 'trap "echo {name} >> {ends}; exit 0" TERM; echo up; while :; do sleep 0.05; done'
STUBBORN = 'trap "" TERM; echo up; while :; do sleep 0.05; done'


def shell(name, script, *, rank=1, before_stop=None):
    return ChildSpec(name, ["sh", "-c", script], dict(os.environ), stop_rank=rank, before_stop=before_stop)


def started(child):
    return "up" in child.last_lines()


async def test_a_child_that_dies_is_restarted_with_growing_pauses_and_reported_with_its_last_words(tmp_path, until):
    reports = []
    spec = shell("dier", "echo it is broken; exit 3")
    async with Supervisor([spec], log_dir=tmp_path, report=reports.append, first_pause_s=0.02) as supervisor:
        await until(lambda: supervisor.restarts["dier"] >= 3)
    pauses = [float(re.search(r"again in ([\d.]+) s", line)[1]) for line in reports[:3]]
    assert pauses == [0.02, 0.04, 0.08]
    assert "dier ended with status 3" in reports[0]
    assert "it is broken" in reports[0]
    assert "\n" not in reports[0]


async def test_a_killed_child_is_replaced_and_the_signal_named(tmp_path, until):
    reports = []
    spec = shell("worker", "exec sleep 600")
    async with Supervisor([spec], log_dir=tmp_path, report=reports.append, first_pause_s=0.01) as supervisor:
        child = supervisor.children["worker"]
        first = child.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid not in (None, first))
    assert "was ended by SIGKILL" in reports[0]


async def test_a_program_that_does_not_exist_is_named(tmp_path, until):
    reports = []
    spec = ChildSpec("gone", ["/no/such/program"], dict(os.environ), stop_rank=1)
    async with Supervisor([spec], log_dir=tmp_path, report=reports.append, first_pause_s=0.01):
        await until(lambda: reports)
    assert "/no/such/program cannot be run: No such file or directory" in reports[0]


async def test_children_end_rank_by_rank_and_what_precedes_the_end_runs_first(tmp_path, until):
    ends = tmp_path / "ends"

    async def drain():
        with ends.open("a") as file:
            file.write("drained\n")

    specs = [
        shell(name, PATIENT.format(name=name, ends=ends), rank=rank, before_stop=drain if name == "edge" else None)
        for name, rank in (("redis", 3), ("server", 2), ("edge", 1))
    ]
    async with Supervisor(specs, log_dir=tmp_path, report=print) as supervisor:
        for child in supervisor.children.values():
            await until(lambda child=child: started(child))
        pids = [child.pid for child in supervisor.children.values()]
    assert ends.read_text().split() == ["drained", "edge", "server", "redis"]
    assert len(pids) == 3
    assert [child.pid for child in supervisor.children.values()] == [None] * 3


async def test_a_child_that_ignores_sigterm_is_killed_and_reported(tmp_path, until, alive):
    reports = []
    specs = [shell("stubborn", STUBBORN), shell("good", "exec sleep 600", rank=2)]
    async with Supervisor(specs, log_dir=tmp_path, report=reports.append, stop_limit_s=1.0) as supervisor:
        await until(lambda: started(supervisor.children["stubborn"]))
        pids = [child.pid for child in supervisor.children.values()]
    assert not any(alive(pid) for pid in pids)
    assert reports == ["stubborn did not end in time and was killed"]


async def test_a_drain_that_fails_or_hangs_does_not_hold_up_the_end(tmp_path, alive):
    async def fail():
        raise OSError("nothing listens")

    async def hang():
        await asyncio.Event().wait()

    specs = [shell(name, "exec sleep 600", before_stop=drain) for name, drain in (("one", fail), ("two", hang))]
    async with Supervisor(specs, log_dir=tmp_path, report=print, stop_limit_s=1.0) as supervisor:
        pids = [child.pid for child in supervisor.children.values()]
    assert not any(alive(pid) for pid in pids)


async def test_helpers_that_a_child_left_behind_end_with_it(tmp_path, until, alive):
    script = "sleep 600 & echo $! > {file}; echo up; wait"
    file = tmp_path / "helper"
    async with Supervisor([shell("parent", script.format(file=file))], log_dir=tmp_path, report=print) as supervisor:
        await until(lambda: started(supervisor.children["parent"]))
        helper = int(file.read_text())
        assert alive(helper)
    await until(lambda: not alive(helper))


async def test_kill_ends_everything_at_once_even_while_it_stops(tmp_path, until):
    async with Supervisor(
        [shell("stubborn", STUBBORN)], log_dir=tmp_path, report=print, stop_limit_s=600
    ) as supervisor:
        await until(lambda: started(supervisor.children["stubborn"]))
        stopping = asyncio.create_task(supervisor.stop())
        await until(lambda: supervisor._stopping)
        supervisor.kill()
        await asyncio.wait_for(stopping, 20)
    assert supervisor.children["stubborn"].pid is None


async def test_no_child_outlives_a_supervisor_that_was_killed(tmp_path, until, alive):
    program = f"""
import asyncio, os
from pathlib import Path
from onenumbers_cli.child import ChildSpec
from onenumbers_cli.supervisor import Supervisor
async def main():
    specs = [ChildSpec(n, ["sh", "-c", s], dict(os.environ), stop_rank=1)
             for n, s in (("good", "exec sleep 600"), ("stubborn", {STUBBORN!r}))]
    async with Supervisor(specs, log_dir=Path({str(tmp_path)!r}), report=print) as supervisor:
        while "up" not in supervisor.children["stubborn"].last_lines():
            await asyncio.sleep(0.02)
        print(*(child.pid for child in supervisor.children.values()), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    pids = [int(word) for word in (await parent.stdout.readline()).split()]
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    parent.kill()
    await parent.wait()
    await until(lambda: not any(alive(pid) for pid in pids))


async def test_a_child_is_not_in_the_group_that_ctrl_c_reaches(tmp_path):
    async with Supervisor([shell("worker", "exec sleep 600")], log_dir=tmp_path, report=print) as supervisor:
        assert os.getpgid(supervisor.children["worker"].pid) != os.getpgid(0)


async def test_a_large_log_is_moved_away_while_its_child_writes_on(tmp_path, until, monkeypatch):
    monkeypatch.setattr(child_module, "MAX_LOG_BYTES", 1000)
    spec = shell("talker", "while :; do echo a line of some length; sleep 0.005; done")
    async with Supervisor([spec], log_dir=tmp_path, report=print) as supervisor:
        log = supervisor.children["talker"].log
        await until(lambda: log.stat().st_size > 1000)
        child_module.rotate(log)
        assert log.with_name("talker.log.1").stat().st_size > 1000
        assert log.stat().st_size < 1000
        await until(lambda: log.stat().st_size > 0)
    assert not log.read_bytes().startswith(b"\0")


def test_following_shows_complete_lines_only_and_survives_a_rotation(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("before\n")
    seen = []
    follower = Follower({"a": log, "missing": tmp_path / "none.log"}, lambda name, line: seen.append((name, line)))
    with log.open("a") as file:
        file.write("one\ntw")
    follower.look()
    assert seen == [("a", "one")]
    with log.open("a") as file:
        file.write("o\n")
    follower.look()
    log.write_text("x\n")
    follower.look()
    assert seen == [("a", "one"), ("a", "two"), ("a", "x")]
