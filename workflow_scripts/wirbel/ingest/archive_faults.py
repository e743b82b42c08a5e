"""What is refused about an archive, in words that repeat nothing of it: damage, encryption, and too much inside."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from wirbel.errors import ScanError
from wirbel.io.atomic import MACHINE_ERRORS

MOST_MEMBERS = 20_000
"""Files in an archive; a session of a whole-body protocol has a few thousand slices."""
MOST_BYTES = 2 * 1024**3
"""Of all files of an archive together, unpacked. A whole spine in three series has 0.1 GB."""
MOST_RATIO = 200
"""Larger ones, of SUSPICIOUS_BYTES and more, are compressed zeros: images reach 2 to 10."""
SUSPICIOUS_BYTES = 64 * 1024**2


@contextmanager
def explained() -> Iterator[None]:
    """Say that an archive is damaged, whatever Python's modules for archives say of it.

    Their words would repeat names of files.
    """
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError):
        raise _damaged() from None
    except (struct.error, ValueError, OverflowError, IndexError):
        raise _damaged() from None
    except NotImplementedError:
        told = "the archive is compressed in a way that cannot be read: pack it as usual"
        raise ScanError("archive_damaged", told) from None
    except RuntimeError:  # zipfile's word for a missing password
        raise encrypted() from None
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        raise _damaged() from None


def check_number(number: int) -> None:
    """Refuse more files than a session has (ScanError "archive_bomb")."""
    if number > MOST_MEMBERS:
        told = f"the archive holds more than {MOST_MEMBERS:,} files: expected those of one session"
        raise ScanError("archive_bomb", told)


def check_sizes(unpacked: int, packed: int) -> None:
    """Refuse what would unpack to far more than a scan (ScanError "archive_bomb")."""
    dense = unpacked > SUSPICIOUS_BYTES and unpacked > MOST_RATIO * max(packed, 1)
    if unpacked > MOST_BYTES or dense:
        raise ScanError(
            "archive_bomb",
            f"the archive of {packed / 1e6:,.3g} MB claims to unpack to {unpacked / 1e6:,.3g} MB: expected the images "
            f"of one session, at most {MOST_BYTES / 1e6:,.0f} MB",
        )


def _damaged() -> ScanError:
    told = "the archive is incomplete or damaged: copy it again from where it came from"
    return ScanError("archive_damaged", told)


def hollow() -> ScanError:
    """Return the fault of a file that is empty, or begins with nothing but zeros."""
    told = (
        "the file is empty, or begins with zeros: it is being copied, or was not copied to its end"
    )
    return ScanError("archive_damaged", f"{told}; copy it again from where it came from")


def encrypted() -> ScanError:
    """Return the fault of an archive that needs a password."""
    return ScanError("archive_encrypted", "the archive is encrypted: unpack it, or pack it without")
