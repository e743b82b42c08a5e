"""Which model a name or a folder stands for, and whether its files are the expected ones.

`config/models.yaml` lists every known model with the SHA-256 of each file; a folder given by path is
taken as it is and identified by its content.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wirbel.io.atomic import sha256_of_file
from wirbel.models.inference_config import FILE_NAME, InferenceConfig, read_inference_config

REPOSITORY = Path(__file__).resolve().parents[3]
REGISTRY_FILE = REPOSITORY / "config" / "models.yaml"
KINDS = ("semantic", "instance")
ENTRY_KEYS = ("path", "licence", "sha256")
NOT_PART_OF_A_MODEL = (".md", ".tsv")
"""Suffixes of files that describe a model and are never read: its card, its training's losses."""


class ModelError(Exception):
    """A model is missing, incomplete or not what the registry says; the text says what to do."""


@dataclass(frozen=True)
class Model:
    """A model folder whose bytes have been checked; `sha256` identifies all of them together."""

    kind: str
    folder: Path
    sha256: str
    config: InferenceConfig


def find_model(name: str, kind: str, registry_file: Path = REGISTRY_FILE) -> Model:
    """Return the model that `name` stands for: an entry of the registry, or a folder.

    Every file is hashed before anything is opened. Raises ModelError.
    """
    entries = read_registry(registry_file)
    if name in entries:
        folder, expected = _entry(entries[name], name, kind, registry_file)
    else:
        folder, expected = _folder(Path(name), kind, sorted(entries)), None
    digests = hash_files(folder)
    if expected is not None:
        _verify(name, folder, digests, expected)
    try:
        config = read_inference_config(folder)
    except ValueError as error:
        raise ModelError(str(error)) from None
    return Model(kind, folder, combined_sha256(digests), config)


def read_registry(registry_file: Path = REGISTRY_FILE) -> dict[str, Any]:
    """Return the entries of `config/models.yaml` by name; raises ModelError naming a wrong one."""
    if not registry_file.exists():
        return {}
    try:
        entries = yaml.safe_load(registry_file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ModelError(f"{registry_file} is not valid YAML: {error}") from None
    for name, entry in entries.items():
        _check_entry(f"{registry_file}: model {name!r}", entry)
    return entries


def hash_files(folder: Path) -> dict[str, str]:
    """Return SHA-256 by file name (relative, with /) of what a model consists of.

    Descriptions and hidden files are left out; nothing opens them.
    """
    names = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): sha256_of_file(path)
        for name, path in sorted(names.items())
        if name.suffix not in NOT_PART_OF_A_MODEL
        and not any(part.startswith(".") for part in name.parts)
    }


def combined_sha256(digests: dict[str, str]) -> str:
    """Return one digest for a set of files."""
    return hashlib.sha256(checksum_lines(digests).encode()).hexdigest()


def checksum_lines(digests: dict[str, str]) -> str:
    """Return the digests as `sha256sum --check` reads them."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def _check_entry(place: str, entry: Any) -> None:
    if not isinstance(entry, dict) or not set(entry) <= set(KINDS):
        raise ModelError(f"{place}: expected {' and '.join(KINDS)}, found {entry}")
    for kind, part in entry.items():
        if not isinstance(part, dict) or set(part) != set(ENTRY_KEYS):
            found = ", ".join(part) if isinstance(part, dict) else part
            raise ModelError(f"{place}: {kind} needs {', '.join(ENTRY_KEYS)}; it has {found}")


def _entry(entry: dict, name: str, kind: str, registry_file: Path) -> tuple[Path, dict[str, str]]:
    if kind not in entry:
        raise ModelError(f"model {name!r} has no {kind} network; it has {', '.join(sorted(entry))}")
    part = entry[kind]
    folder = registry_file.resolve().parents[1] / part["path"]
    if not folder.is_dir():
        raise ModelError(f"the {kind} network of model {name!r} is missing: there is no {folder}")
    return folder, part["sha256"]


def _folder(path: Path, kind: str, known: list[str]) -> Path:
    """Accept a model folder, or a folder that holds one per kind."""
    for candidate in (path / kind, path):
        if (candidate / FILE_NAME).is_file():
            return candidate
    raise ModelError(
        f"{str(path)!r} is neither a model in config/models.yaml ({', '.join(known) or 'none'}) "
        f"nor a folder with {FILE_NAME}"
    )


def _verify(name: str, folder: Path, found: dict[str, str], expected: dict[str, str]) -> None:
    for file in sorted(set(found) | set(expected)):
        if file not in found:
            raise ModelError(f"model {name!r}: {folder / file} is missing")
        if file not in expected:
            raise ModelError(f"model {name!r}: {folder / file} is not listed in config/models.yaml")
        if found[file] != expected[file]:
            raise ModelError(
                f"model {name!r}: {folder / file} was changed or damaged (SHA-256 is "
                f"{found[file][:12]}..., expected {expected[file][:12]}...); restore the file"
            )
