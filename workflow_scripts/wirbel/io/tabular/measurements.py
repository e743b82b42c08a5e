"""The file of one scan's measurements, and many such files as pieces of tables.

The scan's own values are under "scan". The other tables are stored by column, names once and then
values: a fifth of the size of rows, and read in a fraction of the time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from wirbel.errors import InfrastructureError
from wirbel.io.prefetch import map_ahead, read_ahead
from wirbel.io.sidecars import write_json

if TYPE_CHECKING:
    import pyarrow as pa

    from wirbel.io.tabular.rows import Rows

Columns = Mapping[str, Sequence[tuple[str, str]]]
"""Table -> its columns as (name, kind)."""
LANDMARKS = "landmarks"
NUMBERS = "numbers"
NO_TABLES = ("scan", LANDMARKS, NUMBERS)
Best = Callable[
    [str, Sequence[Mapping[str, Sequence[Any]]], Sequence[Mapping[int, int]]], list[list[int]]
]
NO_NUMBERS: Mapping[int, int] = MappingProxyType({})
PIECE = 256
"""Scans per piece."""


@dataclass(frozen=True)
class ScanRows:
    """What one scan adds to the tables.

    Attributes
    ----------
    path : Path or None
        Its file of measurements, if the scan was measured.
    same : mapping
        Values that all its rows share.
    rows : mapping of str to mapping
        Further rows by table.
    sha256 : str
        Beginning of the file's SHA-256; "" if unknown.
    added, hidden : collections of str
        Flags to add to those of its measurements, and flags to leave out.
    session : str
        What the stations of a session have in common, which follow each other and of whose rows the best are taken;
        empty: the scan is no station.
    """

    path: Path | None
    same: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sha256: str = ""
    added: Sequence[str] = ()
    hidden: Collection[str] = ()
    session: str = ""

    def flagged(self, scan: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the row of the scan with the flags that are to be told."""
        if not (self.added or self.hidden):
            return scan
        flags = [*self.added, *filter(None, (scan.get("flags") or "").split(";"))]
        kept = dict.fromkeys(flag for flag in flags if flag not in self.hidden)
        return {**scan, "flags": ";".join(kept)}


class DamagedMeasurements(InfrastructureError):
    """A file of measurements no longer holds what was written; `path` is where it is."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} was damaged after it had been written (a failing disk?)"


def write_measurements(
    path: Path,
    scan: Mapping[str, Any],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    landmarks: Sequence[Sequence[Any]] = (),
    numbers: Mapping[int, int] = NO_NUMBERS,
) -> None:
    """Write a scan's own values and its rows of the other tables, atomically, as compact JSON.

    `landmarks` are the lines that were measured: kind, level, and six world coordinates in mm (RAS+). They belong to no
    table; pictures show them.

    Parameters
    ----------
    path : Path
        The file.
    scan : mapping
        The scan's own values, by column.
    tables : mapping of str to sequence of mappings
        Table -> rows, by column.
    landmarks : sequence of sequences, optional
        See above.
    numbers : mapping, optional
        Of a station: label -> number of a vertebra that its label does not identify (`wirbel.core.joining`).
    """
    columns = {table: _columns(rows) for table, rows in tables.items()}
    more: dict[str, Any] = {LANDMARKS: landmarks} if landmarks else {}
    more |= {NUMBERS: {str(k): v for k, v in numbers.items()}} if numbers else {}
    write_json(path, {"scan": scan, **columns, **more}, compact=True)


def read_measurements(path: Path) -> dict[str, Any]:
    """Read what `write_measurements` wrote: "scan", tables column by column, and "landmarks" where there are some."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_pieces(
    parts: Sequence[ScanRows],
    columns: Columns,
    processes: int,
    initializer: Callable[..., object],
    initargs: tuple[Any, ...] = (),
    best: Best | None = None,
) -> Iterator[dict[str, pa.RecordBatch]]:
    """Yield the tables of all `parts` in order, `PIECE` scans at a time.

    Parameters
    ----------
    parts : sequence of ScanRows
        What each scan adds to the tables.
    columns : mapping
        Table -> its columns as (name, kind).
    processes : int
        Number of processes that read. With 1, the caller's process reads.
    initializer, initargs
        Run at the start of each process, as `ProcessPoolExecutor` does.
    best : callable, optional
        Returns which rows of the stations of a session to take (`wirbel.core.joining.choosing.best_rows`).

    Yields
    ------
    dict of str to pyarrow.RecordBatch
        Table -> its rows.

    Raises
    ------
    DamagedMeasurements
        If a file is not what was written.
    """
    pieces = list(_pieces(parts))
    read = partial(read_piece, columns=columns, best=best)
    if processes < 2 or len(pieces) < 2:
        yield from map(read, pieces)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer, initargs) as pool:
        yield from map_ahead(pool, read, pieces, ahead=2 * processes)


def _pieces(parts: Sequence[ScanRows]) -> Iterator[Sequence[ScanRows]]:
    """Yield PIECE scans at a time, and more where a session would be parted."""
    first = 0
    while first < len(parts):
        last = first + PIECE
        while (
            0 < last < len(parts)
            and parts[last].session
            and parts[last].session == parts[last - 1].session
        ):
            last += 1
        yield parts[first:last]
        first = last


def read_piece(
    parts: Sequence[ScanRows], columns: Columns, best: Best | None = None
) -> dict[str, pa.RecordBatch]:
    """Return the tables of a few scans."""
    from wirbel.io.tabular.rows import Rows

    tables = {table: Rows(of_table) for table, of_table in columns.items()}
    contents = read_ahead(part.path for part in parts if part.path)
    for _, some in groupby(enumerate(parts), key=lambda one: one[1].session or one[0]):
        measured = []
        for _, part in some:
            for table, row in part.rows.items():
                tables[table].add_one({**part.same, **row})
            if part.path:
                measured.append((part, _parsed(next(contents), part)))
        for part, content in _best_of(measured, best):
            _add_measured(tables, part, content)
    return {table: rows.batch() for table, rows in tables.items()}


def _best_of(
    measured: list[tuple[ScanRows, dict[str, Any]]], best: Best | None
) -> list[tuple[ScanRows, dict[str, Any]]]:
    """Return the stations of a session with the rows that no other station has better; another scan as it is."""
    if best is None or len(measured) < 2:
        return measured
    contents = [content for _, content in measured]
    numbers = [{int(k): v for k, v in one.get(NUMBERS, {}).items()} for one in contents]
    for table in dict.fromkeys(name for one in contents for name in one if name not in NO_TABLES):
        rows = best(table, [one.get(table, {}) for one in contents], numbers)
        for one, kept in zip(contents, rows, strict=True):
            columns = one.get(table, {})
            one[table] = {name: [values[row] for row in kept] for name, values in columns.items()}
    return measured


def _parsed(content: bytes, part: ScanRows) -> dict[str, Any]:
    if not hashlib.sha256(content).hexdigest().startswith(part.sha256):
        raise DamagedMeasurements(part.path)
    try:
        return json.loads(content)
    except ValueError:
        raise DamagedMeasurements(part.path) from None


def _add_measured(tables: Mapping[str, Rows], part: ScanRows, content: Mapping[str, Any]) -> None:
    tables["scans"].add_one({**part.same, **part.flagged(content["scan"])})
    for table, columns in content.items():
        if table not in NO_TABLES:
            tables[table].add(columns, part.same)


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as columns, with None where a row lacks a key that another has."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
