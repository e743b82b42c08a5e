"""What a list of withdrawals costs a run on a large study: at its start, at its end, and when nothing is new.

Makes an output folder as a finished run of so many scans leaves it (lists, manifests, measurements, panels, logs, and
tables of the size that 30,000 scans have), withdraws some people of it and prints the seconds of each step.
Run: nice .venv/bin/python benchmarks/withdrawals.py --scans 30000 --withdrawn 1 200
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

from wirbel.manifests.batch_assignment import write_assignment
from wirbel.manifests.records import Record, write_records
from wirbel.plan.chain import STAGES
from wirbel.study.withdrawing.withdrawal import begin_withdrawal, end_withdrawal, withdraw

BATCH = 64
ROW_BYTES = {
    "scans": 500,
    "vertebrae": 12_000,
    "discs": 5_000,
    "levels": 5_000,
    "vertebrae_z": 9_000,
}
"""Bytes of a scan's rows in the largest tables (benchmarks/gather.py: 0.9 GB at 30,000 scans)."""
ROWS = {"scans": 1, "vertebrae": 25, "discs": 24, "levels": 25, "vertebrae_z": 25}


def write(path: Path, text: str) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make(output: Path, scans: int) -> list[str]:
    """Write the folder; return the participants."""
    names = [f"sub-{100000 + i}" for i in range(scans)]
    batches = {name: f"b{i // BATCH + 1:05d}" for i, name in enumerate(names)}
    (output / "work" / "batches").mkdir(parents=True)
    write_assignment(output, batches)
    for first in range(0, scans, BATCH):
        make_batch(output, batches[names[first]], names[first : first + BATCH])
    for table, size in ROW_BYTES.items():
        cells = "1.234," * (size // ROWS[table] // 6)
        with_rows = (f"{name},{name},{cells}\n" * ROWS[table] for name in names)
        write(output / "cohort" / f"{table}.csv", "")
        with open(output / "cohort" / f"{table}.csv", "w") as stream:
            stream.writelines(with_rows)
    write(output / "qc" / "index.html", "".join(f"<p>{name}</p>" for name in names))
    return names


def make_batch(output: Path, batch: str, names: list[str]) -> None:
    """Write what the scans of a batch leave: own files, manifests, records, a log."""
    for stage in STAGES:
        rows = [
            Record(name, "ok", "", "", "0" * 64, 1.0, (f"{name}.nii.gz",), (1,)) for name in names
        ]
        (output / "work" / stage).mkdir(parents=True, exist_ok=True)
        write_records(output / "work" / stage / f"{batch}.tsv", rows)
    lines = "".join(f"{name}\t{name}\t\t\t/data/{name}/anat/{name}_T2w.nii.gz\n" for name in names)
    write(output / "work" / "batches" / f"{batch}.tsv", lines)
    write(output / "work" / "batches" / f"{batch}.records.tsv", lines * len(STAGES))
    write(output / "logs" / f"{batch}.log", "".join(f"merge: {name} done\n" for name in names))
    for name in names:
        write(output / "work" / "features" / f"{name}_features.json", "{}")
        write(output / "qc" / "panels" / batch / f"{name}.js", "panel")
        write(output / name / "anat" / f"{name}_desc-vertebra_dseg.json", "{}")


def timed(label: str, act) -> None:
    """Print the seconds that something takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    print(
        f"  {label}: {time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} s of CPU",
        flush=True,
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=30_000)
    parser.add_argument("--withdrawn", type=int, nargs="+", default=[1, 200])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "out"
        names = make(output, args.scans)
        known, first = frozenset(names), 0
        for number in args.withdrawn:
            people = frozenset(names[: first + number])
            batches = sorted({f"b{i // BATCH + 1:05d}" for i in range(first, first + number)})
            first += number
            print(f"{number} of {args.scans:,} people withdraw")
            timed("start", partial(begin_withdrawal, output, people))
            timed("removal", partial(withdraw, output, people, known, batches))
            make_tables_again(output, names[first:])
            timed("end", partial(end_withdrawal, output, people, known))
            timed("start of the next run", partial(begin_withdrawal, output, people))
            timed("end of the next run", partial(end_withdrawal, output, people, known))


def make_tables_again(output: Path, names: list[str]) -> None:
    """Stand for the run: write the tables of those who are left."""
    for table, size in ROW_BYTES.items():
        cells = "1.234," * (size // ROWS[table] // 6)
        (output / "cohort").mkdir(exist_ok=True)
        with open(output / "cohort" / f"{table}.csv", "w") as stream:
            stream.writelines(f"{name},{name},{cells}\n" * ROWS[table] for name in names)


if __name__ == "__main__":
    main()
