"""GPUs are shared out on one machine; programs may come from a container."""

import os
import re

APPTAINER = """#!/bin/sh
# Stands for the real one: notes how it is called and runs the command here.
[ "$1" = --version ] && echo 'apptainer version 1.3.4' && exit
echo "$@" >> {log}
for last; do :; done
exec bash -c "$last"
"""
NVIDIA_SMI = """#!/bin/sh
echo 'GPU 0: NVIDIA A100 (UUID: GPU-a-{test})'
echo 'GPU 1: NVIDIA A100 (UUID: GPU-b-{test})'
"""
NOTE = """import atexit, os, time
from functools import cache
from wirbel.runner import loop as runner
held = runner.hold_one
def note(what):
    with open({log!r}, "a") as log:
        log.write(f"{{time.monotonic()}} {{what}} {{os.environ.get('CUDA_VISIBLE_DEVICES')}}\\n")
@cache
def hold_and_note():
    held()
    note("begin")
    atexit.register(note, "end")
runner.hold_one = hold_and_note
"""


def _program(folder, name: str, text: str, monkeypatch) -> None:
    """Put a program before all others of its name."""
    programs = folder / "programs"
    programs.mkdir()
    (programs / name).write_text(text)
    (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def test_jobs_never_outnumber_the_gpus_and_never_share_one(workflow, tmp_path, monkeypatch):
    _program(tmp_path, "nvidia-smi", NVIDIA_SMI.format(test=os.getpid()), monkeypatch)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    log = tmp_path / "gpus.log"
    stages = workflow.folder / "workflow_scripts" / "wirbel" / "stages"
    first = stages / "semantic.py"  # `instance` follows it in the same process, on the same GPU
    first.write_text(NOTE.format(log=str(log)) + first.read_text())
    for number in range(3):
        workflow.scan(f"sub-{number:02}", str(number))
    workflow.run(sleep=1.0, batch_size=1)
    busy, most = set(), 0
    for line in sorted(log.read_text().splitlines()):
        _, what, device = line.split()
        assert re.fullmatch(rf"GPU-[ab]-{os.getpid()}", device)
        assert (device in busy) == (what == "end"), "a GPU given to two jobs at once"
        busy ^= {device}
        most = max(most, len(busy))
    assert most == 2


def test_jobs_run_in_the_container_that_was_named(workflow, tmp_path, monkeypatch):
    log = tmp_path / "calls.log"
    _program(tmp_path, "apptainer", APPTAINER.format(log=log), monkeypatch)
    image = tmp_path / "wirbel.sif"
    image.touch()
    workflow.scan("sub-01", "1")
    workflow.run("--software-deployment-method", "apptainer", container=image)
    calls = log.read_text()
    assert len(re.findall(rf"exec --home '?{re.escape(str(workflow.folder))}'? ", calls)) == 8
    assert f"{image} bash -c" in calls or f"{image} sh -c" in calls
    assert b"sub-01,1RSIMF" in workflow.tables()["scans.csv"]
