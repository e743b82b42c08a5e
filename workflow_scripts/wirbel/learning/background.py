"""Batches made in one background thread while the network computes.

One thread, no worker processes: nothing can die silently, and numpy and torch release the
interpreter lock for most of the work.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any


class BackgroundBatches(Iterator):
    """Yields `make(first)`, `make(first + 1)`, ... made ahead of time, in order.

    `make` gets the batch's number, so that it can seed itself from it and a resumed training sees
    the same batches. An exception in `make` is raised again by `next`.
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
        """Stop the thread and forget what it has made."""
        self._stop.set()
        while self._thread.is_alive():
            self._discard()
            self._thread.join(timeout=0.05)

    def _work(self, make: Callable[[int], Any], number: int) -> None:
        while not self._stop.is_set():
            try:
                item = (make(number), None)
            except Exception as error:  # handed to the consumer, who decides
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
