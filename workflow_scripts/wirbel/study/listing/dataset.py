"""The data set as the main process sees it at a start: listed once, with what users should know about
it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.io.dataset.bids import list_dataset
from wirbel.io.dataset.listing import Finding, Listing
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.escapes import visible
from wirbel.io.foreign.people_files import TABLE
from wirbel.manifests.batches import batch_file, list_batches, read_batch
from wirbel.manifests.findings import NO_SCAN, findings_as_text, mark_of, write_findings
from wirbel.study.listing.people import check_people, people_mark
from wirbel.study.listing.reviews import Reviews, check_reviews


@dataclass(frozen=True)
class DataSet:
    """Scans, findings, what to say at the start, and a mark of the files about people."""

    scans: list[FoundScan]
    findings: list[Finding]
    remarks: list[str]
    people_mark: str
    reviews: Reviews = field(default_factory=Reviews)

    @property
    def mark(self) -> str:
        """A text that differs when the tables would, though no scan does."""
        told = self.reviews
        text = findings_as_text(self.findings, self.people_mark, told.as_json(), told.agreement)
        return mark_of(text)

    def write(self, output_dir: str | Path) -> None:
        """Write down what the tables need of it."""
        told = self.reviews
        write_findings(output_dir, self.findings, self.people_mark, told.as_json(), told.agreement)


def look_up(
    bids_dir: str | Path,
    output_dir: str | Path,
    participants: Collection[str] = (),
    reviews: Sequence[str] = (),
) -> DataSet:
    """List the data set and check the files about its people, and those of readers; writes nothing.

    Scans of a participant whose folder cannot be listed at the moment stay as in the last run, and
    so do their results. Raises Refused if the files about people cannot be joined, OSError for a
    folder that cannot be read.
    """
    listing = list_dataset(bids_dir, participants)
    seen = {scan.scan_id for scan in listing.scans} if listing.unlisted else set()
    kept = [s for s in _as_they_were(Path(output_dir), listing.unlisted) if s.scan_id not in seen]
    scans = sorted([*listing.scans, *kept]) if kept else listing.scans
    with_scans = {scan.participant_id for scan in scans}
    people = check_people(bids_dir, listing.present, with_scans, listing.session_files)
    findings = [*listing.findings, *_without_folder(listing, people.absent, participants)]
    remarks = [*_not_found(listing, participants), *_in_words(listing, findings), *people.remarks]
    told = check_reviews(reviews, {scan.scan_id for scan in scans} if reviews else ())
    return DataSet(
        scans,
        findings,
        [*remarks, *told.remarks],
        people_mark(bids_dir, listing.session_files),
        told,
    )


def _as_they_were(output_dir: Path, participants: Collection[str]) -> list[FoundScan]:
    """Return the scans of some participants from the last run's lists."""
    if not participants:
        return []
    return [
        FoundScan(
            s.scan_id, s.participant_id, s.session_id, s.run_id, str(s.path), s.size, s.mtime_ns
        )
        for batch in list_batches(output_dir)
        for s in read_batch(batch_file(output_dir, batch))
        if s.participant_id in participants
    ]


def _without_folder(
    listing: Listing, names: Collection[str], participants: Collection[str]
) -> list[Finding]:
    """Return the participants of participants.tsv, or requested ones, that have no folder at all."""
    told = f"listed in {TABLE}, but there is no folder of that name"
    if participants:
        names, told = (
            listing.unmatched,
            "asked for by participants, but there is no folder of that name",
        )
    called = dict.fromkeys(f"sub-{name.removeprefix('sub-')}" for name in names)
    return [Finding(visible(name), "", "", NO_SCAN, told) for name in called]


def _not_found(listing: Listing, participants: Collection[str]) -> list[str]:
    """Return how many of the requested participants do not exist, with an example."""
    missing = listing.unmatched
    if not missing:
        return []
    return [
        f"{len(missing)} of {len(participants)} participants asked for were not found, such as {visible(missing[0])}"
    ]


def _in_words(listing: Listing, findings: list[Finding]) -> list[str]:
    """Return one sentence for each kind of finding, with their number and an example."""
    told = []
    for reason, words in (
        ("misnamed", "scans or folders are left out because of their names"),
        ("content_missing", "folders cannot be listed"),
        ("no_scan", "participants have no T2w scan"),
    ):
        found = [finding for finding in findings if finding.reason == reason]
        if found:
            example = found[0].detail if reason != "no_scan" else found[0].participant_id
            told.append(f"{len(found)} {words} ({reason}), such as {example}")
    if listing.misspelt:
        told.append(
            f"{len(listing.misspelt)} files or folders are ignored for their spelling or place, such as "
            f"{visible(listing.misspelt[0])}; expected sub-*/[ses-*/]anat/*_T2w.nii.gz"
        )
    return told
