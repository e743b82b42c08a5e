"""Read `config/models.yaml`: the known models, each with one network per kind.

A network is `Embedded` (a folder of this repository, with the digest of each file), `Published` (an
archive to fetch), or the name of another entry whose network of that kind it shares.
`config/schemas/models.schema.json` says what an entry may contain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from wirbel.io.installation import WORKFLOW
from wirbel.models.digests import combined_sha256
from wirbel.models.errors import ModelError

REGISTRY_FILE = WORKFLOW / "config" / "models.yaml"
SCHEMA_FILE = WORKFLOW / "config" / "schemas" / "models.schema.json"
KINDS = ("semantic", "instance")
"""The networks that every run needs."""
OPTIONAL_KINDS = ("labelling", "translator")
ALL_KINDS = KINDS + OPTIONAL_KINDS
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Reads the same ten times quicker where PyYAML was built with libyaml."""


@dataclass(frozen=True)
class Embedded:
    """A network whose folder is part of this repository.

    Attributes
    ----------
    sha256 : dict of str to str
        File name -> digest.
    toy : bool
        True if it was trained almost only on simulated scans, to try the software (`wirbel.models.toy`).
    """

    name: str
    kind: str
    path: str
    licence: str
    sha256: dict[str, str]
    modality: tuple[str, ...] = ()
    citation: str = ""
    toy: bool = False


@dataclass(frozen=True)
class Published:
    """A network that others publish as a zip archive.

    Attributes
    ----------
    urls : tuple of str
        Addresses to try, in order.
    sha256 : str or None
        Digest of the archive. None if its makers publish none; the first fetch then decides
        (`wirbel.models.lockfile`).
    size : int or None
        Bytes of the archive, if known.
    """

    name: str
    kind: str
    urls: tuple[str, ...]
    sha256: str | None
    size: int | None
    licence: str
    citation: str
    modality: tuple[str, ...]


def read_registry(registry_file: Path = REGISTRY_FILE) -> dict[str, Any]:
    """Return the entries of `config/models.yaml` by name.

    Raises
    ------
    ModelError
        If the file is invalid; names the wrong entry.
    """
    entries = read_yaml(registry_file)
    check_schema(entries, registry_file, "registry")
    return entries


def networks(entries: dict[str, Any]) -> list[Embedded | Published]:
    """Return every network of a registry once, in its order; a shared one under its own entry."""
    return [
        _network(name, kind, part)
        for name, entry in entries.items()
        for kind, part in entry.items()
        if not isinstance(part, str)
    ]


def network(entries: dict[str, Any], name: str, kind: str) -> Embedded | Published:
    """Return the network of one kind that `name` stands for.

    Raises
    ------
    ModelError
        If the model has no network of that kind.
    """
    entry, seen = entries[name], [name]
    while isinstance(entry.get(kind), str):
        shared = entry[kind]
        if shared not in entries or shared in seen:
            raise ModelError(
                f"model {name!r}: its {kind} network should be the one of {shared!r}, "
                "which is not another entry of config/models.yaml"
            )
        seen.append(shared)
        entry = entries[shared]
    if kind not in entry:
        raise ModelError(f"model {name!r} has no {kind} network; it has {', '.join(sorted(entry))}")
    return _network(seen[-1], kind, entry[kind])


def toy_digests(entries: dict[str, Any]) -> set[str]:
    """Return the combined SHA-256 of every network of a registry that only serves to try the software."""
    return {
        combined_sha256(known.sha256)
        for known in networks(entries)
        if isinstance(known, Embedded) and known.toy
    }


def read_yaml(file: Path) -> dict[str, Any]:
    """Return the content of a YAML file, or {} if there is no such file.

    Raises
    ------
    ModelError
        If the file cannot be read or is invalid.
    """
    try:
        return yaml.load(file.read_text(encoding="utf-8"), LOADER) or {}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(f"cannot read {file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{file} is not valid YAML: {error}") from None


def check_schema(content: Any, file: Path, part: str) -> None:
    """Raise ModelError at the first place of `content` that the schema's `part` does not allow."""
    for error in _validator(part).iter_errors(content):
        place = " ".join(repr(str(step)) for step in error.absolute_path)
        where = f"{file}: model {place}" if place else str(file)
        hint = error.schema.get("description", "")
        raise ModelError(f"{where}: {error.message}. {hint}".strip())


@cache
def _validator(part: str):
    from jsonschema import Draft202012Validator

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]})


def _network(name: str, kind: str, part: dict[str, Any]) -> Embedded | Published:
    fields = {**part, "modality": tuple(part.get("modality", ()))}
    if "url" not in fields:
        return Embedded(name, kind, **fields)
    url = fields.pop("url")
    return Published(name, kind, urls=(url,) if isinstance(url, str) else tuple(url), **fields)
