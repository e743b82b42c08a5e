"""Gather the measurements of all scans into the cohort's tables.

Reads the batch lists, the manifests of all stages and one JSON file per measured scan, in the order of
the scans' names whatever the batches, and keeps no more than some ten thousand rows at a time.
"""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.core.dictionary import TABLES, Column
from wirbel.core.participants import Participants
from wirbel.io.atomic import sweep_temporaries
from wirbel.io.bids import write_dataset_description
from wirbel.io.columnar import write_both
from wirbel.io.prefetch import read_ahead
from wirbel.io.sidecars import read_json, write_json
from wirbel.io.spool import Spool
from wirbel.io.tables import read_rows
from wirbel.runner.batches import Scan, batch_file, list_batches, read_batch
from wirbel.runner.records import FAILED, OK, Record, read_records

STAGES = ("resample", "semantic", "instance", "merge", "features")
"""The per-scan stages in their order; the last one's outputs are gathered."""


@dataclass(frozen=True)
class Outcome:
    """One scan, and either the file with its measurements or the record of its failure."""

    scan: Scan
    measured: Path | None
    stage: str = ""
    failure: Record | None = None

    @property
    def identity(self) -> dict[str, str]:
        """The columns that every table starts with."""
        names = ("participant_id", "session_id", "run_id", "scan_id")
        return {name: getattr(self.scan, name) for name in names}


def outcomes(output_dir: Path, stages: tuple[str, ...] = STAGES) -> list[Outcome]:
    """Return what became of every scan, by name. Raises FileNotFoundError without a manifest."""
    found = []
    for batch in list_batches(output_dir):
        manifests = {
            stage: read_records(output_dir / "work" / stage / f"{batch}.tsv") for stage in stages
        }
        scans = read_batch(batch_file(output_dir, batch))
        found += [_outcome(scan, manifests, output_dir) for scan in scans]
    return sorted(found, key=lambda outcome: outcome.scan.scan_id)


def _outcome(scan: Scan, manifests: dict[str, dict[str, Record]], output_dir: Path) -> Outcome:
    for stage, records in manifests.items():
        record = records.get(scan.scan_id)
        if record is None:
            raise KeyError(f"scan {scan.scan_id} has no row in the manifest of stage {stage}")
        if record.status == FAILED:
            return Outcome(scan, None, stage, record)
    if record.status != OK:
        raise KeyError(f"scan {scan.scan_id} was skipped, but no stage says that it failed")
    return Outcome(scan, output_dir / record.outputs[0])


def gather(output_dir: Path, participants: Participants, stages: tuple[str, ...] = STAGES) -> dict:
    """Write all tables and dictionaries below `output_dir/cohort`; return rows written by table."""
    columns = dict(TABLES)
    columns["scans"] = (*TABLES["scans"], *participants.columns)
    folder = output_dir / "cohort"
    sweep_temporaries(folder)
    with ExitStack() as stack:
        spools = {
            table: stack.enter_context(Spool(folder / table, _schema(declared)))
            for table, declared in columns.items()
        }
        _collect(spools, outcomes(output_dir, stages), participants)
        for table, spool in spools.items():
            write_both(folder / table, _schema(columns[table]), spool.batches())
            write_json(folder / f"{table}.json", {c.name: c.entry() for c in columns[table]})
    return {table: spool.rows for table, spool in spools.items()}


def _collect(spools: dict[str, Spool], found: list[Outcome], participants: Participants) -> None:
    """Put every scan's part into the tables; the order is that of `found`."""
    measured = read_ahead(outcome.measured for outcome in found if outcome.measured)
    for outcome in found:
        own = participants.of(outcome.scan.participant_id)
        if outcome.failure is None:
            _add(spools, outcome, json.loads(next(measured)), own)
        else:
            _add_failure(spools, outcome, own)


def _add(spools: dict[str, Spool], outcome: Outcome, content: dict, own: dict[str, Any]) -> None:
    spools["scans"].add(1, {}, outcome.identity | content["scan"] | own)
    for table in ("vertebrae", "discs", "levels"):
        columns = content[table]
        spools[table].add(len(next(iter(columns.values()), ())), columns, outcome.identity)


def _add_failure(spools: dict[str, Spool], outcome: Outcome, own: dict[str, Any]) -> None:
    reason, detail = outcome.failure.reason, outcome.failure.detail
    spools["scans"].add(1, {}, outcome.identity | {"scan_status": reason} | own)
    row = {"stage": outcome.stage, "reason": reason, "detail": detail}
    spools["failures"].add(1, {}, outcome.identity | row)


def _schema(columns: tuple[Column, ...]) -> list[tuple[str, str]]:
    return [(column.name, column.kind) for column in columns]


def read_participants(bids_dir: Path | None) -> Participants:
    """Read `participants.tsv` and `participants.json` of a data set, where there are any."""
    taken = [column.name for column in TABLES["scans"]]
    table = bids_dir / "participants.tsv" if bids_dir else None
    if table is None or not table.exists():
        return Participants([], {}, taken)
    described = table.with_suffix(".json")
    return Participants(read_rows(table), read_json(described) if described.exists() else {}, taken)


def main(argv: list[str] | None = None) -> int:
    """Gather the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", type=Path, required=True, help="the output folder")
    parser.add_argument("--bids-dir", type=Path, help="where participants.tsv is looked for")
    parser.add_argument("--stages", nargs="+", default=STAGES, help="the per-scan stages, in order")
    args = parser.parse_args(argv)
    write_dataset_description(
        args.output_dir, "Spine measurements", derivative_of="wirbel", version=__version__
    )
    written = gather(args.output_dir, read_participants(args.bids_dir), tuple(args.stages))
    print("cohort: " + ", ".join(f"{rows} {table}" for table, rows in written.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
