"""Make batches in one background thread while the network computes.

There is one thread and no worker process: nothing can die silently, and numpy and torch release the
interpreter lock for most of the work.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any


class BackgroundBatches(Iterator):
    """Iterator over `make(first)`, `make(first + 1)`, ..., computed ahead of time, in order.

    Parameters
    ----------
    make : callable
        Returns the batch of a given number. It can seed itself from the number, so that a resumed
        training sees the same batches. `next` raises its exceptions again.
    first : int
        Number of the first batch.
    ahead : int
        Batches kept ready.
    """

    def __init__(self, make: Callable[[int], Any], first: int = 0, ahead: int = 3) -> None:
        self._queue: queue.Queue = queue.Queue(maxsize=ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(make, first), daemon=True)
        self._thread.start()

    def __next__(self) -> Any:
        batch, error = self._queue.get()
        if error is not None:
            raise error
        return batch

    def close(self) -> None:
        """Stop the thread and discard what it made."""
        self._stop.set()
        while self._thread.is_alive():
            self._discard()
            self._thread.join(timeout=0.05)

    def _work(self, make: Callable[[int], Any], number: int) -> None:
        while not self._stop.is_set():
            item: tuple[Any, Exception | None]
            try:
                item = (make(number), None)
            except Exception as error:  # `__next__` raises it in the consumer's thread
                item = (None, error)
            self._queue.put(item)
            if item[1] is not None:
                return
            number += 1

    def _discard(self) -> None:
        try:
            self._queue.get_nowait()
        except queue.Empty:
            return
