"""Intermediate results: removed once the last stage that uses them is done, made again when needed.

An intermediate result of a scan is needed as long as a later stage, up to the last one that reads
it, is not done *under its current key*; and as long as the last one's own result, if that is
intermediate too, is needed but gone. This follows from the later stages' records alone. Nothing
else is written when files are removed, so a crash leaves nothing half done: the record of a removed
result stays, and its key still proves what later results were made from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from wirbel.manifests.records import OK, Record, records_by_stage
from wirbel.plan.chain import LAST_READER
from wirbel.plan.stage_plan import StagePlan


@dataclass(frozen=True)
class LaterStages:
    """The stages that use a stage's results, in order; the last of them keeps its own.

    Scans that are to be computed again, `recompute`, need their results in any case.
    """

    stages: Sequence[StagePlan]
    output_dir: Path
    batch: str
    recompute: Collection[str] = ()

    def are_done(self, scan_id: str, key: str) -> bool:
        """Return True if all of them are done with the stage's result for the scan under `key`."""
        if scan_id in self.recompute:
            return False
        tables, record = records_by_stage(self.output_dir, self.batch), None
        for stage in self.stages:
            key, record = stage.key(key), tables.get(stage.stage, {}).get(scan_id)
            if record is None or record.status != OK or record.key != key:
                return False
            if stage.stage == LAST_READER and record.is_complete(self.output_dir):
                return True  # whatever comes after can go on from there
        return record is not None and record.is_complete(self.output_dir)


def unused(record: Record, stages: Sequence[str], output_dir: Path, batch: str) -> list[Record]:
    """Return the records of `stages`, last stage first, from which `record` was made.

    `stages` are those before the record's own, in order. The list is empty if a stage has moved on
    (its key has changed), because its files then belong to another job.
    """
    found: list[Record] = []
    source, tables = record.source, records_by_stage(output_dir, batch)
    for stage in reversed(stages):
        earlier = tables.get(stage, {}).get(record.scan_id)
        if earlier is None or earlier.status != OK or earlier.key != source:
            return []
        found.append(earlier)
        source = earlier.source
    return found


def drop(record: Record, stages: Sequence[str], output_dir: Path, batch: str) -> None:
    """Remove the files of `stages` from which the finished result `record` was made."""
    if stages:
        for earlier in unused(record, stages, output_dir, batch):
            remove_outputs(earlier, output_dir)


def remove_outputs(record: Record, output_dir: Path) -> None:
    """Remove the files that a record lists."""
    for name in record.outputs:
        (output_dir / name).unlink(missing_ok=True)
