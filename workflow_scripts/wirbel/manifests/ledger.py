"""The records of a batch's scans, and the files that belong to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from wirbel.errors import CONTENT_MISSING, InfrastructureError
from wirbel.manifests.intermediates import remove_outputs
from wirbel.manifests.records import OK, Record, RecordBook, records_file

OUTPUT_FIELDS = ("outputs", "sizes", "sums", "stamps")


class Ledger:
    """The records of one batch at one stage; if a scan no longer has a result, its old files are removed."""

    def __init__(self, output_dir: Path, stage: str, batch: str) -> None:
        self._book = RecordBook(records_file(output_dir, batch), stage)
        self._output_dir = output_dir
        self.known: dict[str, Record] = {}

    def open(self) -> None:
        """Read what earlier jobs recorded."""
        self.known = self._book.on_disk()

    def put(self, record: Record) -> None:
        """Remove the files of an earlier success if the scan now has no result, then record.

        If only the scan's content is missing, its earlier results and their record stay.
        """
        old = self.known.get(record.scan_id)
        if record.reason == CONTENT_MISSING and old:
            record = replace(record, **{name: getattr(old, name) for name in OUTPUT_FIELDS})
        elif record.status != OK and old:
            remove_outputs(old, self._output_dir)
        self.known[record.scan_id] = record
        if record.status == OK or old != record:
            self._book.put(record)

    def finished_elsewhere(self, scan_id: str, key: str) -> Record | None:
        """Return the record of a result that another writer has made under the same key in the
        meantime.
        """
        record = self._book.on_disk().get(scan_id)
        if record is None or record.status != OK or record.key != key:
            return None
        return record

    def before_writing(self, scan_id: str, key: str) -> None:
        """Drop a record with another key, because its files are about to be replaced.

        Otherwise a crash between the new files and the new record could pass the new files off as
        the old ones.
        """
        record = self._book.on_disk().get(scan_id)
        if record is not None and record.key != key:
            self._book.drop([scan_id])

    def forget(self, scan_ids: Iterable[str]) -> None:
        """Drop the records of scans, so that they are computed again."""
        self._book.drop(scan_ids)

    def close(self, keys: Mapping[str, str]) -> list[Record]:
        """Return the records of the scans in `keys` (scan -> key), all of them on disk.

        Raises InfrastructureError if another writer has replaced them by results of other settings.
        """
        on_disk = self._book.on_disk()
        others = [
            scan for scan, key in keys.items() if scan in on_disk and on_disk[scan].key != key
        ]
        if others:
            raise InfrastructureError(
                f"another job has written results of other settings for {', '.join(others)} meanwhile: "
                "wait until it has ended, or cancel it, and run the same command again"
            )
        lost = [self.known[scan] for scan in keys if scan not in on_disk]
        if lost:
            self._book.put(*lost)
        return [on_disk.get(scan) or self.known[scan] for scan in keys]
