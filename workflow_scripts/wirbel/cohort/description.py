"""What the cohort's tables and the output folder say about themselves, to BIDS and to viewers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from wirbel import __version__
from wirbel.io.dataset.bids import write_dataset_description
from wirbel.io.maps.lookup_tables import write_colours, write_lookups
from wirbel.io.maps.sidecar_entries import TOY_WEIGHTS

NO_BIDS = ("cohort", "qc", "work", "logs", "evaluation", "colours")
"""Folders of results that BIDS has no rules for (`.bidsignore`)."""
TOOL_KEY = "MeasurementToolMetadata"
"""Key of a dictionary that describes no column but, as in BIDS, what measured."""
TOY_REMARK = (
    "TOY WEIGHTS: networks trained almost only on simulated scans, for trying the software; names and numbers of real "
    "scans are not fit for science"
)


def tool_metadata(
    models: Iterable[str], settings: Iterable[str] = (), commit: str = ""
) -> dict[str, str]:
    """Return what every dictionary says, under the key that BIDS has for it, about what made the tables."""
    names = sorted(filter(None, models))
    made = f"Wirbel {__version__}; networks: {', '.join(names) or 'none'}"
    toys = any(TOY_WEIGHTS in name for name in names)
    told = {"Description": f"{made}. {TOY_REMARK}" if toys else made, "Version": __version__}
    more = {"Commit": commit, "SettingsFingerprint": ", ".join(sorted(set(settings)))}
    return told | {name: text for name, text in more.items() if text}


def describe_output(output_dir: Path, description: str = "", bids_dir: str = "") -> None:
    """Write what the output folder says about itself to BIDS and to viewers."""
    links: dict[str, str] = {}
    ignored = list(NO_BIDS)
    if bids_dir:
        raw = os.path.relpath(os.path.realpath(bids_dir), os.path.realpath(output_dir))
        links["raw"] = quote(raw)
        if not raw.startswith(".."):
            ignored.append(raw)
    write_dataset_description(
        output_dir,
        "Spine measurements",
        derivative_of="wirbel",
        version=__version__,
        description=description,
        ignored=ignored,
        links=links,
    )
    write_colours(output_dir)
    write_lookups(output_dir)
