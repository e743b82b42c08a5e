"""Turn SIGTERM into an exception so that writes finish, and end orphaned workers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TERMINATED = 143
"""Exit code after SIGTERM, as shells report it: 128 + 15."""


class Terminated(BaseException):
    """SIGTERM arrived."""


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Raise Terminated in the main thread when SIGTERM arrives."""

    def stop(*_: object) -> None:
        raise Terminated

    try:
        old = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread, where no signal can be caught
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)


def end_with(parent: int) -> None:
    """End this worker process if its parent is killed; otherwise it would wait for work forever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
