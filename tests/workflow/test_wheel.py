"""A wheel built from the repository installs and runs outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return the `bin` of a fresh environment with the wheel; its dependencies are this environment's own."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    left = (".venv*", ".git", "results", "*.egg-info", "build", "fetched", "__pycache__", "tests")
    ignored = shutil.ignore_patterns(*left)
    shutil.copytree(REPOSITORY, source, ignore=ignored, symlinks=True)
    line = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*line, "-w", str(folder), str(source)], check=True)
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    own = next(environment.glob("lib/python*/site-packages"))
    wheel = next(folder.glob("wirbel-*.whl"))
    line = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    line += ["install", "-q", "--no-deps", "--no-index", "--no-warn-script-location", str(wheel)]
    subprocess.run(line, check=True)
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


@pytest.fixture
def outside(tmp_path, monkeypatch) -> Path:
    """An empty working directory, and an environment that knows nothing of the checkout."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*command: str | Path, code: int = 0) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_it_carries_all_that_the_workflow_needs(installed, outside):
    told = run(installed / "wirbel", "doctor", outside)
    assert f"workflow in {installed.parent}" in told and "builtin: verified" in told
    assert f"{outside / 'data home' / 'wirbel' / 'models'}" in told
    assert "embedded" in run(installed / "wirbel", "models", "list")


def test_it_plans_and_simulates_and_measures_outside_the_checkout(installed, outside):
    wirbel = installed / "wirbel"
    small = "simulate={count: 1, regions: [lumbar]}"
    run(wirbel, "run", "scans", "results", small, "--", "simulate")
    told = run(wirbel, "run", "scans", "results", "-n")
    assert "1 new scan" in told and "resample" in told
    told = run(wirbel, "run", "scans", "results", "--cores", "1", "-q", "--", "--until", "resample")
    assert str(REPOSITORY) not in told
    status = json.loads(run(wirbel, "status", "results", "--json"))
    assert status["stages"][0]["done"] == 1 and status["stages"][1]["waiting"] == 1
    record = (outside / "results" / "logs" / "runs.tsv").read_text()
    assert "wirbel run scans results" in record.replace(str(installed) + os.sep, "")


def test_a_profile_to_edit_works_from_anywhere(installed, outside):
    (outside / "scans" / "sub-01" / "anat").mkdir(parents=True)
    (outside / "scans" / "sub-01" / "anat" / "sub-01_T2w.nii.gz").write_bytes(b"not opened")
    run(installed / "wirbel", "profile", "default", "my profile")
    told = run(installed / "wirbel", "run", "scans", "out", "-n", "--profile", "my profile")
    assert "1 scan found" in told
