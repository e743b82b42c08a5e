"""Batch lists for stages that tests run by hand, as the main process writes them."""

from collections.abc import Collection
from pathlib import Path

from wirbel.study.listing.discovery import plan_batches


def update_batches(
    bids_dir: str | Path,
    output_dir: str | Path,
    batch_size: int,
    participants: Collection[str] = (),
) -> list[str]:
    """Bring the lists of an output folder up to date and return the batches."""
    plan = plan_batches(bids_dir, output_dir, batch_size, participants)
    plan.write()
    return plan.batches
