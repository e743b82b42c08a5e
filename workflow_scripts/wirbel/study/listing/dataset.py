"""The data set as the main process sees it at a start: listed once, with what users should know about
it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from wirbel.core.people.participant_ids import match_ids
from wirbel.errors import NO_SCAN
from wirbel.io.dataset.bids import list_dataset
from wirbel.io.dataset.delivery_folders import list_deliveries
from wirbel.io.dataset.listing import Finding, Listing
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.dataset.scan_table import TableError, list_table
from wirbel.io.escapes import visible
from wirbel.io.foreign.people_files import TABLE
from wirbel.manifests.batch_assignment import read_assignment
from wirbel.manifests.batches import batch_file, list_batches, read_batch
from wirbel.manifests.findings import findings_as_text, mark_of, write_findings
from wirbel.study.listing.people import check_people, people_mark
from wirbel.study.listing.reviews import Reviews, check_reviews
from wirbel.study.refused import Refused
from wirbel.study.sources.choice import LeftOut
from wirbel.study.sources.chosen import chosen_from
from wirbel.study.sources.doubts import Doubts, doubts_of
from wirbel.study.sources.source import ALL_T2W, Source
from wirbel.study.withdrawing.listed import forget_listed
from wirbel.study.withdrawing.who import withdrawn_people
from wirbel.words import counted

NO_CHECKS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class DataSet:
    """Scans, findings, what to say at the start, and a mark of the files about people.

    `left_out` are scans that the settings do not take. `withdrawn` are participants of whom nothing may
    stay, `known` all of the data set and of earlier results.
    """

    scans: list[FoundScan]
    findings: list[Finding]
    remarks: list[str]
    people_mark: str
    reviews: Reviews = field(default_factory=Reviews)
    left_out: list[LeftOut] = field(default_factory=list)
    misspelt: list[str] = field(default_factory=list)
    withdrawn: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    doubts: Doubts = field(default_factory=Doubts)

    @property
    def excluded(self) -> frozenset[str]:
        """The names of scans that are there but not taken."""
        names = {one.scan.scan_id for one in self.left_out}
        return frozenset(names - {scan.scan_id for scan in self.scans} if names else ())

    @property
    def mark(self) -> str:
        """A text that differs when the tables would, though no scan does."""
        return mark_of(findings_as_text(*self._told))

    def write(self, output_dir: str | Path) -> None:
        """Write down what the tables need of it."""
        write_findings(output_dir, *self._told)
        self.doubts.write(Path(output_dir))

    @property
    def _told(self) -> tuple:
        """What the tables need, as `findings_as_text` wants it."""
        doubts = {"warnings": self.doubts.warnings, "off": self.doubts.unflagged}
        checks = {key: value for key, value in doubts.items() if value}
        told = self.reviews
        return self.findings, self.people_mark, told.as_json(), told.agreement, checks


def look_up(
    bids_dir: str | Path,
    output_dir: str | Path,
    participants: Collection[str] = (),
    reviews: Sequence[str] = (),
    source: Source = ALL_T2W,
    withdrawn: Sequence[str] = (),
    levels: Mapping[str, str] = NO_CHECKS,
) -> DataSet:
    """List the data set and check the files about its people, and those of readers; writes nothing.

    Scans of a participant whose folder cannot be listed at the moment stay as in the last run, and
    so do their results. Nothing of `withdrawn` participants is in what is returned. `levels` says which checks are
    made (`wirbel.plan.checks`). Raises Refused if
    the files about people, or the table of scans, cannot be used, OSError for a folder that cannot be read.
    """
    listing = listed(bids_dir, participants, source)
    known = _known(listing, Path(output_dir)) if withdrawn else frozenset()
    gone, unmatched = withdrawn_people(withdrawn, known)
    forget_listed(listing, gone)
    seen = {scan.scan_id for scan in listing.scans} if listing.unlisted else set()
    kept = [s for s in _as_they_were(Path(output_dir), listing.unlisted) if s.scan_id not in seen]
    kept = [scan for scan in kept if scan.participant_id not in gone]
    present = sorted([*listing.scans, *kept]) if kept else listing.scans
    with_scans = {scan.participant_id for scan in present}
    people = check_people(bids_dir, {*listing.present, *gone}, with_scans, listing.session_files)
    chosen = chosen_from(present, listing, people.files, source)
    absent = [] if source.where else _not_withdrawn(people.absent, withdrawn)
    findings = [*chosen.findings, *_without_folder(listing, absent, participants)]
    doubts = doubts_of(chosen.scans, source, levels, Path(output_dir))
    told = check_reviews(reviews, {scan.scan_id for scan in chosen.scans} if reviews else ())
    remarks = [*_not_found(listing, participants), *_in_words(listing, findings, source)]
    remarks += doubts.in_words()
    return DataSet(
        chosen.scans,
        findings,
        [*remarks, *chosen.remarks, *people.remarks, *told.remarks, *_withdrawn(gone, unmatched)],
        people_mark(bids_dir, listing.session_files),
        told,
        chosen.left_out,
        listing.misspelt,
        gone,
        known,
        doubts,
    )


def listed(bids_dir: str | Path, participants: Collection[str], source: Source) -> Listing:
    """List the BIDS folder, or the table of scans; raises Refused, OSError."""
    if not source.table:
        return list_dataset(bids_dir, participants, source.suffix)
    try:
        if source.dicom and os.path.isdir(source.table):
            return list_deliveries(source.table, participants, source.suffix)
        return list_table(
            source.table, participants, source.suffix, in_parts=source.dicom or source.joined
        )
    except TableError as error:
        raise Refused(str(error)) from None


def _known(listing: Listing, output_dir: Path) -> frozenset[str]:
    """Return all participants of the data set and of earlier results."""
    earlier = {scan_id.split("_")[0] for scan_id in read_assignment(output_dir)}
    return frozenset({*listing.present, *earlier, *_with_maps(output_dir)})


def _with_maps(output_dir: Path) -> list[str]:
    """Return the participants who have a folder in the output folder."""
    names = os.listdir(output_dir) if output_dir.is_dir() else []
    return [name for name in names if name.startswith("sub-")]


def _not_withdrawn(absent: Collection[str], withdrawn: Collection[str]) -> list[str]:
    """Return the ids of participants.tsv that are not on the list of withdrawals."""
    if not withdrawn:
        return list(absent)
    labels = {f"sub-{name.strip().removeprefix('sub-')}" for name in withdrawn}
    return [name for name in absent if name not in match_ids([name], labels)]


def _withdrawn(gone: Collection[str], unmatched: int) -> list[str]:
    """Return how many participants are withdrawn; who they are is not said."""
    told = [
        f"{counted(len(gone), 'participant is', 'participants are')} withdrawn: nothing of them is used or kept"
    ]
    none = [
        f"{counted(unmatched, 'name matches', 'names match')} no participant in the list of withdrawals"
    ]
    return (told if gone else []) + (none if unmatched else [])


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
    verb = "was" if len(missing) == 1 else "were"
    return [
        f"{len(missing):,} of {counted(len(participants), 'participant')} asked for {verb} not found, "
        f"such as {visible(missing[0])}"
    ]


def _in_words(listing: Listing, findings: list[Finding], source: Source) -> list[str]:
    """Return one sentence for each kind of finding, with their number and an example."""
    told = []
    for reason, one, more in (
        (
            "misnamed",
            "scan or folder is left out because of its name",
            "scans or folders are left out because of their names",
        ),
        ("content_missing", "folder cannot be listed", "folders cannot be listed"),
        (
            NO_SCAN,
            f"participant has no {source.suffix} scan",
            f"participants have no {source.suffix} scan",
        ),
    ):
        found = [finding for finding in findings if finding.reason == reason]
        if found:
            example = found[0].detail if reason != NO_SCAN else found[0].participant_id
            told.append(f"{counted(len(found), one, more)} ({reason}), such as {example}")
    if listing.misspelt:
        told.append(
            f"{counted(len(listing.misspelt), 'path is', 'paths are')} ignored because of spelling or place, "
            f"such as {visible(listing.misspelt[0])}; expected {source.expected}"
        )
    return told
