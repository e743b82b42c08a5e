"""End a run with a summary, even if there was nothing to do, and with an exit code for scripts.

0: the run finished, and no more scans failed than `fail_on` allows. 3: it finished, but more scans
failed. 1: it could not finish (Snakemake's own code).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

TOO_MANY_FAILED = 3
"""Exit code of a finished run in which too many scans failed."""
PLUGIN = "wirbel"
"""Name of the logger plugin, `snakemake_logger_plugin_wirbel`."""
NOTHING_TO_DO = "Nothing to be done"
"""Beginning of Snakemake's message after which it ends without calling any handler."""


def exit_code(fail_on: str, failed: int, scans: int) -> int:
    """Return 0 or `TOO_MANY_FAILED`; `fail_on` is none, any, or the largest acceptable share of failed
    scans.
    """
    if fail_on == "none" or not failed:
        return 0
    allowed = 0.0 if fail_on == "any" else float(fail_on)
    return TOO_MANY_FAILED if failed > allowed * scans else 0


def say_at_the_end(logger: logging.Logger, output_settings: Any, text: str) -> None:
    """Say how the run ended, whatever Snakemake is told to be quiet about.

    If the logger plugin draws on the terminal, it prints the text itself, below its bars.
    """
    if PLUGIN in output_settings.log_handler_settings:
        logger.info(text, extra={"wirbel_summary": text})
    else:
        print(text, file=sys.stderr)


class AtNothingToDo(logging.Filter):
    """Filter on Snakemake's logger: calls `end` once, after Snakemake said that there is nothing to be
    done.
    """

    def __init__(self, say: Callable[[str], None], end: Callable[[], None]) -> None:
        super().__init__()
        self._say, self._end = say, end
        self._told = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, but this message only once."""
        text = record.getMessage()
        if self._told or not text.startswith(NOTHING_TO_DO):
            return True
        self._told = True
        self._say(text)
        self._end()
        return False
