"""How a process keeps and returns memory; nothing happens where the C library is not glibc.

Arrays of a network are large and of many sizes. glibc keeps what was freed, in a heap for every thread: without these
two calls a third of what a network takes on a CPU is gaps between arrays.
"""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8
"""How many heaps there may be: a number in glibc's malloc.h."""
_GLIBC = ctypes.CDLL(None)


def share_one_heap() -> None:
    """Let threads that start later use the first one's heap."""
    if hasattr(_GLIBC, "mallopt"):
        _GLIBC.mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Return freed memory to the system, gaps included; takes about a millisecond."""
    if hasattr(_GLIBC, "malloc_trim"):
        _GLIBC.malloc_trim(0)
