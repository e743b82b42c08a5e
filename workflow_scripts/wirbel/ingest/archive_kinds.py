"""Tell archives by their first bytes."""

from __future__ import annotations

import gzip
import io
import zlib

HEAD_BYTES = 4096
TAR_MAGIC_AT, TAR_MAGIC = 257, b"ustar"
COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
"""Of tar archives: gzip, bzip2, xz."""
OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
)
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
NESTED = ("zip", "tar", *(kind for _, kind in OTHERS))
NIFTI_SIZE = (348).to_bytes(4, "little"), (348).to_bytes(4, "big")


def kind_of(head: bytes) -> str:
    r"""Return "zip", "tar" (compressed or not), the name of another kind, or "" for any other file.

    Examples
    --------
    >>> kind_of(b"PK\x03\x04"), kind_of(b"DICM")
    ('zip', '')
    """
    if head.startswith(ZIP):
        return "zip"
    if head[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)] == TAR_MAGIC:
        return "tar"
    if head.startswith(COMPRESSED):
        return "a compressed NIfTI file" if _holds_nifti(head) else "tar"
    return next((kind for magic, kind in OTHERS if head.startswith(magic)), "")


def _holds_nifti(head: bytes) -> bool:
    """Whether a gzip file begins as NIfTI does."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(head)) as stream:
            return stream.read(4) in NIFTI_SIZE
    except (OSError, EOFError, zlib.error):
        return False
