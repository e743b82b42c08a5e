"""Cheap checks before costly work: refuse at the start, in one sentence, what would fail hours later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wirbel.study.checks.model_files import models_fault
from wirbel.study.checks.output_folder import OWN_FOLDERS
from wirbel.study.checks.toy_weights import toy_refusal, toy_remark
from wirbel.study.refused import Refused
from wirbel.study.settings.run_settings import Settings

SEARCH_PATH = "PYTHONPATH"
PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "nibabel", "SimpleITK", "torch", "nnunetv2")
"""Packages of which another copy in the search path would break jobs or change their numbers."""


def check_before_run(
    settings: Settings, on_cluster: bool, environment: Mapping[str, str], *, remembers: bool = False
) -> list[str]:
    """Raise Refused if a run could not end well; return what users should know before it starts.

    It reads settings and models and checks folders, but writes nothing, so that a dry run reports
    the same. With `remembers`, the models' digests are stored in the output folder.
    """
    output = Path(settings.output_dir)
    check_writable(output)
    refusal = models_fault(settings.models, output, remembers) or toy_refusal(
        settings.models, on_cluster, settings.allow_toy_weights
    )
    if refusal:
        raise Refused(refusal)
    remarks = (toy_remark(settings.models), search_path_remark(environment))
    return [remark for remark in remarks if remark]


def check_writable(output_dir: str | Path) -> None:
    """Raise Refused if this user may not write to the output folder or its content."""
    folder = Path(output_dir)
    for path in (_nearest(folder), *(folder / name for name in OWN_FOLDERS)):
        if path.exists() and not os.access(path, os.W_OK | os.X_OK):
            raise Refused(
                f"output_dir {folder} cannot be written to: this user may not write to {path}, or the disk is "
                "mounted read-only; change its permissions or choose another output_dir"
            )


def check_start_folder() -> None:
    """Raise Refused if Snakemake cannot keep its notes (`.snakemake`) in the folder that it was started in."""
    folder = Path.cwd()
    notes = folder / ".snakemake"
    if not os.access(notes if notes.exists() else folder, os.W_OK | os.X_OK):
        raise Refused(
            f"the folder that the command was given in, {folder}, cannot be written to, and Snakemake keeps notes "
            "there: change to a folder of your own, or add --directory FOLDER"
        )


def check_reference(folder: str | Path) -> None:
    """Raise Refused if a folder cannot be the reference of `snakemake evaluate`."""
    path = Path(folder)
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        raise Refused(
            f"reference {path}: expected a folder with label maps, found {found}; set `reference`, or simulate scans, "
            "whose truth lies in bids_dir/derivatives/truth"
        )
    if not any(next(path.rglob(f"*{end}"), None) for end in (".nii", ".nii.gz", ".mha")):
        raise Refused(
            f"reference {path}: expected label maps (*.nii.gz) in this folder, found none"
        )


def search_path_remark(environment: Mapping[str, str]) -> str:
    """Return a remark if the environment offers other copies of packages, which jobs do not use."""
    entries = filter(None, environment.get(SEARCH_PATH, "").split(os.pathsep))
    found = [
        f"{name} in {entry}" for entry in entries for name in PACKAGES if Path(entry, name).is_dir()
    ]
    if not found:
        return ""
    return f"{SEARCH_PATH} offers other packages ({', '.join(found[:3])}): jobs do without it"


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest existing one above it, in which it would be created."""
    path = Path(os.path.abspath(folder))
    return next(parent for parent in (path, *path.parents) if os.path.lexists(parent))
