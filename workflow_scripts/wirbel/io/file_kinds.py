"""What a file is, told from its first bytes: so that a file that is no scan is called what it is."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import MACHINE_ERRORS

FIRST_BYTES = 1024
GZIP_MAGIC = b"\x1f\x8b"
NIFTI_SIZES = {
    n.to_bytes(4, order): (n, mark)
    for n in (348, 540)
    for order, mark in (("little", "<"), ("big", ">"))
}
"""First four bytes of a NIfTI file -> size of its header (NIfTI-1, NIfTI-2) and byte order."""
KINDS = (
    (0, b"version https://git-lfs", "git-lfs"),
    (0, GZIP_MAGIC, "a gzipped file"),
    (0, b"PK\x03\x04", "a zip archive; unpack it"),
    (0, b"BZh", "a bzip2 file; unpack it"),
    (0, b"\xfd7zXZ", "an xz file; unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd file; unpack it"),
    (0, b"NRRD", "an NRRD image; convert it to NIfTI"),
    (0, b"\x89HDF", "an HDF5 file (MINC?); convert it to NIfTI"),
    (0, b"ObjectType", "a MetaImage; convert it to NIfTI"),
    (128, b"DICM", "a DICOM file; convert it, for example with dcm2niix"),
    (0, b"\x00\x00\x00\x01\x00\x00", "an MGH image of FreeSurfer; convert it with mri_convert"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"<", "a web page or XML; download the file again"),
)
"""Where, which bytes, and what such a file is."""


def check_file(path: str | Path) -> None:
    """Refuse what is no regular file with content of its own: a folder, a pipe, a pointer, nothing.

    Raises ScanError("content_missing") for a link that leads nowhere, a pointer of git-annex or git-LFS and a missing
    file, ScanError("no_permission"), and ScanError("unreadable") for anything else that is no file or is empty.
    """
    name = file_name(path)
    found = opened(path, lambda: os.stat(path))
    if not stat.S_ISREG(found.st_mode):
        raise ScanError(
            "unreadable",
            f"{name}: expected a file, found a folder, pipe or device; put the scan there or leave it out",
        )
    if not found.st_size:
        raise ScanError("unreadable", f"{name} is empty; copy or convert it again")
    check_pointer(first_bytes(path), name)


def check_pointer(first: bytes, name: str) -> None:
    """Refuse the small text that git-annex and git-LFS leave in place of a file's content."""
    if kind_of(first) == "git-lfs":
        raise ScanError(
            "content_missing",
            f"{name} is a pointer of git-LFS, its content is not here; run `git lfs pull` in the data set",
        )
    if b"annex/objects/" in first and first.isascii() and b"\0" not in first:
        raise ScanError(
            "content_missing",
            f"{name} is a pointer of git-annex, its content is not here; "
            f"run `git annex get` (or `datalad get`) on it",
        )


def kind_of(first: bytes) -> str:
    """Return what a file that begins with `first` is, empty where that is unknown."""
    for place, magic, kind in KINDS:
        if first[place : place + len(magic)] == magic:
            return kind
    if first and first.isascii() and not any(byte < 9 for byte in first):
        return "a text file"
    return ""


def first_bytes(path: str | Path) -> bytes:
    """Return the beginning of a file as it lies on the disk."""

    def read() -> bytes:
        with open(path, "rb") as stream:
            return stream.read(FIRST_BYTES)

    return opened(path, read)


def opened(path: str | Path, action):
    """Run `action`, which opens a file, and say what an error of the file system means for the scan."""
    name = file_name(path)
    try:
        return action()
    except PermissionError:
        raise ScanError(
            "no_permission",
            f"{name} must not be read by this user; change its permissions (chmod, setfacl) or ask its owner",
        ) from None
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise InfrastructureError(f"reading {path}: {error}") from error
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise ScanError("content_missing", f"{name} {_absent(path)}") from None
        raise ScanError(
            "unreadable", f"{name} cannot be opened: {error.strerror}; copy it again"
        ) from error


def _absent(path: str | Path) -> str:
    """Return why a path leads to no file, and what to do."""
    if not os.path.islink(path):
        return "does not exist; put it back, or leave the scan out"
    if "annex/objects" in os.readlink(path):
        return "is a link of git-annex, its content is not here; run `git annex get` (or `datalad get`) on it"
    return "is a link that leads nowhere; restore what it points to, or mount its storage again"


def file_name(path: str | Path) -> str:
    """Return the name for messages, which shall not tell in whose folder a file lies."""
    return Path(path).name
