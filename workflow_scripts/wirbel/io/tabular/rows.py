"""Gather rows of a table in memory, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from wirbel.io.tabular.table_types import array_of, schema_of


class Rows:
    """A growing piece of a table.

    Parameters
    ----------
    columns : sequence of (name, kind)
        The columns in their order.

    Examples
    --------
    >>> rows = Rows([("participant_id", "string"), ("age", "integer")])
    >>> rows.add({"age": [31, None]}, {"participant_id": "sub-01"})
    >>> rows.batch().to_pydict()
    {'participant_id': ['sub-01', 'sub-01'], 'age': [31, None]}
    """

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        self._schema = schema_of(columns)
        self._columns: dict[str, list[Any]] = {name: [] for name in self._schema.names}

    def add(
        self, columns: Mapping[str, Sequence[Any]], same: Mapping[str, Any] | None = None
    ) -> None:
        """Append equally long columns.

        Columns of the table that are not given hold missing values; columns that the table does not
        declare are ignored.

        Parameters
        ----------
        columns : mapping of str to sequence
            Column -> its values.
        same : mapping, optional
            Column -> one value for all of these rows.

        Raises
        ------
        ValueError
            If the columns have unequal lengths.
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
        """Return the rows.

        Raises
        ------
        ValueError
            If a value does not match its column's kind.
        """
        arrays = [array_of(self._columns[field.name], field) for field in self._schema]
        return pa.record_batch(arrays, schema=self._schema)
