"""Read a data set's files about people, to join their columns to the tables."""

from __future__ import annotations

import os
from pathlib import Path

from wirbel.core.dictionary import NORMS, TABLES
from wirbel.core.people.table_columns import Participants
from wirbel.core.people.values import People
from wirbel.io.escapes import visible
from wirbel.io.foreign.people_files import read_people
from wirbel.manifests.batches import batch_file, list_batches, read_batch


def read_participants(bids_dir: Path | None, output_dir: Path) -> Participants:
    """Read a data set's files about people, report what is not used, and return their columns."""
    joined = (columns for table, columns in TABLES.items() if table != NORMS)
    taken = {column.name for columns in joined for column in columns}
    if bids_dir is None:
        return Participants(People(), {}, taken)
    files = read_people(bids_dir, _participants_of(bids_dir, output_dir))
    if unmatched := len(set(files.people.unmatched)):  # who they are may not be kept
        print(f"cohort: participants.tsv: {unmatched} ids match no participant, or more than one")
    for fault in files.faults:
        print(f"cohort: {visible(fault)}: not used")
    return Participants(files.people, files.descriptions, taken)


def _participants_of(bids_dir: Path, output_dir: Path) -> set[str]:
    """Return all participants: those with a folder in the data set, and those of the scans."""
    folders = os.listdir(bids_dir) if bids_dir.is_dir() else []
    lists = (read_batch(batch_file(output_dir, batch)) for batch in list_batches(output_dir))
    of_scans = {scan.participant_id for scans in lists for scan in scans}
    return of_scans.union(name for name in folders if name.startswith("sub-"))
