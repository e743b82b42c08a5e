"""Unpack a zip archive from an untrusted source: check every entry before writing a byte."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from pathlib import Path, PurePosixPath

from wirbel.models.errors import ModelError

MOST_FILES = 10_000
MOST_BYTES = 40 * 1024**3
MOST_RATIO = 50
"""Weights hardly compress; an archive that grows more than this is a zip bomb."""
FREE_BYTES = 64 * 1024**2
"""Below this size any ratio is harmless: settings in JSON compress well."""
BLOCK_BYTES = 1024 * 1024
LEFT_OUT = ("__MACOSX", ".DS_Store")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


def unpack(archive: Path, folder: Path) -> None:
    """Unpack `archive` into the new folder `folder`.

    Raises
    ------
    ModelError
        Names the entry that is damaged or refused: a path that leads outside, a link or device, a
        name that occurs twice, disproportionate sizes. The caller removes what was written until
        then.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = _judged(opened, archive)
            folder.mkdir()
            for entry, path in wanted:
                _write(opened, entry, folder / path)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as error:
        raise ModelError(f"the archive is not a complete zip file: {error}") from None
    except ModelError:
        raise
    except (ValueError, RuntimeError) as error:  # how zipfile and zlib report other damage
        raise ModelError(f"the archive is damaged: {error}") from None


def _judged(opened: zipfile.ZipFile, archive: Path) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Check all entries; return those to write with their paths."""
    entries = opened.infolist()
    if len(entries) > MOST_FILES:
        raise ModelError(
            f"the archive is refused: {len(entries)} files, expected at most {MOST_FILES}"
        )
    paths = [(entry, _path(entry)) for entry in entries]
    _check_unique([path for _, path in paths], [e.is_dir() for e in entries])
    _check_sizes(entries, archive.stat().st_size)
    return [(e, p) for e, p in paths if not e.is_dir() and not set(p.parts) & set(LEFT_OUT)]


def _path(entry: zipfile.ZipInfo) -> PurePosixPath:
    """Return where an entry belongs; raise ModelError if its path or type is not allowed."""
    name = entry.orig_filename
    parts = name.removesuffix("/").split("/")
    if not name.isprintable() or "\\" in name or ":" in name or {"", ".", ".."} & set(parts):
        raise _refusal(entry, "its path leads out of the archive or is not a plain path")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refusal(entry, "it is a link or a device; expected files and folders")
    if entry.flag_bits & ENCRYPTED or entry.compress_type not in METHODS:
        raise _refusal(entry, "it is encrypted or compressed in an unknown way")
    return PurePosixPath(*parts)


def _check_unique(paths: list[PurePosixPath], folders: list[bool]) -> None:
    """Raise ModelError if two entries have the same name on a file system that ignores case or the
    encoding of accents.
    """
    files = [_folded(path) for path, is_folder in zip(paths, folders, strict=True) if not is_folder]
    inner = {_folded(parent) for path in paths for parent in path.parents}
    inner |= {_folded(path) for path, is_folder in zip(paths, folders, strict=True) if is_folder}
    seen: set[str] = set()
    for name in files:
        if name in seen or name in inner:
            raise ModelError(f"the archive is refused: {name!r} occurs twice")
        seen.add(name)


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", path.as_posix()).casefold()


def _check_sizes(entries: list[zipfile.ZipInfo], packed: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > MOST_BYTES or (total > FREE_BYTES and total > MOST_RATIO * packed):
        raise ModelError(
            f"the archive is refused: {packed} bytes would unpack to {total}, expected at most "
            f"{min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * packed))}"
        )


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Write one file, no more than it declared, and flush it to disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(entry) as source, path.open("xb") as target:
        while block := source.read(BLOCK_BYTES):
            written += len(block)
            if written > entry.file_size:
                raise _refusal(entry, f"it is larger than the {entry.file_size} bytes it declares")
            target.write(block)
        target.flush()
        os.fsync(target.fileno())
    if written != entry.file_size:
        raise _refusal(entry, f"it has {written} bytes and declares {entry.file_size}")


def _refusal(entry: zipfile.ZipInfo, why: str) -> ModelError:
    return ModelError(f"the archive is refused at {entry.orig_filename[:200]!r}: {why}")
