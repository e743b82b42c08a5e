"""Turn errors while reading a NIfTI file into a `ScanError` that names the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.io.nifti.file_kinds import file_name

Content = TypeVar("Content")


def explain_read_errors(path: str | Path, action: Callable[[], Content]) -> Content:
    """Run `action`, which reads a file; turn what it raises into a ScanError that names the file.

    Raises
    ------
    ScanError
        "unreadable" if the file is defective. Reading takes a bounded amount of memory, so that a
        MemoryError is also the file's fault.
    InfrastructureError
        If the machine or its file system is at fault.
    """
    try:
        return action()
    except (ScanError, InfrastructureError):
        raise
    except MemoryError:
        raise ScanError(
            "unreadable",
            f"{file_name(path)} does not fit into the job's memory; give the stage more, or crop the scan",
        ) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
            raise InfrastructureError(f"reading {path}: {error}") from error
        found = " ".join(str(error).split()) or type(error).__name__
        found = found.replace(str(path), file_name(path))
        raise ScanError(
            "unreadable",
            f"{file_name(path)} is not a complete NIfTI file: {found}; copy or convert it again",
        ) from error
