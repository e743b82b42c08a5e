"""What the main process found in the data set besides scans, for the tables:
`work/batches/dataset.json`.

It has findings (files and participants that are not scans but must be reported), and a mark that
changes with the files about people. Only the main process writes it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wirbel.io.atomic import write_text_if_changed
from wirbel.io.dataset.listing import Finding
from wirbel.plan.stage_plan import KEY_DIGITS, digest_of

NO_REVIEWS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
LISTING = "listing"
"""Stands for a stage in the table of failures."""


def findings_file(output_dir: str | Path) -> Path:
    """Return the path of a data set's findings."""
    return Path(output_dir, "work", "batches", "dataset.json")


def findings_as_text(
    findings: Iterable[Finding],
    people_mark: str,
    reviews: Mapping[str, Mapping[str, Any]] = NO_REVIEWS,
    agreement: Sequence[str] = (),
    checks: Mapping[str, Any] = NO_REVIEWS,
) -> str:
    """Return the content of the file; `checks` are as `read_checks` returns them."""
    content: dict[str, Any] = {"people": people_mark}
    content["findings"] = [asdict(found) for found in findings]
    if reviews:
        content["reviews"] = dict(reviews)
    if agreement:
        content["agreement"] = list(agreement)
    if checks:
        content["checks"] = dict(checks)
    return json.dumps(content, indent=1) + "\n"


def write_findings(
    output_dir: str | Path,
    findings: Iterable[Finding],
    people_mark: str,
    reviews: Mapping[str, Mapping[str, Any]] = NO_REVIEWS,
    agreement: Sequence[str] = (),
    checks: Mapping[str, Any] = NO_REVIEWS,
) -> None:
    """Write the file, if its content changed."""
    text = findings_as_text(findings, people_mark, reviews, agreement, checks)
    write_text_if_changed(findings_file(output_dir), text)


def read_reviews(output_dir: str | Path) -> dict[str, dict[str, Any]]:
    """Return scan -> review, shift, comment, reader of the present run; none where no reader's file was given."""
    return _content(output_dir).get("reviews", {})


def read_agreement(output_dir: str | Path) -> list[str]:
    """Return the sentences on readers' agreement."""
    return list(_content(output_dir).get("agreement", []))


def read_checks(output_dir: str | Path) -> tuple[dict[str, dict[str, str]], frozenset[str]]:
    """Return scan -> code -> sentence of warnings that were found before the first job, and the checks that are off."""
    checks = _content(output_dir).get("checks", {})
    return checks.get("warnings", {}), frozenset(checks.get("off", ()))


def shifts_of(reviews: Mapping[str, Mapping[str, Any]], scans: Iterable[str]) -> dict[str, int]:
    """Return by how many levels the names of these scans are moved, where they are."""
    wanted = (scan for scan in scans if scan in reviews)
    return {scan: reviews[scan]["shift"] for scan in wanted if reviews[scan]["shift"]}


def with_shifts(made_from: str, shifts: Mapping[str, int]) -> str:
    """Return the digest of what a batch's measurements are made from: the maps, and the shifts of some names."""
    return digest_of([made_from, dict(shifts)])[:KEY_DIGITS] if shifts else made_from


def read_findings(output_dir: str | Path) -> list[Finding]:
    """Return the findings of the last run; none where it wrote no file."""
    return [Finding(**found) for found in _content(output_dir).get("findings", [])]


def _content(output_dir: str | Path) -> dict[str, Any]:
    path = findings_file(output_dir)
    try:
        found = os.stat(path)
        return _parsed(path, found.st_ino, found.st_size, found.st_mtime_ns)
    except FileNotFoundError:
        return {}


@lru_cache(maxsize=1)
def _parsed(path: Path, *marks: int) -> dict[str, Any]:
    """Return what is in the file, read once for as long as its `marks` stay: with reviews of a whole cohort it takes
    long, and it is asked for scan by scan and batch by batch.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def data_set_mark(output_dir: str | Path) -> str:
    """Return a mark that changes if the tables would, even if no scan does; empty if nothing was
    written.
    """
    path = findings_file(output_dir)
    return mark_of(path.read_text(encoding="utf-8")) if path.is_file() else ""


def mark_of(text: str) -> str:
    """Return the mark of a file with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
