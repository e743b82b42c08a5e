"""What became of each scan at a stage: the rows of a manifest.

While a batch is being computed its rows stand in `work/batches/<batch>.records.tsv`, one file for all stages,
rewritten after each scan, so that a killed job loses no finished scan. A stage's manifest holds the same rows once
all scans of the batch are done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wirbel.io.escapes import escape, joined, parted, unescape
from wirbel.io.tables import read_rows, write_rows

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
COLUMNS = ("scan_id", "status", "reason", "detail", "key", "seconds", "outputs", "sizes")
COLUMNS += ("source", "device")


@dataclass(frozen=True)
class Record:
    """One scan's row. `skipped` means failed at an earlier stage, whose reason and detail it repeats.

    `outputs` are relative to the output folder, `sizes` their sizes in bytes in the same order. `source` is
    what the result was made from: the key of the stage before or, at the first stage, the content's hash.
    `device` is "cuda" when a GPU took part, otherwise "cpu".
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

    def is_complete(self, output_dir: Path) -> bool:
        """Whether all outputs exist with the sizes they were written with."""
        return all(
            _size(output_dir / name) == size
            for name, size in zip(self.outputs, self.sizes, strict=True)
        )


def records_file(output_dir: Path, batch: str) -> Path:
    """Return where the records of a batch stand while, and after, they are computed."""
    return output_dir / "work" / "batches" / f"{batch}.records.tsv"


def manifest_file(output_dir: Path, stage: str, batch: str) -> Path:
    """Return the manifest of a stage and batch."""
    return output_dir / "work" / stage / f"{batch}.tsv"


def read_records(path: str | Path) -> dict[str, Record]:
    """Read a manifest or records table as scan_id -> Record, in the order of its rows."""
    return {record.scan_id: record for record in map(_from_row, read_rows(path))}


def records_on_disk(output_dir: Path, stage: str, batch: str) -> dict[str, Record]:
    """Return a stage's records of a batch, finished or not; empty when there are none yet."""
    return records_by_stage(output_dir, batch).get(stage, {})


def records_by_stage(output_dir: Path, batch: str) -> dict[str, dict[str, Record]]:
    """Return stage -> scan -> record; a stage whose records were all dropped is there, without any."""
    return _read(records_file(output_dir, batch))


def write_records(path: str | Path, records: Iterable[Record]) -> None:
    """Write a manifest or records table atomically."""
    write_rows(path, COLUMNS, map(_as_row, records))


class RecordBook:
    """A stage's records of one batch on disk; keeps what other stages, and another writer of this one, add."""

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
        """Forget scans, so that they are computed again."""
        gone = set(scan_ids)
        self._own = {scan_id: r for scan_id, r in self._own.items() if scan_id not in gone}
        self._write(without=gone)

    def _write(self, without: set[str]) -> None:
        tables = _read(self._path)
        rows = {**tables.get(self._stage, {}), **self._own}
        tables[self._stage] = {name: row for name, row in rows.items() if name not in without}
        _write(self._path, tables)


def retry_mark(manifest: Path, retry_failed: str) -> str:
    """Return the value for `--retry-failed`: "false" when the batch holds nothing to be retried.

    Otherwise the wish itself and, after an @, a mark that differs after every attempt: as a rule's parameter it
    makes the workflow run the batch once more.
    """
    if retry_failed == "false" or not manifest.exists():
        return "false"
    failed = [r.reason for r in read_records(manifest).values() if r.status == FAILED]
    wanted = failed if retry_failed == "true" else retry_failed.split(",")
    if not set(failed) & set(wanted):
        return "false"
    return f"{retry_failed}@{manifest.stat().st_mtime_ns}"


def _read(path: Path) -> dict[str, dict[str, Record]]:
    tables: dict[str, dict[str, Record]] = {}
    try:
        rows = read_rows(path)
    except FileNotFoundError:
        return tables
    for row in rows:
        table = tables.setdefault(row["stage"], {})
        if row["status"]:
            record = _from_row(row)
            table[record.scan_id] = record
    return tables


def _write(path: Path, tables: dict[str, dict[str, Record]]) -> None:
    """Write all stages' records; one line that names the stage alone stands for none."""
    rows: list[dict[str, str]] = []
    for stage, table in tables.items():
        rows += [{"stage": stage, **_as_row(record)} for record in table.values()]
        rows += [] if table else [{"stage": stage}]
    write_rows(path, ("stage", *COLUMNS), rows)


def _as_row(record: Record) -> dict[str, str]:
    """Return a record's cells; names and sentences are escaped, so that they are read back as they were."""
    return {
        **vars(record),
        "scan_id": escape(record.scan_id),
        "detail": escape(record.detail),
        "seconds": f"{record.seconds:.2f}",
        "outputs": joined(record.outputs),
        "sizes": ";".join(map(str, record.sizes)),
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
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
