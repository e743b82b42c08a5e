"""Decide whose fault an error is: the scan's, the machine's, or the software's.

If most scans of a batch meet unforeseen errors, the installation is broken, not the scans.
"""

from __future__ import annotations

import errno
import os
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.manifests.records import Record

FEWEST_FOR_ALARM = 4
"""With fewer unforeseen errors in a batch, the software as a whole is not considered broken."""
DEVICE_ERRORS = ("CUDA", "cuDNN", "CUBLAS", "not enough memory", "HIP error")
"""Words in PyTorch's RuntimeErrors about the device or its memory."""

ADVICE = {
    errno.ENOSPC: "free some space and run the same command again; finished scans are kept",
    errno.EDQUOT: "your quota is used up: free some space and run the same command again; finished scans are kept",
    errno.EROFS: "output_dir cannot be written to from this machine; choose another, or ask your administrator",
    errno.EACCES: "this user may not do that there; change the permissions, or choose another folder",
    errno.ESTALE: "the network file system lost the file; run the same command again",
    errno.EFBIG: "files may not be that large here: raise the limit (`ulimit -f`) and run the same command again",
    errno.ENOTCONN: "the file system is no longer mounted; mount it and run the same command again",
    errno.EIO: "the disk or the network file system is failing; tell your administrator",
}
"""What a person can do about an error of the file system."""

NO_MORE_FILES = (
    "the file system has space left but takes no more files (`df -i`): remove some files, "
    "or ask for more inodes, and run the same command again; finished scans are kept"
)


def machine_fault(error: BaseException, *, writing: bool = False) -> str | None:
    """Return a sentence if the error is the machine's or the installation's fault, otherwise None.

    While writing, every OSError counts: a full or read-only disk is never a scan's fault.
    """
    if isinstance(error, ScanError):
        return None
    if isinstance(error, InfrastructureError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"out of memory ({error or 'no details'}); give the job more memory"
    if isinstance(error, ImportError):
        return f"a package is missing ({error}); run `make setup`"
    if isinstance(error, OSError) and (writing or error.errno in MACHINE_ERRORS):
        advice = NO_MORE_FILES if _out_of_inodes(error) else ADVICE.get(error.errno or 0)
        return f"the file system refused: {error}" + (f"; {advice}" if advice else "")
    if isinstance(error, RuntimeError) and any(word in str(error) for word in DEVICE_ERRORS):
        return f"the computing device failed: {_sentence(error)}"
    return None


def _out_of_inodes(error: OSError) -> bool:
    """Return whether the file could not be made because the file system's inodes are used up."""
    if error.errno != errno.ENOSPC or not isinstance(error.filename, str):
        return False
    try:
        there = os.statvfs(Path(error.filename).parent)
    except OSError:
        return False
    return there.f_files > 0 and there.f_favail == 0 and there.f_bavail > 0


def scan_fault(error: Exception, hide: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return (reason, detail) of an error that concerns one scan.

    `hide` are folder names to remove, so that the same failure reads the same on every machine.
    """
    if isinstance(error, ScanError):
        return error.reason, _without(error.detail, hide)
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(place[0].filename).name}, line {place[0].lineno})" if place else ""
    return "unexpected", _without(f"{type(error).__name__}: {_sentence(error)}{where}", hide)


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())


def _without(text: str, hide: tuple[str, ...]) -> str:
    for folder in hide:
        text = text.replace(f"{folder}/", "")
    return text


@dataclass
class Alarm:
    """Notes the scans of this job that failed for an unforeseen reason; `limit` is their largest share."""

    limit: float
    unforeseen: list[str] = field(default_factory=list)

    def raise_if_too_many(self, record: Record, done: int) -> None:
        """Note a failed scan, one of `done`; raise InfrastructureError if there are too many unforeseen errors."""
        if record.reason != "unexpected":
            return
        self.unforeseen.append(record.scan_id)
        failed = len(self.unforeseen)
        if failed >= FEWEST_FOR_ALARM and failed > self.limit * done:
            raise InfrastructureError(
                f"{failed} of {done} scans met an unforeseen error "
                f"(last: {record.detail}); this looks like an installation problem, not a problem with the scans"
            )
