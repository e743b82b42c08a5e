"""A table of changes between sessions, made from the rows of a table of measures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from wirbel.core.dictionary import TABLES
from wirbel.core.plausibility.changes import Pairs, change_columns, find_pairs
from wirbel.io.repeatability import read_repeatability
from wirbel.io.tabular.spool import Spool


def changes_of(
    table: str, spool: Spool
) -> tuple[Iterator[pa.RecordBatch], dict[str, Sequence[Any]]]:
    """Return what `write_both` takes: the rows of later sessions, and the columns that they lack, row by row."""
    names = {column.name for column in TABLES[table]}
    levels = spool.categories("level") if "level" in names else None
    codes = levels[0] if levels else np.zeros(spool.rows, int)
    pairs = find_pairs(spool.categories("participant_id"), spool.categories("session_id"), codes)
    more = change_columns(
        TABLES[table],
        pairs,
        levels,
        read_repeatability().get(table, {}),
        (spool.numbers, spool.categories),
    )
    more |= {
        f"baseline_{key}": _texts(spool, key, pairs.first)
        for key in ("session_id", "scan_id", "review")
    }
    confidence = spool.numbers("level_confidence")
    more["level_confidence"] = np.fmin(confidence[pairs.first], confidence[pairs.later])
    return _rows(spool, pairs), more


def _texts(spool: Spool, name: str, rows: np.ndarray) -> list[str | None]:
    codes, values = spool.categories(name)
    return [None if code < 0 else values[code] for code in codes[rows].tolist()]


def _rows(spool: Spool, pairs: Pairs) -> Iterator[pa.RecordBatch]:
    """Yield the rows of later sessions, in the order of the table."""
    done = 0
    for batch in spool.batches():
        here = pairs.later[(pairs.later >= done) & (pairs.later < done + len(batch))] - done
        done += len(batch)
        if len(here):
            yield batch.take(pa.array(here))
