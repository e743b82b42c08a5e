"""The workflow with toy stages, run with profiles/slurm on the test cluster."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from toy_workflow import Workflow, toy_workflow

HERE = Path(__file__).parent
# Ask for finished jobs every second, not every 40 to 180; everything else is the profile's.
IMPATIENT = """
from snakemake_executor_plugin_slurm import Executor
Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)
"""
QUICK = ("--latency-wait", "10", "--max-status-checks-per-second", "1", "--local-cores", "2")
TOY_MEMORY_MB = 700
"""What a toy job may use at its first attempt: the two Snakemake processes in it take 250."""


class ClusterWorkflow(Workflow):
    """Runs in `environment`, with everything in one process group, as a shell would start it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        super().__init__(folder)
        self.environment = environment
        self.trouble = folder / "trouble"
        self.trouble.mkdir()
        self.started: list[subprocess.Popen] = []

    def command(self, *more: str, **config) -> list[str]:
        settings = {"bids_dir": self.data, "output_dir": self.output, "wait_seconds": 0, **config}
        pairs = [f"{key}={value}" for key, value in settings.items()]
        line = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm"]
        return [*line, *QUICK, *more, "--config", *pairs]

    def start(
        self, *more: str, sleep: float = 0.0, output=subprocess.PIPE, **config
    ) -> subprocess.Popen:
        environment = {
            **self.environment,
            "TOY_SLEEP": str(sleep),
            "TOY_TROUBLE": str(self.trouble),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        process = subprocess.Popen(
            self.command(*more, **config),
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def stop(self) -> None:
        """End what is still running of all that was started."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def cluster_workflow(folder: Path, environment: dict[str, str]) -> ClusterWorkflow:
    """The toy workflow, made for jobs of some seconds that can be given trouble (troubled_toy.py)."""
    toy_workflow(folder)
    workflow = ClusterWorkflow(folder, environment)
    with open(workflow.folder / "Snakefile", "a") as snakefile:
        snakefile.write(IMPATIENT)
    rules = workflow.folder / "rules" / "chain.smk"
    rules.write_text(re.sub(r"megabytes\(\d+\)", f"megabytes({TOY_MEMORY_MB})", rules.read_text()))
    package = workflow.folder / "workflow_scripts" / "wirbel"
    (package / "toy.py").rename(package / "plain_toy.py")
    (package / "toy.py").write_text((HERE / "troubled_toy.py").read_text())
    return workflow
