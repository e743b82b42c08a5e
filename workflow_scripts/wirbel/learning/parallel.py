"""Compute whole samples in parallel threads, one thread per sample.

Splitting every single operation over the cores makes them wait for each other hundreds of times per
step, which costs a factor of ten on a busy machine. With one sample per thread they meet once per
step, and the result does not depend on the number of threads.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import torch

from wirbel.learning.heap import share_one_heap


def usable_threads(requested: int = 0) -> int:
    """Return `requested`, or the number of cores available to this process if it is zero."""
    return requested if requested > 0 else max(1, len(os.sched_getaffinity(0)))


def compute_alone() -> None:
    """Let this thread compute without helper threads, and all threads share one heap."""
    torch.set_num_threads(1)
    share_one_heap()


def sample_threads(number: int) -> ThreadPoolExecutor:
    """Return a pool whose threads compute without helper threads of their own; the calling thread does
    too.
    """
    compute_alone()
    return ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(1,))
