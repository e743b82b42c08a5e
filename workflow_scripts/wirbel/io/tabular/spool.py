"""Store the rows of a growing table on disk piece by piece, and read its columns back whole.

The rows are in a temporary file beside the final table, so that a table of any length needs only
the memory of one piece or one column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wirbel.io.atomic import scratch_path
from wirbel.io.tabular.table_types import schema_of

GROUP_ROWS = 50_000
"""Least number of rows that `batches` yields at a time: a row group of the final table."""


class Spool:
    """Context manager for the temporary file of the table `<stem>`.

    First `append` pieces, then read; nothing can be appended after the first read.

    Parameters
    ----------
    stem : str or Path
        The final table without its suffix.
    columns : sequence of (name, kind)
        The columns in their order.
    """

    def __init__(self, stem: str | Path, columns: Sequence[tuple[str, str]]) -> None:
        self._schema = schema_of(columns)
        self._target = Path(stem).with_name(f"{Path(stem).name}.arrow")
        self._stack = ExitStack()
        self._writer: pa.RecordBatchFileWriter | None = None
        self.rows = 0

    def __enter__(self) -> Spool:
        self._path = self._stack.enter_context(scratch_path(self._target))
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(str(self._path), self._schema, options=options)
        return self

    def __exit__(self, *error: Any) -> None:
        with self._stack:
            if self._writer is not None:
                self._writer.close()

    def append(self, piece: pa.RecordBatch) -> None:
        """Append rows."""
        if self._writer is None:
            raise ValueError("rows cannot be appended outside `with`, or after the first read")
        if len(piece):
            self._writer.write_batch(piece)
            self.rows += len(piece)

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers, integers or booleans as float64 of shape (rows,), NaN where
        missing.
        """
        pieces = [pc.cast(column, pa.float64()) for column in self._column(name)]
        filled = [pc.fill_null(piece, np.nan).to_numpy() for piece in pieces]
        return np.concatenate(filled) if filled else np.empty(0)

    def categories(self, name: str) -> tuple[np.ndarray, list[Any]]:
        """Return a column as integer codes of shape (rows,), -1 where missing, and the list of their
        values.
        """
        field = self._schema.field(name)
        column = pa.chunked_array(list(self._column(name)), field.type).combine_chunks()
        encoded = column.dictionary_encode()
        return pc.fill_null(encoded.indices, -1).to_numpy(), encoded.dictionary.to_pylist()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, at least `GROUP_ROWS` at a time except for the last."""
        waiting: list[pa.RecordBatch] = []
        with self._reader() as reader:
            for index in range(reader.num_record_batches):
                waiting.append(reader.get_batch(index))
                if sum(map(len, waiting)) >= GROUP_ROWS:
                    yield _joined(waiting)
                    waiting = []
        if waiting:
            yield _joined(waiting)

    def _column(self, name: str) -> Iterator[pa.Array]:
        with self._reader([self._schema.get_field_index(name)]) as reader:
            for index in range(reader.num_record_batches):
                yield reader.get_batch(index).column(0)

    def _reader(self, fields: list[int] | None = None) -> pa.RecordBatchFileReader:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return pa.ipc.open_file(
            pa.OSFile(str(self._path)), options=pa.ipc.IpcReadOptions(included_fields=fields)
        )


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]
