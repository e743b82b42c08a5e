"""The results of a run in a few lines for people: `python -m wirbel.study.ending.summary OUTPUT_DIR`.

It also writes the cost tables (`costs.write_costs`) and `logs/failed_jobs.csv`, and removes empty
job logs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import NO_SCAN, NOT_FAILURES
from wirbel.io.dataset.bids import DESCRIPTION_FILE, read_description
from wirbel.io.dataset.listing import Finding
from wirbel.io.escapes import visible
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.batches import list_batches
from wirbel.manifests.findings import read_findings
from wirbel.manifests.lineage import Tables
from wirbel.manifests.receipts import receipt_file
from wirbel.manifests.records import FAILED
from wirbel.plan.chain import ALL_STAGES
from wirbel.runner.machine.joblogs import read_job_log, remove_empty_logs, why_not_made
from wirbel.study.decision.valid_manifests import Standing, present_plan, standing
from wirbel.study.ending.costs import told_costs
from wirbel.study.ending.scans_with_warnings import warnings_in_words
from wirbel.words import counted

MOST_NAMED = 20
"""Failed scans, and failed jobs, that are listed by name; tables have all of them."""


@dataclass(frozen=True)
class Summary:
    """The results of a run: text for people, and how many scans were measured and how many failed."""

    text: str
    measured: int
    failed: int
    waiting: int = 0

    @property
    def scans(self) -> int:
        """All scans, those included that cannot be taken because of their names."""
        return self.measured + self.failed + self.waiting


def summary(
    output_dir: str | Path, remarks: Iterable[str] = (), *, computed: bool = True
) -> Summary:
    """Return counts, failed scans and jobs with their reasons, the cost, where the results are, and
    `remarks`.

    Names come from files, so characters that control a terminal are escaped. If nothing was
    `computed` because everything was there, jobs and costs would be the last run's and are left
    out.
    """
    folder = Path(output_dir)
    plan = present_plan(folder)
    batches = {b: standing(folder, plan, b, all_rows=computed) for b in list_batches(folder)}
    tables = {batch: found.tables for batch, found in batches.items()}
    failed, jobs = failed_scans(tables), failed_jobs(folder, batches) if computed else []
    listed = read_findings(folder)
    left_out = [found for found in listed if found.reason not in NOT_FAILURES]
    without = sum(found.reason == NO_SCAN for found in listed)
    measured = sum(found.measured for found in batches.values())
    waiting = sum(found.scans for found in batches.values()) - measured - len(failed)
    counts = measured, len(failed), waiting, len(left_out), without
    lines = [_counts(*counts), *_first([*failed, *map(_finding, left_out)], "cohort/failures.csv")]
    lines += _jobs(jobs)
    lines += _written(folder, tables, jobs) if computed else []
    lines += [*warnings_in_words(folder), *_results(folder, bool(jobs)), *filter(None, remarks)]
    text = "\n".join(map(visible, lines))
    return Summary(text, measured, len(failed) + len(left_out), waiting)


def _jobs(jobs: list[dict[str, str]]) -> list[str]:
    if not jobs:
        return []
    title = (
        f"{counted(len(jobs), 'job')} failed because of the machine or the installation; "
        "finished scans are kept, and the same command tries the others again:"
    )
    told = [f"{job['stage']} {job['batch']}: {job['reason']} (see {job['log']})" for job in jobs]
    return [title, *_first(told, "logs/failed_jobs.csv")]


def _written(folder: Path, batches: dict[str, Tables], jobs: list[dict[str, str]]) -> list[str]:
    """Write the tables of costs and failed jobs; return what the run cost."""
    try:
        remove_empty_logs(folder)
        write_rows(folder / "logs" / "failed_jobs.csv", ("stage", "batch", "reason", "log"), jobs)
        return told_costs(folder, batches)
    except OSError as error:
        return [f"The tables of costs and failed jobs could not be written: {error}"]


def _counts(measured: int, failed: int, waiting: int, left_out: int, without: int) -> str:
    told = f"{counted(measured, 'scan')} measured, {failed:,} failed"
    told += f", {waiting} not finished" if waiting else ""
    told += f", {left_out} left out because of their names or folders" if left_out else ""
    none = f"; {counted(without, 'participant has', 'participants have')} no scan"
    return told + (none if without else "")


def _finding(found: Finding) -> str:
    return f"{found.scan_id or found.participant_id}: left out ({found.reason}): {found.detail}"


def _results(folder: Path, jobs_failed: bool) -> list[str]:
    """Return where tables and pictures are, and which of them are from an earlier run or missing."""
    told = []
    for stage, title, name in (
        ("cohort", "Table", "cohort/vertebrae.csv"),
        ("contact_sheet", "Contact sheet", "qc/contact_sheet.png"),
        ("report", "QC report", "qc/index.html"),
    ):
        if (folder / name).is_file():
            told.append(f"{title}: {folder / name}")
        if not receipt_file(folder, stage).is_file():
            told.append(_not_made(folder, stage, name, jobs_failed))
    return told


def _not_made(folder: Path, stage: str, name: str, jobs_failed: bool) -> str:
    """Return that a table or picture was not made, why, and what is there instead."""
    if log := why_not_made(folder, stage):
        why = f": {log} (see {folder / 'logs' / stage}.log)"
    elif jobs_failed:
        why = ", as jobs before it failed"
    else:  # interrupted, or asked for some stages only
        why = ", as the run ended before it"
    if (folder / name).exists():
        return f"{stage} was not made again{why}; {name} is from an earlier run"
    return f"{stage} was not made{why}"


def failed_scans(batches: dict[str, Tables]) -> list[str]:
    """Return one line per failed scan, sorted by scan."""
    return sorted(
        f"{record.scan_id}: failed at {stage} ({record.reason}): {record.detail}"
        for tables in batches.values()
        for stage in ALL_STAGES
        for record in tables.get(stage, {}).values()
        if record.status == FAILED
    )


def failed_jobs(output_dir: Path, batches: dict[str, Standing]) -> list[dict[str, str]]:
    """Return stage, batch, reason and log of each batch's job that failed and was not repeated since."""
    found = []
    for batch, stands in batches.items():
        stage = stands.next_stage
        if not stage:
            continue
        log = read_job_log(output_dir, stage, batch)
        if log.sentence:
            row = {"stage": stage, "batch": batch, "reason": log.sentence}
            found.append({**row, "log": str(log.path)})
    return found


def _first(lines: list[str], table: str) -> list[str]:
    more = len(lines) - MOST_NAMED
    return lines[:MOST_NAMED] + ([f"... and {more} more in {table}"] if more > 0 else [])


def _remark(output_dir: Path) -> str:
    """Return the warning about toy weights from the output folder's own description, if any."""
    described = read_description(output_dir / DESCRIPTION_FILE).get("GeneratedBy")
    told = str(described[0].get("Description", "")) if isinstance(described, list) else ""
    return told if "TOY WEIGHTS" in told else ""


def main(argv: list[str] | None = None) -> int:
    """Print the summary of an output folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output_dir", type=Path)
    output_dir = parser.parse_args(argv).output_dir
    print(summary(output_dir, [_remark(output_dir)]).text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
