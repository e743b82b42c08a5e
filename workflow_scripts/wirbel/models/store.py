"""The models folder: fetched networks, each in a folder named after its content.

    models.lock.yaml                         what was fetched (wirbel.models.lockfile)
    NAME-KIND-<16 digits of SHA-256>/        an archive's content, unpacked once, never changed
    NAME-KIND.zip.partial, .partial.json     a broken download, for the next attempt to continue
    .unpacking-*                             left behind by a killed process, removed by the next fetch

Here is what looks a network up; `wirbel.models.install` is what fills the folder.
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
    """Return the models folder: the environment's WIRBEL_MODELS_DIR, else models/fetched below `root`.

    An installed package keeps them in the user's own data folder.
    """
    return Path(os.environ.get(VARIABLE) or fetched_models_folder(root)).absolute()


def fetched(models_dir: Path, network: Published) -> Locked | None:
    """Return what was fetched for a network and is still there; nothing is hashed."""
    entry = locked(models_dir, network)
    return entry if entry is not None and (models_dir / entry.folder).is_dir() else None


def verify(models_dir: Path, network: Published, entry: Locked) -> Path:
    """Return a fetched network's folder after hashing every file in it; raises ModelError."""
    folder = models_dir / entry.folder
    source = models_dir / FILE_NAME
    compare_digests(network.name, folder, hash_files(folder), entry.files, source)
    return folder
