"""What is odd about scans by their sidecars and by each other, found before the first job.

Sidecars and contents are read again only when a scan or a sidecar changed: `work/batches/doubts.json` remembers what
was found, under a mark of all names, sizes and time stamps.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.io.atomic import write_text_if_changed
from wirbel.io.dataset.same_content import SizedFile, same_content
from wirbel.io.dataset.scan_names import T2W, FoundScan
from wirbel.io.dataset.sidecar_facts import sidecar_doubts, sidecar_path
from wirbel.io.escapes import visible
from wirbel.plan.checks import DERIVED, FAILURE, NOT_T2W, OFF, SAME_CONTENT, WARNING
from wirbel.study.sources.source import Source
from wirbel.words import counted

THREADS = 8
"""Files asked for at once, because a network file system answers slowly."""
CHUNK = 256
Found = Mapping[str, Mapping[str, str]]
"""Scan -> code -> a sentence."""


@dataclass(frozen=True)
class Doubts:
    """What was found, under which mark, and the level of each check."""

    found: Found = field(default_factory=dict)
    mark: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> dict[str, str]:
        """Scan -> "code: sentence" of a check that is a failure."""
        told: dict[str, str] = {}
        for scan, codes in self.found.items():
            for code, sentence in codes.items():
                if self.levels.get(code) == FAILURE:
                    told.setdefault(scan, f"{code}: {sentence}")
        return told

    @property
    def warnings(self) -> dict[str, dict[str, str]]:
        """Scan -> code -> a sentence, of checks that are warnings."""
        told = {
            scan: {code: text for code, text in codes.items() if self.levels.get(code) == WARNING}
            for scan, codes in self.found.items()
        }
        return {scan: codes for scan, codes in told.items() if codes}

    @property
    def unflagged(self) -> list[str]:
        """The checks that are off."""
        return sorted(code for code, level in self.levels.items() if level == OFF)

    def in_words(self) -> list[str]:
        """Return one sentence for each code, with an example."""
        told = []
        for level, words in (
            (FAILURE, ("scan is refused", "scans are refused")),
            (WARNING, ("scan looks odd", "scans look odd")),
        ):
            wanted = [
                (scan, code, sentence)
                for scan, codes in self.found.items()
                for code, sentence in codes.items()
                if self.levels.get(code) == level
            ]
            for code, number in Counter(code for _, code, _ in wanted).items():
                scan, _, sentence = next(one for one in wanted if one[1] == code)
                told.append(
                    f"{counted(number, *words)} ({code}), such as {visible(scan)}: {sentence}"
                )
        return told

    def write(self, output_dir: Path) -> None:
        """Remember what was found."""
        content = {"mark": self.mark, "found": self.found}
        if self.mark:
            write_text_if_changed(_file(output_dir), json.dumps(content, indent=1) + "\n")


def doubts_of(
    scans: Sequence[FoundScan], source: Source, levels: Mapping[str, str], output_dir: Path
) -> Doubts:
    """Return what is odd about the scans to take; reads what changed since the last run, and writes nothing.

    Parameters
    ----------
    scans : sequence of FoundScan
        The scans.
    source : Source
        Where they come from: deliveries of DICOM have no sidecars.
    levels : mapping
        Code -> level (`wirbel.plan.checks`); without any nothing is looked for.
    output_dir : Path
        Of earlier runs.
    """
    wanted = {code for code, level in levels.items() if level != OFF}
    wanted &= {SAME_CONTENT} if source.dicom or source.joined else {SAME_CONTENT, NOT_T2W, DERIVED}
    if source.suffix != T2W:
        wanted -= {NOT_T2W}
    if not wanted:
        return Doubts(levels=levels)
    beside = {NOT_T2W, DERIVED} & wanted
    paths = {scan.path: sidecar_path(scan.path) for scan in scans} if beside else {}
    stamps = dict(zip(paths, _in_threads(_stamp, list(paths.values())), strict=True))
    mark = _mark_of(scans, stamps, wanted)
    known = _remembered(output_dir)
    if known.get("mark") == mark:
        return Doubts(known["found"], mark, levels)
    found: dict[str, dict[str, str]] = {}
    there = [scan for scan in scans if stamps.get(scan.path, (-1, 0))[0] > 0]
    read = _in_threads(sidecar_doubts, [paths[scan.path] for scan in there])
    for scan, doubts in zip(there, read, strict=True):
        for code, sentence in doubts.items():
            if code in beside:
                found.setdefault(scan.scan_id, {})[code] = sentence
    if SAME_CONTENT in wanted:
        for scan_id, sentence in _twice(scans).items():
            found.setdefault(scan_id, {})[SAME_CONTENT] = sentence
    return Doubts(dict(sorted(found.items())), mark, levels)


def _twice(scans: Sequence[FoundScan]) -> dict[str, str]:
    """Return scan -> which other one has the same content; folders are not compared."""
    names: dict[str, list[str]] = {}
    for scan in scans:  # stations of a session are of one file
        names.setdefault(scan.path, []).append(scan.scan_id)
    sizes = {scan.path: scan.size for scan in scans if not os.path.isdir(scan.path)}
    told: dict[str, str] = {}
    for group in same_content(SizedFile(*one) for one in sizes.items()):
        for path in group:
            other = next((names[one][0] for one in group if names[one] != names[path]), None)
            if other is not None:
                told |= dict.fromkeys(names[path], f"the same content as {visible(other)}")
    return told


def _in_threads(ask, paths: list[str]) -> list:
    """Return the answers for all paths, in their order."""
    parts = [paths[first : first + CHUNK] for first in range(0, len(paths), CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(lambda part: [ask(path) for path in part], parts)
        return [answer for part in answers for answer in part]


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    except OSError:  # most scans of some data sets have none
        return -1, 0


def _mark_of(
    scans: Iterable[FoundScan], stamps: Mapping[str, tuple[int, int]], wanted: Iterable[str]
) -> str:
    told = [f"{sorted(wanted)}"]
    told += [f"{s.scan_id}\0{s.path}\0{s.size}\0{s.mtime_ns}\0{stamps.get(s.path)}" for s in scans]
    return hashlib.sha256("\n".join(told).encode(errors="surrogateescape")).hexdigest()


def _file(output_dir: Path) -> Path:
    return output_dir / "work" / "batches" / "doubts.json"


def _remembered(output_dir: Path) -> dict:
    try:
        content = json.loads(_file(output_dir).read_text(encoding="utf-8"))
        return content if {"mark", "found"} <= content.keys() else {}
    except (OSError, ValueError, AttributeError):
        return {}
