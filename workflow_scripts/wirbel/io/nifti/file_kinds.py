"""Tell what a file is from its first bytes, so that messages can name what it is instead of a scan."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import MACHINE_ERRORS

Opened = TypeVar("Opened")

FIRST_BYTES = 1024
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDERS: tuple[tuple[Literal["little", "big"], str], ...] = (("little", "<"), ("big", ">"))
NIFTI_SIZES = {n.to_bytes(4, order): (n, mark) for n in (348, 540) for order, mark in BYTE_ORDERS}
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
"""Offset, bytes expected there, and a description of such a file."""


def check_file(path: str | Path) -> None:
    """Check that a path leads to a regular file with content.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    ScanError
        "content_missing" for a missing file, a dangling link, or a git-annex or Git LFS pointer;
        "no_permission"; "unreadable" for an empty file, a folder, a pipe or a device.
    InfrastructureError
        If the machine or its file system is at fault.
    """
    name = file_name(path)
    found = explain_open_errors(path, lambda: os.stat(path))
    if not stat.S_ISREG(found.st_mode):
        raise ScanError(
            "unreadable",
            f"{name}: expected a file, found a folder, pipe or device; put the scan there or remove it",
        )
    if not found.st_size:
        raise ScanError("unreadable", f"{name} is empty; copy or convert it again")
    check_pointer(first_bytes(path), name)


def check_pointer(first: bytes, name: str) -> None:
    """Refuse the small text file that git-annex or Git LFS leaves in place of a file's content."""
    if kind_of(first) == "git-lfs":
        raise ScanError(
            "content_missing",
            f"{name} is a Git LFS pointer without its content; run `git lfs pull` in the data set",
        )
    if b"annex/objects/" in first and first.isascii() and b"\0" not in first:
        raise ScanError(
            "content_missing",
            f"{name} is a git-annex pointer without its content; "
            f"run `git annex get` (or `datalad get`) on it",
        )


def kind_of(first: bytes) -> str:
    r"""Return what a file that begins with `first` is, or "" if that is unknown.

    Examples
    --------
    >>> kind_of(b"PK\x03\x04")
    'a zip archive; unpack it'
    """
    for place, magic, kind in KINDS:
        if first[place : place + len(magic)] == magic:
            return kind
    if first and first.isascii() and not any(byte < 9 for byte in first):
        return "a text file"
    return ""


def first_bytes(path: str | Path) -> bytes:
    """Return the first `FIRST_BYTES` of a file, as stored on disk."""

    def read() -> bytes:
        with open(path, "rb") as stream:
            return stream.read(FIRST_BYTES)

    return explain_open_errors(path, read)


def explain_open_errors(path: str | Path, action: Callable[[], Opened]) -> Opened:
    """Run `action`, which opens a file, and turn its errors into a scan's or the machine's fault."""
    name = file_name(path)
    try:
        return action()
    except PermissionError:
        raise ScanError(
            "no_permission",
            f"{name} cannot be read by this user; change its permissions (chmod, setfacl) or ask its owner",
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
        return "does not exist; put it back, or exclude the scan"
    if "annex/objects" in os.readlink(path):
        return (
            "is a git-annex link without its content; run `git annex get` (or `datalad get`) on it"
        )
    return "is a dangling link; restore its target, or mount its storage again"


def file_name(path: str | Path) -> str:
    """Return the name to use in messages, without the folders above it."""
    return Path(path).name
