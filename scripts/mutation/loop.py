"""Runs every mutant in a fork of one process that has collected the tests and run none of them.

The tool's own runner collects the tests anew for each mutant, which takes most of its time. A mutant meets the tests
that reach its function, quickest first, until one fails. Verdicts are appended to a file, one line each, so that a run
that ended goes on where it was.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from changes import Mutant, mutants_of

KILLED, SURVIVED, UNREACHED, CRASHED = "killed", "survived", "no tests", "crashed"
TIMEOUT = "time limit"
QUICK = 2.0
"""Seconds that the tests of the first round may take together, by the statistics."""
AFRESH = 300
"""Seconds of the processor that a process may take which imports, collects and tests with a mutant in force."""
OPTIONS = ["-q", "--tb=no", "--rootdir=.", "--import-mode=importlib", "-p", "no:cacheprovider"]
CODES = {0: SURVIVED, 1: KILLED, 3: CRASHED, 33: UNREACHED}


class Loop:
    """A plugin that takes the place of pytest's own loop over the tests."""

    def __init__(self, modules: list[str], paths: list[str], verdicts: Path) -> None:
        self.modules, self.paths, self.verdicts = modules, paths, verdicts
        self.only = set(os.environ.get("MUTATION_ONLY", "").split())
        self.sample = int(os.environ.get("MUTATION_SAMPLE", "0"))
        self.deadline = time.time() + float(os.environ.get("MUTATION_MINUTES", "600")) * 60

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Runs the mutants."""
        stats = json.loads(Path("mutmut-stats.json").read_text())
        self.tests, self.durations = stats["tests_by_mangled_function_name"], stats["duration_by_test"]
        # What runs while modules are imported is counted for the test that ran first.
        self.first = next(iter(self.durations))
        self.items = {item.nodeid.removeprefix("mutants/"): item for item in session.items}
        gc.collect()
        gc.freeze()
        self.prove_quiet()
        found = [each for module in self.modules for each in self.of(module)]
        # Most mutants die by a quick test; the few that do not meet all tests in a second round.
        for rule, complete in (("quick tests", False), ("all tests", True)):
            done = {
                json.loads(line)["name"]
                for line in self.verdicts.read_text().splitlines()
                if self.final(line, complete)
            }
            for mutant in found:
                if mutant.name not in done and time.time() < self.deadline:
                    self.record(mutant, self.verdict(mutant, complete=complete), complete=complete)
            print(rule, "done", file=sys.stderr, flush=True)
        return True

    def of(self, module: str) -> list[Mutant]:
        """Returns the mutants of a module that are to be tested; changes of texts alone, most of them wording, last."""
        mutants = [each for each in mutants_of(module) if not self.only or each.name in self.only]
        if self.sample and len(mutants) > self.sample:
            mutants = random.Random(module).sample(mutants, self.sample)
        return sorted(mutants, key=lambda each: each.text_only)

    @staticmethod
    def final(line: str, complete: bool) -> bool:
        """Returns whether a verdict needs no test any more."""
        verdict = json.loads(line)
        return verdict["verdict"] != SURVIVED or verdict["complete"] or not complete

    def chosen(self, mutant: Mutant) -> list[str]:
        """Returns the tests that reach a mutant's function, quickest first."""
        reaching = [test for test in self.tests.get(mutant.function, ()) if test in self.items]
        return sorted(reaching, key=lambda test: (self.durations.get(test, 0), test))

    def prove_quiet(self) -> None:
        """Ends the run where a fork is no proof.

        A test that fails although no mutant is in force would count as a kill; and broken functions must be noticed.
        """
        failed = self.in_fork("", sorted(self.items, key=lambda test: (self.durations.get(test, 0), test)))
        if failed != SURVIVED:
            raise SystemExit(f"without a mutant in force the tests end in a fork as: {failed}")
        if self.in_fork("fail", list(self.items)) != KILLED:
            raise SystemExit("the tests pass although every function is broken")
        if self.afresh("", self.paths) != SURVIVED:
            raise SystemExit("without a mutant in force the tests end in a process of their own as failed")

    def verdict(self, mutant: Mutant, *, complete: bool) -> str:
        """Returns what became of a mutant."""
        chosen = self.chosen(mutant)
        if complete and chosen == [self.first]:
            own = [path for path in self.paths if mutant.module.partition("_")[0] in path]
            return KILLED if own and self.afresh(mutant.name, own) == KILLED else self.afresh(mutant.name, self.paths)
        if not complete:
            spent = list(accumulate(self.durations.get(test, 0) for test in chosen))
            chosen = chosen[: max(10, bisect_right(spent, QUICK))]
        return self.in_fork(mutant.name, chosen) if chosen else UNREACHED

    def afresh(self, name: str, paths: list[str]) -> str:
        """Returns how the tests of some files end where the mutant is in force from the first import on.

        The tables that are built at import are built already in a fork, so a mutant of what builds them needs this.
        """
        limit = (AFRESH, AFRESH)
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", *OPTIONS, *paths],
            env={**os.environ, "MUTANT_UNDER_TEST": name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit),
            check=False,
        )
        if ended.returncode < 0:
            return TIMEOUT
        return KILLED if ended.returncode else SURVIVED

    def in_fork(self, name: str, chosen: list[str]) -> str:
        """Returns how some tests end with a mutant in force."""
        pid = os.fork()
        if pid == 0:
            code = 3
            try:
                code = self.failures(name, chosen)
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return TIMEOUT if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGKILL) else CRASHED
        return CODES.get(os.WEXITSTATUS(status), CRASHED)

    def failures(self, name: str, chosen: list[str]) -> int:
        """Returns 1 once a test fails, 0 where none does. Ends the process that has used up its time."""
        os.environ["MUTANT_UNDER_TEST"] = name
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        for test in chosen:
            # The time of the processor is limited: the machine may be busy, and a paused run loses nothing.
            signal.setitimer(signal.ITIMER_PROF, 3 * self.durations.get(test, 0) + 3)
            if any(report.failed for report in runtestprotocol(self.items[test], log=False, nextitem=None)):
                if not name:
                    self.verdicts.with_name("failed.txt").write_text(test)
                return 1
        return 0

    def record(self, mutant: Mutant, verdict: str, *, complete: bool) -> None:
        """Appends a verdict."""
        with self.verdicts.open("a") as file:
            line = {"name": mutant.name, "verdict": verdict, "complete": complete, "text_only": mutant.text_only}
            file.write(json.dumps(line | {"before": mutant.before, "after": mutant.after}) + "\n")


if __name__ == "__main__":
    os.environ["MUTANT_UNDER_TEST"] = ""
    found = Path(os.environ["MUTATION_VERDICTS"])
    found.touch()
    modules, tests = os.environ["MUTATION_MODULES"].split(), sys.argv[1:]
    sys.exit(pytest.main([*tests, *OPTIONS], plugins=[Loop(modules, tests, found)]))
