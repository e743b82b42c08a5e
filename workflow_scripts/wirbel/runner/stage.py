"""What a per-scan stage provides to the runner, and a scan on its way through it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from wirbel.manifests.batches import Scan, StageFolders
from wirbel.manifests.records import Record


class Stage(Protocol):
    """What a stage provides. `load` and `save` run in their own threads, one scan at a time each.

    `reads` names stages before the previous one whose results the stage also opens (default: none).
    A stage that opens the scan's own file (`scan.path`) sets `reads_scan = True`; the runner then
    refuses a file that was replaced while the workflow was running. First stages are always treated
    this way.
    A stage whose results depend on the other stations of a session has an attribute `others`: before
    `prepare`, the runner fills it with scan -> those of its session that the previous stage has results of.
    """

    name: str
    """The stage's module, `wirbel.stages.<name>`, and its folder, `work/<name>`. A stage with a network also has
    `engine`: what computes it on a processor, known once it is prepared.
    """

    def prepare(self) -> None:
        """Load models and the like; called once, and only if at least one scan must be computed."""

    def load(self, scan: Scan, folders: StageFolders) -> Any:
        """Read what `compute` needs; may raise ScanError."""

    def compute(self, inputs: Any) -> Any:
        """Return the result; may raise ScanError."""

    def save(self, scan: Scan, result: Any, folders: StageFolders) -> list[Path]:
        """Write the result atomically (wirbel.io) and return the files written."""


@dataclass
class Work:
    """A scan to be computed: `content` is the result of its last step, `error` its own fault.

    `elsewhere` is the record of its result if another writer has already made it.
    """

    scan: Scan
    key: str
    source: str = ""
    elsewhere: Record | None = None
    seconds: float = 0.0
    content: Any = None
    error: Exception | None = None
