"""The workflow, with its own or with toy stages, run with profiles/slurm on the test cluster."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from support.studies.toy_workflow import Workflow, copy_workflow, toy_workflow

HERE = Path(__file__).parent
# Ask for finished jobs every second, not every 40 to 180; everything else is the profile's.
IMPATIENT = """
from snakemake_executor_plugin_slurm import Executor
Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, seconds: None)
"""
QUICK = ("--latency-wait", "10", "--max-status-checks-per-second", "1", "--local-cores", "2")
TROUBLED = """
from wirbel.troubled import troubled  # noqa: E402
run_stage = troubled(run_stage)
"""
MEMORY_MB = {"toy": 700, "real": 2000}
"""What a job may use at its first attempt: the two Snakemake processes in it take 250, torch 500."""
TOO_MUCH_SHARE = 1.3


class ClusterWorkflow(Workflow):
    """Runs in `environment`, with everything in one process group, as a shell would start it."""

    more: tuple[str, ...] = ()
    settings: dict[str, object] = {}

    def __init__(self, folder: Path, environment: dict[str, str], memory_mb: int) -> None:
        super().__init__(folder)
        self.trouble = folder / "trouble"
        self.trouble.mkdir()
        self.environment = {
            **environment,
            "WIRBEL_TROUBLE": str(self.trouble),
            "WIRBEL_TOO_MUCH_MB": str(int(TOO_MUCH_SHARE * memory_mb)),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        self.started: list[subprocess.Popen] = []

    def command(self, *more: str, **config) -> list[str]:
        settings = {"bids_dir": self.data, "output_dir": self.output, "wait_seconds": 0}
        settings["allow_toy_weights"] = "true"  # toy stages, or small networks for small scans
        pairs = [f"{key}={value}" for key, value in {**settings, **self.settings, **config}.items()]
        line = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm"]
        return [*line, *QUICK, *self.more, *more, "--config", *pairs]

    def start(
        self, *more: str, sleep: float = 0.0, output=subprocess.PIPE, **config
    ) -> subprocess.Popen:
        process = subprocess.Popen(
            self.command(*more, **config),
            cwd=self.folder,
            env={**self.environment, "TOY_SLEEP": str(sleep)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def computed(self) -> list[str]:
        """Return "stage scan" for all that was ever computed."""
        log = self.trouble / "computed.log"
        return log.read_text().splitlines() if log.exists() else []

    def stop(self) -> None:
        """End what is still running of all that was started."""
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def read_until(run: subprocess.Popen, word: str, seconds: float = 200) -> str:
    """Read what a run prints, up to the first line with this word; return that. One that says nothing is ended."""
    read, end = "", threading.Timer(seconds, run.kill)
    end.start()
    for line in run.stdout:
        read += line
        if word in line:
            end.cancel()
            return read
    end.cancel()
    raise AssertionError(f"no line with {word!r}: {read}")


def toy_cluster_workflow(folder: Path, environment: dict[str, str]) -> ClusterWorkflow:
    """The workflow with toy stages, whose jobs can be given trouble."""
    toy_workflow(folder)
    workflow = ClusterWorkflow(folder, environment, MEMORY_MB["toy"])
    make_troubled(workflow.folder, MEMORY_MB["toy"])
    return workflow


def copy_real_workflow(folder: Path) -> None:
    """Copy the workflow as it is to `folder`, whose jobs can then be given trouble."""
    copy_workflow(folder)
    make_troubled(folder, MEMORY_MB["real"])


def make_troubled(repository: Path, memory_mb: int) -> None:
    """Make a copy's jobs small, quickly noticed, and able to take orders (troubled.py)."""
    with open(repository / "Snakefile", "a") as snakefile:
        snakefile.write(IMPATIENT)
    package = repository / "workflow_scripts" / "wirbel"
    table = package / "plan" / "chain.py"
    table.write_text(re.sub(r"(StageNeeds\(.+?), \d+,", rf"\1, {memory_mb},", table.read_text()))
    (package / "troubled.py").write_text((HERE / "troubled.py").read_text())
    with open(package / "runner" / "loop.py", "a") as runner:
        runner.write(TROUBLED)
