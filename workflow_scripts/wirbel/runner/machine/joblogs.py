"""Read from the logs of per-batch jobs how often a job started, how it ended, and what it used.

`logs/<stage>/<batch>.log`, named after the job's first stage, has everything that a job prints.
Snakemake removes it before every attempt, and the job removes it after success; Snakemake then
creates an empty one, which is removed at the end of the run. Everything worth keeping is also in
`logs/<batch>.log`: starts, failed scans, and resources used.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wirbel.plan.chain import ALL_STAGES, DRAWING, job_of, stages_of_job
from wirbel.runner.machine.process import Usage

STARTED = "started"
FINISHED = "computed now"
"""Last words of a job that finished."""
KILLED = "it ended without a word: killed, out of memory, out of time, or the node failed"
INTERRUPT, INTERRUPTED = "KeyboardInterrupt", "interrupted (Ctrl-C)"
"""Last line of a job that was interrupted while it loaded its programs, and what that means."""
USED = "used {0.seconds:.1f} s, {0.cpu_seconds:.1f} s of processors, {0.max_memory_mb:.0f} MB"
USED_PATTERN = re.compile(r": used (\S+) s, (\S+) s of processors, (\S+) MB$")


@dataclass(frozen=True)
class JobLog:
    """`sentence` says why the last attempt failed; it is empty if the job finished or never began.

    `used` is what the last finished attempt used.
    """

    path: Path
    starts: int
    sentence: str
    used: Usage = Usage()


def read_job_log(output_dir: Path, stage: str, batch: str) -> JobLog:
    """Read what the logs say about a job; one without logs has no starts."""
    path = output_dir / "logs" / job_of(stage) / f"{batch}.log"
    own = [
        line
        for line in _lines(output_dir / "logs" / f"{batch}.log")
        if line.startswith(f"{stage} {batch}: ")
    ]
    starts = sum(line.startswith(f"{stage} {batch}: {STARTED}") for line in own)
    used = [match for line in own if (match := USED_PATTERN.search(line))]
    return JobLog(
        path,
        starts,
        _sentence(stage, _lines(path)),
        Usage(*map(float, used[-1].groups())) if used else Usage(),
    )


def why_not_made(output_dir: Path, stage: str) -> str:
    """Return why a job on all scans failed, from the end of its log; empty if it did not."""
    lines = _lines(output_dir / "logs" / f"{stage}.log")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "" if re.match(rf"{stage}: \d", last) else last.removeprefix(f"{stage}: ")


def remove_empty_logs(output_dir: Path) -> None:
    """Remove the empty logs that Snakemake creates after successful jobs removed theirs."""
    for stage in (*ALL_STAGES, DRAWING.name):
        folder = output_dir / "logs" / stage
        with suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.stat().st_size == 0:
                    os.unlink(entry)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _sentence(stage: str, lines: list[str]) -> str:
    """Return the job's own last sentence, another last line (of a traceback), or that there is none."""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    names = stages_of_job(stage)
    if not lines or (last.startswith(f"{names[-1]} ") and last.endswith(FINISHED)):
        return ""
    if last == INTERRUPT:
        return INTERRUPTED
    own = [line for line in lines if line.startswith(tuple(f"{name}: " for name in names))]
    if own:
        return own[-1].removeprefix(f"{stage}: ")
    begun = last.startswith(tuple(f"{name} " for name in names))
    return KILLED if begun or not last else last
