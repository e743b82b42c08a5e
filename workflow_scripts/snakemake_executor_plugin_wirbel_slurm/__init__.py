"""Snakemake's executor for SLURM, for runs of weeks that nobody watches: `--executor wirbel-slurm`.

It is the executor of `snakemake-executor-plugin-slurm` with what `wirbel.slurm.unattended` adds. All its settings are
that plugin's, after `--wirbel-slurm-` in place of `--slurm-`.
"""

from snakemake_executor_plugin_slurm import Executor as SlurmExecutor
from snakemake_executor_plugin_slurm import ExecutorSettings, common_settings

from wirbel.slurm.unattended import Unattended

__all__ = ["Executor", "ExecutorSettings", "common_settings"]


class Executor(Unattended, SlurmExecutor):
    """Snakemake's SLURM executor, which ends on its own all waiting for jobs that are gone."""
