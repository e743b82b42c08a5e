"""Copy trained model folders to `models/<name>/` and register them in `config/models.yaml`."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from wirbel.io.atomic import atomic_path, write_text
from wirbel.models.entries import ALL_KINDS
from wirbel.models.folders.check import read_kind
from wirbel.models.registry import (
    KINDS,
    ModelError,
    checksum_lines,
    hash_files,
    read_registry,
)

CHECKSUMS = "SHA256SUMS"
TRANSLATOR = "translator"
HEADER = """\
# yaml-language-server: $schema=schemas/models.schema.json
# The known models: docs/models.md. One entry per name, in it one network per kind (semantic, instance,
# labelling, translator), or the name of the entry whose network it shares. SHA-256 digests are checked before
# anything is opened. `python -m wirbel.stages.register_models` rewrites this file when networks were trained.

"""


def publish(
    trained: Path, name: str, licence: str, registry_file: Path, toy: bool = False
) -> dict[str, str]:
    """Copy the networks in `trained` to `models/<name>/` and register their files.

    Files of an earlier version that no longer exist are removed.

    Parameters
    ----------
    trained : Path
        Folder with the trained networks: `semantic` and `instance`, to which `labelling` may be added, or `translator`,
        alone or with the semantic network of its tomograms.
    name, licence : str
        Name of the model and its licence.
    registry_file : Path
        The `config/models.yaml` to change.
    toy : bool
        Mark the networks as serving only to try the software.

    Returns
    -------
    dict of str to str
        File name below `models/<name>` -> SHA-256.

    Raises
    ------
    ModelError
        If a network is incomplete; nothing is changed then.
    """
    try:
        configs = {kind: read_kind(trained / kind, kind) for kind in _kinds(trained)}
    except ModelError as error:
        raise ModelError(f"nothing was published: {error}") from None
    entries, digests = read_registry(registry_file), {}
    root = registry_file.resolve().parents[1]
    entries[name] = {}
    for kind in configs:
        target = Path("models", name, kind)
        _mirror(trained / kind, root / target)
        own = hash_files(root / target)
        entries[name][kind] = {
            "path": target.as_posix(),
            "licence": licence,
            **({"toy": True} if toy else {}),
            "modality": list(configs[kind].modality),
            "sha256": own,
        }
        digests.update({f"{kind}/{file}": digest for file, digest in own.items()})
    write_text(root / "models" / name / CHECKSUMS, checksum_lines(digests))
    write_text(
        registry_file,
        HEADER + yaml.safe_dump(entries, sort_keys=False, width=120, allow_unicode=True),
    )
    return digests


def _kinds(trained: Path) -> tuple[str, ...]:
    """Return the kinds of networks that a training has left."""
    found = tuple(kind for kind in ALL_KINDS if (trained / kind).is_dir())
    return found if TRANSLATOR in found else tuple(dict.fromkeys((*KINDS, *found)))


def _mirror(source: Path, target: Path) -> None:
    """Make `target` contain the files of `source` and no others."""
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    for old in [path for path in target.rglob("*") if path.is_file()]:
        if old.relative_to(target) not in wanted:
            old.unlink()
    for name in sorted(wanted):
        with atomic_path(target / name) as temporary:
            shutil.copyfile(source / name, temporary)
