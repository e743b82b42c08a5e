"""Stations that are NIfTI files already: all scans of a session become one."""

from __future__ import annotations

from collections.abc import Iterable

from wirbel.io.dataset.entities import name_of
from wirbel.io.dataset.folder_content import content_stamp
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.dataset.several_paths import joined_paths


def joined(scans: Iterable[FoundScan]) -> list[FoundScan]:
    """Return one scan for each session, which stands for all of its files, sorted by name."""
    sessions: dict[tuple[str, str], list[FoundScan]] = {}
    for scan in scans:
        sessions.setdefault((scan.participant_id, scan.session_id), []).append(scan)
    return sorted(_one_of(some) for some in sessions.values())


def _one_of(scans: list[FoundScan]) -> FoundScan:
    first = scans[0]
    path = joined_paths(scan.path for scan in scans)
    name = name_of(first.participant_id, first.session_id, {})
    return FoundScan(name, first.participant_id, first.session_id, "", path, *content_stamp(path))
