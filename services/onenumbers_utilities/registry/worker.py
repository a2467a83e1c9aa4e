"""The process in which formulas run: `python -m onenumbers_utilities.registry.worker`.

Reads jobs from standard input and writes answers to standard output, each as a length of 4 bytes and JSON. It holds no
secrets, opens no files and cannot: what a formula does to it costs its parent one process. The address space is bounded
for good, the processor time anew for each job; the kernel ends a process that exceeds either.
"""

from __future__ import annotations

import json
import resource
import signal
import struct
import sys
from collections import OrderedDict
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final

from onenumbers_runtime.errors import MeshError
from onenumbers_utilities.registry.expressions import Formula, compile_formula

HEADER: Final = struct.Struct(">I")
_KEPT: Final = 128
"""Compiled formulas that are kept, a third of a megabyte each."""


def main() -> int:
    """Serves jobs until standard input ends. Arguments: processor seconds a job, bytes of memory."""
    cpu_s, memory = float(sys.argv[1]), int(sys.argv[2])
    _confine(memory)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    formulas: OrderedDict[str, Formula] = OrderedDict()
    while (job := read(source)) is not None:
        # The default action of SIGPROF ends the process: nothing that a formula runs can hold it up.
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        try:
            answer = _run(job, formulas)
        except MemoryError:
            return 3
        signal.setitimer(signal.ITIMER_PROF, 0)
        write(target, answer)
    return 0


def read(source: BinaryIO) -> Any:
    """Returns the next message, or None at the end."""
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return json.loads(source.read(HEADER.unpack(header)[0]))


def write(target: BinaryIO, message: Any) -> None:
    """Writes a message."""
    content = json.dumps(message).encode()
    target.write(HEADER.pack(len(content)) + content)
    target.flush()


def _confine(memory: int) -> None:
    size = Path("/proc/self/statm")
    if size.exists():
        used = int(size.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))


def _run(job: dict[str, Any], formulas: OrderedDict[str, Formula]) -> dict[str, Any]:
    text, inputs = job["formula"], job["inputs"]
    key = json.dumps([text, inputs])
    formula = formulas.get(key)
    if formula is None:
        try:
            formula = compile_formula(text, inputs)
        except MeshError as error:
            return {"error": _error(error)}
        formulas[key] = formula
        if len(formulas) > _KEPT:
            formulas.popitem(last=False)
    else:
        formulas.move_to_end(key)
    dates = [name for name, kind in inputs.items() if kind == "date"]
    return {
        "kind": formula.result.kind,
        "repeated": formula.result.repeated,
        "rows": [_row(formula, row, dates) for row in job["rows"]],
    }


def _row(formula: Formula, row: dict[str, Any], dates: list[str]) -> dict[str, Any]:
    try:
        found = formula.evaluate({**row, **{name: date.fromisoformat(row[name]) for name in dates}})
    except MeshError as error:
        return {"error": _error(error)}
    if formula.result.kind == "date":
        return {"value": [item.isoformat() for item in found] if formula.result.repeated else found.isoformat()}
    return {"value": found}


def _error(error: MeshError) -> dict[str, str]:
    violation = error.violations[0]
    return {"field": violation.field, "description": violation.description, "rule": violation.rule}


if __name__ == "__main__":
    sys.exit(main())
