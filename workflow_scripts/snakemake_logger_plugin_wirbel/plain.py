"""How far a run is as plain lines, for log files and mails."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wirbel.study.watching.status import Status

FIRST_SECONDS, LONGEST_SECONDS = 10.0, 300.0
"""Between two lines: more and more time, so that a week's log stays short."""


class Plain:
    """Says a line when something has changed, seldom enough."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._pause, self._next, self._last = FIRST_SECONDS, 0.0, ""

    def show(self, status: Status, *, now: bool = False) -> None:
        """Say a status, unless it is too early or nothing has changed."""
        told = _line(status)
        if not told or told == self._last or (time.monotonic() < self._next and not now):
            return
        if self._next:
            self._pause = min(LONGEST_SECONDS, 1.5 * self._pause)
        self._next, self._last = time.monotonic() + self._pause, told
        self._say(f"{datetime.now():%H:%M:%S} {told}")

    def close(self) -> None:
        """Nothing is left open."""


def _line(status: Status) -> str:
    """Return the stages that are under way, and the pace; empty before anything was done."""
    from wirbel.study.watching.words import pace_in_words

    parts = []
    for stage in status.stages:
        done = stage.done + stage.failed + stage.passed_over
        if done or stage.running:
            failed = f" ({stage.failed} failed)" if stage.failed else ""
            parts.append(f"{stage.stage} {done}/{stage.total}{failed}")
    if status.pace.seconds_left:
        parts.append(pace_in_words(status.pace))
    return ", ".join(parts)
