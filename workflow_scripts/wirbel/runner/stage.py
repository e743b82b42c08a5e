"""What a per-scan stage provides to the runner, and a scan on its way through it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from wirbel.runner.batches import Scan, StageFolders
from wirbel.runner.records import Record


class Stage(Protocol):
    """What a stage provides. `load` and `save` run in threads of their own, one scan at a time each.

    `reads` names stages before the previous one whose results the stage opens, too (default: none).
    A stage that opens the scan's own file (`scan.path`) sets `reads_scan = True`; the runner then refuses a
    file that was replaced while the workflow was running. First stages are treated so in any case.
    """

    name: str
    """The stage's module, `wirbel.stages.<name>`, and its folder, `work/<name>`."""

    def prepare(self) -> None:
        """Load the model and the like; called once, only when at least one scan has work left."""

    def load(self, scan: Scan, folders: StageFolders) -> Any:
        """Read what `compute` needs; may raise ScanError."""

    def compute(self, inputs: Any) -> Any:
        """Return the result; may raise ScanError."""

    def save(self, scan: Scan, result: Any, folders: StageFolders) -> list[Path]:
        """Write the result atomically (wirbel.io) and return the files written."""


@dataclass
class Work:
    """A scan that has to be computed: `content` is what its last step made, `error` its own fault.

    `elsewhere` is the record of its result when another writer turns out to have made it already.
    """

    scan: Scan
    key: str
    source: str = ""
    elsewhere: Record | None = None
    seconds: float = 0.0
    content: Any = None
    error: Exception | None = None
