"""What keeps Snakemake quick with thousands of jobs (benchmarks/README.md, planning).

Nothing of Snakemake is imported: the rules hand in its objects. All of this only saves time. Where another version
of Snakemake no longer has what is changed here, it is slower and as right as before.
"""

from __future__ import annotations

import gc
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""With Python's own 700 it looks through the graph's hundreds of thousands of objects over and over."""


def collect_garbage_seldom() -> None:
    """Leave alone what is loaded now, and look for unreachable objects after so many new ones only."""
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 20)


def with_signature(function: Callable) -> Callable:
    """Return the function, its signature remembered: Snakemake asks for it several times per job."""
    function.__signature__ = inspect.signature(function)
    return function


def without_input_sizes(scheduler: type) -> None:
    """Let the class of Snakemake's scheduler take all inputs for empty.

    Whenever a job ends, it asks the file system three times for every input of every waiting job, to prefer large
    inputs among jobs of equal priority. Our inputs are lists, whose sizes say nothing.
    """
    sizes: defaultdict[Any, int] = defaultdict(int)

    async def nothing_asked(self: Any, jobs: Iterable[Any]) -> None:
        self._input_sizes = sizes

    scheduler.update_input_sizes = nothing_asked
