"""With a labelling network the levels are named by a stage of its own, from which everything after follows."""

import json
import subprocess
import sys

import pytest
import yaml
from support.models.inference_settings import SETTINGS
from support.studies.toy_workflow import REPOSITORY

from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.study.settings.planning import Planner
from wirbel.study.settings.run_settings import checked_settings


def labelling_model(folder):
    """Lay a labelling network's folder; its weights are opened by the job only."""
    folder.mkdir()
    (folder / FILE_NAME).write_text(json.dumps({**SETTINGS, "modeltype": "classifier"}))
    (folder / "val_f1=0.9_valf1-weights.ckpt").write_bytes(b"opened by the job only")


def settings(**chosen):
    config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    schema = REPOSITORY / "config" / "schemas" / "config.schema.json"
    return checked_settings(config | {"bids_dir": "in"} | chosen, schema)


@pytest.fixture
def planned(tmp_path):
    """Return a function that tells what Snakemake would do with these models, rule by rule with its commands."""
    scan = tmp_path / "in" / "sub-01" / "anat" / "sub-01_T2w.nii.gz"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"not opened")
    labelling_model(tmp_path / "namer")

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
    assert "wirbel.stages.merge" in told and "wirbel.stages.label" not in told


def test_with_one_the_tables_follow_the_names(planned, tmp_path):
    code, told = planned(
        f"{{semantic: builtin, instance: builtin, labelling: {tmp_path / 'namer'}}}"
    )
    assert code == 0, told
    assert f"-m wirbel.stages.label --plan {tmp_path}/out/work/plan.json" in told
    measuring = told.split("Measuring the scans, batch b00001")[1].split("Job ")[0]
    assert f"updated by another job: {tmp_path}/out/work/label/b00001.tsv" in measuring


def test_the_plan_lets_merging_leave_the_names_to_it_and_drops_what_lies_between(tmp_path):
    models = {"semantic": "builtin", "instance": "builtin", "labelling": str(tmp_path / "namer")}
    labelling_model(tmp_path / "namer")
    plan = Planner(settings(models=models)).plan(None)
    assert plan.names == ("resample", "semantic", "instance", "merge", "label", "features")
    assert plan.naming == "label"
    assert plan.stage("merge").settings["naming_follows"] is True
    assert plan.stage("merge").drops == ("resample", "semantic", "instance")
    assert plan.stage("label").drops == ("merge",)
    assert [stage.stage for stage in plan.after("resample")] == list(plan.names[1:5])
    alone = Planner(settings(models="builtin")).plan(None)
    assert alone.names == ("resample", "semantic", "instance", "merge", "features")
    assert alone.stage("merge").settings["naming_follows"] is False


def test_a_network_that_was_not_fetched_stops_the_run_before_its_first_job(planned):
    code, told = planned("{semantic: builtin, instance: builtin, labelling: spineps-t2w}")
    assert code != 0
    assert "the labelling network of model 'spineps-t2w' has not been fetched" in told
    assert "--config models=spineps-t2w" in told
