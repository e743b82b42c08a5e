"""The terminal: text scrolls above the bars; without a terminal there are plain lines."""

from __future__ import annotations

import threading
import time
from typing import TextIO

from rich.console import Console
from rich.text import Text

from snakemake_logger_plugin_wirbel.bars import Bars
from snakemake_logger_plugin_wirbel.plain import Plain

POLL_SECONDS = 1.0
LARGEST_SHARE = 0.03
"""Of one processor, that looking at the output folder may take."""


class Screen:
    """Shows text, and how far a run is from `start` to `stop`."""

    def __init__(self, stream: TextIO, *, colours: bool) -> None:
        self._stream = stream
        self._console = Console(
            file=stream, no_color=not colours, highlight=False, markup=False, emoji=False
        )
        self._watch: Watch | None = None

    def say(self, text: str | None, style: str = "", *, important: bool = False) -> None:
        """Show lines; those that are `important` stand out."""
        if not text or not text.strip():
            return
        if important:
            self._console.print()
        shown = _harmless(text.rstrip())
        self._console.print(Text(shown, style=style), soft_wrap=True)

    def start(self, output_dir: str) -> None:
        """Begin to show how far the run in a folder is."""
        if self._watch is None:
            terminal = self._console.is_terminal and not self._console.is_dumb_terminal
            view = Bars(self._console) if terminal else Plain(self.say)
            self._watch = Watch(output_dir, view)
            self._watch.start()

    def stop(self) -> None:
        """Show the end, and leave the terminal as it was."""
        if self._watch is not None:
            self._watch.end()
            self._watch = None


class Watch(threading.Thread):
    """Looks at the output folder again and again; never so often that it would slow the run down."""

    def __init__(self, output_dir: str, view: Bars | Plain) -> None:
        super().__init__(daemon=True)
        self._output_dir, self._view = output_dir, view
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until `end`."""
        pause = 0.0
        while not self._ended.wait(pause):
            begin = time.thread_time()
            self._look()
            pause = max(POLL_SECONDS, (time.thread_time() - begin) / LARGEST_SHARE)

    def end(self) -> None:
        """Look a last time, and close the view."""
        self._ended.set()
        self.join()
        self._look()
        self._view.close()

    def _look(self) -> None:
        from wirbel.study.watching.status import NothingYet, look

        try:
            self._view.show(look(self._output_dir))
        except (NothingYet, OSError):
            return  # files are being replaced, or the disk is slow: next time


def _harmless(text: str) -> str:
    """Return text whose lines cannot act on the terminal, whatever a file's name holds."""
    from wirbel.io.escapes import visible

    return "\n".join(visible(line.replace("\t", "    ")) for line in text.split("\n"))
