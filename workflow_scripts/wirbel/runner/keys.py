"""What each scan's file held when it was looked at: the first link of the chain of provenance keys.

A stage's key is a hash over its plan's fingerprint and the key before it (`StagePlan.key`); the first stage's is made
from the content of the scan's file. Same key, same bytes. Versions of installed packages are no part of it.
"""

from __future__ import annotations

import stat
from pathlib import Path

from wirbel.io.atomic import MACHINE_ERRORS, sha256_of_file
from wirbel.io.presence import absence
from wirbel.runner.records import OK, Record, RecordBook

MISSING = "missing"
"""Stands for the hash of a file that cannot be opened."""
NOTHING = ((-1, 0), MISSING)


class ContentHashes:
    """What each scan's file held when its first stage looked: size, time stamp and SHA-256.

    A file is hashed again only when its size or time stamp differ from the remembered ones. They are kept
    among the batch's records, as those of a stage before the first: `key` is the SHA-256, `sizes` are both numbers.
    A file whose content is not there at the moment counts as what it was when it was.
    """

    def __init__(self, book: RecordBook) -> None:
        self._book = book
        self._known = {name: (r.sizes, r.key) for name, r in book.on_disk().items()}

    def look(self, scan_id: str, path: Path, *, afresh: bool = False) -> str:
        """Return the SHA-256 of the file as it is now, and remember it; `afresh` reads it in any case."""
        if self._was_there(scan_id) and absence(path):
            return self._known[scan_id][1]
        self._known[scan_id] = self._now(None if afresh else self._known.get(scan_id), path)
        return self._known[scan_id][1]

    def unchanged(self, scan_id: str, path: Path) -> bool:
        """Whether the file still holds what it held at the last look; True when there was none."""
        known = self._known.get(scan_id)
        return known is None or self._now(known, path)[1] == known[1]

    def save(self) -> None:
        """Write them to the disk."""
        known = sorted(self._known.items())
        self._book.put(*(Record(name, OK, key=sha, sizes=stamp) for name, (stamp, sha) in known))

    def _was_there(self, scan_id: str) -> bool:
        return self._known.get(scan_id, NOTHING)[1] != MISSING

    def _now(self, known: tuple | None, path: Path) -> tuple[tuple[int, int], str]:
        """Return (stamp, SHA-256); a pipe or a device, which may never end, counts as missing like a folder."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return NOTHING
            stamp = (status.st_size, status.st_mtime_ns)
            return known if known and known[0] == stamp else (stamp, sha256_of_file(path))
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            return NOTHING
