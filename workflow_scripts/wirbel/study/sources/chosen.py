"""The scans that a study takes of a listing, and what that leaves to report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from wirbel.errors import NO_SCAN, NOT_CHOSEN
from wirbel.io.dataset.listing import Finding, Listing
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.escapes import visible
from wirbel.io.foreign.people_files import TABLE, PeopleFiles
from wirbel.plan.station_names import apart
from wirbel.study.refused import Refused
from wirbel.study.sources.choice import FILTERED, NOT_SELECTED, LeftOut, choose
from wirbel.study.sources.joined import joined
from wirbel.study.sources.source import Source
from wirbel.words import counted

WORDS = {
    FILTERED: "left out by the setting filter",
    NOT_SELECTED: "left out by the setting where",
    NOT_CHOSEN: "left out because another of their session was chosen (one_per_session)",
}
MOST_NAMED = 20
"""Columns named in an error."""


@dataclass(frozen=True)
class Chosen:
    """Scans to take; findings, of the listing and of the choice; what to say; what is left out."""

    scans: list[FoundScan]
    findings: list[Finding]
    remarks: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def chosen_from(
    scans: list[FoundScan], listing: Listing, people: PeopleFiles, source: Source
) -> Chosen:
    """Return what to take of `scans`, those of `listing`; raises Refused for a column that nobody has."""
    _check_columns(listing, people, source)

    def cells(scan: FoundScan) -> Mapping[str, str]:
        own = listing.cells.get((scan.scan_id, scan.path), {})
        return people.people.of(scan.participant_id, scan.session_id) | own

    of_stations = replace(source, one_per_session=False) if source.joined else source
    found = choose(scans, of_stations, cells)
    taken = joined(found.scans) if source.joined else found.scans
    taken = apart(taken, source.apart) if source.apart else taken
    findings = [one for one in listing.findings if _concerns(one, people, source)]
    findings += [_finding(one) for one in found.left_out if one.reason == NOT_CHOSEN]
    findings += _without(found.scans, found.left_out, findings)
    numbers = Counter(one.reason for one in found.left_out)
    remarks = [
        f"{counted(numbers[reason], 'scan is', 'scans are')} {words}"
        for reason, words in WORDS.items()
        if numbers[reason]
    ]
    return Chosen(taken, findings, remarks, found.left_out)


def _check_columns(listing: Listing, people: PeopleFiles, source: Source) -> None:
    """Refuse a column in `where` that no table has: nobody would be selected."""
    known = dict.fromkeys(people.people.columns)
    for row in list(listing.cells.values())[:1]:
        known |= dict.fromkeys(row)
    for column in source.where:
        if column not in known:
            found = visible(", ".join(list(known)[:MOST_NAMED])) or "none"
            where = f"{TABLE} or {source.table}" if source.table else TABLE
            raise Refused(f"setting where: {where} has no column {column!r}; it has {found}")


def _concerns(found: Finding, people: PeopleFiles, source: Source) -> bool:
    """Return True unless a participant without a scan is not selected anyway."""
    if found.reason != NO_SCAN or not source.where:
        return True
    cells = people.people.of(found.participant_id)
    return all(wanted.holds(cells.get(c, "").strip()) for c, wanted in source.where.items())


def _finding(one: LeftOut) -> Finding:
    scan = one.scan
    return Finding(
        visible(scan.participant_id),
        visible(scan.session_id),
        visible(scan.scan_id),
        one.reason,
        one.detail,
    )


def _without(
    scans: list[FoundScan], left_out: list[LeftOut], findings: list[Finding]
) -> list[Finding]:
    """Return a finding for every participant whose scans are all left out by `filter`."""
    seen = {scan.participant_id for scan in scans} | {one.participant_id for one in findings}
    filtered: dict[str, list[LeftOut]] = {}
    for one in left_out:
        if one.reason == FILTERED and one.scan.participant_id not in seen:
            filtered.setdefault(one.scan.participant_id, []).append(one)
    return [
        Finding(
            visible(name),
            "",
            "",
            NO_SCAN,
            f"{counted(len(some), 'scan')}, such as {_example(some[0])}",
        )
        for name, some in sorted(filtered.items())
    ]


def _example(one: LeftOut) -> str:
    return f"{visible(one.scan.scan_id)}: left out by the {one.detail}"
