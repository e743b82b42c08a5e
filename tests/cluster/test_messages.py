"""What a user is told when the cluster cannot do what the profile asks for: before anything is submitted."""

import re
import subprocess
import sys

import pytest


@pytest.fixture
def study(workflow):
    workflow.scan("sub-01", "1")
    return workflow


def _edit(workflow, old: str, new: str) -> None:
    """Edit the profile as a user would."""
    profile = workflow.folder / "profiles" / "slurm" / "config.yaml"
    text = profile.read_text()
    assert old in text
    profile.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "gpu: gpu}",
            "gpu: gpus}",
            "this cluster has no partition 'gpus' (rule semantic): did you mean 'gpu'? "
            "it has cpu, empty, gpu, paid, short. "
            "Edit the line `partitions:` in profiles/slurm/config.yaml, there `gpu:`",
        ),
        (
            "gpu: gpu}",
            "gpu: empty}",
            "partition 'empty' has no nodes with GPUs (rule semantic): edit the line `partitions:`",
        ),
        (
            'gpu_model: ""',
            "gpu_model: a100",
            "partition 'gpu' has no nodes with GPUs of type 'a100' (rule semantic): edit the line `gpu_model:`",
        ),
        (
            "cpu: cpu,",
            "cpu: short,",
            "partition 'short' has no nodes for jobs of ",
        ),
        (
            "cpu: cpu,",
            "cpu: paid,",
            "SLURM takes no jobs without an account in partition 'paid' (",
        ),
    ],
)
def test_a_request_that_cannot_be_fulfilled(study, cluster, old, new, sentence):
    _edit(study, old, new)
    told = study.run(fails=True)
    assert sentence in told
    assert "Traceback (most recent" not in told
    assert cluster.jobs() == []


def test_no_gpu_is_free(study, cluster):
    for _ in cluster.gpu_nodes:
        cluster.submit("--partition=gpu", "--gpus=1", "--wrap=sleep 600")
    watching = study.folder / "workflow_scripts" / "wirbel" / "slurm" / "queue.py"
    text = watching.read_text()
    assert "WATCH_SECONDS = 60.0" in text
    watching.write_text(text.replace("WATCH_SECONDS = 60.0", "WATCH_SECONDS = 1.0"))
    run = study.start()
    told = next((line for line in run.stdout if "job waits" in line), "the run ended")
    # SLURM itself says one or the other, depending on which of its two schedulers looked last.
    assert re.match(
        r"1 job waits in partition gpu \((Resources|Priority)\): .*they start when ", told
    )


def test_no_slurm_on_this_machine(study):
    programs = [folder for folder in study.environment["PATH"].split(":") if "bin" not in folder]
    study.environment = {**study.environment, "PATH": ":".join([*programs, _few_programs(study)])}
    told = study.run(fails=True)
    assert "squeue was not found, so there is no SLURM here: run this on the login node" in told


@pytest.mark.parametrize("found", ["none", "1.9.2"])
def test_the_executor_plugin_is_missing_or_too_old(study, found):
    pretend = study.folder / "pretend"
    pretend.mkdir()
    (pretend / "sitecustomize.py").write_text(
        "import importlib.metadata as metadata\n"
        "right = metadata.version\n"
        "def version(name):\n"
        "    if name != 'snakemake-executor-plugin-slurm':\n"
        "        return right(name)\n"
        f"    if {found!r} == 'none':\n"
        "        raise metadata.PackageNotFoundError(name)\n"
        f"    return {found!r}\n"
        "metadata.version = version\n"
    )
    study.environment = {**study.environment, "PYTHONPATH": str(pretend)}
    told = study.run(fails=True)
    assert (
        f"snakemake-executor-plugin-slurm 2.8 or later is needed, found: {found}. Install it"
        in told
    )
    assert "unrecognized arguments" not in told


def test_a_controller_that_does_not_answer(study, cluster):
    nowhere = study.folder / "slurm.conf"
    text = (cluster.root / "slurm.conf").read_text()
    nowhere.write_text(text.replace("SlurmctldPort=", "SlurmctldPort=1\n#"))
    code = "from wirbel.slurm import questions; questions.PATIENCE_SECONDS = 0; questions.ask('squeue')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **cluster.environment,
            "SLURM_CONF": str(nowhere),
            "PYTHONPATH": str(study.folder / "workflow_scripts"),
        },
        capture_output=True,
        text=True,
    )
    assert "SLURM did not answer `squeue`: look whether `sinfo` works" in done.stderr


def _few_programs(workflow) -> str:
    """Return a folder with nothing in it but a shell and what Snakemake needs of the system."""
    folder = workflow.folder / "programs"
    folder.mkdir()
    for name in ("/bin/bash", "/bin/sh", "/usr/bin/env", "/usr/bin/which"):
        (folder / name.rpartition("/")[2]).symlink_to(name)
    return str(folder)
