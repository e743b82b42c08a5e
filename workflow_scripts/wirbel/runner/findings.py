"""What the main process found in the data set besides scans, for the tables:
`work/batches/dataset.json`.

It has findings (files and participants that are not scans but must be reported), and a mark that
changes with the files about people. Only the main process writes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from wirbel.io.atomic import write_text_if_changed
from wirbel.io.listing import Finding

LISTING = "listing"
"""Stands for a stage in the table of failures."""
NO_SCAN = "no_scan"
"""The reason that is not a failure: there was nothing to fail."""


def findings_file(output_dir: str | Path) -> Path:
    """Return the path of a data set's findings."""
    return Path(output_dir, "work", "batches", "dataset.json")


def findings_as_text(findings: Iterable[Finding], people_mark: str) -> str:
    """Return the content of the file."""
    content = {"people": people_mark, "findings": [asdict(found) for found in findings]}
    return json.dumps(content, indent=1) + "\n"


def write_findings(output_dir: str | Path, findings: Iterable[Finding], people_mark: str) -> None:
    """Write the file, if its content changed."""
    write_text_if_changed(findings_file(output_dir), findings_as_text(findings, people_mark))


def read_findings(output_dir: str | Path) -> list[Finding]:
    """Return the findings of the last run; empty if it wrote no file."""
    try:
        content = json.loads(findings_file(output_dir).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Finding(**found) for found in content["findings"]]


def data_set_mark(output_dir: str | Path) -> str:
    """Return a mark that changes if the tables would, even if no scan does; empty if nothing was
    written.
    """
    path = findings_file(output_dir)
    return mark_of(path.read_text(encoding="utf-8")) if path.is_file() else ""


def mark_of(text: str) -> str:
    """Return the mark of a file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
