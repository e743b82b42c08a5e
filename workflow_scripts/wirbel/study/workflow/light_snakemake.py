"""Keep Snakemake quick with thousands of jobs (benchmarks/README.md, planning).

This module imports nothing of Snakemake: the rules pass its objects in. It only saves time. If a later version of
Snakemake lacks what is changed here, planning is slower and its result the same.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Python's default of 700 scans the graph's hundreds of thousands of objects over and over."""


def collect_garbage_seldom() -> None:
    """Exempt what is loaded now from garbage collection, and collect only after many new objects."""
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 20)


def without_input_sizes(scheduler: Any) -> None:
    """Let Snakemake's scheduler class treat every input as empty.

    Whenever a job ends, the scheduler asks the file system three times for every input of every waiting job, to
    prefer large inputs among jobs of equal priority. Our inputs are lists, whose sizes say nothing.
    """
    sizes: defaultdict[Any, int] = defaultdict(int)

    async def nothing_asked(self: Any, jobs: Iterable[Any]) -> None:
        self._input_sizes = sizes

    scheduler.update_input_sizes = nothing_asked


def without_idle_checks(dag: Any, *, conda: bool) -> None:
    """Let Snakemake's class of graphs skip what it does for every job and nobody needs here.

    No rule has a folder for its output, so none can lie in another's. Without conda no job needs its environment.
    """
    dag.check_directory_outputs = lambda self: None
    if not conda:
        dag.update_conda_envs = lambda self: None
