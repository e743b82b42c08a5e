"""What the rules are made of, without starting Snakemake."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from snakemake.logging import logger
from snakemake.settings.types import DAGSettings, DeploymentSettings, OutputSettings
from support.studies.bids_scans import put_scan

from wirbel.plan.chain import (
    ALL_STAGES,
    CHAIN,
    STAGES,
    job_of,
    stage_before,
    stages_of_job,
    stages_of_run,
)
from wirbel.study.workflow import start
from wirbel.study.workflow.rules import StudyRules

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Make rules for a data set of three scans, as a dry run of the main process or as a job's own process."""
    for name in ("PYTHONPATH", "PATH"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # so that they are put back
    filters = list(logger.filters)
    for number in (1, 2, 3):
        put_scan(tmp_path / "in", f"sub-{number}")

    def rules(*, is_main=True, **chosen):
        workflow = SimpleNamespace(
            is_main_process=is_main,
            executor_plugin=SimpleNamespace(name="dryrun"),
            dryrun=True,
            local_exec=False,
            output_settings=OutputSettings(dryrun=True),
            dag_settings=DAGSettings(),
            resource_settings=SimpleNamespace(default_resources=None),
            deployment_settings=DeploymentSettings(),
            dag=type("Graph", (), {})(),
        )
        config = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
        places = {"bids_dir": str(tmp_path / "in"), "output_dir": str(tmp_path / "out")}
        return StudyRules(workflow, config | places | {"batch_size": 2} | chosen, REPOSITORY)

    yield rules
    logger.filters[:] = filters


BATCH = SimpleNamespace(batch="b00001")


def test_all_stages_of_both_batches_are_to_be_made_at_first(make):
    rules = make()
    begun = rules.manifests_to_make(None)
    waiting, made = [*begun, *_own(rules, rules.gathered_by("cohort")(None))], set()
    while waiting:  # from a file to the job that makes it, and to its inputs, as Snakemake goes
        path = Path(waiting.pop()).relative_to(rules.output_dir)
        if path.parts[1] in STAGES:
            made.add(path.as_posix())
            waiting += _inputs(rules, path.parts[1], path.stem)
    assert made == {f"work/{stage}/b0000{n}.tsv" for stage in STAGES for n in (1, 2)}
    assert len(begun) == 2 and all("/resample/" in path for path in begun)
    assert not Path(rules.output_dir).exists(), "a dry run writes nothing"


def _inputs(rules, stage, batch):
    return _own(rules, rules.inputs_of(stage)(SimpleNamespace(batch=batch)))


def _own(rules, paths):
    """Return the paths without the stand-in of jobs that begin."""
    return [path for path in paths if path.startswith(f"{rules.output_dir}/")]


def test_a_job_reads_the_manifest_before_and_a_job_s_own_process_looks_nothing_up(make):
    for rules in (make(), make(is_main=False)):
        (path,) = rules.inputs_of("merge")(BATCH)
        assert path == f"{rules.output_dir}/work/instance/b00001.tsv"
    assert rules.inputs_of("resample")(BATCH) == [f"{rules.output_dir}/work/batches/b00001.tsv"]
    assert rules.gathered_by("cohort")(None) == []


def test_time_grows_with_the_batch_and_with_attempts_up_to_what_partitions_allow(make):
    rules = make()
    features = CHAIN[-1]
    asked = rules.needs(features)["runtime"]
    first = features.start_minutes + 2 * features.minutes_per_scan
    assert [asked(BATCH, attempt) for attempt in (1, 2)] == [first, 2 * first]
    one_scan = SimpleNamespace(batch="b00002")
    assert asked(one_scan, 1) == features.start_minutes + features.minutes_per_scan
    rules.longest_minutes = first + 1
    assert asked(BATCH, 3) == first + 1
    assert rules.needs(features)["mem_mb"](BATCH, 2) == 2 * features.mem_mb


def test_only_jobs_with_a_network_ask_for_a_gpu_and_both_networks_share_one(make):
    rules = make()
    wanting = {stage.name for stage in rules.chain if rules.needs(stage).get("gpu")}
    assert wanting == {"semantic", "label"}
    assert stages_of_job("instance") == stages_of_job("semantic") == ("semantic", "instance")
    assert [job_of(stage) for stage in ("instance", "merge")] == ["semantic", "merge"]
    manifests = [f"{rules.output_dir}/work/{s}/{{batch}}.tsv" for s in ("semantic", "instance")]
    assert rules.manifests("semantic") == manifests
    assert rules.program("semantic") == " semantic instance"
    assert rules.program("merge") == ".merge"


def test_a_job_of_two_stages_asks_for_the_time_of_both_and_for_one_start(make):
    rules = make()
    both = next(job for job in rules.chain if job.name == "semantic")
    parts = [stage for stage in CHAIN if stage.name in ("semantic", "instance")]
    assert both.minutes_per_scan == sum(stage.minutes_per_scan for stage in parts)
    assert both.start_minutes == parts[0].start_minutes
    assert both.mem_mb == max(stage.mem_mb for stage in parts)


@pytest.mark.parametrize(
    ("labelling", "stage", "before"),
    [
        (False, "resample", None),
        (False, "features", "merge"),
        (True, "features", "label"),
        (True, "label", "merge"),
        (False, "label", "merge"),
        (False, "ingest", None),
    ],
)
def test_which_stage_comes_before(labelling, stage, before):
    assert stage_before(stage, stages_of_run(labelling)) == before


def test_dicom_is_converted_before_anything_else():
    assert stages_of_run(True, True) == ALL_STAGES
    assert stages_of_run(False, True) == ("ingest", *STAGES)
    assert stage_before("resample", stages_of_run(False, True)) == "ingest"


def test_a_wrong_setting_and_a_folder_of_others_end_the_start_in_one_sentence(make, tmp_path):
    with pytest.raises(SystemExit, match="unknown setting 'batchsize'"):
        make(batchsize=2)
    with pytest.raises(SystemExit, match="is bids_dir itself"):
        make(output_dir=str(tmp_path / "in"))
    with pytest.raises(SystemExit, match="bids_dir is not set"):
        make(bids_dir="").manifests_to_make(None)


@pytest.mark.parametrize("again", ["--config", "-C", "--config=n4=false"])
def test_a_second_config_by_which_the_first_would_be_lost_ends_the_start(make, monkeypatch, again):
    monkeypatch.setattr(sys, "argv", ["snakemake", "--config", "bids_dir=in", again, "n4=false"])
    with pytest.raises(SystemExit, match="--config is given 2 times"):
        make()
    make(is_main=False)


def test_a_start_that_is_interrupted_ends_in_one_sentence(make, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "look", interrupted)
    with pytest.raises(SystemExit, match="interrupted before the first job"):
        make().manifests_to_make(None)


def test_jobs_find_this_package_and_this_python_whatever_the_user_has_activated(make):
    make()
    assert os.environ["PYTHONPATH"] == str(REPOSITORY / "workflow_scripts")
    assert "/bin" in os.environ["PATH"].split(os.pathsep)[0]
