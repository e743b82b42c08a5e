"""The content of a model folder as SHA-256 digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from wirbel.io.atomic import sha256_of_file
from wirbel.models.errors import ModelError

REMEDY = "restore the file, or fetch the model again"
NOT_PART_OF_A_MODEL = (".md", ".tsv")
"""Suffixes of files that describe a model but are never read: its card, its training losses."""


def hash_files(folder: Path, digest: Callable[[Path], str] = sha256_of_file) -> dict[str, str]:
    """Return the SHA-256 of every file of a model.

    Parameters
    ----------
    folder : Path
        The model folder. Descriptions and hidden files are skipped, because nothing opens them.
    digest : callable
        Returns the digest of one file.

    Returns
    -------
    dict of str to str
        Relative file name (with /) -> digest, sorted by name.
    """
    names = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {
        name.as_posix(): digest(path)
        for name, path in sorted(names.items())
        if name.suffix not in NOT_PART_OF_A_MODEL
        and not any(part.startswith(".") for part in name.parts)
    }


def combined_sha256(digests: dict[str, str]) -> str:
    """Return one digest for a set of files.

    Examples
    --------
    >>> combined_sha256({"a": "00", "b": "11"}) == combined_sha256({"b": "11", "a": "00"})
    True
    """
    return hashlib.sha256(checksum_lines(digests).encode()).hexdigest()


def checksum_lines(digests: dict[str, str]) -> str:
    """Return the digests in the format of `sha256sum --check`."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))


def compare_digests(
    name: str, folder: Path, found: dict[str, str], expected: dict[str, str], source: Path
) -> None:
    """Raise ModelError at the first file that is missing, unexpected or different from `source`.

    Parameters
    ----------
    name : str
        The model, as errors call it.
    folder : Path
        Its folder.
    found, expected : dict of str to str
        File -> SHA-256: as they are, and as listed.
    source : Path
        Where the listed ones stand.
    """
    for file in sorted(set(found) | set(expected)):
        if file not in found:
            raise ModelError(f"model {name!r}: {folder / file} is missing; {REMEDY}")
        if file not in expected:
            raise ModelError(
                f"model {name!r}: {folder / file} is not listed in {source}; remove it, or {REMEDY}"
            )
        if found[file] != expected[file]:
            raise ModelError(
                f"model {name!r}: {folder / file} was changed or damaged (SHA-256 is "
                f"{found[file][:12]}..., expected {expected[file][:12]}...); {REMEDY}"
            )
