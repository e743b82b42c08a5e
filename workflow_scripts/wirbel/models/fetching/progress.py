"""Report what is being fetched: a bar on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

SECONDS_BETWEEN_LINES = 20.0
MEGABYTE = 1e6


class FetchAccount:
    """Writes sentences to stderr and to a log, and progress as a bar (terminal) or as occasional
    lines.
    """

    def __init__(self, log: Path | None = None) -> None:
        self._log = log
        if log is not None:
            log.write_text("")
        self._bar: Any = None  # a tqdm bar
        self._last = time.monotonic()

    def say(self, sentence: str) -> None:
        """Print one line."""
        self.close()
        print(sentence, file=sys.stderr, flush=True)
        self._write(sentence)

    def progress(self, done: int, total: int | None) -> None:
        """Show the number of bytes received."""
        if sys.stderr.isatty():
            self._move_bar(done, total)
        if time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            whole = "" if total is None else f" of {total / MEGABYTE:.0f}"
            line = f"  {done / MEGABYTE:.0f}{whole} MB"
            self._write(line)
            if self._bar is None:
                print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _move_bar(self, done: int, total: int | None) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=total, initial=done, unit="B", unit_scale=True, file=sys.stderr)
        self._bar.update(done - self._bar.n)

    def _write(self, line: str) -> None:
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as log:
                print(line, file=log)
