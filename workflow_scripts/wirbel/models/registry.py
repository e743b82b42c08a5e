"""Find the model that a name or a folder stands for, and check its files.

`config/models.yaml` lists every known model. A folder given by path is used as it is and identified
by its content. Nothing here uses the network.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from wirbel.core.inference_config import InferenceConfig
from wirbel.models.digests import (
    checksum_lines,
    combined_sha256,
    compare_digests,
    hash_files,
)
from wirbel.models.entries import (
    ALL_KINDS,
    KINDS,
    REGISTRY_FILE,
    Embedded,
    Published,
    network,
    read_registry,
    toy_digests,
)
from wirbel.models.errors import ModelError
from wirbel.models.folders.check import read_kind
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.lockfile import Locked
from wirbel.models.store import VARIABLE, fetched, models_folder, verify

__all__ = [
    "ALL_KINDS",
    "KINDS",
    "REGISTRY_FILE",
    "Model",
    "ModelError",
    "checksum_lines",
    "find_model",
    "hash_files",
    "read_registry",
]


@dataclass(frozen=True)
class Model:
    """A model folder whose bytes were checked.

    Attributes
    ----------
    kind : str
        "semantic", "instance" or "labelling".
    folder : Path
        The folder.
    sha256 : str
        Identifies all of its files together.
    config : InferenceConfig
        Its settings.
    toy : bool
        True if these bytes are a network that only serves to try the software, wherever they are.
    """

    kind: str
    folder: Path
    sha256: str
    config: InferenceConfig
    toy: bool = False


def find_model(name: str, kind: str, registry_file: Path = REGISTRY_FILE) -> Model:
    """Return the model that `name` stands for.

    Every file is hashed before anything is opened.

    Parameters
    ----------
    name : str
        An entry of the registry, or a folder.
    kind : str
        "semantic", "instance" or "labelling".
    registry_file : Path
        The registry.

    Raises
    ------
    ModelError
        If there is no such model, or its files are not the expected ones.
    """
    entries = read_registry(registry_file)
    if name in entries:
        folder, digests = _registered(network(entries, name, kind), registry_file)
    else:
        folder = folder_of(Path(name), kind, sorted(entries))
        digests = hash_files(folder)
    sha256 = combined_sha256(digests)
    config = read_kind(folder, kind)
    return Model(kind, folder, sha256, config, sha256 in toy_digests(entries))


def listed_folder(
    found: Embedded | Published, registry_file: Path = REGISTRY_FILE
) -> tuple[Path, dict[str, str]]:
    """Return the folder of a listed network and the digests its files should have, without reading a
    file.
    """
    if isinstance(found, Published):
        models_dir, entry = _fetched(found, registry_file)
        return models_dir / entry.folder, entry.files
    folder = registry_file.resolve().parents[1] / found.path
    if not folder.is_dir():
        raise ModelError(
            f"the {found.kind} network of model {found.name!r} is missing: there is no {folder}; "
            "restore it from the repository"
        )
    return folder, found.sha256


def _registered(found: Embedded | Published, registry_file: Path) -> tuple[Path, dict[str, str]]:
    """Return the checked folder of a listed network and its files' digests."""
    if isinstance(found, Published):
        models_dir, entry = _fetched(found, registry_file)
        return verify(models_dir, found, entry), entry.files
    folder, _ = listed_folder(found, registry_file)
    digests = hash_files(folder)
    compare_digests(found.name, folder, digests, found.sha256, Path("config/models.yaml"))
    return folder, digests


def _fetched(found: Published, registry_file: Path) -> tuple[Path, Locked]:
    """Return the models folder and the record of a network; if it is missing, raise ModelError with
    the command to fetch it.
    """
    usual = registry_file.resolve().parents[1]
    models_dir = models_folder(usual)
    entry = fetched(models_dir, found)
    if entry is None:
        elsewhere = f" models_dir={quote(str(models_dir))}" if os.environ.get(VARIABLE) else ""
        raise ModelError(
            f"the {found.kind} network of model {found.name!r} has not been fetched to {models_dir}; on a machine "
            "with internet run: .venv/bin/snakemake --profile profiles/default "
            f"--config models={found.name}{elsewhere} -- models"
        )
    return models_dir, entry


def folder_of(path: Path, kind: str, known: list[str]) -> Path:
    """Return the model folder for a path that is one, or holds one per kind; otherwise raise
    ModelError.
    """
    folder = path.expanduser()
    for candidate in (folder / kind, folder):
        if (candidate / FILE_NAME).is_file():
            return candidate
    raise ModelError(
        f"{str(path)!r} is neither a model in config/models.yaml ({', '.join(known) or 'none'}) "
        f"nor a folder with {FILE_NAME} (or {kind}/{FILE_NAME}): {_hint(path, folder, known)}"
    )


def _hint(given: Path, folder: Path, known: list[str]) -> str:
    """Return what may be wrong with a name or folder that is not a model."""
    near = difflib.get_close_matches(str(given), known, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    if folder.is_dir():
        inside = sorted(entry.name for entry in folder.iterdir())[:8]
        return f"it contains {', '.join(inside) or 'no files'}; give the folder of the model itself"
    if folder.exists():
        return "it is a file; unpack it and give its folder"
    return f"there is no {folder.absolute()}; correct the name or the path"
