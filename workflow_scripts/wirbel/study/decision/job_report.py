"""Report right before Snakemake prints its table of jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable


class BeforeJobTable(logging.Filter):
    """Filter on Snakemake's logger: calls `tell` once, before the first table of jobs is printed."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell
        self._told = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        if getattr(record, "event", "") == "run_info" and not self._told:
            self._told = True
            self._tell()
        return True
