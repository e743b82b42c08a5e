"""Write tables piece by piece, as CSV and Parquet with the same rows, order and values.

A missing value is an empty cell in CSV and null in Parquet. Numbers have the fewest digits that
read back as the same number, and always a point or an exponent, so that programs do not take a
column of numbers for integers. Booleans are TRUE and FALSE, which base R, pandas and DuckDB all
understand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wirbel.io.atomic import atomic_path
from wirbel.io.tabular.table_types import array_of, ordered_schema, schema_of, with_orders

NEEDS_QUOTES = '[",\r\n]'


def write_both(
    stem: str | Path,
    columns: Sequence[tuple[str, str]],
    batches: Iterable[pa.RecordBatch],
    more: Mapping[str, Sequence[Any]] | None = None,
    orders: Mapping[str, Sequence[str]] | None = None,
) -> int:
    """Write `<stem>.csv` and `<stem>.parquet`.

    Parameters
    ----------
    stem : str or Path
        Both paths without their suffix.
    columns : sequence of (name, kind)
        Columns in their order; the kinds are the keys of `table_types.TYPES`.
    batches : iterable of pyarrow.RecordBatch
        The rows, piece by piece.
    more : mapping of str to sequence, optional
        Columns that the batches lack, with one value for every row of the whole table.
    orders : mapping of str to sequence of str, optional
        Columns of text that are ordered categories in Parquet -> all values that they may have, in their order.

    Returns
    -------
    int
        The number of rows. If anything raises, neither file is written.
    """
    schema, stem, rows = schema_of(columns), Path(stem), 0
    stored = ordered_schema(schema, orders or {})
    with ExitStack() as stack:
        parquet = stack.enter_context(atomic_path(stem.with_name(f"{stem.name}.parquet")))
        text = stack.enter_context(atomic_path(stem.with_name(f"{stem.name}.csv")))
        writer = stack.enter_context(pq.ParquetWriter(parquet, stored, compression="zstd"))
        stream = stack.enter_context(open(text, "wb"))
        stream.write((",".join(_quoted(pa.array(schema.names)).to_pylist()) + "\n").encode())
        for batch in batches:
            piece = slice(rows, rows + len(batch))
            whole = _in_order(
                schema, batch, {n: values[piece] for n, values in (more or {}).items()}
            )
            writer.write_batch(with_orders(whole, stored, orders or {}))
            stream.write(_lines(whole))
            rows += len(whole)
    return rows


def _in_order(
    schema: pa.Schema, batch: pa.RecordBatch, more: Mapping[str, Sequence[Any]]
) -> pa.RecordBatch:
    """Return a batch with the columns of the schema, in its order."""
    arrays = [
        array_of(more[field.name], field) if field.name in more else batch[field.name]
        for field in schema
    ]
    return pa.record_batch(arrays, schema=schema)


def _lines(batch: pa.RecordBatch) -> bytes:
    """Return the rows as CSV."""
    cells = [_cells(column) for column in batch.columns]
    lines = pc.binary_join_element_wise(
        *cells, ",", null_handling="replace", null_replacement=""
    ).to_pylist()
    return "".join(f"{line}\n" for line in lines).encode()


def _cells(column: pa.Array) -> pa.Array:
    """Return a column as text."""
    if pa.types.is_string(column.type):
        return _quoted(column)
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "TRUE", "FALSE")
    text = pc.cast(column, pa.string())
    return _with_point(column, text) if pa.types.is_floating(column.type) else text


def _with_point(numbers: pa.Array, text: pa.Array) -> pa.Array:
    """Return "3.0" where the text of a whole number is "3"; "1e+10" stays as it is."""
    whole = pc.equal(numbers, pc.trunc(numbers))
    if not pc.any(whole).as_py():
        return text
    bare = pc.and_not(whole, pc.match_substring(text, "e"))
    return pc.if_else(bare, pc.binary_join_element_wise(text, ".0", ""), text)


def _quoted(text: pa.Array) -> pa.Array:
    """Return text with quotes around the cells that need them (RFC 4180)."""
    needed = pc.match_substring_regex(text, NEEDS_QUOTES)
    if not pc.any(needed).as_py():
        return text
    inside = pc.replace_substring(text, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise('"', inside, '"', ""), text)
