"""Gather the measurements of all scans into the cohort's tables.

Reads the batch lists, the manifests of all stages and one JSON file per measured scan, in the order of
the scans' names whatever the batches, and keeps no more than some ten thousand rows at a time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from wirbel import __version__
from wirbel.core.dictionary import (
    CHANGES,
    DERIVED,
    MEASURED,
    NORMS,
    PLAUSIBILITY,
    SCORES,
    TABLES,
    Column,
    clean_row,
)
from wirbel.core.dictionary.shared import REVIEW
from wirbel.core.labels import down_the_spine
from wirbel.core.people.table_columns import Participants
from wirbel.core.people.values import People
from wirbel.core.plausibility.flags import Findings, look_at
from wirbel.core.plausibility.norms import reference_rows
from wirbel.core.plausibility.strata import strata_of
from wirbel.core.reviewing.reviews import NOT_REVIEWED
from wirbel.errors import InfrastructureError
from wirbel.io.atomic import replaced_together, sweep_temporaries
from wirbel.io.dataset.bids import DESCRIPTION_FILE, IGNORE_FILE, write_dataset_description
from wirbel.io.dataset.listing import Finding
from wirbel.io.escapes import visible
from wirbel.io.foreign.people_files import read_people
from wirbel.io.maps.final_maps import (
    TOY_WEIGHTS,
    colour_files,
    lookup_files,
    write_colours,
    write_lookups,
)
from wirbel.io.repeatability import read_repeatability
from wirbel.io.sidecars import write_json
from wirbel.io.tabular.change_tables import changes_of
from wirbel.io.tabular.columnar import write_both
from wirbel.io.tabular.measurements import DamagedMeasurements, ScanRows, read_pieces
from wirbel.io.tabular.rows import Rows
from wirbel.io.tabular.spool import Spool
from wirbel.manifests.batches import batch_file, list_batches, read_batch
from wirbel.manifests.findings import LISTING, data_set_mark, read_findings, read_reviews
from wirbel.manifests.outcomes import Outcome, outcomes
from wirbel.manifests.receipts import (
    digest_of_seals,
    read_seals,
    write_receipt,
)
from wirbel.manifests.seals import Seal
from wirbel.plan.chain import STAGES
from wirbel.plan.plan import Plan, fingerprint_of, output_of, read_plan
from wirbel.runner.machine.process import end_with

NOT_KNOWN: Mapping[str, str] = MappingProxyType({})
AGAIN = "run the same command again, which makes it again"
NO_BIDS = ("cohort", "qc", "work", "logs", "evaluation", "colours")
"""Folders of results that BIDS has no rules for (`.bidsignore`)."""
TOOL_KEY = "MeasurementToolMetadata"
"""Key of a dictionary that describes no column but, as in BIDS, what measured."""
TOY_REMARK = (
    "TOY WEIGHTS: networks trained almost only on simulated scans, for trying the software; names and numbers of real "
    "scans are not fit for science"
)


def gather(
    output_dir: Path,
    participants: Participants,
    stages: tuple[str, ...] = STAGES,
    threads: int = 1,
    settings: Mapping[str, str] = NOT_KNOWN,
    commit: str = "",
    bids_dir: str = "",
) -> dict[str, int]:
    """Write all tables and dictionaries below `output_dir/cohort`; return rows written by table.

    They replace earlier ones together, once all of them are written: a failure leaves the earlier set as it was.

    `settings` is batch -> fingerprint of the settings, models and code that its results were made with, `commit`
    that of the software, where it is known; `bids_dir` is where the scans lie.
    """
    folder = output_dir / "cohort"
    sweep_temporaries(folder)
    columns = table_columns(participants)
    found = outcomes(output_dir, stages)
    reviews = read_reviews(output_dir)
    parts = [_part(o, participants, settings.get(o.batch), reviews) for o in found]
    parts += [_told(found) for found in read_findings(output_dir)]
    measured = {
        table: _schema(all_, without=PLAUSIBILITY)
        for table, all_ in columns.items()
        if table not in DERIVED
    }
    with replaced_together(folder) as new, ExitStack() as stack:
        spools = {
            table: stack.enter_context(Spool(new / table, schema))
            for table, schema in measured.items()
        }
        for piece in read_pieces(parts, measured, threads, end_with, (os.getpid(),)):
            for table, rows in piece.items():
                spools[table].append(rows)
        models = spools["scans"].categories("model")[1]
        tool = tool_metadata(models, settings.values(), commit)
        with ThreadPoolExecutor(threads) as pool:
            finish = partial(_finish, new, columns, spools, participants, tool)
            finished = list(pool.map(finish, measured))
        norms = [row for _, rows in finished for row in rows]
        written = {name: n for counts, _ in finished for name, n in counts.items()}
        written[NORMS] = _write_table(new, NORMS, columns[NORMS], [_batch(norms)], {}, tool)
    describe_output(output_dir, tool["Description"], bids_dir)
    return written


def tool_metadata(
    models: Iterable[str], settings: Iterable[str] = (), commit: str = ""
) -> dict[str, str]:
    """Return what every dictionary says, under the key that BIDS has for it, about what made the tables."""
    names = sorted(filter(None, models))
    made = f"Wirbel {__version__}; networks: {', '.join(names) or 'none'}"
    toys = any(TOY_WEIGHTS in name for name in names)
    told = {"Description": f"{made}. {TOY_REMARK}" if toys else made, "Version": __version__}
    more = {"Commit": commit, "SettingsFingerprint": ", ".join(sorted(set(settings)))}
    return told | {name: text for name, text in more.items() if text}


def describe_output(output_dir: Path, description: str = "", bids_dir: str = "") -> None:
    """Write what the output folder says about itself to BIDS and to viewers."""
    links: dict[str, str] = {}
    ignored = list(NO_BIDS)
    if bids_dir:
        raw = os.path.relpath(os.path.realpath(bids_dir), os.path.realpath(output_dir))
        links["raw"] = quote(raw)
        if not raw.startswith(".."):
            ignored.append(raw)
    write_dataset_description(
        output_dir,
        "Spine measurements",
        derivative_of="wirbel",
        version=__version__,
        description=description,
        ignored=ignored,
        links=links,
    )
    write_colours(output_dir)
    write_lookups(output_dir)


def _finish(
    folder, columns, spools, participants, tool, table: str
) -> tuple[dict[str, int], list[dict]]:
    """Flag one table's rows, write it and its scores; return rows by table, and those of the reference."""
    spool = spools[table]
    if table not in MEASURED:
        rows = _write_table(folder, table, columns[table], spool.batches(), {}, tool)
        return {table: rows}, []
    found, names = _looked_at(table, spool, participants)
    written = {
        table: (spool.batches(), found.columns()),
        SCORES[table]: (spool.batches(), found.score_columns()),
        CHANGES[table]: changes_of(table, spool),
    }
    has_level = any(column.name == "level" for column in TABLES[table])
    orders = {"level": down_the_spine(names[0])} if has_level else {}
    counts = {
        name: _write_table(folder, name, columns[name], *rows, tool, orders)
        for name, rows in written.items()
    }
    return counts, reference_rows(table, found.groups, *names)


def _write_table(folder, name, columns, batches, more, tool, orders=NOT_KNOWN) -> int:
    """Write one table and its dictionary; return its number of rows."""
    rows = write_both(folder / name, _schema(columns), batches, more, orders)
    known = read_repeatability().get(name.removesuffix("_changes"), {})
    described = {c.name: c.entry(known.get(c.name.removesuffix("_change"))) for c in columns}
    write_json(folder / f"{name}.json", {TOOL_KEY: tool, **described})
    return rows


def _batch(norms: list[dict]):
    """Return the rows of the reference as one piece of a table."""
    rows = Rows(_schema(TABLES[NORMS]))
    for row in norms:
        rows.add_one(clean_row(NORMS, row))
    return rows.batch()


def table_columns(participants: Participants) -> dict[str, tuple[Column, ...]]:
    """Return every table's columns: scans get all of the participants' own, other measures age and sex."""
    joined = dict.fromkeys(TABLES, participants.persons)
    joined |= {"scans": participants.columns, "failures": [], NORMS: []}
    joined |= dict.fromkeys(CHANGES.values(), [])
    return {table: (*declared, *joined[table]) for table, declared in TABLES.items()}


def _part(
    outcome: Outcome,
    participants: Participants,
    settings: str | None,
    reviews: Mapping[str, Mapping],
) -> ScanRows:
    """Return what a scan adds to the tables: its measurements, or the account of its failure."""
    same = outcome.identity | participants.of(outcome.scan.participant_id, outcome.scan.session_id)
    review = reviews.get(outcome.scan.scan_id, {}).get(REVIEW.name, NOT_REVIEWED)
    same |= {"settings_fingerprint": settings, REVIEW.name: review}
    if outcome.failure is None:
        return ScanRows(outcome.measured, same, sha256=outcome.sha256)
    reason, detail = outcome.failure.reason, outcome.failure.detail
    failure = {"stage": outcome.stage, "reason": reason, "detail": detail}
    return ScanRows(None, same, {"scans": {"scan_status": reason}, "failures": failure})


def _told(found: Finding) -> ScanRows:
    """Return what a finding adds to the tables: a row of the failures."""
    return ScanRows(
        None, {}, {"failures": {**vars(found), "stage": LISTING, REVIEW.name: NOT_REVIEWED}}
    )


def _looked_at(
    table: str, spool: Spool, participants: Participants
) -> tuple[Findings, tuple[Sequence[str], Sequence[str]]]:
    """Return what is found about a table of measures, and the names of levels and sexes."""
    has_level = any(column.name == "level" for column in TABLES[table])
    level = spool.categories("level") if has_level else None
    sex = spool.categories(participants.sex) if participants.sex else None
    age = spool.categories(participants.age) if participants.age else None
    strata = strata_of(spool.rows, level, sex, age)
    found = look_at(TABLES[table], strata, spool.numbers, spool.categories, spool.rows)
    return found, (level[1] if level else (), strata.sex_names)


def _schema(columns: Iterable[Column], without: Iterable[Column] = ()) -> list[tuple[str, str]]:
    return [(column.name, column.kind) for column in columns if column not in without]


def read_participants(bids_dir: Path | None, output_dir: Path) -> Participants:
    """Read what a data set says about its people, tell what of it is not used, and return their columns."""
    joined = (columns for table, columns in TABLES.items() if table != NORMS)
    taken = {column.name for columns in joined for column in columns}
    if bids_dir is None:
        return Participants(People(), {}, taken)
    files = read_people(bids_dir, _participants_of(bids_dir, output_dir))
    for name in dict.fromkeys(files.people.unmatched):
        print(f"cohort: participants.tsv: {visible(name)} matches no participant, or more than one")
    for fault in files.faults:
        print(f"cohort: {visible(fault)}: not used")
    return Participants(files.people, files.descriptions, taken)


def _participants_of(bids_dir: Path, output_dir: Path) -> set[str]:
    """Return all participants: those with a folder in the data set, and those of the scans."""
    folders = os.listdir(bids_dir) if bids_dir.is_dir() else []
    lists = (read_batch(batch_file(output_dir, batch)) for batch in list_batches(output_dir))
    of_scans = {scan.participant_id for scans in lists for scan in scans}
    return of_scans.union(name for name in folders if name.startswith("sub-"))


def fingerprints(plan: Plan, seals: Mapping[tuple[str, str], Seal]) -> dict[str, str]:
    """Return batch -> fingerprint of what its results were made by: the plan's own, unless settings are mixed."""
    batches = {batch for _, batch in seals}
    return {b: fingerprint_of(seals[name, b].made_by for name in plan.names) for b in batches}


def files_of(output_dir: Path) -> list[Path]:
    """Return all files that this stage writes."""
    stems = [output_dir / "cohort" / table for table in TABLES]
    tables = [
        stem.with_suffix(suffix) for stem in stems for suffix in (".csv", ".parquet", ".json")
    ]
    about = (DESCRIPTION_FILE, IGNORE_FILE)
    once = (*colour_files(output_dir), *lookup_files(output_dir))
    return [*tables, *(output_dir / name for name in about), *once]


def main(argv: list[str] | None = None) -> int:
    """Gather the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="work/plan.json")
    parser.add_argument("--threads", type=int, default=1, help="processor cores to use")
    args = parser.parse_args(argv)
    output_dir = output_of(args.plan)
    try:
        plan = read_plan(args.plan)
        seals = read_seals(output_dir, plan, plan.names)
    except InfrastructureError as error:
        print(f"cohort: {error}", file=sys.stderr)
        return 1
    mark = data_set_mark(output_dir)
    participants = read_participants(Path(plan.bids_dir), output_dir)
    settings = fingerprints(plan, seals)
    try:
        where = plan.made_by["commit"], plan.bids_dir
        written = gather(output_dir, participants, plan.names, args.threads, settings, *where)
    except DamagedMeasurements as error:
        if error.path is not None:
            error.path.unlink(missing_ok=True)
        print(f"cohort: {error} and is removed: {AGAIN}", file=sys.stderr)
        return 1
    made_by, made_from = plan.stage("cohort").fingerprint, digest_of_seals(seals, mark)
    write_receipt(output_dir, "cohort", made_by, made_from, files_of(output_dir))
    print("cohort: " + ", ".join(f"{rows} {table}" for table, rows in written.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
