"""Check the models of the settings in the main process, before the first job.

Faults in names, folders, kinds, settings and checksums are reported once, at the start, instead of
by every job. Jobs check again, because a folder may change in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from wirbel.io.atomic import sha256_of_file, write_text
from wirbel.models.digests import compare_digests, hash_files
from wirbel.models.entries import KINDS, REGISTRY_FILE, Published, network, read_registry
from wirbel.models.errors import ModelError
from wirbel.models.folders.check import checked_folder
from wirbel.models.lockfile import FILE_NAME as LOCK_NAME
from wirbel.models.modality import need_mr
from wirbel.models.registry import folder_of, listed_folder
from wirbel.models.store import models_folder

MEMORY = "work/models.json"
"""Digests of the models' files, below the output folder; trusted while a file's size and time stamps
stay.
"""


def models_fault(
    models: Mapping[str, str],
    output_dir: Path | None = None,
    remembers: bool = False,
    registry_file: Path = REGISTRY_FILE,
) -> str | None:
    """Return what is wrong with the models, one line for each name, or None.

    Parameters
    ----------
    models : mapping of str to str
        The setting `models`: a name or a folder for each kind.
    output_dir : Path, optional
        Where digests are stored, so that only the first start reads the weights.
    remembers : bool
        Write digests there; a dry run writes nothing.
    registry_file : Path
        The registry.
    """
    alone = [kind for kind in KINDS if kind not in models]
    if alone:
        return (
            f"setting models: there is no {' and no '.join(alone)} model, expected one of each beside "
            f"{', '.join(models) or 'nothing'}; add it, as in models='{{semantic: NAME, instance: NAME}}'"
        )
    digests = Digests(output_dir and output_dir / MEMORY)
    faults: dict[str, str] = {}
    for kind, name in models.items():
        try:
            check_model(name, kind, digests, registry_file)
        except ModelError as error:
            faults.setdefault(name, f"setting models, {kind}: {error}")
        except OSError as error:
            faults.setdefault(name, f"setting models, {kind}: cannot read {name!r}: {error}")
    if remembers and not faults:
        digests.write()
    return "\n".join(faults.values()) or None


def check_model(name: str, kind: str, digests: Digests, registry_file: Path) -> None:
    """Raise ModelError if a model is unknown, missing, changed, damaged, of another kind or not of MR scans."""
    entries = read_registry(registry_file)
    if name in entries:
        listed = network(entries, name, kind)
        folder, expected = listed_folder(listed, registry_file)
        source = Path("config/models.yaml")
        if isinstance(listed, Published):
            source = models_folder(registry_file.resolve().parents[1]) / LOCK_NAME
        compare_digests(listed.name, folder, hash_files(folder, digests.of), expected, source)
    else:
        folder = folder_of(Path(name), kind, sorted(entries))
    need_mr(folder, kind, checked_folder(folder, kind))


class Digests:
    """SHA-256 of files, stored in `memory`; works without a memory that cannot be read or written."""

    def __init__(self, memory: Path | None) -> None:
        self._memory = memory
        self._known = _read(memory)
        self._seen: dict[str, list] = {}

    def of(self, path: Path) -> str:
        """Return a file's SHA-256."""
        found = path.stat()
        marks = [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
        known = self._known.get(str(path))
        if not isinstance(known, list) or known[:-1] != marks:
            known = [*marks, sha256_of_file(path)]
        self._seen[str(path)] = known
        return known[-1]

    def write(self) -> None:
        """Store the digests."""
        if self._memory is None or self._seen == self._known:
            return
        try:
            write_text(self._memory, json.dumps(self._seen, indent=1) + "\n")
        except OSError:
            return  # hashing again costs seconds; a full disk is told by whoever needs it


def _read(memory: Path | None) -> dict:
    try:
        content = json.loads(memory.read_text(encoding="utf-8")) if memory else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
