"""Say what the stage `ingest` would make of a delivery, from its headers alone: each station, and what is in none."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wirbel.errors import NO_SCAN, NOT_CHOSEN, ScanError
from wirbel.ingest.checking import accepting, people_of, warnings_of
from wirbel.ingest.delivery import SPREAD, Found, fitting, look_into, notes_on, whole
from wirbel.ingest.headers.series import Series
from wirbel.ingest.matching import misfit
from wirbel.ingest.stations import SEVERAL
from wirbel.io.dataset.folder_content import content_stamp
from wirbel.io.dataset.several_paths import parted_paths
from wirbel.plan.checks import OTHER_FILES, OTHER_SERIES, PEOPLE, REPEATED
from wirbel.plan.series_rules import SeriesRules, rules_of, stations_of

SAME = "the same images as "


class Asked(NamedTuple):
    """A delivery, and the settings `series`, `stations`, `stitch`, `one_per_session`, `checks` and `suffix`.

    `file_names`: tell how files in a delivered folder are called, which may name people. Default: they are numbered.
    """

    path: str
    series: Mapping[str, Any]
    stations: Mapping[str, Any]
    stitch: bool
    best: bool
    levels: Mapping[str, str]
    suffix: str = "T2w"
    file_names: bool = False


class Sight(NamedTuple):
    """A station, or a scan without stations: where it is, or why it would be refused; or what none is taken from.

    Attributes
    ----------
    station : str
        Name of the station; "" for a scan without stations.
    reason, detail : str
        Why it is refused or left out; or "" and the series in numbers.
    paths : tuple of str
        Archives, files or folders that it is in.
    is_scan : bool
        It is a scan or a station; otherwise a series or a file from which none is taken.
    warnings : tuple of str
        Checks that would be warnings.
    identity : str
        A digest of the images' UIDs, by which a delivery under two names is noticed.
    bytes : int
        Size of what is in `paths`.
    """

    station: str
    reason: str
    detail: str
    paths: tuple[str, ...] = ()
    is_scan: bool = True
    warnings: tuple[str, ...] = ()
    identity: str = ""
    bytes: int = 0


def preview(asked: Asked) -> list[Sight]:
    """Return what would come of a delivery: first its stations, or the scan, then what else is in it.

    Nothing is converted, so a series that dcm2niix cannot convert is not noticed.
    """
    paths = [Path(part) for part in parted_paths(asked.path)]
    taken = accepting(asked.series, asked.levels)
    rules = stations_of(asked.stations, taken) or {"": rules_of(taken)}
    if any(rule.name for rule in rules.values()):
        found_files = [_file(name, rule, paths) for name, rule in rules.items()]
        all_files = _as_one(found_files, asked) + list(_other_files(paths, found_files))
        return [_sized(sight) for sight in all_files]
    found = look_into(paths, all_facts=False)
    chosen: set[int] = set()
    sights = [_sight(name, rule, found, asked, chosen) for name, rule in rules.items()]
    patients = [one.first.patient for one in found.series if id(one) in chosen]
    sights = _of_people(sights, patients, asked)
    others = [*_other_series(found, rules, sights, chosen), *_other_parts(found, sights)]
    told = [_sized(sight) for sight in _as_one(sights, asked) + others]
    return told if asked.file_names else [_numbered(sight, found) for sight in told]


def _sized(sight: Sight) -> Sight:
    return sight._replace(bytes=sum(max(content_stamp(path)[0], 0) for path in sight.paths))


def _numbered(sight: Sight, found: Found) -> Sight:
    """Return a sight with numbers instead of the names that files in a delivered folder have."""
    labels = {}
    for number, (name, given) in enumerate(zip(found.names, found.given, strict=True)):
        of_given = [other for other, one in enumerate(found.given) if one == given]
        numbered = f"{given} (part {of_given.index(number) + 1} of {len(of_given)})"
        labels[str(name)] = str(given) if name == given else numbered
    outer = [
        next((str(g) for g in found.given if Path(p).is_relative_to(g)), "") for p in sight.paths
    ]
    paths = [labels.get(path, folder) for path, folder in zip(sight.paths, outer, strict=True)]
    detail = sight.detail
    if sight.reason == REPEATED:
        detail = SAME + os.path.basename(labels[detail.removeprefix(SAME)])
    return sight._replace(paths=tuple(dict.fromkeys(paths)), detail=detail)


def _sight(name: str, rule: SeriesRules, found: Found, asked: Asked, chosen: set[int]) -> Sight:
    """Return a station; the identity of its series is added to `chosen`."""
    series: Series | None = None
    try:
        series = fitting(found, rule, best=asked.best)
        chosen.add(id(series))
        own = whole(found, series).first
        notes = notes_on(found)
        told = own.facts, own.is_derived, notes
        warnings = warnings_of(*told, asked.series, asked.levels, asked.suffix)
    except ScanError as fault:
        return Sight(name, fault.reason, fault.detail, _at_fault(fault, series, found, rule))
    identity = _identity(header.instance for header in series.headers)
    paths = _places(found, series)
    in_words = "; ".join([series.in_words(), *notes])
    return Sight(name, "", in_words, paths, True, tuple(warnings), identity)


def _at_fault(
    fault: ScanError, series: Series | None, found: Found, rule: SeriesRules
) -> tuple[str, ...]:
    """Return where a fault is: in the part that has it, or in the series that was chosen, or in all that fit."""
    if parts := [number for number, one in found.faults.items() if one is fault]:
        return tuple(str(found.names[number]) for number in parts)
    several = [one for one in found.series if not misfit(one, rule)]
    some = [series] if series is not None else several
    return tuple(dict.fromkeys(path for one in some for path in _places(found, one)))


def _of_people(sights: list[Sight], patients: Iterable[str], asked: Asked) -> list[Sight]:
    """Refuse the stations if they are of several people, or note that they are."""
    try:
        codes = tuple(people_of(patients, asked.levels))
        return [one._replace(warnings=(*codes, *one.warnings)) for one in sights]
    except ScanError as fault:
        return _refused(sights, fault.reason, fault.detail)


def _as_one(sights: list[Sight], asked: Asked) -> list[Sight]:
    """Refuse all stations that would be put together if it is open which series one of them is."""
    unclear = next((one for one in sights if one.reason in (SEVERAL, PEOPLE)), None)
    if unclear is None or not asked.stations or not asked.stitch:
        return sights
    why = f"it is open which series the station {unclear.station} is, so none of the session's is taken"
    return _refused(sights, unclear.reason, why)


def _refused(sights: list[Sight], reason: str, detail: str) -> list[Sight]:
    return [one if one.reason else one._replace(reason=reason, detail=detail) for one in sights]


def _places(found: Found, series: Series) -> tuple[str, ...]:
    """Return the archives that hold a series, and the folder or file of what is in none."""
    told = []
    for number in sorted({place // SPREAD for place in series.places}):
        part = found.parts[number]
        own = [place % SPREAD for place in series.places if place // SPREAD == number]
        files = part if len(part) == 1 else [part[place] for place in own]
        told.append(os.path.commonpath(files))
    return tuple(told)


def _other_series(
    found: Found, rules: Mapping[str, SeriesRules], sights: Sequence[Sight], chosen: set[int]
) -> Iterator[Sight]:
    """Return the series that no station is, but those that the row of a refused one tells of."""
    for series in found.series:
        misfits = [misfit(series, rule) for rule in rules.values()]
        fits = [one for one, why in zip(sights, misfits, strict=True) if not why]
        if id(series) in chosen or (fits and not any(map(_chose_another, fits))):
            continue
        why, reason = " or ".join(dict.fromkeys(filter(None, misfits))), OTHER_SERIES
        if fits:
            station, reason = next(filter(_chose_another, fits)), NOT_CHOSEN
            named = f" {station.station}".rstrip()
            why = (
                f"one of several that fit{named}"
                if station.reason
                else f"another was taken{named and ' as' + named}"
            )
        yield Sight("", reason, f"{series.in_words()}: {why}", _places(found, series), False)


def _chose_another(sight: Sight) -> bool:
    return sight.reason in ("", SEVERAL, PEOPLE)


def _other_parts(found: Found, sights: Iterable[Sight]) -> Iterator[Sight]:
    """Return archives and files with faults that no station tells of, without images, or with those of others."""
    told = {path for one in sights for path in one.paths if one.reason}
    used = {place // SPREAD for series in found.series for place in series.places}
    holders = {header.instance: header.place // SPREAD for header in reversed(found.headers)}
    held: dict[int, int] = {}
    for header in found.headers:
        held.setdefault(header.place // SPREAD, holders[header.instance])
    for number, path in enumerate(map(str, found.names)):
        if fault := found.faults.get(number):
            if path not in told:
                yield Sight("", fault.reason, fault.detail, (path,), False)
        elif number in held and number not in used:
            yield Sight("", REPEATED, f"{SAME}{found.names[held[number]]}", (path,), False)
        elif number not in held and path not in told:
            yield Sight("", OTHER_FILES, "no DICOM image", (path,), False)


def _file(name: str, rule: SeriesRules, paths: list[Path]) -> Sight:
    """Return a station that is a NIfTI file already."""
    fits = [path for path in paths if re.search(rule.name, path.name, re.I)]
    where = tuple(map(str, fits))
    if len(fits) == 1:
        return Sight(name, "", "", where)
    if fits:
        return Sight(name, SEVERAL, f"{len(fits)} files fit {rule.name!r}", where)
    return Sight(name, NO_SCAN, f"no file's name contains {rule.name!r}")


def _other_files(paths: list[Path], sights: Iterable[Sight]) -> Iterator[Sight]:
    used = {path for one in sights for path in one.paths}
    for path in map(str, paths):
        if path not in used:
            told = "its name fits no station"
            yield Sight("", OTHER_FILES, told, (path,), False)


def _identity(instances: Iterable[str]) -> str:
    """Return a digest of UIDs; "" where images have none."""
    known = sorted(filter(None, instances))
    return hashlib.sha256("\n".join(known).encode()).hexdigest() if known else ""
