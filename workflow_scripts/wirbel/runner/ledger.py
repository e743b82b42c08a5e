"""What is on record for the scans of a batch, and the files that go with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wirbel.runner.records import OK, Record, RecordBook


class Ledger:
    """The records of one batch at one stage; a scan that has no result any more loses its old files."""

    def __init__(self, table: Path, output_dir: Path) -> None:
        self._book = RecordBook(table)
        self._output_dir = output_dir
        self.before: dict[str, Record] = {}

    def open(self) -> None:
        """Read what earlier jobs recorded."""
        self.before = self._book.all()

    def put(self, record: Record) -> None:
        """Remove what an earlier success left for a scan that now has none, then record."""
        if record.status != OK:
            old = self.before.get(record.scan_id)
            for name in old.outputs if old else ():
                (self._output_dir / name).unlink(missing_ok=True)
            if old == record:
                return
        self._book.put(record)

    def forget(self, scan_ids: Iterable[str]) -> None:
        """Drop the records of scans, so that they are computed again."""
        self._book.drop(scan_ids)

    def rows(self, scan_ids: Iterable[str]) -> list[Record]:
        """Return the records of the given scans in their order."""
        records = self._book.all()
        return [records[scan_id] for scan_id in scan_ids]
