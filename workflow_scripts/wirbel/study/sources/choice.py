"""Choose scans by the settings `filter`, `where` and `one_per_session`, and say why not the others.

Pure functions: the same listing and settings give the same choice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from wirbel.errors import NOT_CHOSEN
from wirbel.io.dataset.entities import entities_of, same_value
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.escapes import visible
from wirbel.study.sources.source import WITHOUT, Source

FILTERED, NOT_SELECTED = "filtered", "not_selected"
"""Why a scan is left out by the settings `filter` and `where`; these are no faults."""
RULES = (
    "the order of the values in filter, then the highest run (a scan is repeated because the one before was not "
    "good), then the larger file, then the first name"
)
"""How scans of a session are ranked. A file whose content is missing comes last."""
Cells = Callable[[FoundScan], Mapping[str, str]]


@dataclass(frozen=True)
class LeftOut:
    """A scan that is not taken; `reason` is FILTERED, NOT_SELECTED or NOT_CHOSEN."""

    scan: FoundScan
    reason: str
    detail: str


@dataclass(frozen=True)
class Choice:
    """The scans to take, in the order of the listing, and those left out."""

    scans: list[FoundScan]
    left_out: list[LeftOut] = field(default_factory=list)


def choose(scans: Iterable[FoundScan], source: Source, cells: Cells) -> Choice:
    """Return which of `scans` to take.

    Parameters
    ----------
    scans : iterable of FoundScan
        All scans of the data set, sorted.
    source : Source
        The settings.
    cells : callable
        Scan -> what is known about its participant: column -> text.
    """
    if not (source.filter or source.where or source.one_per_session):
        return Choice(list(scans))
    left_out: list[LeftOut] = []
    kept: list[FoundScan] = []
    for scan in scans:
        told = _filtered(scan, source) or _not_selected(scan, source, cells)
        if told is None:
            kept.append(scan)
        else:
            left_out.append(told)
    if source.one_per_session:
        losers = _losers(kept, source)
        lost = {id(loser.scan) for loser in losers}
        kept, left_out = [scan for scan in kept if id(scan) not in lost], left_out + losers
    return Choice(kept, left_out)


def _filtered(scan: FoundScan, source: Source) -> LeftOut | None:
    has = entities_of(scan.scan_id)
    for entity, wanted in source.filter.items():
        if _place(entity, has.get(entity), wanted) is None:
            found = f"{entity}-{has[entity]}" if entity in has else f"no {entity}-"
            detail = (
                f"setting filter: expected {entity} {', '.join(wanted)}, found {visible(found)}"
            )
            return LeftOut(scan, FILTERED, detail)
    return None


def _place(entity: str, value: str | None, wanted: tuple[str, ...]) -> int | None:
    """Return the place of a value among the accepted ones; None if it is not among them."""
    for place, one in enumerate(wanted):
        if value is None and one == WITHOUT:
            return place
        if value is not None and same_value(entity, value, one):
            return place
    return None


def _not_selected(scan: FoundScan, source: Source, cells: Cells) -> LeftOut | None:
    if not source.where:
        return None
    known = cells(scan)
    for column, wanted in source.where.items():
        text = known.get(column, "").strip()
        if not wanted.holds(text):
            detail = f"setting where: {column} is {visible(text) or 'not known'}"
            return LeftOut(scan, NOT_SELECTED, detail)
    return None


def _losers(scans: list[FoundScan], source: Source) -> list[LeftOut]:
    """Return the scans that another one of their session is better than."""
    sessions: dict[tuple[str, str], list[FoundScan]] = {}
    for scan in scans:
        sessions.setdefault((scan.participant_id, scan.session_id), []).append(scan)
    losers = []
    for group in sessions.values():
        if len(group) > 1:
            best, *others = sorted(group, key=lambda scan: _rank(scan, source))
            told = f"{visible(os.path.basename(best.path))} was chosen for this session"
            losers += [LeftOut(scan, NOT_CHOSEN, told) for scan in others]
    return losers


def _rank(scan: FoundScan, source: Source) -> tuple:
    """Return a key that sorts the best scan first (RULES)."""
    has = entities_of(scan.scan_id)
    places = [_place(entity, has.get(entity), wanted) for entity, wanted in source.filter.items()]
    run = has.get("run", "")
    number = int(run) if run.isdecimal() else 0
    return scan.size < 0, places, -number, -scan.size, scan.scan_id, scan.path
