"""How a process keeps and returns memory; nothing happens where the C library is not glibc.

Arrays of a network are large and of many sizes. glibc keeps what was freed, in a heap for every thread: without these
calls a third of what a network takes on a CPU is gaps between arrays.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Numbers in glibc's malloc.h: free bytes at the heap's end that go back to the system, bytes from which an array lies
outside of the heap, and how many heaps there may be.
"""
APART, TOGETHER, KEPT = 1 << 20, 1 << 24, 1 << 26
_GLIBC = ctypes.CDLL(None)


def share_one_heap() -> None:
    """Let threads that start later use the first one's heap."""
    _set(M_ARENA_MAX, 1)


def arrays_apart() -> None:
    """Keep arrays of a MB and more out of the heap, for a network's first call.

    What it leaves behind for good then lies close together, not among arrays, where it would part what they free.
    """
    _set(M_MMAP_THRESHOLD, APART)


def arrays_together() -> None:
    """Let the heap have arrays of up to 16 MB again: it takes their memory back more cheaply than the system."""
    _set(M_MMAP_THRESHOLD, TOGETHER)
    _set(M_TRIM_THRESHOLD, KEPT)


def give_back() -> None:
    """Return freed memory to the system, gaps included; takes about a millisecond."""
    if hasattr(_GLIBC, "malloc_trim"):
        _GLIBC.malloc_trim(0)


def _set(parameter: int, value: int) -> None:
    if hasattr(_GLIBC, "mallopt"):
        _GLIBC.mallopt(parameter, value)
