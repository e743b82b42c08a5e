"""Gather the measurements of all scans into the cohort's tables.

Reads the batch lists, the manifests of all stages and one JSON file per measured scan, in the order of
the scans' names whatever the batches, and keeps no more than some ten thousand rows at a time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from wirbel.cohort.gathering import gather
from wirbel.cohort.joining import read_participants
from wirbel.core.dictionary import TABLES
from wirbel.errors import InfrastructureError
from wirbel.io.dataset.bids import DESCRIPTION_FILE, IGNORE_FILE
from wirbel.io.maps.lookup_tables import colour_files, lookup_files
from wirbel.io.tabular.measurements import DamagedMeasurements
from wirbel.manifests.findings import data_set_mark
from wirbel.manifests.receipts import digest_of_seals, read_seals, write_receipt
from wirbel.manifests.seals import Seal
from wirbel.plan.plan import Plan, fingerprint_of, output_of, read_plan

AGAIN = "run the same command again, which makes it again"


def fingerprints(plan: Plan, seals: Mapping[tuple[str, str], Seal]) -> dict[str, str]:
    """Return batch -> fingerprint of what its results were made by: the plan's own, unless settings are mixed."""
    batches = {batch for _, batch in seals}
    return {b: fingerprint_of(seals[name, b].made_by for name in plan.names) for b in batches}


def files_of(output_dir: Path) -> list[Path]:
    """Return all files that this stage writes."""
    stems = [output_dir / "cohort" / table for table in TABLES]
    tables = [
        stem.with_suffix(suffix) for stem in stems for suffix in (".csv", ".parquet", ".json")
    ]
    about = (DESCRIPTION_FILE, IGNORE_FILE)
    once = (*colour_files(output_dir), *lookup_files(output_dir))
    return [*tables, *(output_dir / name for name in about), *once]


def main(argv: list[str] | None = None) -> int:
    """Gather the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="work/plan.json")
    parser.add_argument("--threads", type=int, default=1, help="processor cores to use")
    args = parser.parse_args(argv)
    output_dir = output_of(args.plan)
    try:
        plan = read_plan(args.plan)
        seals = read_seals(output_dir, plan, plan.names)
    except InfrastructureError as error:
        print(f"cohort: {error}", file=sys.stderr)
        return 1
    mark = data_set_mark(output_dir)
    participants = read_participants(Path(plan.bids_dir), output_dir)
    settings = fingerprints(plan, seals)
    try:
        where = plan.made_by["commit"], plan.bids_dir, plan.stages[-1].settings.get("apart", ())
        written = gather(output_dir, participants, plan.names, args.threads, settings, *where)
    except DamagedMeasurements as error:
        if error.path is not None:
            error.path.unlink(missing_ok=True)
        print(f"cohort: {error} and is removed: {AGAIN}", file=sys.stderr)
        return 1
    made_by, made_from = plan.stage("cohort").fingerprint, digest_of_seals(seals, mark)
    write_receipt(output_dir, "cohort", made_by, made_from, files_of(output_dir))
    print("cohort: " + ", ".join(f"{rows} {table}" for table, rows in written.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
