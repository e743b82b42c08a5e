"""The content of each scan's file when it was read: the first link of the chain of provenance keys.

A stage's key is a hash of its plan's fingerprint and the key before it (`StagePlan.key`); the first
stage's key is made from the content of the scan's file. The same key gives the same bytes. Versions
of installed packages are not part of it.
"""

from __future__ import annotations

from pathlib import Path

from wirbel.io.atomic import MACHINE_ERRORS
from wirbel.io.dataset.folder_content import content_digest, content_stamp, is_there
from wirbel.io.dataset.presence import absence
from wirbel.manifests.records import OK, Record, RecordBook

MISSING = "missing"
"""Stands for the hash of a file that cannot be opened."""
NOTHING = ((-1, 0), MISSING)


class ContentHashes:
    """Size, time stamp and SHA-256 of each scan's file when its first stage read it.

    A file is hashed again only if its size or time stamp changed. The values are stored in the
    batch's records as those of a stage before the first: `key` is the SHA-256, `sizes` are both
    numbers. A file whose content is missing at the moment counts as what it was when it was there.
    """

    def __init__(self, book: RecordBook) -> None:
        self._book = book
        self._known = {name: (r.sizes, r.key) for name, r in book.on_disk().items()}

    def look(self, scan_id: str, path: Path, *, afresh: bool = False) -> str:
        """Return the SHA-256 of the file as it is now and store it; `afresh` always reads the file."""
        if self._was_there(scan_id) and absence(path):
            return self._known[scan_id][1]
        self._known[scan_id] = self._now(None if afresh else self._known.get(scan_id), path)
        return self._known[scan_id][1]

    def unchanged(self, scan_id: str, path: Path) -> bool:
        """Return True if the file has the same content as at the last look, or was never looked at."""
        known = self._known.get(scan_id)
        return known is None or self._now(known, path)[1] == known[1]

    def save(self) -> None:
        """Write the values to disk."""
        known = sorted(self._known.items())
        self._book.put(*(Record(name, OK, key=sha, sizes=stamp) for name, (stamp, sha) in known))

    def _was_there(self, scan_id: str) -> bool:
        return self._known.get(scan_id, NOTHING)[1] != MISSING

    def _now(self, known: tuple | None, path: Path) -> tuple[tuple[int, int], str]:
        """Return (stamp, SHA-256); a pipe or device, which may never end, counts as missing. A
        folder, as of DICOM files, has the content of all its files.
        """
        try:
            if not is_there(path):
                return NOTHING
            stamp = content_stamp(path)
            return known if known and known[0] == stamp else (stamp, content_digest(path))
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            return NOTHING
