"""Say what the stage `ingest` would make of a delivery, from its headers alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wirbel.errors import ScanError
from wirbel.ingest.checking import accepting, warnings_of
from wirbel.ingest.delivery import chosen, look_into, notes_on
from wirbel.io.dataset.several_paths import parted_paths
from wirbel.plan.series_rules import rules_of, stations_of


class Asked(NamedTuple):
    """A delivery, and the settings `series`, `stations`, `one_per_session`, `checks` and `suffix`."""

    path: str
    series: Mapping[str, Any]
    stations: Mapping[str, Any]
    best: bool
    levels: Mapping[str, str]
    suffix: str = "T2w"


class Preview(NamedTuple):
    """`reason` and `detail` of a delivery that would be refused, or "" and the series in numbers; what would be a
    warning; and a digest of the images' UIDs, by which a delivery under two names is noticed.
    """

    reason: str
    detail: str
    warnings: tuple[str, ...] = ()
    identity: str = ""


def preview(asked: Asked) -> Preview:
    """Return what would come of a delivery.

    Nothing is converted, so a series that dcm2niix cannot convert is not noticed.
    """
    found = look_into([Path(part) for part in parted_paths(asked.path)], all_facts=False)
    taken = accepting(asked.series, asked.levels)
    rules = stations_of(asked.stations, taken) or {"": rules_of(taken)}
    told, faults, warnings, instances = [], [], [], []
    for name, rule in rules.items():
        try:
            series = chosen(found, rule, best=asked.best)
            instances += [header.instance for header in series.headers]
            own = series.first.facts, series.first.is_derived, notes_on(found)
            warnings += warnings_of(*own, asked.series, asked.levels, asked.suffix)
            told.append(f"{name}: {series.in_words()}".removeprefix(": "))
        except ScanError as error:
            faults.append((error.reason, f"{name}: {error.detail}".removeprefix(": ")))
            told.append(f"{name}: missing ({error.reason})")
    if len(faults) == len(rules):
        return Preview(*faults[0])
    return Preview("", "; ".join(told), tuple(sorted(set(warnings))), _identity(instances))


def _identity(instances: list[str]) -> str:
    """Return a digest of UIDs; "" where images have none."""
    known = sorted(filter(None, instances))
    return hashlib.sha256("\n".join(known).encode()).hexdigest() if known else ""
