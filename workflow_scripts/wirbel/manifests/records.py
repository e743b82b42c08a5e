"""The outcome of each scan at a stage: the rows of a manifest.

While a batch is computed, its rows are in `work/batches/<batch>.records.tsv`, one file for all
stages, rewritten after each scan, so that a killed job loses no finished scan. Once all scans of
the batch are done, the stage's manifest has the same rows, below a line that says what they were
made from (`wirbel.manifests.seals`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import InfrastructureError
from wirbel.io.atomic import MACHINE_ERRORS, sha256_of_file, write_text
from wirbel.io.escapes import escape, joined, parted, unescape
from wirbel.io.tabular.tables import read_rows, rows_as_text, write_rows

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
COLUMNS = (
    *("scan_id", "status", "reason", "detail", "key", "seconds", "outputs", "sizes"),
    *("source", "device", "sums", "stamps"),
)
SEAL_MARK = "# "
"""Beginning of the line above a manifest's rows."""
SUM_DIGITS = 16
NOT_AS_WRITTEN = (csv.Error, KeyError, TypeError, ValueError, AttributeError)
"""What reading a table raises if its bytes changed after it was written; text that is no UTF-8 is a ValueError."""


class DamagedManifest(InfrastructureError):
    """A manifest is not what was written."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"{path} is damaged: remove it, and run the same command again; finished scans are kept"
        )


@dataclass(frozen=True)
class Record:
    """One scan's row.

    Attributes
    ----------
    status : str
        "ok", "failed", or "skipped": failed at an earlier stage, whose reason and detail it
        repeats.
    reason, detail : str
        Why it failed.
    key : str
        Provenance key of the result.
    seconds : float
        Time spent.
    outputs : tuple of str
        Files, relative to the output folder.
    sizes, sums, stamps : tuples
        In the same order: bytes, beginnings of SHA-256, and times of last change (ns) when they
        were written.
    source : str
        What the result was made from: the key of the previous stage or, at the first stage, the
        content's hash.
    device : str
        "cuda" if a GPU took part, otherwise "cpu", followed by what computed a network: "cpu torch", "cpu openvino".
    """

    scan_id: str
    status: str
    reason: str = ""
    detail: str = ""
    key: str = ""
    seconds: float = 0.0
    outputs: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    source: str = ""
    device: str = ""
    sums: tuple[str, ...] = ()
    stamps: tuple[int, ...] = ()

    def is_complete(self, output_dir: Path) -> bool:
        """Return True if all outputs are there as they were written; contents are read only if a time
        stamp differs.
        """
        return not any(self.damaged(output_dir, trust_stamps=True))

    def damaged(self, output_dir: Path, *, trust_stamps: bool) -> Iterator[str]:
        """Yield the outputs that are missing or no longer what was written."""
        sums, stamps = self.sums or ("",) * len(self.sizes), self.stamps or (0,) * len(self.sizes)
        for name, size, known, stamp in zip(self.outputs, self.sizes, sums, stamps, strict=True):
            path = output_dir / name
            found, changed = _status(path)
            if found != size or not (
                (trust_stamps and changed == stamp) or not known or sum_of(path) == known
            ):
                yield name


def records_file(output_dir: Path, batch: str) -> Path:
    """Return the path of a batch's records during and after computing."""
    return output_dir / "work" / "batches" / f"{batch}.records.tsv"


def manifest_file(output_dir: Path, stage: str, batch: str) -> Path:
    """Return the manifest of a stage and batch."""
    return output_dir / "work" / stage / f"{batch}.tsv"


def read_records(path: str | Path) -> dict[str, Record]:
    """Read a manifest or records table as scan_id -> Record, in the order of its rows.

    Raises OSError, and DamagedManifest if the file is not what was written.
    """
    with open(path, newline="", encoding="utf-8") as stream:
        try:
            if not stream.readline().startswith(SEAL_MARK):
                stream.seek(0)
            rows = csv.DictReader(stream, delimiter="\t")
            return {record.scan_id: record for record in map(_from_row, rows)}
        except NOT_AS_WRITTEN:
            raise DamagedManifest(path) from None


def records_on_disk(output_dir: Path, stage: str, batch: str) -> dict[str, Record]:
    """Return a stage's records of a batch, finished or not; empty if there are none yet."""
    return records_by_stage(output_dir, batch).get(stage, {})


def records_by_stage(output_dir: Path, batch: str) -> dict[str, dict[str, Record]]:
    """Return stage -> scan -> record; a stage whose records were all dropped is included without any."""
    return _read(records_file(output_dir, batch))


def write_records(path: str | Path, records: Iterable[Record], first_line: str = "") -> None:
    """Write a manifest atomically; `first_line` is its seal."""
    write_text(path, first_line + rows_as_text(path, COLUMNS, map(_as_row, records)))


def sum_of(path: Path) -> str:
    """Return the beginning of a file's SHA-256; empty if it cannot be read."""
    try:
        return sha256_of_file(path)[:SUM_DIGITS]
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        return ""


class RecordBook:
    """A stage's records of one batch on disk; keeps what other stages, and another writer of this one,
    add.
    """

    def __init__(self, path: Path, stage: str) -> None:
        self._path, self._stage = path, stage
        self._own: dict[str, Record] = {}

    def on_disk(self) -> dict[str, Record]:
        """Return every record of the stage on disk, whoever wrote it."""
        return _read(self._path).get(self._stage, {})

    def put(self, *records: Record) -> None:
        """Add or replace scans' records on disk."""
        self._own.update((record.scan_id, record) for record in records)
        self._write(without=set())

    def drop(self, scan_ids: Iterable[str]) -> None:
        """Drop scans, so that they are computed again."""
        gone = set(scan_ids)
        self._own = {scan_id: r for scan_id, r in self._own.items() if scan_id not in gone}
        self._write(without=gone)

    def _write(self, without: set[str]) -> None:
        tables = _read(self._path)
        rows = {**tables.get(self._stage, {}), **self._own}
        tables[self._stage] = {name: row for name, row in rows.items() if name not in without}
        _write(self._path, tables)


def _read(path: Path) -> dict[str, dict[str, Record]]:
    """Return all stages' records; none where the file is missing or damaged, and all scans are computed again."""
    tables: dict[str, dict[str, Record]] = {}
    try:
        for row in read_rows(path):
            table = tables.setdefault(row["stage"], {})
            if row["status"]:
                record = _from_row(row)
                table[record.scan_id] = record
    except (FileNotFoundError, *NOT_AS_WRITTEN):
        return {}
    return tables


def _write(path: Path, tables: dict[str, dict[str, Record]]) -> None:
    """Write all stages' records; a line with only the stage's name stands for none."""
    rows: list[dict[str, str]] = []
    for stage, table in tables.items():
        rows += [{"stage": stage, **_as_row(record)} for record in table.values()]
        rows += [] if table else [{"stage": stage}]
    write_rows(path, ("stage", *COLUMNS), rows)


def _as_row(record: Record) -> dict[str, str]:
    """Return a record's cells; names and sentences are escaped, so that they can be read back exactly."""
    return {
        **vars(record),
        "scan_id": escape(record.scan_id),
        "detail": escape(record.detail),
        "seconds": f"{record.seconds:.2f}",
        "outputs": joined(record.outputs),
        "sizes": ";".join(map(str, record.sizes)),
        "sums": ";".join(record.sums),
        "stamps": ";".join(map(str, record.stamps)),
    }


def _from_row(row: dict[str, str]) -> Record:
    return Record(
        scan_id=unescape(row["scan_id"]),
        status=row["status"],
        reason=row["reason"],
        detail=unescape(row["detail"]),
        key=row["key"],
        seconds=float(row["seconds"]),
        outputs=parted(row["outputs"]),
        sizes=tuple(int(size) for size in row["sizes"].split(";") if size),
        source=row.get("source") or "",
        device=row.get("device") or "",
        sums=tuple(filter(None, (row.get("sums") or "").split(";"))),
        stamps=tuple(int(stamp) for stamp in (row.get("stamps") or "").split(";") if stamp),
    )


def _status(path: Path) -> tuple[int, int]:
    """Return size and time of last change; (-1, 0) where there is no file."""
    try:
        status = path.stat()
        return status.st_size, status.st_mtime_ns
    except OSError:
        return -1, 0
