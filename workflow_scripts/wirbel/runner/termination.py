"""SIGTERM as an exception, so that what is being written is finished."""

from __future__ import annotations

import signal
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
