"""Say what the stage `ingest` would make of a delivery, from its headers alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wirbel.errors import ScanError
from wirbel.ingest.delivery import chosen, look_into
from wirbel.io.dataset.several_paths import parted_paths
from wirbel.plan.series_rules import rules_of


class Asked(NamedTuple):
    """A delivery, and the settings `series` and `one_per_session`."""

    path: str
    series: Mapping[str, Any]
    best: bool


def preview(asked: Asked) -> tuple[str, str]:
    """Return (reason, detail) of a delivery that would be refused, or ("", the series in numbers).

    Nothing is converted, so a series that dcm2niix cannot convert is not noticed.
    """
    try:
        found = look_into([Path(part) for part in parted_paths(asked.path)])
        series = chosen(found, rules_of(asked.series), best=asked.best)
    except ScanError as error:
        return error.reason, error.detail
    return "", series.in_words()
