"""Jobs as they start, fail and end: failures of scans and of jobs, and what jobs outside the chain are about."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from snakemake_interface_logger_plugins.common import LogEvent

MOST_FAILURES = 50
"""Failed scans that are named as they come; tables hold all of them."""


class Jobs:
    """`output_dir` is set when a run begins; before that there are no jobs of the chain."""

    def __init__(self, say: Callable[..., None], *, show_commands: bool) -> None:
        self.output_dir = ""
        self._say, self._show_commands = say, show_commands
        self._running: dict[int, tuple[str, str]] = {}
        self._named: set[tuple[str, str, str]] = set()

    def take(self, event: LogEvent, record: logging.LogRecord) -> None:
        """Take note of a job that starts, fails or ends."""
        if event == LogEvent.JOB_INFO:
            self._started(record)
        elif event == LogEvent.JOB_ERROR:
            self._failed(record)
        elif job := self._running.pop(record.job_id, None):
            self._name_all_failed_scans(*job)

    def command(self, record: logging.LogRecord) -> None:
        """Say a job's command, where that is wished for."""
        command = getattr(record, "shellcmd", None) or getattr(record, "cmd", None)
        if self._show_commands and command:
            self._say(command)

    def _started(self, record: logging.LogRecord) -> None:
        batch = (record.wildcards or {}).get("batch", "")
        if batch:
            self._running[record.jobid] = (record.rule_name, batch)
        elif record.rule_msg:
            self._say(record.rule_msg)

    def _failed(self, record: logging.LogRecord) -> None:
        """Say why, by the last words of the job's log."""
        rule, batch = self._running.get(record.jobid, (record.rule_name, ""))
        logs = [name for name in record.log if name]
        told = _last_line(logs[0]) if logs else ""
        told = told.removeprefix(f"{rule} {batch}: ").removeprefix(f"{rule}: ")
        why = f": {told}" if told else ""
        where = f" (see {logs[0]})" if logs else ""
        self._say(f"{f'{rule} {batch}'.strip()}: the job failed{why}{where}", style="red")

    def _name_all_failed_scans(self, rule: str, batch: str) -> None:
        """Name the scans that failed at any stage of a job."""
        from wirbel.plan.chain import stages_of_job

        for stage in stages_of_job(rule):
            self._name_failed_scans(stage, batch)

    def _name_failed_scans(self, stage: str, batch: str) -> None:
        """Name the scans that failed at the stage and were not named before."""
        from wirbel.manifests.records import FAILED, manifest_file, read_records

        path = manifest_file(Path(self.output_dir), stage, batch)
        rows = read_records(path).values() if path.exists() else ()
        for row in rows:
            failure = row.scan_id, stage, row.reason
            if row.status != FAILED or failure in self._named:
                continue
            self._named.add(failure)
            if len(self._named) <= MOST_FAILURES:
                self._say(
                    f"{row.scan_id}: failed at {stage} ({row.reason}): {row.detail}", style="yellow"
                )
            elif len(self._named) == MOST_FAILURES + 1:
                self._say(f"Further failures are counted only; see wirbel status {self.output_dir}")


def _last_line(path: str) -> str:
    """Return the last line of a log that says something."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
