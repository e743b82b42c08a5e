"""From what was delivered of one scan to its volume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.ingest.archives import Member, members, parts
from wirbel.ingest.conversion import converted
from wirbel.ingest.facts import ALLOWED
from wirbel.ingest.header import DicomHeader
from wirbel.ingest.matching import chosen_series
from wirbel.ingest.reading import read_header
from wirbel.ingest.series import Series, check_series, gathered
from wirbel.plan.series_rules import SeriesRules

SPREAD = 1_000_000
"""Places of the files of one part are numbered from a multiple of this on."""


@dataclass
class Found:
    """What is in a delivery: headers, and faults by the part (its number) that has them."""

    headers: list[DicomHeader] = field(default_factory=list)
    faults: dict[int, ScanError] = field(default_factory=dict)
    unreadable: int = 0


@dataclass(frozen=True)
class Converted:
    """A scan's volume, what may be told of its header, and sentences on what was odd."""

    volume: Volume
    facts: dict
    notes: list[str]


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
    found = look_into(paths)
    series = chosen(found, rules, best=best)
    volume = volume_of(paths, series)
    return Converted(volume, allowed(series), notes_on(found))


MISSING_REASONS = (
    *("no_series", "no_dicom", "unreadable", "incomplete_series", "not_converted"),
    *("archive_damaged", "archive_encrypted", "archive_bomb", "archive_nested", "content_missing"),
)
"""What makes a station missing; anything else is a question of the rules, and refused."""


@dataclass(frozen=True)
class Stations:
    """The stations of a scan that were found, and why the others were not: name -> reason."""

    found: dict[str, Converted]
    missing: dict[str, str]


def convert_stations(
    paths: Sequence[Path], rules: Mapping[str, SeriesRules], *, best: bool = False
) -> Stations:
    """Return each station's volume.

    Parameters
    ----------
    paths : sequence of Path
        Folders, archives or files, all of one scan.
    rules : mapping of str to SeriesRules
        Name of a station -> which series it is.
    best : bool
        Where several series fit a station, take the best. Default: refuse.

    Returns
    -------
    Stations
        At least one was found.

    Raises
    ------
    ScanError
        As `convert` does: if no station was found, the first one's fault, or if a station cannot be
        told apart from others.
    """
    delivered = look_into(paths)
    found: dict[str, Converted] = {}
    faults: dict[str, ScanError] = {}
    for name, rule in rules.items():
        try:
            series = chosen(delivered, rule, best=best)
            volume = volume_of(paths, series)
            found[name] = Converted(volume, allowed(series), notes_on(delivered))
        except ScanError as fault:
            if fault.reason not in MISSING_REASONS:
                raise ScanError(fault.reason, f"station {name}: {fault.detail}") from None
            faults[name] = fault
    if not found:
        raise _telling(faults)
    return Stations(found, {name: fault.reason for name, fault in faults.items()})


def _telling(faults: Mapping[str, ScanError]) -> ScanError:
    """Return the fault that says most: that nothing fits says least."""
    told = list(faults.items())
    name, fault = next((one for one in told if one[1].reason != "no_series"), told[0])
    return ScanError(fault.reason, f"station {name}: {fault.detail}")


def look_into(paths: Sequence[Path]) -> Found:
    """Return the headers of all images of a delivery, and what is wrong with it."""
    found = Found()
    for number, part in enumerate(_parts(paths, found)):
        try:
            with closing(members(part)) as some:
                for member in some:
                    _look(member, number, found)
        except ScanError as fault:
            found.faults[number] = fault
    return found


def _parts(paths: Sequence[Path], found: Found | None = None) -> list[tuple[Path, ...]]:
    """Return the parts of all paths; a path where nothing is becomes a fault of an empty part."""
    told: list[tuple[Path, ...]] = []
    for path in paths:
        try:
            told += parts(path)
        except ScanError as fault:
            if found is not None:
                found.faults[len(told)] = fault
            told.append(())
    return told


def _look(member: Member, number: int, found: Found) -> None:
    try:
        header = read_header(member)
    except ScanError as fault:
        if fault.reason != "unreadable":
            raise
        found.unreadable += 1
        return
    if header is not None:
        found.headers.append(replace(header, place=number * SPREAD + member.place))


def chosen(found: Found, rules: SeriesRules, *, best: bool = False) -> Series:
    """Return the series to take; a fault of the delivery that it comes from is its own."""
    try:
        series = chosen_series(gathered(found.headers), rules, best=best)
    except ScanError as error:
        if error.reason in ("no_dicom", "no_series") and found.faults:
            raise next(iter(found.faults.values())) from None
        if error.reason == "no_dicom" and found.unreadable:
            told = f"{found.unreadable} DICOM files have damaged headers: export them again"
            raise ScanError("unreadable", told) from None
        raise
    for place in sorted(series.places):
        if fault := found.faults.get(place // SPREAD):
            raise fault
    check_series(series)
    return series


def volume_of(paths: Sequence[Path], series: Series) -> Volume:
    """Copy the files of a series to a private folder, and convert them."""
    with TemporaryDirectory(prefix="wirbel-ingest-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for number, part in enumerate(_parts(paths)):
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
    if found.unreadable:
        told.append(f"{found.unreadable} DICOM files with damaged headers were left out")
    if found.faults:
        reasons = ", ".join(sorted(fault.reason for fault in found.faults.values()))
        told.append(f"{len(found.faults)} parts of the delivery were left out ({reasons})")
    return told
