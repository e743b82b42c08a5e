"""What a walk through a BIDS folder brings back: scans, and what has to be told besides."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter, itemgetter

from wirbel.io.scan_names import FoundScan


@dataclass(frozen=True)
class Finding:
    """What is no scan but has to be told: names are printable, `reason` is a key of `wirbel.errors.REASONS`."""

    participant_id: str
    session_id: str
    scan_id: str
    reason: str
    detail: str


@dataclass
class Listing:
    """What was found: scans, findings, and paths (relative) of what only its spelling keeps from being scans."""

    scans: list[FoundScan] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    misspelt: list[str] = field(default_factory=list)
    session_files: list[str] = field(default_factory=list)
    unlisted: set[str] = field(default_factory=set)
    """Participants whose folder could not be listed."""
    present: list[str] = field(default_factory=list)
    """All participants of the data set, asked for or not."""
    unmatched: list[str] = field(default_factory=list)
    """Names that were asked for and mean no participant, or more than one."""

    def extend(self, other: Listing) -> None:
        """Add what another one holds."""
        self.scans += other.scans
        self.findings += other.findings
        self.misspelt += other.misspelt
        self.session_files += other.session_files
        self.unlisted |= other.unlisted

    def sort(self) -> None:
        """Put everything in an order of its own, whatever the file system's."""
        self.scans.sort(key=itemgetter(0, 4))  # scan_id, path
        self.findings.sort(key=attrgetter("participant_id", "session_id", "scan_id", "detail"))
        self.misspelt.sort()
        self.session_files.sort()
