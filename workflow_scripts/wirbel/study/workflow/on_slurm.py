"""What the main process does on a SLURM cluster: it claims the output folder, checks requests and keeps watch."""

from __future__ import annotations

from pathlib import Path

from wirbel.slurm.hangup import outlive_terminal
from wirbel.slurm.questions import SlurmError, jobname_prefix
from wirbel.slurm.queue import choose_status_command, take_over, watch
from wirbel.slurm.setup import check_requests, partitions, requests_of, shortest_limit
from wirbel.study.workflow.session import Session

OTHER_EXECUTOR = (
    "With `executor: slurm` a run waits for ever for jobs that SLURM has lost, and counts SLURM's outages as failures "
    "of jobs. `executor: wirbel-slurm` does neither: write it into your profile, and `wirbel-slurm-` in place of "
    "`slurm-` before its settings, as in profiles/slurm."
)


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
    if not session.gives_up_lost_jobs:
        session.warn(OTHER_EXECUTOR)
    watch(prefix, session.warn, session.awaited, gives_up=session.gives_up_lost_jobs)
    return shortest_limit(requests, cluster)
