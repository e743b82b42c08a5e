"""Provenance keys: a hash over everything that decides a scan's result at a stage.

Same key, same bytes. The key holds the stage's name and code hash, its parameters, the model's
SHA-256, and what came before: the previous stage's key of that scan or, at the first stage, the content
of the file. Versions of installed packages are no part of it; they are written to the sidecars.
"""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

from wirbel.io.atomic import MACHINE_ERRORS, sha256_of_file
from wirbel.runner.records import OK, Record, RecordBook

KEY_DIGITS = 32
MISSING = "missing"
"""Stands for the hash of a file that cannot be opened."""


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
    """What each scan's file held when its first stage looked: size, time stamp and SHA-256.

    A file is hashed again only when its size or time stamp differ from the remembered ones. They are kept
    among the batch's records, as those of a stage before the first: `key` is the SHA-256, `sizes` are both numbers.
    """

    def __init__(self, book: RecordBook) -> None:
        self._book = book
        self._known = {name: (r.sizes, r.key) for name, r in book.on_disk().items()}

    def look(self, scan_id: str, path: Path) -> str:
        """Return the SHA-256 of the file as it is now, and remember it."""
        self._known[scan_id] = self._now(scan_id, path)
        return self._known[scan_id][1]

    def unchanged(self, scan_id: str, path: Path) -> bool:
        """Whether the file still holds what it held at the last look; True when there was none."""
        known = self._known.get(scan_id)
        return known is None or self._now(scan_id, path)[1] == known[1]

    def save(self) -> None:
        """Write them to the disk."""
        known = sorted(self._known.items())
        self._book.put(*(Record(name, OK, key=sha, sizes=stamp) for name, (stamp, sha) in known))

    def _now(self, scan_id: str, path: Path) -> tuple[tuple[int, int], str]:
        """Return (stamp, SHA-256); a pipe or a device, which may never end, counts as missing like a folder."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return (-1, 0), MISSING
            stamp = (status.st_size, status.st_mtime_ns)
            known = self._known.get(scan_id)
            return known if known and known[0] == stamp else (stamp, sha256_of_file(path))
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            return (-1, 0), MISSING
