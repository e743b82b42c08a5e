"""What Snakemake plans for different settings, and what it says to a user who got one wrong."""

import pytest
from support.studies.toy_workflow import model

CHAIN_JOBS = {"resample": 2, "semantic": 2, "merge": 2, "features": 2}
ALL_JOBS = {**CHAIN_JOBS, "cohort": 1, "pictures": 2, "contact_sheet": 1, "report": 1, "all": 1}


@pytest.fixture
def study(workflow):
    for number in (1, 2, 3):
        workflow.scan(f"sub-{number:02}", str(number))
    return workflow


def _planned(told: str) -> dict[str, int]:
    """Return rule -> number of jobs from Snakemake's table."""
    table = told.split("Job stats:")[1].split("total")[0]
    rows = [line.split() for line in table.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


@pytest.mark.parametrize(
    ("settings", "jobs"),
    [
        ({"batch_size": 2}, ALL_JOBS),
        (
            {"batch_size": 64, "participants": "[sub-01,'02']", "n4": "no"},
            dict.fromkeys(ALL_JOBS, 1),
        ),
        (
            {
                "batch_size": 2,
                "models": "{semantic: builtin, instance: b c}",
                "retry_failed": "true",
            },
            ALL_JOBS,
        ),
    ],
)
def test_the_number_of_jobs_follows_the_batches(study, settings, jobs):
    study.output = study.output / "a folder with blanks"
    model(study.folder / "b c", "instance")
    assert _planned(study.run("--dry-run", **settings)) == jobs


def test_blanks_and_quotes_in_folder_names_do_no_harm(study):
    study.output = study.output / "a folder with 'quotes' and blanks"
    study.run(batch_size=3)
    assert b"sub-03,3RSIMF" in study.tables()["scans.csv"]


def test_the_other_targets_need_no_scans(workflow):
    assert _planned(workflow.run("--dry-run", "simulate")) == {"simulate": 1}
    assert _planned(workflow.run("--dry-run", "verify")) == {"verify": 1}
    assert not workflow.output.exists()
    told = workflow.run("--dry-run", "simulate", fails=True, bids_dir="")
    assert "bids_dir is not set" in told


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"batchsize": 2}, "unknown setting 'batchsize': did you mean 'batch_size'?"),
        ({"bids_dir": "nowhere"}, "bids_dir nowhere is not a folder"),
        ({"bids_dir": ""}, "bids_dir is not set"),
        ({"bids_dir": "config"}, "no scan found: expected sub-*/[ses-*/]anat/*_T2w.nii.gz"),
        ({"participants": "sub-09"}, "participants not found in"),
        ({"models": "biultin"}, "'biultin' is neither a model .* did you mean 'builtin'?"),
        ({"models": "/no/such/model"}, "there is no /no/such/model; correct the name or the path"),
        ({"models": "{labelling: builtin}"}, "setting 'models': 'semantic' is a required property"),
        (
            {"models": "{semantic: models/builtin/instance, instance: builtin}"},
            "expected 'nnunet' of a semantic model, found 'unet'",
        ),
    ],
)
def test_a_wrong_setting_is_explained_in_one_sentence(study, settings, sentence):
    told = study.run("--dry-run", fails=True, **settings)
    assert all(part in told for part in sentence.split(" .* "))
    assert "Traceback (most recent" not in told


def test_a_wrong_model_is_told_before_the_first_job_and_no_list_is_written(study):
    told = study.run(fails=True, models="biultin")
    assert "did you mean 'builtin'?" in told
    assert not study.computed() and not (study.output / "work" / "batches").exists()


def test_a_model_that_is_in_order_is_hashed_once(study):
    study.run("--dry-run", batch_size=3)
    assert not study.output.exists()
    study.run(batch_size=3)
    memory = study.output / "work" / "models.json"
    assert "models/builtin/semantic/plans.json" in memory.read_text()
    before = memory.stat().st_mtime_ns
    assert "Nothing to be done" in study.run(batch_size=3)
    assert memory.stat().st_mtime_ns == before


def test_toy_weights_are_told_at_the_start_and_refused_on_a_cluster(study):
    assert "TOY WEIGHTS: builtin (semantic, instance)" in study.run("--dry-run")
    for kind in ("semantic", "instance"):
        model(study.folder / "others" / kind, kind)
    other = study.run("--dry-run", models="others")
    assert "TOY WEIGHTS" not in other
    slurm = ("--profile", "profiles/slurm", "--dry-run")
    told = study.run(*slurm, fails=True)
    assert "On a cluster they are refused" in told and "allow_toy_weights=true" in told
    assert not study.output.exists()
    assert "TOY WEIGHTS" in study.run(*slurm, allow_toy_weights="true")


def test_the_data_set_and_other_data_sets_are_never_written_to(study, tmp_path):
    description = study.data / "dataset_description.json"
    description.write_text('{"Name": "A study", "DatasetType": "raw"}')
    (tmp_path / "link").symlink_to(study.data)
    before = sorted(study.data.rglob("*"))
    for output in (study.data, tmp_path / "link", study.data / "sub-01"):
        for target in ((), ("verify",), ("--dry-run",)):
            assert "bids_dir" in study.run(*target, fails=True, output_dir=output)
    assert sorted(study.data.rglob("*")) == before
    assert description.read_text() == '{"Name": "A study", "DatasetType": "raw"}'


def test_what_evaluate_compares_with_is_looked_at_before_anything_is_computed(study):
    told = study.run("--dry-run", "evaluate", fails=True)
    assert "derivatives/truth: expected a folder with label maps, found nothing" in told
    told = study.run("evaluate", fails=True, reference="~/no/such/folder")
    assert "/no/such/folder: expected a folder" in told and "~" not in told.split("reference ")[1]
    assert not (study.output / "work" / "resample").exists()


def test_a_home_folder_that_cannot_be_written_does_not_matter(study, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/nobody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert "3 scans found" in study.run("--dry-run")
