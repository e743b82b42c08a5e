"""What the main process does on a SLURM cluster: it claims the output folder, checks requests and keeps watch."""

from __future__ import annotations

from pathlib import Path

from wirbel.slurm.executor import mend
from wirbel.slurm.hangup import outlive_terminal
from wirbel.slurm.questions import SlurmError, jobname_prefix
from wirbel.slurm.queue import choose_status_command, take_over, watch
from wirbel.slurm.setup import check_requests, partitions, requests_of, shortest_limit
from wirbel.study.workflow.session import Session


def claim(session: Session, output_dir: str) -> None:
    """Outlive the terminal, and take over or cancel jobs that an earlier run left in the queue.

    Raises SlurmError where SLURM does not answer.
    """
    outlive_terminal(Path(output_dir, "logs", "workflow.log"))
    take_over(session.executor_settings, output_dir, say=session.warn)


def prepare(session: Session, output_dir: str) -> int:
    """Refuse, before anything is submitted, what SLURM can never run; keep watch; return the longest time (minutes)."""
    try:
        choose_status_command(session.executor_settings)
        requests, cluster = requests_of(session.to_submit()), partitions()
        check_requests(requests, cluster)
    except SlurmError as error:
        session.refuse(str(error))
    prefix = jobname_prefix(output_dir)
    mended = mend(session.executor, prefix, say=session.warn)
    watch(prefix, say=session.warn, awaited=session.awaited, mended=mended)
    return shortest_limit(requests, cluster)
