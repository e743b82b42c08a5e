"""Show progress: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys

from wirbel.runner.manifests.records import FAILED, OK, Record


class Progress:
    """Counts the finished scans of a batch and reports the outcome of each."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._bar = None
        if total and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=title, unit="scan")

    def finished(self, record: Record) -> None:
        """Report one scan."""
        self._done += 1
        line = f"{record.scan_id}: {record.status}"
        if record.status == OK:
            line += f" in {record.seconds:.1f} s"
        else:
            line += f" ({record.reason}): {record.detail}"
        if self._bar is None:
            self.say(f"{self._done}/{self._total} {line}")
            return
        self._bar.update()
        if record.status == FAILED:
            self._bar.write(f"{self._title}: {line}", file=sys.stderr)

    def say(self, sentence: str) -> None:
        """Print one line to the log."""
        print(f"{self._title}: {sentence}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()
