"""A finished table read column by column, so that a table of any length needs the memory of one column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


class ParquetColumns:
    """The columns of the table `path`, a Parquet file; `names` are those it has, in their order."""

    def __init__(self, path: str | Path) -> None:
        self._file = pq.ParquetFile(path)
        self.names: tuple[str, ...] = tuple(self._file.schema_arrow.names)
        self.rows: int = self._file.metadata.num_rows

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers, integers or booleans as float64 of shape (rows,), NaN where missing.

        Raises KeyError for a column that the table lacks.
        """
        column = pc.cast(self._column(name), pa.float64())
        return pc.fill_null(column, np.nan).to_numpy()

    def values(self, name: str) -> list[Any]:
        """Return a column as Python's own types, None where missing."""
        return self._column(name).to_pylist()

    def categories(self, name: str) -> tuple[np.ndarray, list[Any]]:
        """Return a column as int codes of shape (rows,), -1 where missing, and the values they stand for."""
        encoded = self._column(name).combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        return codes, encoded.dictionary.to_pylist()

    def kind(self, name: str) -> str:
        """Return "string", "boolean" or "number"."""
        kind = self._file.schema_arrow.field(name).type
        if pa.types.is_boolean(kind):
            return "boolean"
        return "number" if pa.types.is_floating(kind) or pa.types.is_integer(kind) else "string"

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.names:
            raise KeyError(name)
        column = self._file.read([name], use_threads=False).column(0)
        return (
            column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        )
