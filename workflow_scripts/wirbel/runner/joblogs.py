"""What the log of a per-batch job tells: how often the job was started, and how it ended.

Every attempt appends to `logs/<stage>/<batch>.log`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STARTED = "started"
FINISHED = "computed now"
"""Last words of a job that came to its end."""
KILLED = "it ended without a word: killed, out of memory, out of time, or the node failed"


@dataclass(frozen=True)
class JobLog:
    """`sentence` says why the last attempt failed; empty when it came to its end, or never began."""

    path: Path
    starts: int
    sentence: str


def read_job_log(output_dir: Path, stage: str, batch: str) -> JobLog:
    """Read the log of a job; one that does not exist has no starts."""
    path = output_dir / "logs" / stage / f"{batch}.log"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return JobLog(path, 0, "")
    begun = f"{stage} {batch}: {STARTED}"
    starts = [number for number, line in enumerate(lines) if line.startswith(begun)]
    last = lines[starts[-1] :] if starts else lines
    return JobLog(path, len(starts), _sentence(stage, last))


def _sentence(stage: str, lines: list[str]) -> str:
    """Return the stage's own last sentence, another last line (of a traceback), or that there is none."""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if last.endswith(FINISHED) or not lines:
        return ""
    own = [line for line in lines if line.startswith(f"{stage}: ")]
    if own:
        return own[-1].removeprefix(f"{stage}: ")
    return KILLED if last.startswith(f"{stage} ") or not last else last
