"""Read tables that people made, such as participants.tsv, row by row; a bad row affects only itself.

Spreadsheets and statistics programs separate cells with tabs, commas or semicolons, quote cells or
not, and add byte order marks and empty columns. Where the cells of a row are ambiguous, the row is
left out and reported.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.io.foreign.foreign_text import read_foreign_text

DELIMITERS = ("\t", ";", ",")
DELIMITER_LINE = re.compile("sep=(.)")
"""A line above the header that tells spreadsheets the delimiter."""
LONGEST_CELL_LINES = 20
"""A quoted cell may contain line ends. A longer one means that a quote was never closed."""
DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?")


@dataclass(frozen=True)
class ForeignTable:
    """A table of strings.

    Attributes
    ----------
    columns : list of str
        Names of the columns, each once.
    rows : list of dict
        Column -> text.
    lines : list of int
        Line number of each row in the file, from 1.
    faults : list of str
        Sentences about rows that were left out.
    """

    columns: list[str]
    rows: list[dict[str, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_foreign_table(path: str | Path) -> ForeignTable:
    """Read a table with a header.

    Raises
    ------
    ValueError
        If the file is not text.
    OSError
        If it cannot be read.
    """
    lines = read_foreign_text(path).split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip()), None)
    if start is None:
        return ForeignTable([])
    delimiter = max(DELIMITERS, key=lines[start].count)
    if told := DELIMITER_LINE.fullmatch(lines[start].strip('"')):
        delimiter, start = told[1], start + 1
    columns = _column_names(_cells(lines[start], delimiter))
    if _has_row_names(lines[start:], delimiter):
        columns = ["", *columns]
    table, place = ForeignTable([name for name in columns if name]), start + 1
    while place < len(lines):
        cells, taken = _record(lines, place, delimiter, len(columns))
        _add(table, columns, cells, place + 1)
        place += taken
    if delimiter == ";":
        _with_points(table)
    return table


def _has_row_names(lines: list[str], delimiter: str) -> bool:
    """Return True if every row has one cell more than the header, as R writes row names."""
    counts = {line.count(delimiter) for line in lines[1:] if line.strip()}
    return counts == {lines[0].count(delimiter) + 1}


def _add(table: ForeignTable, columns: list[str], cells: list[str], line: int) -> None:
    """Append a row; report one with too many cells, and pad one with too few."""
    if not any(cells):
        return
    if any(cells[len(columns) :]):
        told = f"line {line} has {len(cells)} cells, but the header has {len(columns)}"
        table.faults.append(told)
        return
    cells += [""] * (len(columns) - len(cells))
    table.rows.append({n: cell for n, cell in zip(columns, cells, strict=False) if n})
    table.lines.append(line)


def _record(lines: list[str], place: int, delimiter: str, count: int) -> tuple[list[str], int]:
    """Return the cells of the record that begins at a line, and its number of lines."""
    # Lines are joined only while a quote is open, and only if the joined record has as many cells as
    # the header. Otherwise the quote is an ordinary character and does not swallow the next rows.
    line = lines[place]
    if '"' not in line:
        return _plain(line, delimiter), 1
    if not _is_open(line, delimiter):
        cells = _cells(line, delimiter)
        return (cells if len(cells) >= count else _plain(line, delimiter)), 1
    for more in range(2, LONGEST_CELL_LINES + 1):
        following = lines[place + more - 1 : place + more]
        if not following or len(_plain(following[0], delimiter)) == count:
            break
        whole = "\n".join(lines[place : place + more])
        if not _is_open(whole, delimiter):
            cells = _cells(whole, delimiter)
            if len(cells) == count:
                return cells, more
            break
    return _plain(line, delimiter), 1


def _cells(text: str, delimiter: str) -> list[str]:
    """Return the cells of a record without their quotes."""
    parsed = next(csv.reader([text], delimiter=delimiter), []) if '"' in text else None
    if '"' in text and "\n" in text:
        parsed = next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    return _plain(text, delimiter) if parsed is None else [" ".join(c.split()) for c in parsed]


def _plain(text: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in text.split(delimiter)]


def _is_open(text: str, delimiter: str) -> bool:
    """Return True if a cell begins with a quote that is never closed."""
    start = rf'(?:^|{re.escape(delimiter)})\s*"'
    return bool(re.search(start, text)) and text.count('"') % 2 == 1


def _column_names(cells: list[str]) -> list[str]:
    """Number repeated names so that each occurs once; columns without a name are not read."""
    names: list[str] = []
    for cell in cells:
        name, number = cell, 2
        while name and name in names:
            name, number = f"{cell}_{number}", number + 1
        names.append(name)
    return names


def _with_points(table: ForeignTable) -> None:
    """Replace decimal commas by points in columns that contain only such numbers."""
    for name in table.columns:
        texts = [row[name] for row in table.rows if row[name]]
        if any("," in text for text in texts) and all(map(DECIMAL_COMMA.fullmatch, texts)):
            for row in table.rows:
                row[name] = row[name].replace(",", ".")
