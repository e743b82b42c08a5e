"""Start work before its result is needed, and yield results in order.

On a network file system, reading small files is mostly waiting, so several are read at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
READERS, FILES_AHEAD = 8, 64


def map_ahead(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Like `pool.map`, but start at most `ahead` items more than were consumed, so that results do not
    pile up.

    Parameters
    ----------
    pool : Executor
        Where the work is done.
    function : callable
        Called with each item.
    items : iterable
        Taken one by one, as results are consumed.
    ahead : int
        Items that may be started beyond those consumed.

    Returns
    -------
    iterator
        Results, in the order of `items`.
    """
    items = iter(items)
    running = deque(pool.submit(function, item) for item in islice(items, ahead))
    while running:
        done = running.popleft().result()
        running.extend(pool.submit(function, item) for item in islice(items, 1))
        yield done


def read_ahead(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the contents of files in the order of `paths`, reading several at once.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    with ThreadPoolExecutor(READERS) as pool:
        yield from map_ahead(pool, Path.read_bytes, paths, FILES_AHEAD)
