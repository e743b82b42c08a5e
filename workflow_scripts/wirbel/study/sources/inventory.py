"""What a data set holds, scan by scan: taken, left out, doubled or missing, and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from wirbel.errors import CONTENT_MISSING, NO_SCAN, NOT_CHOSEN
from wirbel.io.dataset.presence import LONGEST_POINTER_BYTES, absence
from wirbel.io.dataset.same_content import SizedFile, same_content
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.dataset.several_paths import parted_paths
from wirbel.io.escapes import visible
from wirbel.plan.checks import (
    DERIVED,
    FAILURE,
    NOT_T2W,
    OFF,
    OTHER_FILES,
    OTHER_SERIES,
    REPEATED,
    SAME_CONTENT,
)
from wirbel.study.listing.dataset import DataSet
from wirbel.study.sources.choice import FILTERED, NOT_SELECTED
from wirbel.study.sources.doubts import Doubts

TAKEN, LEFT_OUT, FAULTY = "taken", "left_out", "faulty"
DUPLICATE, NO_PERMISSION = "duplicate", "no_permission"
COLUMNS = (
    *("participant_id", "session_id", "scan_id", "station", "status", "reason", "detail", "bytes"),
    "path",
)
WORDS = {
    DUPLICATE: "several files have this scan's name",
    CONTENT_MISSING: "the file's content is not there",
    SAME_CONTENT: "the same content as another scan; they are taken all the same",
    NOT_T2W: "the echo time or the repetition time is not that of a T2-weighted image",
    DERIVED: "the image was made from others",
    FILTERED: "left out by the setting filter",
    NOT_SELECTED: "left out by the setting where",
    NOT_CHOSEN: "another scan of the session was chosen",
    "misnamed": "the name cannot be used",
    NO_SCAN: "participants without a scan",
    OTHER_SERIES: "other series in the deliveries, which the rules do not ask for",
    REPEATED: "files whose images are in another one of the same delivery; these count once",
    OTHER_FILES: "files in the deliveries without any image that is asked for",
}
"""Reason -> what it means, in the order in which they are told."""


@dataclass(frozen=True)
class Row:
    """A scan, a station of one, a participant without any, or what else is in a delivery (without `scan_id`).

    `status` is TAKEN, LEFT_OUT (by the settings) or FAULTY; a taken scan may have a reason, too, when
    its content is there twice.
    """

    participant_id: str
    session_id: str
    scan_id: str
    status: str
    reason: str = ""
    detail: str = ""
    bytes: int | str = ""
    path: str = ""
    station: str = ""

    @property
    def name(self) -> str:
        """What is meant: the scan and its station, or whose delivery it is in."""
        session = f"ses-{self.session_id.removeprefix('ses-')}" if self.session_id else ""
        whose = self.scan_id or "_".join(filter(None, (self.participant_id, session)))
        return f"{whose} {self.station}".rstrip()


@dataclass(frozen=True)
class Inventory:
    """All rows, sorted by participant, session and scan, and what is odd besides."""

    rows: list[Row]
    remarks: list[str] = field(default_factory=list)

    def count(self, status: str) -> int:
        """Return how many rows have a status."""
        return sum(row.status == status for row in self.rows)

    @property
    def reasons(self) -> Counter[str]:
        """How many rows have each reason."""
        return Counter(row.reason for row in self.rows if row.reason)


def inventory(data: DataSet, folder: str | Path, *, contents: bool = True) -> Inventory:
    """Return what is in a data set.

    Parameters
    ----------
    data : DataSet
        As `wirbel.study.listing.dataset.look_up` finds it.
    folder : str or Path
        The data set; paths in the rows are relative to it.
    contents : bool
        Look for the same content under several names, which opens files of equal size. Default: yes.
    """
    twice = _twice(data.scans) if contents else {}
    rows = [
        _taken(list(claims), str(folder), twice, data.doubts)
        for _, claims in groupby(data.scans, attrgetter("scan_id"))
    ]
    rows += [_row(one.scan, str(folder), LEFT_OUT, one.reason, one.detail) for one in data.left_out]
    rows += [
        Row(one.participant_id, one.session_id, one.scan_id, FAULTY, one.reason, one.detail)
        for one in data.findings
        if one.reason != NOT_CHOSEN
    ]
    rows.sort(key=attrgetter("participant_id", "session_id", "scan_id", "path"))
    return Inventory(rows, data.remarks)


def _twice(scans: Iterable[FoundScan]) -> dict[str, str]:
    """Return path -> what else has the same content."""
    scans = list(scans)
    names = {scan.path: scan.scan_id for scan in scans}
    files = (scan for scan in scans if not os.path.isdir(scan.path))  # folders have gigabytes
    same = same_content(SizedFile(scan.path, scan.size) for scan in files)
    several = [one.path for one in scans if names[one.path] != one.scan_id]
    found = {path: names[path] for path in several}
    for group in same:
        for path in group:
            found[path] = next(names[other] for other in group if other != path)
    return found


def _taken(claims: list[FoundScan], folder: str, twice: dict[str, str], doubts: Doubts) -> Row:
    """Return the row of a taken scan, whatever is wrong with its file."""
    first = claims[0]
    if len(claims) > 1:
        names = ", ".join(visible(os.path.basename(scan.path)) for scan in claims)
        return _row(first, folder, FAULTY, DUPLICATE, f"claimed by {names}; keep one of them")
    if first.size <= LONGEST_POINTER_BYTES and (told := absence(first.path)):
        return _row(first, folder, FAULTY, CONTENT_MISSING, told)
    parts = parted_paths(first.path)
    if closed := [path for path in parts if os.path.exists(path) and not os.access(path, os.R_OK)]:
        told = f"{visible(os.path.basename(closed[0]))} cannot be read by this user; change its permissions"
        return _row(first, folder, FAULTY, NO_PERMISSION, told)
    for code, told in doubts.found.get(first.scan_id, {}).items():
        if (level := doubts.levels[code]) != OFF:
            return _row(first, folder, FAULTY if level == FAILURE else TAKEN, code, told)
    if first.path in twice:
        told = f"the same content as {visible(twice[first.path])}"
        return _row(first, folder, TAKEN, SAME_CONTENT, told)
    return _row(first, folder, TAKEN)


def _row(scan: FoundScan, folder: str, status: str, reason: str = "", detail: str = "") -> Row:
    return Row(
        visible(scan.participant_id),
        visible(scan.session_id),
        visible(scan.scan_id),
        status,
        reason,
        detail,
        max(scan.size, 0),
        "; ".join(visible(os.path.relpath(part, folder)) for part in parted_paths(scan.path)),
    )
