"""Tables that are written piece by piece, as CSV and Parquet with the same content.

Rows are kept until there are enough for one group, so that a table of any length needs little memory.
An empty string and None are both a missing value: an empty cell in CSV, null in Parquet.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from wirbel.io.atomic import atomic_path

GROUP_ROWS = 20_000


class TableWriter:
    """Context manager that writes `<stem>.csv` and `<stem>.parquet` side by side, atomically.

    `columns` are (name, type) with type "string", "integer", "number" or "boolean". Nothing appears under
    the final names when the body of the `with` statement raises.
    """

    def __init__(self, stem: str | Path, columns: Sequence[tuple[str, str]]) -> None:
        import pyarrow as pa

        types = {
            "string": pa.string(),
            "integer": pa.int64(),
            "number": pa.float64(),
            "boolean": pa.bool_(),
        }
        self._stem = Path(stem)
        self._names = [name for name, _ in columns]
        self._schema = pa.schema([(name, types[kind]) for name, kind in columns])
        self._rows: list[list[Any]] = []
        self._stack = ExitStack()
        self.written = 0

    def __enter__(self) -> TableWriter:
        import pyarrow.parquet as pq

        with ExitStack() as stack:
            parquet = stack.enter_context(atomic_path(self._with(".parquet")))
            text = stack.enter_context(atomic_path(self._with(".csv")))
            self._parquet = stack.enter_context(
                pq.ParquetWriter(parquet, self._schema, compression="zstd")
            )
            stream = stack.enter_context(open(text, "w", newline="", encoding="utf-8"))
            self._csv = csv.writer(stream, lineterminator="\n")
            self._csv.writerow(self._names)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is None:
            try:
                self._flush()
            except BaseException as failure:
                self._stack.__exit__(type(failure), failure, failure.__traceback__)
                raise
        return self._stack.__exit__(*error)

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows; columns that a row lacks are missing values, keys without a column are left out."""
        for row in rows:
            self._rows.append([_missing(row.get(name)) for name in self._names])
        if len(self._rows) >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(v, f.type) for v, f in zip(columns, self._schema, strict=True)]
        self._parquet.write_batch(pa.record_batch(arrays, schema=self._schema))
        booleans = [i for i, field in enumerate(self._schema) if pa.types.is_boolean(field.type)]
        for row in self._rows:
            for i in booleans:
                row[i] = {True: "true", False: "false", None: None}[row[i]]
        self._csv.writerows(self._rows)
        self.written += len(self._rows)
        self._rows = []

    def _with(self, suffix: str) -> Path:
        return self._stem.with_name(self._stem.name + suffix)


def _missing(value: Any) -> Any:
    return None if value == "" else value
