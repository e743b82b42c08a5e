"""One bar for each stage, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from wirbel.study.watching.status import StageStatus, Status

REFRESHES_PER_SECOND = 4


class Bars:
    """Shows a status as bars; drawn from its first one on."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=36),
            TextColumn("{task.fields[counts]}", style=""),
            console=console,
        )
        self._pace = Text()
        self._live = Live(
            Group(self._progress, self._pace),
            console=console,
            refresh_per_second=REFRESHES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, status: Status) -> None:
        """Draw a status."""
        for stage in status.stages:
            done = stage.done + stage.failed + stage.passed_over
            if stage.stage not in self._tasks:
                self._tasks[stage.stage] = self._progress.add_task(stage.stage, counts="")
            self._progress.update(
                self._tasks[stage.stage], completed=done, total=stage.total, counts=_counts(stage)
            )
        self._pace.plain = _pace(status)
        self._live.start()

    def close(self) -> None:
        """Leave the last picture on the terminal."""
        self._pace.plain = ""
        self._live.stop()


def _counts(stage: StageStatus) -> str:
    told = f"{stage.done + stage.failed + stage.passed_over}/{stage.total} scans"
    told += f", {stage.failed} failed" if stage.failed else ""
    return told + (f", {stage.running} running" if stage.running else "")


def _pace(status: Status) -> str:
    from wirbel.study.watching.words import pace_in_words

    return pace_in_words(status.pace) if status.pace.seconds_left else ""
