"""Read a table of scans: participant_id, session_id, path, and more columns.

Ids become names of files, so only BIDS' letters and digits are accepted. Paths are used to open
files and for nothing else. A bad row never stops the others: it becomes a finding.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from wirbel.core.people.values import PARTICIPANT, SESSION, id_column
from wirbel.errors import NO_SCAN
from wirbel.io.dataset.bids import requested
from wirbel.io.dataset.entities import ENTITIES, LABEL, name_of
from wirbel.io.dataset.folder_content import content_stamp
from wirbel.io.dataset.listing import Finding, Listing
from wirbel.io.dataset.scan_names import T2W, FoundScan
from wirbel.io.dataset.several_paths import joined_paths
from wirbel.io.escapes import visible
from wirbel.io.foreign.foreign_tables import read_foreign_table

PATH = "path"
ENTITY_COLUMNS = ENTITIES[1:]
"""Further columns that become part of a scan's name; `run_id` is accepted for `run`."""
MISSING = ("", "n/a")
Row = Mapping[str, str]


class TableError(ValueError):
    """A table of scans that cannot be used at all; says which, and what was expected."""


def list_table(
    path: str | Path,
    participants: Collection[str] = (),
    suffix: str = T2W,
    *,
    in_parts: bool = False,
) -> Listing:
    """List the scans that a table names.

    Parameters
    ----------
    path : str or Path
        The table, with the columns participant_id and path, and session_id where there are sessions.
        Columns named like BIDS entities (acq, run, ...) become part of the scans' names.
    participants : collection of str
        Keep only these, as `wirbel.io.dataset.bids.list_dataset` does. Default: keep all.
    suffix : str
        What the scans are called in messages. Default: "T2w".
    in_parts : bool
        Rows with the same ids are parts of one scan (`wirbel.io.dataset.several_paths`). Default: they
        claim the same name.

    Returns
    -------
    Listing
        Scans sorted by name, then path. Paths are relative to the table's folder, unless absolute;
        a file that does not exist has the size -1, like a dangling link in a BIDS folder.

    Raises
    ------
    TableError
        If the columns are missing, or the file is not a table.
    OSError
        If it cannot be read.
    FileNotFoundError
        If none of the participants asked for is in it.
    """
    columns, rows = _read(Path(path))
    listing = Listing(suffix=suffix)
    folder = os.path.dirname(os.path.abspath(path))
    for line, row in rows:
        _add(listing, folder, columns, f"{os.path.basename(path)}, line {line}", row)
    if in_parts:
        _join(listing)
    _forget_rows_without_path(listing)
    people = {scan.participant_id for scan in listing.scans}
    people |= {found.participant_id for found in listing.findings if found.participant_id}
    listing.present = sorted(people)
    chosen, listing.unmatched = requested(participants, listing.present, path)
    if participants:
        _keep(listing, set(chosen))
    listing.sort()
    return listing


def _read(path: Path) -> tuple[dict[str, str], list[tuple[int, Row]]]:
    """Return what the id columns are called, and the rows with their line numbers."""
    try:
        table = read_foreign_table(path)
    except ValueError as error:
        raise TableError(f"scans: {path}: {error}") from None
    columns = {}
    for wanted in (PARTICIPANT, SESSION, PATH):
        try:
            found = id_column(table.columns, wanted, table.rows)
        except ValueError as error:
            raise TableError(f"scans: {path} {error}") from None
        if found is None and wanted != SESSION:
            raise TableError(
                f"scans: {path} has no column {wanted}: expected participant_id, session_id, path; "
                f"found {visible(', '.join(table.columns[:8])) or 'nothing'}"
            )
        if found is not None:
            columns[wanted] = found
    if table.faults:
        raise TableError(f"scans: {path}: {visible(table.faults[0])}; correct it")
    return columns, list(zip(table.lines, table.rows, strict=True))


def _add(listing: Listing, folder: str, columns: Mapping[str, str], line: str, row: Row) -> None:
    """Add a row's scan, or a finding that says why it has none."""
    participant = _labelled("sub", row[columns[PARTICIPANT]])
    session = _labelled("ses", row.get(columns.get(SESSION, ""), ""))
    more = {entity: row.get(entity, "").strip() for entity in ENTITY_COLUMNS}
    more["run"] = more["run"] or row.get("run_id", "").strip()
    more = {k: v.removeprefix(f"{k}-") for k, v in more.items() if v not in MISSING}
    given = row[columns[PATH]]
    if fault := _fault(participant, session, more, given):
        reason = NO_SCAN if given in MISSING else "misnamed"
        found = Finding(visible(participant), visible(session), "", reason, f"{line}: {fault}")
        listing.findings.append(found)
        return
    scan_id, path = (
        name_of(participant, session, more),
        os.path.join(folder, _slashes(given, folder)),
    )
    run = f"run-{more['run']}" if "run" in more else ""
    stamp = content_stamp(path)
    listing.scans.append(FoundScan(scan_id, participant, session, run, path, *stamp))
    listing.cells[scan_id, path] = dict(row)


def _slashes(path: str, folder: str) -> str:
    """Return a path that was written on Windows as it is called here, if there is such a file."""
    other = path.replace("\\", "/")
    is_here = os.path.lexists(os.path.join(folder, path))
    return other if not is_here and os.path.lexists(os.path.join(folder, other)) else path


def _labelled(prefix: str, text: str) -> str:
    text = "" if text.strip() in MISSING else text.strip()
    return f"{prefix}-{text.removeprefix(f'{prefix}-')}" if text else ""


def _fault(participant: str, session: str, more: Mapping[str, str], path: str) -> str:
    """Return why a row cannot be used, or "" if it can."""
    labels = {PARTICIPANT: participant[4:], **({SESSION: session[4:]} if session else {}), **more}
    for name, label in labels.items():
        if not LABEL.fullmatch(label):
            return (
                f"{name} {visible(label)!r} is not a label of BIDS (letters and digits only); "
                "give the scan another one"
            )
    if path in MISSING:
        return "no path is given"
    if not path.isprintable():
        return f"the path {visible(path)} has unprintable characters; rename the file"
    return ""


def _join(listing: Listing) -> None:
    """Make one scan of all rows with the same ids."""
    rows = listing.cells
    parts: dict[str, list[FoundScan]] = {}
    for scan in listing.scans:
        parts.setdefault(scan.scan_id, []).append(scan)
    listing.scans, listing.cells = [], {}
    for scan_id, some in parts.items():
        path = joined_paths(scan.path for scan in some)
        size, stamp = content_stamp(path) if len(some) > 1 else (some[0].size, some[0].mtime_ns)
        listing.scans.append(some[0]._replace(path=path, size=size, mtime_ns=stamp))
        listing.cells[scan_id, path] = rows[scan_id, some[0].path]


def _forget_rows_without_path(listing: Listing) -> None:
    """Forget that a row has no path where another row of the participant has one."""
    seen = {scan.participant_id for scan in listing.scans}
    listing.findings = [
        found
        for found in listing.findings
        if found.reason != NO_SCAN or found.participant_id not in seen
    ]


def _keep(listing: Listing, chosen: set[str]) -> None:
    listing.scans = [scan for scan in listing.scans if scan.participant_id in chosen]
    listing.findings = [found for found in listing.findings if found.participant_id in chosen]
