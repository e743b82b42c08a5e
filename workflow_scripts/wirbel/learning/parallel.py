"""Whole samples in parallel threads, each computed by one thread alone.

Splitting every single operation over the cores makes them wait for each other hundreds of times per
step; on a busy machine that costs a factor of ten. One sample per thread meets once per step, and
the result does not depend on the number of threads.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import torch


def usable_threads(requested: int = 0) -> int:
    """Return `requested`, or the number of cores this process may use when it is zero."""
    return requested if requested > 0 else max(1, len(os.sched_getaffinity(0)))


def sample_threads(number: int) -> ThreadPoolExecutor:
    """Return a pool whose threads, like the calling one, compute without helpers of their own."""
    torch.set_num_threads(1)
    return ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(1,))
