"""The types of table columns in Arrow and Parquet, and in pandas when it reads them back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
}
PANDAS_TYPES = {"string": "str", "integer": "Int64", "number": "float64", "boolean": "boolean"}
"""Integers and booleans are nullable types; otherwise one missing value would turn a column into
floats or objects.
"""


def schema_of(columns: Iterable[tuple[str, str]]) -> pa.Schema:
    """Return the Arrow schema of columns, with pandas' types as metadata.

    Parameters
    ----------
    columns : iterable of (name, kind)
        The kinds are the keys of `TYPES`.

    Raises
    ------
    ValueError
        If a name occurs twice.
    KeyError
        If a kind is unknown.

    Examples
    --------
    >>> schema_of([("label", "integer"), ("height_mm", "number")]).types
    [DataType(int64), DataType(double)]
    """
    columns = list(columns)
    names = [name for name, _ in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"a table cannot have two columns of one name: {', '.join(twice)}")
    fields = [(name, TYPES[kind]) for name, kind in columns]
    return pa.schema(fields, metadata={"pandas": json.dumps(_for_pandas(columns))})


def array_of(values: Sequence[Any], field: pa.Field) -> pa.Array:
    """Return values as an Arrow array of the field's type.

    An empty string is missing, like None; in a NumPy array, so is NaN.

    Raises
    ------
    ValueError
        If a value has another type; the message names the column.
    """
    try:
        array = pa.array(values, field.type, from_pandas=isinstance(values, np.ndarray))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(f"column {field.name} holds {field.type} values only: {error}") from error
    if pa.types.is_string(field.type):
        return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)
    return array


def ordered_schema(schema: pa.Schema, orders: Mapping[str, Sequence[str]]) -> pa.Schema:
    """Return a schema in which columns of text are ordered categories: names -> their values in order."""
    kind = pa.dictionary(pa.int16(), pa.string(), ordered=True)
    fields = [field.with_type(kind) if field.name in orders else field for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def with_orders(
    batch: pa.RecordBatch, schema: pa.Schema, orders: Mapping[str, Sequence[str]]
) -> pa.RecordBatch:
    """Return a batch with the types of `ordered_schema`; raises ValueError for a value that has no place."""
    if not orders:
        return batch
    arrays = [
        _ordered(column, field.type, orders[field.name]) if field.name in orders else column
        for field, column in zip(schema, batch.columns, strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


def _ordered(column: pa.Array, kind: pa.DataType, order: Sequence[str]) -> pa.DictionaryArray:
    places = pc.index_in(column, pa.array(order, pa.string()))
    if places.null_count > column.null_count:
        unknown = pc.unique(column.filter(pc.and_(pc.is_null(places), pc.is_valid(column))))
        raise ValueError(f"{unknown.to_pylist()} have no place in the order {order}")
    return pa.DictionaryArray.from_arrays(
        places.cast(pa.int16()), pa.array(order, pa.string()), ordered=True
    )


def _for_pandas(columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the metadata by which `pandas.read_parquet` chooses types, in pandas' own format."""
    described = [
        {
            "name": name,
            "field_name": name,
            "pandas_type": "unicode" if kind == "string" else str(TYPES[kind]),
            "numpy_type": PANDAS_TYPES[kind],
            "metadata": None,
        }
        for name, kind in columns
    ]
    library = {"library": "pyarrow", "version": pa.__version__}
    return {"index_columns": [], "column_indexes": [], "columns": described, "creator": library}
