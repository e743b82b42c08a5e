"""`models.lock.yaml` in a models folder: what was fetched into it, byte by byte.

If the registry gives no digest, the first fetch decides what a network is: it records the archive's
SHA-256 here, and every later fetch must get the same. The file also lists the digest of every
unpacked file, against which a network is checked before use. Everybody who shares the folder shares
the record.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from wirbel.io.atomic import write_text
from wirbel.models.entries import Published, check_schema, read_yaml

FILE_NAME = "models.lock.yaml"
HEADER = """\
# What was fetched into this folder. Written by `snakemake models`; a network whose files differ from these
# digests is refused. Remove an entry only to accept another archive from the same address.

"""


@dataclass(frozen=True)
class Locked:
    """One fetched network: its archive, its folder in the models folder, and its files' SHA-256."""

    url: str
    sha256: str
    size: int
    fetched: str
    folder: str
    files: dict[str, str]


def read_lock(models_dir: Path) -> dict[tuple[str, str], Locked]:
    """Return what was fetched, by name and kind.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    file = models_dir / FILE_NAME
    content = read_yaml(file)
    check_schema(content, file, "lock")
    return {
        (name, kind): Locked(**fields)
        for name, entry in content.items()
        for kind, fields in entry.items()
    }


def locked(models_dir: Path, network: Published) -> Locked | None:
    """Return what was fetched for a network, or None.

    An entry counts only if it is the archive of the registry: with the same digest if the registry
    has one, otherwise from one of its addresses.
    """
    entry = read_lock(models_dir).get((network.name, network.kind))
    if entry is None:
        return None
    if network.sha256 is not None:
        return entry if entry.sha256 == network.sha256 else None
    return entry if entry.url in network.urls else None


def record(models_dir: Path, network: Published, entry: Locked) -> None:
    """Add or replace a network's entry; the caller holds the lock of the models folder."""
    content: dict[str, dict] = {}
    known = {**read_lock(models_dir), (network.name, network.kind): entry}
    for (name, kind), fields in sorted(known.items()):
        content.setdefault(name, {})[kind] = asdict(fields)
    write_text(models_dir / FILE_NAME, HEADER + yaml.safe_dump(content, sort_keys=False, width=120))
