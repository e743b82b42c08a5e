"""Check that the data set looks like last time; if much is missing, ask before anything is written."""

from __future__ import annotations

from pathlib import Path

from wirbel.manifests.records import OK, DamagedManifest, manifest_file, read_records
from wirbel.plan.plan import Plan
from wirbel.study.listing.discovery import BatchPlan

MOST_DROPPED = 0.05
"""A run that would drop a larger share of the finished results asks first."""
FEWEST_FOUND = 0.95
"""A run that finds a smaller share of the last run's scans asks first."""
SETTING = "accept_changes=true"


def doubts(output_dir: Path, plan: Plan, found: BatchPlan) -> str:
    """Return what is missing and what to do; empty if little is.

    Scans that the settings exclude (`participants`, `filter`, `where` and the like) are not missing.
    """
    gone = {
        batch: change.gone - found.left_out
        for batch, change in found.changes.items()
        if change.gone - found.left_out
    }
    missing = sum(map(len, gone.values()))
    if not missing:
        return ""
    new = sum(len(change.new) for change in found.changes.values())
    before = sum(found.sizes.values()) - new + missing
    dropped, finished = _finished(output_dir, plan, found, gone)
    if missing <= (1 - FEWEST_FOUND) * before and dropped <= MOST_DROPPED * finished:
        return ""
    some = sorted(scan for scans in gone.values() for scan in scans)
    named = ", ".join(some[:3]) + (", ..." if len(some) > 3 else "")
    return (
        f"{missing:,} of the {before:,} scans of the last run are gone from {plan.bids_dir} ({named}), {dropped:,} of "
        f"the {finished:,} finished ones among them. Is the disk mounted, and is bids_dir the right folder? Nothing "
        f"was changed. If they were removed on purpose, add {SETTING} to --config: the tables are then made without "
        "them, and their label maps stay"
    )


def _finished(output_dir: Path, plan: Plan, found: BatchPlan, gone: dict) -> tuple[int, int]:
    """Return how many finished scans are gone, and how many there were."""
    dropped = total = 0
    for batch in {*found.batches, *gone}:
        path = manifest_file(output_dir, plan.names[-1], batch)
        try:
            records = read_records(path) if path.exists() else {}
        except DamagedManifest:  # made again by the run; nothing of it counts as finished
            records = {}
        done = {name for name, record in records.items() if record.status == OK}
        total += len(done - found.left_out)
        dropped += len(done & gone.get(batch, frozenset()))
    return dropped, total
