"""How many files a reader needs to follow one scan: from the rule to bytes on the disk, and through the runner."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.models.inference_settings import SETTINGS
from support.studies import planned
from support.studies.batch_lists import update_batches
from support.studies.toy import Count, Double
from support.studies.toy_study import Study

from wirbel import runner
from wirbel.core.geometry import Volume
from wirbel.core.preparation.image import prepare_image
from wirbel.io.nifti.volumes import write_volume
from wirbel.io.sidecars import write_json
from wirbel.stages import resample

MOST_OF_RUNNER = 10
MOST_FILES = 12
RUNNER = Path(runner.__file__).parent
PACKAGE = RUNNER.parent
ROOT = PACKAGE.parents[1]
RULE = ["rules/chain.smk", "plan/chain.py", "study/workflow/rules.py"]
"""Where the command is made: the rule, the table of stages, and what the rule asks for."""


@pytest.fixture
def watch():
    """Let a function see every call from here on, in any thread, with the frame that calls."""

    def start(see: Callable) -> None:
        threading.setprofile(see)
        sys.setprofile(see)

    yield start
    sys.setprofile(None)
    threading.setprofile(None)


@pytest.mark.parametrize("stage", [Count(), Double()], ids=["first", "later"])
def test_a_scan_goes_through_few_files_of_the_runner(tmp_path, watch, stage):
    study = Study(tmp_path)
    study.scan("sub-01", "four")
    if isinstance(stage, Double):
        study.run(Count())
    executed = set()

    def see(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if event == "call" and frame.f_code.co_name != "<module>" and path.is_relative_to(RUNNER):
            executed.add(str(path.relative_to(RUNNER)))

    watch(see)
    code, records = study.run(stage, drops=["count"])
    sys.setprofile(None)
    assert (code, records["sub-01"].status) == (0, "ok")
    assert {"loop.py", "job.py", "steps.py"} <= executed
    assert len(executed) <= MOST_OF_RUNNER, sorted(executed)


def _files_above(frame) -> set[str]:
    """Return the files of the package from the command's start to a call that the stage makes; none of others."""
    files, asked = set(), False
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            files.add(str(path.relative_to(PACKAGE)))
        asked |= frame.f_code.co_qualname.startswith("ResampleStage.")
        frame = frame.f_back
    return files if asked else set()


def _told() -> set[str]:
    """Return the files that CONTRIBUTING.md names on the way."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## The way of a scan")[1].split("\n## ")[0]
    return set(re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE))


def test_from_the_rule_to_bytes_on_the_disk_it_takes_a_dozen_files(tmp_path, watch):
    """The files on the stack when the image is computed, and when its bytes get their final name."""
    scan, model = tmp_path / "in/sub-01/anat/sub-01_T2w.nii.gz", tmp_path / "model"
    write_volume(
        scan,
        Volume(np.random.default_rng(0).random((9, 72, 64), np.float32), np.diag([3.3, 1, 1, 1])),
    )
    settings = {"resolution_range": [2.0, 2.0, 3.0], "compatibility": "none"}
    write_json(model / "inference_config.json", SETTINGS | settings)
    output, on_the_way = tmp_path / "out", set(RULE)
    (batch,) = update_batches(tmp_path / "in", output, 100)

    def see(frame, event, argument):
        computes = event == "call" and frame.f_code is prepare_image.__code__
        writes = event == "c_call" and argument is os.replace
        if computes or writes:
            on_the_way.update(_files_above(frame))

    planned.plan_of(output, {**planned.BUILTIN, "semantic": model})
    watch(see)
    code = resample.main(["--plan", str(output / "work" / "plan.json"), "--batch", batch])
    sys.setprofile(None)
    assert code == 0 and (output / "work" / "resample" / "sub-01_image.nii.gz").exists()
    assert len(on_the_way) <= MOST_FILES, sorted(on_the_way)
    assert on_the_way == _told()
