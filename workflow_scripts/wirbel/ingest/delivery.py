"""From what was delivered of one scan to its volume."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.ingest.archives import Member, members, parts
from wirbel.ingest.conversion import converted
from wirbel.ingest.headers.facts import ALLOWED
from wirbel.ingest.headers.header import DicomHeader
from wirbel.ingest.headers.reading import read_header
from wirbel.ingest.headers.repeats import Repeats
from wirbel.ingest.headers.series import Series, check_series, gathered
from wirbel.ingest.matching import chosen_series
from wirbel.plan.series_rules import SeriesRules
from wirbel.words import counted

SPREAD = 1_000_000
"""Places of the files of one part are numbered from a multiple of this on."""


@dataclass
class Found:
    """What is in a delivery.

    `parts` (`wirbel.ingest.archives.parts`), their `names` (an archive, or the path of other files) and the path
    that was `given` for each; headers, the UIDs of their series, what repeats them, and faults by the number of
    the part.
    """

    parts: list[tuple[Path, ...]] = field(default_factory=list)
    names: list[Path] = field(default_factory=list)
    given: list[Path] = field(default_factory=list)
    headers: list[DicomHeader] = field(default_factory=list)
    faults: dict[int, ScanError] = field(default_factory=dict)
    unreadable: int = 0
    seen: set[str] = field(default_factory=set)
    repeats: Repeats = field(default_factory=Repeats)

    @cached_property
    def series(self) -> list[Series]:
        """The series of all parts, once all of them were looked into."""
        return gathered(self.headers)


@dataclass(frozen=True)
class Converted:
    """A scan's volume, what may be told of its header, sentences on what was odd, whether it was made from other
    images, and its PatientID, which is compared and goes nowhere.
    """

    volume: Volume
    facts: dict
    notes: list[str]
    is_derived: bool = False
    patient: str = ""


def convert(paths: Sequence[Path], rules: SeriesRules, *, best: bool = False) -> Converted:
    """Return the volume of the series that fits the rules.

    Parameters
    ----------
    paths : sequence of Path
        Folders, archives or files, all of one scan.
    rules : SeriesRules
        Which series to take.
    best : bool
        Where several fit, take the best (`wirbel.ingest.matching`). Default: refuse.

    Raises
    ------
    ScanError
        As `members`, `chosen_series`, `check_series` and `converted` do; no message holds anything of
        a header but numbers of the scan's geometry and timing.
    InfrastructureError, OSError
        If the machine or its file system is at fault.
    """
    return converted_of(look_into(paths), rules, best=best)


def converted_of(found: Found, rules: SeriesRules, *, best: bool = False) -> Converted:
    """Return the volume of a delivery that was looked into already; arguments and errors as of `convert`."""
    series = whole(found, fitting(found, rules, best=best))
    volume = volume_of(found.parts, series)
    first = series.first
    return Converted(volume, allowed(series), notes_on(found), first.is_derived, first.patient)


def look_into(paths: Sequence[Path], *, all_facts: bool = True) -> Found:
    """Return the headers of all images of a delivery, and what is wrong with it.

    Only the first file of a series has facts if `all_facts` is not set.
    """
    found = Found()
    _part(paths, found)
    for number, part in enumerate(found.parts):
        try:
            with closing(members(part)) as some:
                for member in some:
                    _look(member, number, found, all_facts=all_facts)
        except ScanError as fault:
            found.faults[number] = fault
    return found


def _part(paths: Sequence[Path], found: Found) -> None:
    """Find the parts of all paths; a path where nothing is becomes a fault of an empty part."""
    for path in paths:
        some: list[tuple[Path, ...]] = [()]
        try:
            some = parts(path)
        except ScanError as fault:
            found.faults[len(found.parts)] = fault
        found.parts += some
        found.names += [part[0] if len(part) == 1 else path for part in some]
        found.given += [path] * len(some)


def _look(member: Member, number: int, found: Found, *, all_facts: bool) -> None:
    try:
        header = (
            read_header(member) if all_facts else read_header(member, found.seen, found.repeats)
        )
    except ScanError as fault:
        if fault.reason != "unreadable":
            raise
        found.unreadable += 1
        return
    if header is not None:
        found.seen.add(header.series)
        found.headers.append(replace(header, place=number * SPREAD + header.place))


def fitting(found: Found, rules: SeriesRules, *, best: bool = False) -> Series:
    """Return the series that fits the rules; a fault of the delivery that it comes from is its own."""
    try:
        return chosen_series(found.series, rules, best=best)
    except ScanError as error:
        if error.reason in ("no_dicom", "no_series") and found.faults:
            raise next(iter(found.faults.values())) from None
        if error.reason == "no_dicom" and found.unreadable:
            told = f"{found.unreadable} DICOM files have damaged headers: export them again"
            raise ScanError("unreadable", told) from None
        raise


def whole(found: Found, series: Series) -> Series:
    """Return a series; raises ScanError if it is not whole, or what it was delivered in is damaged."""
    for place in sorted(series.places):
        if fault := found.faults.get(place // SPREAD):
            raise fault
    check_series(series)
    return series


def volume_of(delivered: Sequence[tuple[Path, ...]], series: Series) -> Volume:
    """Copy the files of a series, of the parts of a delivery, to a private folder, and convert them."""
    with TemporaryDirectory(prefix="wirbel-ingest-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number, part in enumerate(delivered):
            own = {place % SPREAD for place in series.places if place // SPREAD == number}
            if own:
                _copy(part, own, folder / "in", number)
        return converted(folder, series)


def _copy(part: tuple[Path, ...], places: set[int], folder: Path, number: int) -> None:
    """Copy some files of a delivery to a folder, under neutral names."""
    last = max(places)
    with closing(members(part)) as some:
        for member in some:
            if member.place in places:
                member.copy(folder / f"{number:03}_{member.place:06}.dcm")
            if member.place == last:
                return


def allowed(series: Series) -> dict:
    """Return what may be told of a series: the facts that all of its files share."""
    first, others = series.first.facts, [header.facts for header in series.headers[1:]]
    shared = {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}
    return {name: shared[name] for name in ALLOWED if name in shared}


def notes_on(found: Found) -> list[str]:
    """Return what was odd about a delivery that is good enough."""
    told = []
    if number := found.unreadable:
        one = "DICOM file with a damaged header was left out"
        told.append(counted(number, one, "DICOM files with damaged headers were left out"))
    if found.faults:
        reasons = ", ".join(sorted(fault.reason for fault in found.faults.values()))
        one, more = "part of the delivery was left out", "parts of the delivery were left out"
        told.append(f"{counted(len(found.faults), one, more)} ({reasons})")
    return told
