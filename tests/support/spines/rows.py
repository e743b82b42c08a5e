"""What holds for every row of measures, whatever the map."""

import numpy as np

from wirbel.core.dictionary import TABLES
from wirbel.core.measures.status import STATUS_CODES


def hold(table, row):
    status_of = {c.name: c.status for c in TABLES[table]}
    for name, value in row.items():
        if name.endswith("_status"):
            assert value in STATUS_CODES, name
        elif value is None:
            reason = row.get(status_of[name])
            assert reason not in (None, "ok", ""), f"{table}.{name} is empty without a reason"
        elif isinstance(value, float):
            assert np.isfinite(value), name
