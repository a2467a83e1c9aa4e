"""Memory of the process."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Gives freed memory back to the operating system, where the C library can (glibc); for a thread of its own.

    glibc keeps what was freed: after a large array its threshold for memory of its own pages rises to the array's size,
    and what is smaller is cut from the heap from then on, whose top stays taken (mallopt(3), M_MMAP_THRESHOLD).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
