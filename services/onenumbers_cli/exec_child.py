"""Becomes a program that ends when the supervisor does, however that ends.

Usage: `exec_child.py SUPERVISOR_PID PROGRAM ARGUMENT...`

A wrapper and not a function between fork and exec (`preexec_fn`): that would run Python in the copy of a process with
threads, where a lock that another thread held at the fork is never released. It costs one start of a bare interpreter.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Asks the kernel for SIGKILL at the supervisor's death (Linux; elsewhere only a normal stop ends the children).

    SIGKILL and not SIGTERM, because nobody would be left to insist: what is acknowledged is durable without a shutdown.
    """
    supervisor, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:  # it died before we had asked
            raise SystemExit(1)
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell: the words are the program's arguments
    except OSError as error:
        sys.stderr.write(f"{program[0]} cannot be run: {error.strerror}\n")
        raise SystemExit(127) from None


if __name__ == "__main__":
    main()
