"""Read and write tables: plain rows for the workflow's own files, data frames for results.

pandas is imported only where a data frame is needed, because a job that merely reads its batch list
should start quickly.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wirbel.io.atomic import write_text

if TYPE_CHECKING:
    import pandas as pd


BREAKS = re.compile(r"\s*[^\S ]\s*")
"""White space that would break a line or a cell. Blanks alone, as in a file name, are kept."""


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """Read a TSV file (or CSV, by suffix) as one dictionary of strings per row."""
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter=_delimiter(path)))


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as TSV (or CSV, by suffix) atomically.

    Parameters
    ----------
    path : str or Path
        The file.
    columns : sequence of str
        The header, and the keys to take from each row.
    rows : iterable of mapping
        The rows. None and missing keys become empty cells; line ends and tabs inside a cell become
        a blank.
    """
    write_text(path, rows_as_text(path, columns, rows))


def rows_as_text(
    path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> str:
    r"""Return the text that `write_rows` would write.

    Examples
    --------
    >>> print(rows_as_text("a.csv", ("id", "note"), [{"id": 1, "note": "two\nlines"}]), end="")
    id,note
    1,two lines
    """
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=_delimiter(path), lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return stream.getvalue()


def read_table(path: str | Path) -> pd.DataFrame:
    """Read TSV, CSV or Parquet (by suffix) as a data frame; only empty cells count as missing."""
    import pandas as pd

    if Path(path).suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, sep=_delimiter(path), keep_default_na=False, na_values=[""])


def _delimiter(path: str | Path) -> str:
    return "," if Path(path).suffix == ".csv" else "\t"


def _cell(value: Any) -> str:
    return "" if value is None else BREAKS.sub(" ", str(value))
