"""Gather the measurements of all scans into the cohort's tables.

Reads the batch lists, the manifests of all stages and one JSON file per measured scan, in the order of
the scans' names whatever the batches, and keeps no more than some ten thousand rows at a time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.core.dictionary import PLAUSIBILITY, TABLES, Column
from wirbel.core.participants import Participants
from wirbel.core.plausibility.flags import flags
from wirbel.core.plausibility.strata import strata_of
from wirbel.io.atomic import sweep_temporaries
from wirbel.io.bids import write_dataset_description
from wirbel.io.columnar import write_both
from wirbel.io.prefetch import read_ahead
from wirbel.io.sidecars import read_json, write_json
from wirbel.io.spool import Spool
from wirbel.io.tables import read_rows
from wirbel.runner.outcomes import Outcome, outcomes

STAGES = ("resample", "semantic", "instance", "merge", "features")
"""The per-scan stages in their order; the last one's outputs are gathered."""


def gather(output_dir: Path, participants: Participants, stages: tuple[str, ...] = STAGES) -> dict:
    """Write all tables and dictionaries below `output_dir/cohort`; return rows written by table."""
    folder = output_dir / "cohort"
    sweep_temporaries(folder)
    columns = table_columns(participants)
    with ExitStack() as stack:
        spools = {
            table: stack.enter_context(
                Spool(folder / table, _schema(set_out, without=PLAUSIBILITY))
            )
            for table, set_out in columns.items()
        }
        _collect(spools, outcomes(output_dir, stages), participants)
        for table, spool in spools.items():
            flagged = _flagged(table, spool, participants)
            write_both(folder / table, _schema(columns[table]), spool.batches(), flagged)
            write_json(folder / f"{table}.json", {c.name: c.entry() for c in columns[table]})
    return {table: spool.rows for table, spool in spools.items()}


def table_columns(participants: Participants) -> dict[str, tuple[Column, ...]]:
    """Return every table's columns: scans get all of the participants' own, other measures age and sex."""
    joined = dict.fromkeys(TABLES, participants.persons)
    joined |= {"scans": participants.columns, "failures": []}
    return {table: (*declared, *joined[table]) for table, declared in TABLES.items()}


def _collect(spools: dict[str, Spool], found: list[Outcome], participants: Participants) -> None:
    """Put every scan's part into the tables, in the order of `found`."""
    measured = read_ahead(outcome.measured for outcome in found if outcome.measured)
    for outcome in found:
        same = outcome.identity | participants.of(outcome.scan.participant_id)
        if outcome.failure is not None:
            _add_failure(spools, outcome, same)
            continue
        content = json.loads(next(measured))
        spools["scans"].add(1, {}, same | content["scan"])
        for table in ("vertebrae", "discs", "levels"):
            columns = content[table]
            spools[table].add(len(next(iter(columns.values()), ())), columns, same)


def _add_failure(spools: dict[str, Spool], outcome: Outcome, same: dict[str, Any]) -> None:
    reason, detail = outcome.failure.reason, outcome.failure.detail
    spools["scans"].add(1, {}, same | {"scan_status": reason})
    row = {"stage": outcome.stage, "reason": reason, "detail": detail}
    spools["failures"].add(1, {}, outcome.identity | row)


def _flagged(table: str, spool: Spool, participants: Participants) -> dict[str, Sequence[Any]]:
    """Return the plausibility columns of a table; empty for a table that has none."""
    names = {column.name for column in TABLES[table]}
    if not names & {column.name for column in PLAUSIBILITY}:
        return {}
    level = spool.categories("level") if "level" in names else None
    sex = spool.categories(participants.sex) if participants.sex else None
    age = spool.categories(participants.age) if participants.age else None
    strata = strata_of(spool.rows, level, sex, age)
    return flags(TABLES[table], strata, spool.numbers, spool.categories, spool.rows)


def _schema(columns: Iterable[Column], without: Iterable[Column] = ()) -> list[tuple[str, str]]:
    return [(column.name, column.kind) for column in columns if column not in without]


def read_participants(bids_dir: Path | None) -> Participants:
    """Read `participants.tsv` and `participants.json` of a data set, where there are any."""
    taken = {column.name for columns in TABLES.values() for column in columns}
    table = bids_dir / "participants.tsv" if bids_dir else None
    if table is None or not table.exists():
        return Participants([], {}, taken)
    described = table.with_suffix(".json")
    return Participants(read_rows(table), read_json(described) if described.exists() else {}, taken)


def main(argv: list[str] | None = None) -> int:
    """Gather the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", type=Path, required=True, help="the output folder")
    parser.add_argument("--bids-dir", type=Path, help="where participants.tsv is looked for")
    parser.add_argument("--stages", nargs="+", default=STAGES, help="the per-scan stages, in order")
    args = parser.parse_args(argv)
    write_dataset_description(
        args.output_dir, "Spine measurements", derivative_of="wirbel", version=__version__
    )
    written = gather(args.output_dir, read_participants(args.bids_dir), tuple(args.stages))
    print("cohort: " + ", ".join(f"{rows} {table}" for table, rows in written.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
