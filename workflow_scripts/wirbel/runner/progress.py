"""Show progress: a bar on a terminal, plain lines in a log; keep what matters in the batch's log."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from wirbel.manifests.records import FAILED, OK, Record


def keep(output_dir: Path, batch: str, text: str) -> None:
    """Append lines to a batch's log; a full disk shows in the results, not here."""
    with suppress(OSError):
        path = output_dir / "logs" / f"{batch}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as log:
            log.write(f"{text}\n")


class Progress:
    """Counts the finished scans of a batch and reports the outcome of each."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self.done = 0
        self._bar = None
        if total and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=title, unit="scan")

    def finished(self, record: Record) -> None:
        """Report one scan."""
        self.done += 1
        line = f"{record.scan_id}: {record.status}"
        if record.status == OK:
            line += f" in {record.seconds:.1f} s"
        else:
            line += f" ({record.reason}): {record.detail}"
        if self._bar is None:
            self.say(f"{self.done}/{self._total} {line}")
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
