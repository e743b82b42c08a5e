"""How processes end: SIGTERM as an exception, so that what is being written is finished, and orphaned workers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TERMINATED = 143
"""Exit code after SIGTERM: 128 + 15, as shells report it."""


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
    """Let this worker process end when its parent was killed; by itself it would wait for work for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
