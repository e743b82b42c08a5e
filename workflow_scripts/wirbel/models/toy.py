"""Tell which networks only serve to try the software, without hashing large files in vain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wirbel.io.atomic import sha256_of_file
from wirbel.models.digests import hash_files
from wirbel.models.entries import REGISTRY_FILE, Embedded, network, networks, read_registry
from wirbel.models.errors import ModelError
from wirbel.models.folders.inference_config import FILE_NAME


def toy_kinds(models: Mapping[str, str], registry_file: Path = REGISTRY_FILE) -> list[str]:
    """Return the kinds (semantic, instance, ...) for which `models` names a toy network.

    Parameters
    ----------
    models : mapping of str to str
        Kind -> name in the registry, or folder. A copy of a toy network's folder counts too; a
        wrong name or folder does not.
    registry_file : Path
        The registry.
    """
    entries = read_registry(registry_file)
    return [kind for kind, name in models.items() if _is_toy(entries, name, kind)]


def _is_toy(entries: dict, name: str, kind: str) -> bool:
    try:
        if name in entries:
            return getattr(network(entries, name, kind), "toy", False)
        folders = [Path(name).expanduser() / kind, Path(name).expanduser()]
        folder = next((f for f in folders if (f / FILE_NAME).is_file()), None)
        return folder is not None and _is_copy_of_a_toy(entries, folder)
    except (ModelError, OSError):
        return False


def _is_copy_of_a_toy(entries: dict, folder: Path) -> bool:
    """Return True if a folder has the files of a toy network."""
    # The small settings file is compared first, so that the weights of most networks are never read.
    toys = [
        known.sha256 for known in networks(entries) if isinstance(known, Embedded) and known.toy
    ]
    settings = sha256_of_file(folder / FILE_NAME)
    alike = [digests for digests in toys if digests.get(FILE_NAME) == settings]
    return bool(alike) and hash_files(folder) in alike
