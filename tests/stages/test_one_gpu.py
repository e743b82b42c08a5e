"""Each process gets a GPU of its own; where there are too few, it waits."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wirbel

LISTED = """#!/bin/sh
echo 'GPU 0: NVIDIA A100 80GB (UUID: GPU-aaaa-{test})'
echo '  MIG 1g.10gb     Device  0: (UUID: MIG-1234)'
echo 'GPU 1: NVIDIA A100 80GB (UUID: GPU-bbbb-{test})'
"""


@pytest.fixture
def machine(tmp_path):
    """The environment of a machine that claims to have two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text(LISTED.format(test=os.getpid()))
    program.chmod(0o755)
    hidden = ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    sources = str(Path(wirbel.__file__).parents[1])
    path = f"{tmp_path}:{kept['PATH']}"
    return {**kept, "PATH": path, "TMPDIR": str(tmp_path), "PYTHONPATH": sources}


def _start(environment, seconds: float) -> subprocess.Popen:
    code = (
        "import os, time; from wirbel.runner.machine.one_gpu import hold_one; hold_one(); "
        f"print(os.environ.get('CUDA_VISIBLE_DEVICES', ''), flush=True); time.sleep({seconds})"
    )
    command = [sys.executable, "-c", code]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_processes_share_two_gpus_and_a_third_waits(machine):
    first, second = (_start(machine, 4) for _ in range(2))
    seen = {first.stdout.readline(), second.stdout.readline()}
    assert seen == {f"GPU-aaaa-{os.getpid()}\n", f"GPU-bbbb-{os.getpid()}\n"}
    third = _start(machine, 0)
    told, complained = third.communicate(timeout=60)
    assert "all 2 GPUs are in use; waiting for one" in complained
    assert told in seen
    assert first.wait(30) == second.wait(30) == 0


def test_a_named_gpu_is_kept_and_slurm_has_the_last_word(machine):
    chosen = {**machine, "CUDA_VISIBLE_DEVICES": f"only-{time.time_ns()}"}
    assert _start(chosen, 0).communicate()[0] == f"{chosen['CUDA_VISIBLE_DEVICES']}\n"
    by_slurm = {**machine, "CUDA_VISIBLE_DEVICES": "0,1", "SLURM_JOB_ID": "7"}
    assert _start(by_slurm, 0).communicate()[0] == "0,1\n"


def test_without_a_gpu_the_process_simply_runs(machine, tmp_path):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    assert _start(machine, 0).communicate()[0] == "\n"
