"""Look into deliveries of DICOM for the inventory, several at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from wirbel.ingest.preview import Asked, Preview, preview
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.plan.checks import SAME_CONTENT
from wirbel.study.settings.run_settings import Settings
from wirbel.study.sources.inventory import FAULTY, TAKEN, Inventory, Row

CHUNK = 16
FEWEST_FOR_PROCESSES = 64
"""With fewer deliveries, starting processes takes longer than reading."""


def with_headers(found: Inventory, scans: Sequence[FoundScan], settings: Settings) -> Inventory:
    """Return the inventory with what each delivery's headers say: the series, or why it is refused."""
    paths = {scan.scan_id: scan.path for scan in scans}
    rows = [row for row in found.rows if row.status == TAKEN and row.scan_id in paths]
    config, best = settings.checked, settings.source.one_per_session
    rules = config["series"], config["stations"], best, settings.levels, settings.source.suffix
    told = _previews([Asked(paths[row.scan_id], *rules) for row in rows])
    twice = _twice(rows, told)
    news = {
        row: _with(row, said, twice.get(said.identity, ()))
        for row, said in zip(rows, told, strict=True)
    }
    return replace(found, rows=[news.get(row, row) for row in found.rows])


def _twice(rows: list[Row], told: list[Preview]) -> dict[str, list[Row]]:
    """Return identity -> the rows whose deliveries have the same images."""
    found: dict[str, list[Row]] = {}
    for row, said in zip(rows, told, strict=True):
        if said.identity:
            found.setdefault(said.identity, []).append(row)
    return {identity: some for identity, some in found.items() if len(some) > 1}


def _with(row: Row, said: Preview, same: Sequence[Row]) -> Row:
    if said.reason:
        return replace(row, status=FAULTY, reason=said.reason, detail=said.detail)
    if row.reason:
        return row
    if same:
        other = next(one for one in same if one.scan_id != row.scan_id)
        return replace(row, reason=SAME_CONTENT, detail=f"the same images as {other.scan_id}")
    return replace(row, reason=next(iter(said.warnings), ""), detail=said.detail)


def _previews(asked: list[Asked]) -> list[Preview]:
    from rich.console import Console
    from rich.progress import track

    console = Console(file=sys.stderr)
    title = "Looking into deliveries"
    if len(asked) < FEWEST_FOR_PROCESSES:
        return list(track(map(preview, asked), title, len(asked), console=console, transient=True))
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        told = pool.map(preview, asked, chunksize=CHUNK)
        return list(track(told, title, len(asked), console=console, transient=True))
