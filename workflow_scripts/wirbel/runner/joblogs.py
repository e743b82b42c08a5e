"""What the log of a batch tells of its jobs: how often each was started, how it ended, and what it used.

Every attempt of every stage appends to `logs/<batch>.log`; the stages of a batch run one after another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from wirbel.runner.usage import Usage

STARTED = "started"
FINISHED = "computed now"
"""Last words of a job that came to its end."""
KILLED = "it ended without a word: killed, out of memory, out of time, or the node failed"
USED = "used {0.seconds:.1f} s, {0.cpu_seconds:.1f} s of processors, {0.max_memory_mb:.0f} MB"
USED_PATTERN = re.compile(r": used (\S+) s, (\S+) s of processors, (\S+) MB$")


@dataclass(frozen=True)
class JobLog:
    """`sentence` says why the last attempt failed; empty when it came to its end, or never began.

    `used` is what the last attempt used that came to its end.
    """

    path: Path
    starts: int
    sentence: str
    used: Usage = Usage()


def read_job_log(output_dir: Path, stage: str, batch: str) -> JobLog:
    """Read what a batch's log says of one stage; a log that does not exist has no starts."""
    path = output_dir / "logs" / f"{batch}.log"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return JobLog(path, 0, "")
    starts = sum(line.startswith(f"{stage} {batch}: {STARTED}") for line in lines)
    return JobLog(path, starts, _sentence(stage, _last_attempt(lines)), _used(stage, batch, lines))


def _last_attempt(lines: list[str]) -> list[str]:
    """Return the lines since a job was started, or came to its end, for the last time."""
    marks = (f": {STARTED}:", FINISHED)
    begun = [n for n, line in enumerate(lines) if marks[0] in line or line.endswith(marks[1])]
    return lines[begun[-1] :] if begun else lines


def _sentence(stage: str, lines: list[str]) -> str:
    """Return the stage's own last sentence, another last line (of a traceback), or that there is none."""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if last.endswith(FINISHED) or not lines:
        return ""
    own = [line for line in lines if line.startswith(f"{stage}: ")]
    if own:
        return own[-1].removeprefix(f"{stage}: ")
    return KILLED if last.startswith(f"{stage} ") or not last else last


def _used(stage: str, batch: str, lines: list[str]) -> Usage:
    own = [line for line in lines if line.startswith(f"{stage} {batch}: ")]
    found = [match for line in own if (match := USED_PATTERN.search(line))]
    return Usage(*map(float, found[-1].groups())) if found else Usage()
