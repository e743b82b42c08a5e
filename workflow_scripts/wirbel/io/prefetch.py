"""Reading many small files without waiting for each: on a network file system most of the time is latency."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

READERS = 8
AHEAD = 64
"""Files that are read before they are asked for."""


def read_ahead(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the files' contents in the order of `paths`; raises what reading a file raises."""
    remaining = iter(paths)
    with ThreadPoolExecutor(READERS) as pool:
        reading = deque(pool.submit(path.read_bytes) for path in islice(remaining, AHEAD))
        while reading:
            content = reading.popleft().result()
            reading.extend(pool.submit(path.read_bytes) for path in islice(remaining, 1))
            yield content
