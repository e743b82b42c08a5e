"""Look into deliveries for the inventory, several at a time: a row for each station, and for what is in none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from wirbel.ingest.preview import Asked, Sight, preview
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.escapes import visible
from wirbel.plan.checks import BESIDE, SAME_CONTENT
from wirbel.plan.station_names import station_scan
from wirbel.study.settings.run_settings import Settings
from wirbel.study.sources.inventory import FAULTY, LEFT_OUT, NOT_CHOSEN, TAKEN, Inventory, Row

CHUNK = 16
FEWEST_FOR_PROCESSES = 64
"""With fewer deliveries, starting processes takes longer than reading."""
NO_FAULT = (*BESIDE, NOT_CHOSEN)


def with_headers(
    found: Inventory, scans: Sequence[FoundScan], settings: Settings, *, file_names: bool
) -> Inventory:
    """Return the inventory with what is in each delivery: its series, or why it is refused, and what is left.

    `file_names`: tell how files in delivered folders are called.
    """
    paths = {scan.scan_id: scan.path for scan in scans}
    config, best = settings.checked, settings.source.one_per_session
    rules = config["series"], config["stations"], config["stitch"], best
    more = settings.levels, settings.source.suffix, file_names
    asked = {
        row: Asked(paths[row.scan_id], *rules, *more)
        for row in found.rows
        if row.status == TAKEN and row.scan_id in paths
    }
    sights = dict(zip(asked, _previews(list(asked.values())), strict=True))
    names = tuple(settings.source.apart)
    rows: list[Row] = []
    identities: dict[Row, str] = {}
    for row in found.rows:
        for place, sight in enumerate(sights.get(row, ()), start=1):
            own = _row(row, sight, place if names else 0, str(settings.bids_dir))
            identities[own] = sight.identity
            rows.append(own)
        if row not in sights:
            rows.append(row)
    return replace(found, rows=_with_twins(rows, identities))


def _row(row: Row, sight: Sight, chunk: int, folder: str) -> Row:
    """Return the row of what was seen in a session's delivery."""
    where = "; ".join(visible(os.path.relpath(path, folder)) for path in sight.paths)
    own = replace(row, detail=sight.detail, bytes=sight.bytes if sight.paths else "", path=where)
    if not sight.is_scan:
        status = LEFT_OUT if sight.reason in NO_FAULT else FAULTY
        return replace(own, scan_id="", status=status, reason=sight.reason)
    scan_id = station_scan(row.scan_id, chunk) if chunk else row.scan_id
    own = replace(own, scan_id=scan_id, station=sight.station)
    if sight.reason:
        return replace(own, status=FAULTY, reason=sight.reason)
    if row.reason:
        return replace(own, reason=row.reason, detail=row.detail)
    return replace(own, reason=next(iter(sight.warnings), ""))


def _with_twins(rows: Iterable[Row], identities: Mapping[Row, str]) -> list[Row]:
    """Return the rows, with a word about others that have the same images."""
    rows = list(rows)
    same: dict[str, list[Row]] = {}
    for row in rows:
        if identity := identities.get(row, ""):
            same.setdefault(identity, []).append(row)
    return [_twin(row, same.get(identities.get(row, ""), ())) for row in rows]


def _twin(row: Row, same: Sequence[Row]) -> Row:
    other = next((one for one in same if one is not row), None)
    if other is None or row.status != TAKEN or row.reason not in ("", SAME_CONTENT):
        return row
    told = f"the same images as {' '.join(filter(None, (other.scan_id, other.station)))}"
    return replace(row, reason=SAME_CONTENT, detail=told)


def _previews(asked: list[Asked]) -> list[list[Sight]]:
    from rich.console import Console
    from rich.progress import track

    console = Console(file=sys.stderr)
    title = "Looking into deliveries"
    if len(asked) < FEWEST_FOR_PROCESSES:
        return list(track(map(preview, asked), title, len(asked), console=console, transient=True))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        told = pool.map(preview, asked, chunksize=CHUNK)
        return list(track(told, title, len(asked), console=console, transient=True))
