#!/usr/bin/env bash
# Runs the mutation test of numerology/: mutates a copy of the sources, runs the pure tests of tests/utilities on every
# mutant, and prints the counts of each module and the mutants that no test noticed.
#
#   scripts/mutation.sh                       every module of numerology/
#   scripts/mutation.sh primitives life_path  these modules only
#
# PYTHON         the project's interpreter; its packages are read, nothing is installed there (default .venv/bin/python)
# MUTATION_DIR   where the copy and the tool live; kept afterwards (default: a new temporary folder)
# MUTATION_JOBS  mutants tested at once (default 2)
# MUTATION_ONLY  names of mutants, separated by spaces: only these are tested
# MUTATION_SKIP  names of tests, separated by spaces, that are left out
set -euo pipefail

root="$(cd "$(dirname "$0")/.." && pwd)"
python="${PYTHON:-$root/.venv/bin/python}"
work="${MUTATION_DIR:-$(mktemp -d)}"
mkdir -p "$work"
work="$(cd "$work" && pwd)"
copy="$work/copy"

# The tool has an environment of its own.
tool="$work/tool"
[ -x "$tool/bin/mutmut" ] || { "$python" -m venv "$tool" && "$tool/bin/pip" install --quiet "mutmut==3.8.1"; }

# The sources are laid out under src/, which the tool leaves out of the names of modules.
rm -rf "$copy"
mkdir -p "$copy/src" "$copy/tests"
cp -R "$root/services/onenumbers_utilities" "$root/services/onenumbers_runtime" "$copy/src/"
cp -R "$root/docs" "$root/protos" "$copy/"
mkdir -p "$copy/services"
cp -R "$root/services/onenumbers_utilities" "$copy/services/"  # some tests read the text of the sources
cp -R "$root/tests/utilities" "$copy/tests/"
find "$copy" -name __pycache__ -prune -exec rm -rf {} +

package="$copy/src/onenumbers_utilities/numerology"
# Decorated functions are not mutated, and a cache would give a mutant the answers of the original.
sed -i -E '/^@(lru_cache|cache)\b/d' "$package"/*.py

cat >> "$copy/tests/utilities/conftest.py" <<'CONFTEST'


# What follows is added by scripts/mutation.sh to its copy.
import inspect
import os
import re
import resource

import pytest
from hypothesis import HealthCheck

from onenumbers_utilities.numerology.letters import LETTER_MAPS

settings.register_profile(
    "mutation",
    settings.get_profile("onenumbers"),
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mutation")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what talks to a server, starts another interpreter or reads the text of the sources."""
    skipped = set(os.environ.get("MUTATION_SKIP", "").split())
    kept = [
        item
        for item in items
        if not inspect.iscoroutinefunction(item.function)
        and not {"subprocess", "SOURCES"} & set(re.findall(r"\w+", inspect.getsource(item.function)))
        and item.originalname not in skipped
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_runtest_setup() -> None:
    """Empties the tables that fill themselves, so that every test resolves its characters anew.

    Bounds memory as well: a mutant that never ends may also never stop growing.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (3 << 30, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    for table in LETTER_MAPS.values():
        table.clear()
CONFTEST

modules=("$@")
[ ${#modules[@]} -gt 0 ] || modules=("*")
{
  echo '[tool.mutmut]'
  echo 'source_paths = ["src"]'
  printf 'only_mutate = ['; printf '"src/onenumbers_utilities/numerology/%s.py", ' "${modules[@]}"; echo ']'
  echo 'do_not_mutate = ["*/explanation_words.py", "*/__init__.py"]'
  echo 'also_copy = ["docs", "protos", "services"]'
  printf 'pytest_add_cli_args_test_selection = ['
  # Suites that start servers are left out; of the mixed ones, what needs a server is deselected above.
  for test in "$copy"/tests/utilities/test_*.py; do
    name="$(basename "$test")"
    case "$name" in *_service.py | test_service.py | test_stream.py) continue ;; esac
    printf '"tests/utilities/%s", ' "$name"
  done
  echo ']'
  echo 'pytest_add_cli_args = ["--import-mode=importlib", "-p", "no:cacheprovider"]'
  # Each mutant starts from a process that has collected the tests and run none, so nothing is warm.
  echo 'process_isolation = "forkserver"'
  echo 'use_git_change_detection = false'
  echo 'track_dependencies = false'
  echo 'timeout_multiplier = 5.0'
  echo 'timeout_constant = 5.0'
  echo
  echo '[tool.pytest.ini_options]'
  echo 'asyncio_mode = "auto"'
  echo 'asyncio_default_fixture_loop_scope = "function"'
} > "$copy/pyproject.toml"

# The project's packages are named by PYTHONPATH, which reads no .pth file: the editable install stays unseen.
site="$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
export PYTHONPATH="$copy/src:$copy/protos/gen:$site" PYTHONDONTWRITEBYTECODE=1
unset PYTHONHOME
cd "$copy"
"$tool/bin/python" - "$copy" <<'PROOF'
import sys
from importlib.util import find_spec

origin = find_spec("onenumbers_utilities").origin
print("mutating", origin)
sys.exit(not origin.startswith(sys.argv[1] + "/"))
PROOF

# The tool writes the mutants and learns which tests reach which function; the original must pass, a broken one fail.
cat > "$work/prepare.py" <<'PREPARE'
import os

from mutmut.__main__ import (
    collect_or_load_stats,
    copy_also_copy_files,
    copy_src_dir,
    create_mutants,
    run_forced_fail_test,
    setup_source_paths,
    store_lines_covered_by_tests,
)
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.runners.harness import PytestRunner
from mutmut.workers.isolation import get_mutant_runner

if __name__ == "__main__":
    jobs = int(os.environ.get("MUTATION_JOBS", "2"))
    set_mutant_under_test("mutant_generation")
    os.makedirs("mutants", exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    store_lines_covered_by_tests()
    create_mutants(jobs)
    runner = get_mutant_runner(jobs)
    collect_or_load_stats(runner, mutants_caught_by_type_checker={}, apply_config_invalidation=True)
    set_mutant_under_test("")
    if runner.run_clean_tests(tests=[]) != 0:
        raise SystemExit("the tests fail without a mutant")
    run_forced_fail_test(runner)
PREPARE
nice -n 19 "$tool/bin/python" "$work/prepare.py" > "$work/run.log" 2>&1 || { tail -n 40 "$work/run.log"; exit 1; }

# The tool's own runner collects the tests anew for each mutant, which takes most of its time. This one forks a process
# that has collected them, and runs those that reach the mutated function, quickest first, until one fails.
cat > "$work/loop.py" <<'LOOP'
"""Runs every mutant in a fork of one process that has collected the tests and run none of them."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

TIMEOUT = 99


class Loop:
    def pytest_runtestloop(self, session):
        stats = json.loads(Path("mutmut-stats.json").read_text())
        tests, durations = stats["tests_by_mangled_function_name"], stats["duration_by_test"]
        items = {item.nodeid.removeprefix("mutants/"): item for item in session.items}
        self.items, self.durations, self.tests = items, durations, tests
        limit, jobs = set(os.environ.get("MUTATION_ONLY", "").split()), int(os.environ.get("MUTATION_JOBS", "2"))
        running = {}
        for meta in sorted(Path("src/onenumbers_utilities/numerology").glob("*.py.meta")):
            data = json.loads(meta.read_text())
            codes = data["exit_code_by_key"]
            for name, code in codes.items():
                if name in limit or (not limit and code is None):
                    while len(running) >= jobs:
                        self.reap(running)
                    running[self.start(name)] = (codes, name)
                    meta.write_text(json.dumps(data, indent=1))  # what is known stays known when the run is ended
            while running:
                self.reap(running)
            meta.write_text(json.dumps(data, indent=1))
            left = [c for c in codes.values() if c not in (1, 2, 3)]
            print(f"{meta.name.removesuffix('.py.meta')}: {len(codes)} mutants, {len(left)} not killed", file=sys.stderr, flush=True)
        return True

    def reap(self, running):
        pid, status = os.wait()
        codes, name = running.pop(pid)
        codes[name] = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        if codes[name] == -signal.SIGALRM:
            codes[name] = 24

    def start(self, name):
        pid = os.fork()
        if pid:
            return pid
        code = 3
        try:
            code = self.verdict(name)
        finally:
            os._exit(code)

    def verdict(self, name):
        function = re.sub(r"__mutmut_\d+$", "", name)
        chosen = [t for t in self.tests.get(function, ()) if t in self.items]
        if not chosen:
            return 33
        chosen.sort(key=lambda t: self.durations.get(t, 0))
        signal.alarm(int(3 * sum(self.durations.get(t, 0) for t in chosen)) + 20)
        os.environ["MUTANT_UNDER_TEST"] = name
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        for test in chosen:
            if any(report.failed for report in runtestprotocol(self.items[test], log=False, nextitem=None)):
                return 1
        return 0


os.environ["MUTANT_UNDER_TEST"] = ""
sys.exit(pytest.main([*sys.argv[1:], "-q", "--rootdir=.", "--import-mode=importlib", "-p", "no:cacheprovider"], plugins=[Loop()]))
LOOP
(
  cd mutants
  export PYTHONPATH="$copy/mutants/src:$copy/protos/gen:$site"
  # shellcheck disable=SC2046 # names of tests have no spaces
  nice -n 19 "$tool/bin/python" "$work/loop.py" \
    $(find tests/utilities -name 'test_*.py' ! -name '*_service.py' ! -name test_service.py ! -name test_stream.py | sort) \
    >> "$work/run.log" || { tail -n 40 "$work/run.log"; exit 1; }
)

"$tool/bin/python" - <<'REPORT'
import json
from collections import Counter
from pathlib import Path

KILLED, TIMEOUT = {1, 2, 3}, {24, -24, 36, 152, 255, -9}
STATUS = {0: "survived", 5: "no_tests", 33: "no_tests", None: "not_run"}
STATUS |= dict.fromkeys(KILLED, "killed") | dict.fromkeys(TIMEOUT, "timeout")
print(f"{'module':24}{'mutants':>9}{'killed':>8}{'survived':>9}{'no tests':>9}{'timeout':>8}{'not run':>8}{'other':>6}")
left: list[str] = []
total: Counter[str] = Counter()
for meta in sorted(Path("mutants/src/onenumbers_utilities/numerology").glob("*.py.meta")):
    codes = json.loads(meta.read_text())["exit_code_by_key"]
    found = Counter(STATUS.get(code, "other") for code in codes.values())
    total += found
    left += [f"{STATUS.get(code, 'other'):9} {name}" for name, code in codes.items() if STATUS.get(code, "other") != "killed"]
    if codes:
        print(f"{meta.name.removesuffix('.py.meta'):24}{len(codes):9}{found['killed']:8}{found['survived']:9}"
              f"{found['no_tests']:9}{found['timeout']:8}{found['not_run']:8}{found['other']:6}")
print(f"{'total':24}{total.total():9}{total['killed']:8}{total['survived']:9}{total['no_tests']:9}"
      f"{total['timeout']:8}{total['not_run']:8}{total['other']:6}")
Path("left.txt").write_text("\n".join(left) + "\n")
print("mutants that were not killed:", Path("left.txt").absolute(), "(mutmut show NAME prints one)")
REPORT
