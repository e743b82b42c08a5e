"""Look into deliveries of DICOM for the inventory, several at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from wirbel.ingest.preview import Asked, Preview, preview
from wirbel.io.dataset.scan_names import FoundScan
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
    news = {row: _with(row, said) for row, said in zip(rows, told, strict=True)}
    return replace(found, rows=[news.get(row, row) for row in found.rows])


def _with(row: Row, said: Preview) -> Row:
    if said.reason:
        return replace(row, status=FAULTY, reason=said.reason, detail=said.detail)
    if row.reason:
        return row
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
