"""Runs formulas in processes that may be killed: bounded processor time, memory and wall clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

import structlog

from onenumbers_runtime.errors import MeshError, UnavailableError, invalid
from onenumbers_utilities.registry.definitions import InputKind, ResultType
from onenumbers_utilities.registry.lexer import FIELD, check_limits

log = structlog.get_logger()

_INHERITED: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "LANG", "SYSTEMROOT")
"""Variables that the process gets. Tokens and addresses are not among them."""
_HEADER: Final = 4
_WALL_FACTOR: Final = 10
"""Wall clock over processor time, so that a busy machine is not taken for a busy formula."""
_START_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a formula gave for one set of inputs: a value, or why there is none."""

    value: Any = None
    error: MeshError | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a formula gives, and what it gave."""

    result: ResultType
    rows: tuple[Evaluation, ...]


class Sandbox:
    """A pool of worker processes, as an async context manager. Workers start with the first job that needs them.

    Args:
        cpu_s: Seconds of processor time that one job may take.
        memory_bytes: Memory that a worker may use beyond what it starts with.
        workers: Processes, and so jobs at once.
    """

    def __init__(self, *, cpu_s: float = 1.0, memory_bytes: int = 256 * 1024 * 1024, workers: int = 1) -> None:
        self._cpu_s = cpu_s
        self._memory = memory_bytes
        self._places = asyncio.Semaphore(workers)
        self._idle: list[_Worker] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(worker.stop() for worker in idle))

    async def run(
        self, formula: str, inputs: Mapping[str, InputKind], rows: Sequence[Mapping[str, int | str | date]]
    ) -> Outcome:
        """Compiles a formula and evaluates it for each row.

        Raises:
            InvalidArgumentError: The formula cannot be used, or takes more than it may; the field is
                definition.formula.
        """
        check_limits(formula)
        job = {"formula": formula, "inputs": dict(inputs), "rows": [_wire(row) for row in rows]}
        answer = await self._ask(job)
        if "error" in answer:
            raise _error(answer["error"])
        result = ResultType(answer["kind"], repeated=answer["repeated"])
        return Outcome(result, tuple(_evaluation(row, result) for row in answer["rows"]))

    async def _ask(self, job: Mapping[str, Any]) -> Any:
        content = json.dumps(job).encode()
        async with self._places:
            worker = self._idle.pop() if self._idle else await _Worker.start(self._cpu_s, self._memory)
            try:
                async with asyncio.timeout(self._cpu_s * _WALL_FACTOR):
                    answer = await worker.ask(content)
            except TimeoutError:
                await worker.stop()
                raise self._too_slow() from None
            except (asyncio.IncompleteReadError, ConnectionError):
                status = await worker.ended()
                log.warning("formula_ended_its_worker", status=status)
                raise self._too_much(status) from None
            except BaseException:
                await worker.stop()
                raise
            self._idle.append(worker)
        return answer

    def _too_slow(self) -> MeshError:
        return invalid(FIELD, f"takes more than {self._cpu_s:g} s of processor time", rule="formula.time_limit")

    def _too_much(self, status: int) -> MeshError:
        if status == -signal.SIGPROF:
            return self._too_slow()
        if status == -signal.SIGKILL:
            # None of the limits ends it like this: somebody else did.
            return UnavailableError("the process of the formula was ended", reason="SANDBOX_ENDED", retry_after=0.1)
        return invalid(
            FIELD,
            f"needs more than {self._memory // (1 << 20)} MiB of memory, or broke its engine",
            rule="formula.memory_limit",
        )


class _Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, cpu_s: float, memory: int) -> _Worker:
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "onenumbers_utilities.registry.worker", str(cpu_s), str(memory)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ},
                # Ctrl-C is the server's to answer.
                start_new_session=True,
            )
        except OSError as error:
            raise UnavailableError(
                "formulas cannot run: their process does not start", reason="SANDBOX_UNAVAILABLE", retry_after=1.0
            ) from error
        worker = cls(process)
        # An empty job: importing costs more than most formulas, and is not theirs to pay.
        try:
            async with asyncio.timeout(_START_S):
                await worker.ask(json.dumps({"formula": "1", "inputs": {}, "rows": []}).encode())
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            await worker.stop()
            log.error("formula_process_not_started", status=process.returncode)
            raise UnavailableError(
                "formulas cannot run: their process does not answer", reason="SANDBOX_UNAVAILABLE", retry_after=1.0
            ) from error
        except BaseException:
            await worker.stop()
            raise
        return worker

    async def ask(self, content: bytes) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        # uvloop answers a write to what is closed with a RuntimeError, asyncio's own loop with a ConnectionError.
        if stdin is None or stdout is None or stdin.is_closing():
            raise ConnectionError
        stdin.write(len(content).to_bytes(_HEADER, "big") + content)
        await stdin.drain()
        size = int.from_bytes(await stdout.readexactly(_HEADER), "big")
        return json.loads(await stdout.readexactly(size))

    async def ended(self) -> int:
        """Returns the exit status of a process that has ended, or that is ended now because it broke off."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                return await self._process.wait()
        await self.stop()
        return -signal.SIGKILL

    async def stop(self) -> None:
        """Ends the process at once. Safe to call again."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await asyncio.shield(self._process.wait())


def _wire(row: Mapping[str, int | str | date]) -> dict[str, int | str]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _error(content: Mapping[str, str]) -> MeshError:
    return invalid(content["field"], content["description"], rule=content["rule"])


def _evaluation(row: Mapping[str, Any], result: ResultType) -> Evaluation:
    if "error" in row:
        return Evaluation(error=_error(row["error"]))
    value = row["value"]
    if result.kind == "date":
        value = [date.fromisoformat(item) for item in value] if result.repeated else date.fromisoformat(value)
    return Evaluation(value=value)
