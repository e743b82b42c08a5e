"""How a run ends: with a summary, also where there was nothing to do, and an exit code that a script can rely on.

0: the run came to its end, and no more scans failed than `fail_on` allows. 3: it came to its end, but more scans
failed. 1: it could not come to its end (Snakemake's own code).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

TOO_MANY_FAILED = 3
"""Exit code of a run that did all it could, where too many scans failed."""
NOTHING_TO_DO = "Nothing to be done"
"""How Snakemake's message begins after which it ends without calling anybody."""


def exit_code(fail_on: str, failed: int, scans: int) -> int:
    """Return 0 or `TOO_MANY_FAILED`; `fail_on` is none, any, or the largest share of all scans that may fail.

    Scans that were not finished, as after `--until`, are no failures.
    """
    if fail_on == "none" or not failed:
        return 0
    allowed = 0.0 if fail_on == "any" else float(fail_on)
    return TOO_MANY_FAILED if failed > allowed * scans else 0


class AtNothingToDo(logging.Filter):
    """On Snakemake's logger: calls `end` once, after Snakemake has said that there is nothing to be done."""

    def __init__(self, say: Callable[[str], None], end: Callable[[], None]) -> None:
        super().__init__()
        self._say, self._end = say, end
        self._told = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, but this one only once."""
        text = record.getMessage()
        if self._told or not text.startswith(NOTHING_TO_DO):
            return True
        self._told = True
        self._say(text)
        self._end()
        return False
