"""Snakemake's executor for SLURM, for runs of weeks that nobody watches: `--executor wirbel-slurm`.

It is the executor of `snakemake-executor-plugin-slurm` with what `unattended` adds. All its settings are that plugin's,
after `--wirbel-slurm-` in place of `--slurm-`.

Snakemake imports plugins before it reads the Snakefile, which says where `wirbel` is. So nothing of `wirbel` is
imported here before the first job is submitted.
"""

from snakemake_executor_plugin_slurm import Executor as SlurmExecutor
from snakemake_executor_plugin_slurm import ExecutorSettings, common_settings

from snakemake_executor_plugin_wirbel_slurm.unattended import Unattended

__all__ = ["Executor", "ExecutorSettings", "common_settings"]


class Executor(Unattended, SlurmExecutor):
    """Snakemake's SLURM executor, which ends on its own all waiting for jobs that are gone."""
