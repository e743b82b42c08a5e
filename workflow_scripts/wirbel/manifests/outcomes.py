"""The final outcome of every scan: measured, or failed at some stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from wirbel.manifests.batches import Scan, batch_file, list_batches, read_batch
from wirbel.manifests.records import FAILED, OK, Record, read_records


@dataclass(frozen=True)
class Outcome:
    """One scan, and either the file with its measurements or the record of its failure."""

    scan: Scan
    measured: Path | None
    stage: str = ""
    failure: Record | None = None
    batch: str = ""
    sha256: str = ""

    @property
    def identity(self) -> dict[str, str]:
        """The columns that every table starts with."""
        names = ("participant_id", "session_id", "run_id", "scan_id")
        return {name: getattr(self.scan, name) for name in names}


def outcomes(output_dir: Path, stages: tuple[str, ...]) -> list[Outcome]:
    """Return the outcome of every scan, by name; raise FileNotFoundError without a manifest."""
    found = []
    for batch in list_batches(output_dir):
        manifests = {
            stage: read_records(output_dir / "work" / stage / f"{batch}.tsv") for stage in stages
        }
        scans = read_batch(batch_file(output_dir, batch))
        found += [replace(_outcome(s, manifests, output_dir), batch=batch) for s in scans]
    return sorted(found, key=lambda outcome: outcome.scan.scan_id)


def _outcome(scan: Scan, manifests: dict[str, dict[str, Record]], output_dir: Path) -> Outcome:
    record: Record | None = None
    for stage, records in manifests.items():
        record = records.get(scan.scan_id)
        if record is None:
            raise KeyError(f"scan {scan.scan_id} has no row in the manifest of stage {stage}")
        if record.status == FAILED:
            return Outcome(scan, None, stage, record)
    if record is None or record.status != OK:
        raise KeyError(f"scan {scan.scan_id} was skipped, but no stage says that it failed")
    return Outcome(scan, output_dir / record.outputs[0], sha256="".join(record.sums[:1]))
