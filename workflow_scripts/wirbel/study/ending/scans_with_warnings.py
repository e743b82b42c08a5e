"""How many scans were measured although a check looked odd."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from wirbel.core.plausibility.scan_flags import FILE_FLAGS

TABLE = "cohort/scans.csv"


def warnings_in_words(output_dir: Path) -> list[str]:
    """Return how many scans have each flag of their files, by the last table of scans; nothing without one."""
    try:
        with open(output_dir / TABLE, newline="", encoding="utf-8") as stream:
            rows = [(row.get("flags") or "").split(";") for row in csv.DictReader(stream)]
    except (OSError, ValueError, csv.Error):
        return []
    counted = Counter(flag for flags in rows for flag in flags if flag in FILE_FLAGS)
    if not counted:
        return []
    told = ", ".join(f"{flag} {number:,}" for flag, number in counted.most_common())
    return [f"Scans with a warning: {told} (column flags of {TABLE})"]
