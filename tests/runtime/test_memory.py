"""What the servers ask of the C library's memory."""

import os
import platform
import subprocess
import sys
import textwrap

import pytest

from onenumbers_runtime import memory

PROGRAM = """
    import ctypes, os, sys
    from onenumbers_runtime.memory import keep_large_apart

    library = ctypes.CDLL(None)
    for name in ("malloc", "free"):
        getattr(library, name).restype = ctypes.c_void_p
    library.malloc.argtypes, library.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def filled(size):
        block = library.malloc(size)
        ctypes.memset(block, 1, size)
        return block

    if sys.argv[1] == "apart":
        keep_large_apart()
    library.free(filled(30 << 20))
    before = resident()
    large, between = [], []
    for _ in range(20):
        large.append(filled(4 << 20))
        between.append(filled(100_000))
    for block in large:
        library.free(block)
    print(resident() - before)
"""


def left(way: str) -> float:
    """Returns the megabytes that stay resident of 80, freed, with 2 between them that are not."""
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), way]
    # What a caller has told glibc by variables would hold for both ways.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such limit")
def test_large_arrays_that_are_freed_leave_nothing_behind_though_small_ones_lie_between_them():
    assert left("as it is") > 40, "what glibc does by itself, or there is nothing to be done"
    assert left("apart") < 10


def test_where_the_c_library_has_no_such_settings_nothing_is_done(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    memory.keep_large_apart()
    memory.give_back()
