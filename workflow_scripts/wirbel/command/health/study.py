"""The output folder and the networks of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wirbel.command.health.findings import FAULT, NOTE, OK, Finding
from wirbel.io.installation import fetched_models_folder
from wirbel.study.checks.model_files import models_fault
from wirbel.study.checks.space import FILES_PER_SCAN, GIGABYTE, disk_of
from wirbel.study.checks.start import check_writable
from wirbel.study.checks.toy_weights import toy_remark
from wirbel.study.refused import Refused
from wirbel.study.run_lock import RunLock
from wirbel.study.settings.setting_values import path_setting

LITTLE_GB = 10


def look_at_study(folder: Path, models: str) -> Iterator[Finding]:
    """Yield what was found."""
    yield from _folder(folder)
    name = path_setting("models", models)
    chosen = dict.fromkeys(("semantic", "instance"), name)
    fault = models_fault(chosen)
    if fault:
        yield Finding(FAULT, "networks", fault, "wirbel models list names those that there are.")
        return
    toys = toy_remark(chosen)
    yield Finding(NOTE if toys else OK, "networks", f"{name}: verified", toys)
    yield Finding(OK, "networks", f"fetched ones are kept in {fetched_models_folder()}")


def _folder(folder: Path) -> Iterator[Finding]:
    """Look at permissions, free space and whoever works there."""
    try:
        check_writable(folder)
    except Refused as refusal:
        yield Finding(FAULT, "results", str(refusal))
        return
    holder = RunLock(folder).at_work() if folder.is_dir() else ""
    yield Finding(NOTE if holder else OK, "results", f"{folder} can be written", holder)
    _, disk = disk_of(folder)
    free = disk.f_bavail * disk.f_frsize / GIGABYTE
    few = free < LITTLE_GB
    remedy = "Free some space, or choose another folder: a scan takes about 2 MB on the way."
    yield Finding(NOTE if few else OK, "disk", f"{free:.0f} GB are free", remedy if few else "")
    if disk.f_files and disk.f_favail < 10_000:
        told = f"only {disk.f_favail} more files may be made there; a scan takes {FILES_PER_SCAN}"
        yield Finding(NOTE, "disk", told, "Ask for a larger quota.")
