"""`logs/runs.tsv`: one line for every run that was started on an output folder."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wirbel.io.atomic import sweep_temporaries
from wirbel.io.tabular.tables import read_rows, write_rows

if TYPE_CHECKING:
    from wirbel.study.run import Run

RUNNING, KILLED = "running", "killed"
COMMAND_VARIABLE = "WIRBEL_COMMAND"
"""Holds the user's own command where that was not Snakemake's."""


@dataclass(frozen=True)
class RunRecord:
    """One run. `command` is what the user typed; `exit` is `running`, `killed`, or the exit code.

    `settings` is the plan's fingerprint: `work/plans/<settings>.json` has all settings. `measured`
    and `failed` count scans after the run.
    """

    started: str
    command: str
    version: str
    commit: str
    settings: str
    scans: int
    new: int
    changed: int
    gone: int
    ended: str = ""
    measured: str = ""
    failed: str = ""
    exit: str = RUNNING


COLUMNS = tuple(f.name for f in fields(RunRecord))


def begin_record(output_dir: str | Path, run: Run) -> None:
    """Append the line of a run that begins; earlier runs that never ended were killed."""
    path = runs_file(output_dir)
    changes = run.found.changes.values()
    counts: dict[str, Any] = {
        kind: sum(len(getattr(c, kind)) for c in changes) for kind in ("new", "changed", "gone")
    }
    record = RunRecord(
        started=now(),
        command=users_command(),
        version=run.plan.made_by["version"],
        commit=run.plan.made_by["commit"],
        settings=run.plan.fingerprint,
        scans=sum(run.found.sizes.values()),
        **counts,
    )
    sweep_temporaries(path.parent)
    rows = _rows(path)
    before = [row | {"exit": KILLED if row["exit"] == RUNNING else row["exit"]} for row in rows]
    write_rows(path, COLUMNS, [*before, asdict(record)])


def end_record(output_dir: str | Path, code: int, measured: int, failed: int) -> None:
    """Complete the last line, which is this run's, if it began to compute at all."""
    path = runs_file(output_dir)
    rows = _rows(path)
    if not rows or rows[-1]["exit"] != RUNNING:
        return
    rows[-1] |= {"ended": now(), "measured": str(measured), "failed": str(failed)}
    write_rows(path, COLUMNS, [*rows[:-1], rows[-1] | {"exit": code}])


def last_run(output_dir: str | Path) -> dict[str, str]:
    """Return the line of the last run; empty if there was none, or while the table is being replaced."""
    try:
        rows = _rows(runs_file(output_dir))
    except OSError:
        return {}
    return rows[-1] if rows else {}


def runs_file(output_dir: str | Path) -> Path:
    """Return the path of the table."""
    return Path(output_dir, "logs", "runs.tsv")


def _rows(path: Path) -> list[dict[str, str]]:
    return read_rows(path) if path.exists() else []


def now() -> str:
    """Return the time, to the second, with its offset from UTC."""
    return datetime.now().astimezone().isoformat(" ", "seconds")


def users_command() -> str:
    """Return what the user typed; the command `wirbel` says so before it becomes Snakemake."""
    typed = os.environ.get(COMMAND_VARIABLE)
    return typed or shlex.join(["snakemake", *sys.argv[1:]])
