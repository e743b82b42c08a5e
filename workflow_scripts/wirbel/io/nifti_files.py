"""What an error while reading a NIfTI file means: a defect of the file becomes a `ScanError` that names it."""

from __future__ import annotations

from pathlib import Path

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.io.file_kinds import file_name


def guard(path: str | Path, action):
    """Run `action`, which reads a file; turn what it raises into a ScanError that names the file.

    Reading takes a bounded amount of memory, so that a lack of it is the file's fault, not the machine's.
    """
    try:
        return action()
    except (ScanError, InfrastructureError):
        raise
    except MemoryError:
        raise ScanError(
            "unreadable",
            f"{file_name(path)} does not fit into the memory of its job; give the stage more, or crop the scan",
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
