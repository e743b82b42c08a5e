"""What is known of scans, to part an evaluation by: participants' columns, columns of the table of scans, scanners."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wirbel.io.dataset.sidecar_facts import read_sidecar, sidecar_path
from wirbel.io.foreign.people_files import read_people
from wirbel.io.tabular.tables import read_rows

SCANNER = "scanner"
SCANNER_KEYS = ("Manufacturer", "ManufacturersModelName", "MagneticFieldStrength")
"""Entries of a scan's BIDS sidecar that make up its scanner."""
MOST_NAMED = 12


class UnknownColumnError(ValueError):
    """No table has the column that an evaluation is to be parted by."""


def cells_of(
    column: str, scans: Mapping[str, tuple[str, str, Path]], output_dir: Path, bids_dir: Path | None
) -> dict[str, str | None]:
    """Return scan -> what a column says of it.

    `scanner` comes from the scans' sidecars; everything else from `cohort/scans.csv`, which has participants' columns
    too, or from `participants.tsv`.

    Parameters
    ----------
    column : str
        Its name.
    scans : mapping of str to tuple
        Scan -> (participant, session, file).
    output_dir, bids_dir : Path
        Where the tables lie.

    Raises
    ------
    UnknownColumnError
        If there is no such column; names those that there are.
    """
    if column == SCANNER:
        return {scan: _scanner(path) for scan, (_, _, path) in scans.items()}
    table = output_dir / "cohort" / "scans.csv"
    rows = read_rows(table) if table.exists() else []
    if rows and column in rows[0]:
        known = {row["scan_id"]: row[column] for row in rows}
        return {scan: known.get(scan) or None for scan in scans}
    present = {participant for participant, _, _ in scans.values()}
    people = read_people(bids_dir, present).people if bids_dir and bids_dir.is_dir() else None
    cells = {
        scan: people.of(participant, session) if people else {}
        for scan, (participant, session, _) in scans.items()
    }
    if not any(column in of_scan for of_scan in cells.values()):
        names = dict.fromkeys(name for of_scan in cells.values() for name in of_scan)
        listed = ", ".join([*list(names)[:MOST_NAMED], "level", SCANNER])
        raise UnknownColumnError(
            f"--by {column}: expected a column of participants.tsv or cohort/scans.csv, level or scanner; "
            f"there are {listed}"
        )
    return {scan: of_scan.get(column) for scan, of_scan in cells.items()}


def _scanner(scan: Path) -> str | None:
    """Return what a scan's sidecar says of its scanner; None without one."""
    content = read_sidecar(sidecar_path(str(scan)))
    return " ".join(str(content[key]) for key in SCANNER_KEYS if content.get(key)) or None
