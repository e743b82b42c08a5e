"""With a labelling network the levels are named by a stage of its own, from which everything after follows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from inference_settings import SETTINGS

from wirbel.models.inference_config import FILE_NAME

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def planned(tmp_path):
    """Return a function that tells what Snakemake would do with these models, rule by rule with its commands."""
    scan = tmp_path / "in" / "sub-01" / "anat" / "sub-01_T2w.nii.gz"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"not opened")
    (tmp_path / "namer").mkdir()
    (tmp_path / "namer" / FILE_NAME).write_text(json.dumps({**SETTINGS, "modeltype": "classifier"}))
    (tmp_path / "namer" / "val_f1=0.9_valf1-weights.ckpt").write_bytes(b"opened by the job only")

    def plan(models):
        line = [sys.executable, "-m", "snakemake", "--profile", "profiles/default", "--dry-run"]
        line += ["--verbose", "--printshellcmds", "--config", f"bids_dir={tmp_path / 'in'}"]
        line += [f"output_dir={tmp_path / 'out'}", f"models={models}"]
        done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return plan


def test_without_a_labelling_network_there_is_no_such_stage(planned):
    code, told = planned("builtin")
    assert code == 0
    assert "wirbel.stages.label" not in told and "--naming-follows" not in told


def test_with_one_merging_leaves_the_names_to_it(planned, tmp_path):
    namer = tmp_path / "namer"
    code, told = planned(f"{{semantic: builtin, instance: builtin, labelling: {namer}}}")
    assert code == 0, told
    assert f"-m wirbel.stages.label --output-dir {tmp_path}/out" in told
    assert "--naming-follows" in told and f"--model {namer} " in told
    assert f"--previous {tmp_path}/out/work/label/b00001.tsv" in told, "the tables follow the names"
    assert "--stages resample semantic instance merge label features" in told
    assert "--stage label" in told
    assert "--drop resample semantic instance " in told and "--drop merge " in told
    asked = f"python -m wirbel.stages.label --model {namer} --semantic-model builtin"
    assert told.count(asked) == 4, "all stages before are told who reads what merging leaves"


def test_a_network_that_was_not_fetched_stops_the_run_before_its_first_job(planned):
    code, told = planned("{semantic: builtin, instance: builtin, labelling: spineps-t2w}")
    assert code != 0
    assert "the labelling network of model 'spineps-t2w' has not been fetched" in told
    assert "--config models=spineps-t2w" in told
