"""Make the QC report `qc/index.html` from the cohort's tables and the pictures of its batches."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.errors import InfrastructureError
from wirbel.io.atomic import sweep_temporaries
from wirbel.io.dataset.bids import DESCRIPTION_FILE, read_description
from wirbel.io.sidecars import read_json
from wirbel.manifests.batch_assignment import read_assignment
from wirbel.manifests.batches import list_batches
from wirbel.manifests.findings import data_set_mark, read_agreement, read_checks
from wirbel.manifests.receipts import (
    digest_of_seals,
    pictures_receipt,
    read_seals,
    receipt_file,
    write_receipt,
)
from wirbel.plan.plan import output_of, read_plan
from wirbel.plan.stage_plan import KEY_DIGITS, digest_of
from wirbel.report.batch_pictures import pictures_file
from wirbel.report.cohort_report import Study, write_report


def study_of(output_dir: Path, bids_dir: str) -> Study:
    """Return what the report says about its cohort beside the tables."""
    pictures: dict[str, dict] = {}
    for batch in list_batches(output_dir):
        pictures |= _pictures_of(output_dir, batch)
    told = tuple(read_agreement(output_dir))
    named = name_of(Path(bids_dir)), identity_of(output_dir)
    return Study(*named, pictures, told, read_checks(output_dir)[0])


def _pictures_of(output_dir: Path, batch: str) -> dict[str, dict]:
    """Return scan -> what is where of a batch; a damaged list is removed with its receipt, and made anew next time.

    Raises InfrastructureError for a damaged one.
    """
    path = pictures_file(output_dir, batch)
    if not path.is_file():
        return {}
    try:
        found = read_json(path)
        if not all(isinstance(at, dict) for at in found.values()):
            raise ValueError("expected scan -> what is where")
    except (ValueError, AttributeError) as error:
        path.unlink(missing_ok=True)
        receipt_file(output_dir, pictures_receipt(batch)).unlink(missing_ok=True)
        raise InfrastructureError(
            f"{path} was damaged after it had been written (a failing disk?; {error}) and is removed: run the same "
            "command again, which draws the pictures of its scans again"
        ) from None
    return found


def name_of(bids_dir: Path) -> str:
    """Return what a data set calls itself, else its folder's name."""
    name = read_description(bids_dir / DESCRIPTION_FILE).get("Name")
    return str(name or bids_dir.resolve().name or "Cohort")


def identity_of(output_dir: Path) -> str:
    """Return a code that stays the same while the cohort grows and moves: of the scans of its first batch."""
    assignment = read_assignment(output_dir)
    first = min(assignment.values(), default="")
    return digest_of(sorted(s for s, batch in assignment.items() if batch == first))[:KEY_DIGITS]


def main(argv: list[str] | None = None) -> int:
    """Make the report; return the exit code."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.report", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="work/plan.json")
    parser.add_argument("--threads", type=int, default=1, help="not used: one is enough")
    args = parser.parse_args(argv)
    output_dir = output_of(args.plan)
    try:
        plan = read_plan(args.plan)
        seals = read_seals(output_dir, plan, plan.names)
        for folder in ("", "assets", "assets/licences", "data", "data/measures"):
            sweep_temporaries(output_dir / "qc" / folder)
        written = write_report(output_dir, study_of(output_dir, plan.bids_dir))
    except (InfrastructureError, OSError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    made_from = digest_of_seals(seals, data_set_mark(output_dir))
    write_receipt(output_dir, "report", plan.stage("report").fingerprint, made_from, written)
    print(f"report: {output_dir / 'qc' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
