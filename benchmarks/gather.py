"""How long does the cohort stage take for a large cohort, and how much memory?

Makes a simulated output folder (batch lists, manifests, one file of measurements per scan, filled by the
declared columns), gathers it in a process of its own as `python -m wirbel.stages.cohort` does, and prints
wall time, CPU time and peak memory:

    .venv/bin/python benchmarks/gather.py --scans 30000
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from wirbel.core.dictionary import IDENTITY, PLAUSIBILITY, TABLES
from wirbel.core.dictionary.column import BOOLEAN, INTEGER, NUMBER, Column
from wirbel.core.labels import LEVEL_NAMES, LEVELS_TOP_DOWN
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.batches import COLUMNS, batch_file
from wirbel.manifests.records import Record, write_records
from wirbel.plan.chain import STAGES

VERTEBRAE = [LEVEL_NAMES[v] for v in LEVELS_TOP_DOWN if LEVEL_NAMES[v] not in ("C1", "S1")]
DISCS = [f"{above}-{below}" for above, below in zip(VERTEBRAE, VERTEBRAE[1:], strict=False)]
ROWS = {"vertebrae": VERTEBRAE, "discs": DISCS, "levels": VERTEBRAE}
"""Table -> the levels of a scan's rows."""
GATHER = """
import sys
from pathlib import Path
from wirbel.cohort.gathering import gather
from wirbel.cohort.joining import read_participants

output, bids = map(Path, sys.argv[1:3])
gather(output, read_participants(bids, output), threads=int(sys.argv[3]))
"""
BATCH, FAILED_SHARE, ODD_SHARE, MISSING_SHARE = 64, 0.01, 0.002, 0.03


def columns_of(table: str, rng: np.random.Generator, factor: float) -> dict[str, list]:
    """Return one scan's part of a table: normal values around the middle of each column's range."""
    levels = ROWS.get(table, [""])
    own = [column for column in TABLES[table] if column not in (*IDENTITY, *PLAUSIBILITY)]
    size = (len(own), len(levels))
    spread = 1 + 0.08 * rng.standard_normal(size)
    spread = np.where(rng.random(size) < ODD_SHARE, 1.8, spread)
    missing = rng.random(size) < MISSING_SHARE
    size_by_level = np.linspace(0.7, 1.3, len(levels)) * factor
    return {
        column.name: _values(column, levels, size_by_level * spread[i], missing[i])
        for i, column in enumerate(own)
    }


def _values(column: Column, levels: list[str], scale: np.ndarray, missing: np.ndarray) -> list:
    if column.name == "level":
        return levels
    if column.name == "level_confidence":
        return [0.95] * len(levels)
    if column.codes:
        return [next(iter(column.codes))] * len(levels)
    if column.kind == INTEGER:
        return list(range(1, len(levels) + 1))
    if column.kind not in (NUMBER, BOOLEAN):
        return [""] * len(levels)
    if column.kind == BOOLEAN:
        return [None if m else bool(s > 1) for s, m in zip(scale, missing, strict=True)]
    low, high = column.interval or (10.0, 40.0)
    values = np.round((low + high) / 2 * scale, column.decimals).tolist()
    return [None if m else v for v, m in zip(values, missing, strict=True)]


def simulate(output: Path, bids: Path, scans: int, seed: int) -> int:
    """Write the folders that a finished run of so many scans would leave; return the number of cells."""
    rng = np.random.default_rng(seed)
    names = [f"sub-{100000 + i}" for i in range(scans)]
    ages, female = rng.integers(20, 75, scans), rng.random(scans) < 0.5
    people = [
        {"participant_id": n, "age": a if rng.random() > 0.02 else "n/a", "sex": "F" if f else "M"}
        for n, a, f in zip(names, ages, female, strict=True)
    ]
    write_rows(bids / "participants.tsv", ("participant_id", "age", "sex"), people)
    cells = 0
    for first in range(0, scans, BATCH):
        members = range(first, min(first + BATCH, scans))
        failed = {i for i in members if rng.random() < FAILED_SHARE}
        _write_batch(
            output, f"b{first // BATCH + 1:05d}", [names[i] for i in members], failed, first
        )
        for i in set(members) - failed:
            factor = (0.95 if female[i] else 1.05) * (1 - 0.002 * (ages[i] - 50))
            tables = {table: columns_of(table, rng, factor) for table in ("scans", *ROWS)}
            cells += sum(len(values) for columns in tables.values() for values in columns.values())
            scan = {name: values[0] for name, values in tables.pop("scans").items()}
            path = output / "work" / "features" / f"{names[i]}_features.json"
            path.write_text(json.dumps({"scan": scan, **tables}, separators=(",", ":")))
    return cells


def _write_batch(output: Path, batch: str, names: list[str], failed: set[int], first: int) -> None:
    blank = {"session_id": "", "run_id": "", "size": 1, "mtime_ns": 1, "problem": ""}
    rows = [{"scan_id": n, "participant_id": n, "path": f"/{n}.nii.gz"} | blank for n in names]
    write_rows(batch_file(output, batch), COLUMNS, rows)
    for stage in STAGES:
        records = []
        for i, name in enumerate(names, first):
            if i in failed:
                status = "failed" if stage == STAGES[0] else "skipped"
                records.append(Record(name, status, "unreadable", f"{name}.nii.gz is cut short"))
            else:
                result = f"work/{stage}/{name}_{stage}.json"
                records.append(Record(name, "ok", "", "", "0" * 64, 1.0, (result,), (1,)))
        write_records(output / "work" / stage / f"{batch}.tsv", records)


def gather(output: Path, bids: Path, threads: int) -> dict[str, float]:
    """Run the cohort stage; return its seconds, CPU seconds and peak memory in GB, all its processes together."""
    command = [sys.executable, "-c", GATHER, str(output), str(bids), str(threads)]
    start, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(command)
    while process.poll() is None:
        peak = max(peak, _memory_of_tree(process.pid))
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(process.returncode)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    return {"seconds": time.perf_counter() - start, "cpu_seconds": cpu, "peak_gb": peak / 2**20}


def _memory_of_tree(process: int) -> float:
    """Return the proportional set size of a process and its descendants in KB (Linux only)."""
    total = 0.0
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total = float(line.split()[1])
        for thread in os.listdir(f"/proc/{process}/task"):
            children = Path(f"/proc/{process}/task/{thread}/children").read_text().split()
            total += sum(_memory_of_tree(int(child)) for child in children)
    except OSError:  # it has just ended
        pass
    return total


def main() -> None:
    """Simulate, gather, and print one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="keep everything here; used again if it exists")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch)
        output, bids, note = folder / "output", folder / "bids", folder / "cells"
        if not note.exists():
            (output / "work" / "features").mkdir(parents=True, exist_ok=True)
            note.write_text(str(simulate(output, bids, args.scans, args.seed)))
        cells = int(note.read_text())
        figures = gather(output, bids, args.threads)
        sizes = {p.name: p.stat().st_size / 2**20 for p in sorted((output / "cohort").iterdir())}
    print(", ".join(f"{name} {size:.0f} MB" for name, size in sizes.items() if size >= 1))
    print(
        f"scans={args.scans} cells={cells} wall_s={figures['seconds']:.1f} "
        f"cpu_s={figures['cpu_seconds']:.1f} peak_gb={figures['peak_gb']:.2f} cores={os.cpu_count()}"
    )


if __name__ == "__main__":
    main()
