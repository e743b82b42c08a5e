"""Are the finished results still there, as they were written? Looked at once per start.

Sizes and times are compared with the manifests; where only the time differs, the content is read. Where thousands
of times differ (a folder that was copied), that is left to `verify`.
"""

from __future__ import annotations

import os
from pathlib import Path

from wirbel.manifests.records import OK, Record, sum_of
from wirbel.manifests.seals import read_sealed

MOST_READ_BYTES = 2_000_000_000
"""Contents read at most per start, a few seconds' work."""


class ResultCheck:
    """Compares results with their manifests; `unread` counts the files that it did not want to read."""

    def __init__(self, output_dir: Path, most_bytes: int = MOST_READ_BYTES) -> None:
        self._output_dir, self._left = str(output_dir), most_bytes
        self.unread = 0

    def damaged(self, manifest: Path) -> dict[str, Record]:
        """Return scan -> record of the scans whose results are missing or no longer what was written.

        Raises DamagedManifest if the manifest itself is not.
        """
        try:
            records = read_sealed(manifest)
        except FileNotFoundError:
            return {}
        return {
            name: record
            for name, record in records.items()
            if record.status == OK and not self._stands(record)
        }

    def _stands(self, record: Record) -> bool:
        stamps, sums = record.stamps or record.sizes, record.sums or ("",) * len(record.sizes)
        rows = zip(record.outputs, record.sizes, sums, stamps, strict=True)
        return all(self._same(*row) for row in rows)

    def _same(self, name: str, size: int, known: str, stamp: int) -> bool:
        path = f"{self._output_dir}/{name}"
        try:
            status = os.stat(path)
        except OSError:
            return False
        if status.st_size != size:
            return False
        if status.st_mtime_ns == stamp or not known:
            return True
        if size > self._left:
            self.unread += 1
            return True
        self._left -= size
        return sum_of(Path(path)) == known


def unread_in_words(count: int) -> list[str]:
    """Return a sentence on results that were taken to be whole unread, if there are any."""
    if not count:
        return []
    what = "1 result has" if count == 1 else f"{count:,} results have"
    most = f"{MOST_READ_BYTES / 1e9:.0f} GB"
    return [
        f"{what} another time stamp than when written, as after copying, and the size it had. A start reads "
        f"{most} of such files at most, so they were taken to be whole; to compare every byte, run the same command "
        "with the target `verify` after `snakemake`"
    ]
