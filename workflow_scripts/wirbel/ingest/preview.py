"""Say what the stage `ingest` would make of a delivery, from its headers alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wirbel.errors import ScanError
from wirbel.ingest.delivery import chosen, look_into
from wirbel.io.dataset.several_paths import parted_paths
from wirbel.plan.series_rules import rules_of, stations_of


class Asked(NamedTuple):
    """A delivery, and the settings `series`, `stations` and `one_per_session`."""

    path: str
    series: Mapping[str, Any]
    stations: Mapping[str, Any]
    best: bool


def preview(asked: Asked) -> tuple[str, str]:
    """Return (reason, detail) of a delivery that would be refused, or ("", the series in numbers).

    Nothing is converted, so a series that dcm2niix cannot convert is not noticed.
    """
    found = look_into([Path(part) for part in parted_paths(asked.path)])
    rules = stations_of(asked.stations, asked.series) or {"": rules_of(asked.series)}
    told, faults = [], []
    for name, rule in rules.items():
        try:
            series = chosen(found, rule, best=asked.best)
            told.append(f"{name}: {series.in_words()}".removeprefix(": "))
        except ScanError as error:
            faults.append((error.reason, f"{name}: {error.detail}".removeprefix(": ")))
            told.append(f"{name}: missing ({error.reason})")
    return ("", "; ".join(told)) if len(faults) < len(rules) else faults[0]
