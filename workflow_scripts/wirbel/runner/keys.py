"""Provenance keys: a hash over everything that decides a scan's result at a stage.

Same key, same bytes. The key holds the stage's name and code hash, its parameters, the model's
SHA-256, and what came before: the previous stage's key of that scan or, at the first stage, the content
of the file. Versions of installed packages are no part of it; they are written to the sidecars.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from wirbel.io.atomic import sha256_of_file
from wirbel.io.tables import read_rows, write_rows

KEY_DIGITS = 32


def provenance_key(
    stage: str, code: str, parameters: dict[str, Any], model_sha256: str | None, source: str
) -> str:
    """Return the key (32 hexadecimal digits); `source` is the upstream key or content hash."""
    content = {
        "stage": stage,
        "code": code,
        "parameters": parameters,
        "model": model_sha256,
        "source": source,
    }
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]


class ContentHashes:
    """SHA-256 of input files, remembered in a table as long as size and time stamp stay the same."""

    columns = ("path", "size", "mtime_ns", "sha256")

    def __init__(self, table: Path) -> None:
        self._table = table
        rows = read_rows(table) if table.exists() else []
        self._known = {
            (row["path"], int(row["size"]), int(row["mtime_ns"])): row["sha256"] for row in rows
        }

    def of(self, path: Path) -> str:
        """Return the file's SHA-256, or "missing" when it cannot be opened."""
        try:
            status = path.stat()
            entry = (str(path), status.st_size, status.st_mtime_ns)
            if entry not in self._known:
                self._known[entry] = sha256_of_file(path)
            return self._known[entry]
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            return "missing"

    def save(self) -> None:
        """Write the table."""
        rows = [dict(zip(self.columns, (*k, v), strict=True)) for k, v in self._known.items()]
        write_rows(self._table, self.columns, sorted(rows, key=lambda row: row["path"]))
