"""Rows of a table being gathered in memory, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from wirbel.io.table_types import array_of, schema_of


class Rows:
    """A growing piece of a table; columns are (name, kind)."""

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        self._schema = schema_of(columns)
        self._columns: dict[str, list[Any]] = {name: [] for name in self._schema.names}

    def add(
        self, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any] | None = None
    ) -> None:
        """Append equally long columns; `same` holds values that are the same in all these rows.

        Columns that are given nowhere hold missing values; what the table does not declare is left out.
        Raises ValueError for columns of unequal length.
        """
        same = same or {}
        rows = len(next(iter(columns.values()), ()))
        for name, column in self._columns.items():
            values = columns.get(name)
            if values is not None and len(values) != rows:
                raise ValueError(f"column {name} has {len(values)} values for {rows} rows")
            column.extend([same.get(name)] * rows if values is None else values)

    def add_one(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        for name, column in self._columns.items():
            column.append(row.get(name))

    def batch(self) -> pa.RecordBatch:
        """Return the rows; raises ValueError for a value that is not of its column's kind."""
        arrays = [array_of(self._columns[field.name], field) for field in self._schema]
        return pa.record_batch(arrays, schema=self._schema)
