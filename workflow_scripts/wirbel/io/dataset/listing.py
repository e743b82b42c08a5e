"""What was found in a BIDS folder or a table of scans: scans, and everything else worth reporting."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter, itemgetter

from wirbel.io.dataset.scan_names import T2W, FoundScan


@dataclass(frozen=True)
class Finding:
    """Something that is not a scan but must be reported.

    All names are printable; `reason` is a key of `wirbel.errors.REASONS`.
    """

    participant_id: str
    session_id: str
    scan_id: str
    reason: str
    detail: str


@dataclass
class Listing:
    """What a walk found.

    Attributes
    ----------
    scans : list of FoundScan
        The scans.
    findings : list of Finding
        What needs a report instead.
    misspelt : list of str
        Relative paths of files and folders that only their spelling keeps from being scans.
    session_files : list of str
        The participants' own sessions.tsv files.
    unlisted : set of str
        Participants whose folder could not be listed.
    present : list of str
        All participants of the data set, requested or not.
    unmatched : list of str
        Requested names that match no participant, or several.
    suffix : str
        The suffix of the scans, such as "T2w".
    cells : dict
        (scan_id, path) -> the row of a scan in a table of scans (`wirbel.io.dataset.scan_table`).
    """

    scans: list[FoundScan] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    misspelt: list[str] = field(default_factory=list)
    session_files: list[str] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)
    present: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    suffix: str = T2W
    cells: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def extend(self, other: Listing) -> None:
        """Add everything that `other` found."""
        self.scans += other.scans
        self.findings += other.findings
        self.misspelt += other.misspelt
        self.session_files += other.session_files
        self.unlisted |= other.unlisted

    def sort(self) -> None:
        """Sort everything, so that the result does not depend on the file system's order."""
        self.scans.sort(key=itemgetter(0, 4))  # scan_id, path
        self.findings.sort(key=attrgetter("participant_id", "session_id", "scan_id", "detail"))
        self.misspelt.sort()
        self.session_files.sort()
