"""What the servers ask of the C library's memory."""

import subprocess
import sys
import textwrap

import pytest

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
    return float(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_large_arrays_that_are_freed_leave_nothing_behind_though_small_ones_lie_between_them():
    if left("as it is") < 40:
        pytest.skip("another C library, which gives memory back by itself")
    assert left("apart") < 10
