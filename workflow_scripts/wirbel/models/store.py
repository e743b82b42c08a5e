"""The models folder: fetched networks, each in a folder named after its content.

    models.lock.yaml                         what was fetched (wirbel.models.lockfile)
    NAME-KIND-<16 digits of SHA-256>/        an archive's content, unpacked once, never changed
    NAME-KIND.zip.partial, .partial.json     a broken download, to be continued by the next attempt
    .unpacking-*                             left by a killed process; the next fetch removes it

This module looks networks up; `wirbel.models.fetching.install` fills the folder.
"""

from __future__ import annotations

import os
from pathlib import Path

from wirbel.io.installation import WORKFLOW, fetched_models_folder
from wirbel.models.digests import compare_digests, hash_files
from wirbel.models.entries import Published
from wirbel.models.lockfile import FILE_NAME, Locked, locked

VARIABLE = "WIRBEL_MODELS_DIR"


def models_folder(root: Path = WORKFLOW) -> Path:
    """Return the models folder: WIRBEL_MODELS_DIR from the environment, otherwise models/fetched below
    `root`; an installed package keeps them in the user's own data folder.
    """
    return Path(os.environ.get(VARIABLE) or fetched_models_folder(root)).absolute()


def fetched(models_dir: Path, network: Published) -> Locked | None:
    """Return the record of a network that was fetched and is still there, or None; nothing is hashed."""
    entry = locked(models_dir, network)
    return entry if entry is not None and (models_dir / entry.folder).is_dir() else None


def verify(models_dir: Path, network: Published, entry: Locked) -> Path:
    """Hash every file of a fetched network and return its folder.

    Raises
    ------
    ModelError
        If a file differs from the record.
    """
    folder = models_dir / entry.folder
    source = models_dir / FILE_NAME
    compare_digests(network.name, folder, hash_files(folder), entry.files, source)
    return folder
