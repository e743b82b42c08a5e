"""One round of faults.py with chosen faults, enough to notice a broken promise, short enough for every change."""

import pytest
from support.cluster import faults
from support.cluster.cluster_workflow import read_until
from support.cluster.injections import FAULTS
from support.cluster.rounds import Round
from support.cluster.studies import ToyStudy

from wirbel.slurm.questions import jobname_prefix
from wirbel.study.ending.summary import summary

ORPHANS = "SLURM jobs of an earlier run on"
SUBMITTED = "has been submitted with SLURM jobid"
REASONED = "sub-03: failed at resample (unreadable): sub-03 is broken"


@pytest.fixture
def a_round(cluster, tmp_path):
    """Return a function that plays a round and returns its result and what a user is told at the end."""
    made = []

    def play(*kinds: str):
        study = ToyStudy(tmp_path, cluster.environment)
        made.append(study)
        result = Round(7, list(kinds), seed=7, cluster=cluster, study=study).play()
        return result, summary(study.output).text

    yield play
    for each in made:
        each.stop()
    cluster.cancel_all()


def test_nothing_is_lost_and_nothing_computed_twice(a_round):
    result, told = a_round("node_crash", "main_killed", "cancelled", "second_main")
    assert result.findings == ""
    assert "(ended)" not in result.faults.partition("cancelled")[0]
    assert REASONED in told


def test_jobs_of_a_killed_run_are_explained_and_stopped(workflow, cluster):
    workflow.scan("sub-01", "1")
    profile = workflow.folder / "profiles" / "slurm" / "config.yaml"
    profile.write_text(profile.read_text().replace("cpu: cpu,", "cpu: nowhere,"))
    names = {"old": jobname_prefix(workflow.output), "other": jobname_prefix(workflow.data)}
    job = {
        name: cluster.submit(f"--job-name={prefix}_x", "--wrap=sleep 600")
        for name, prefix in names.items()
    }
    workflow.run("--dry-run")
    assert set(cluster.jobs()) == set(job.values()), "a dry run stops nothing"
    told = workflow.run(fails=True)
    assert f"1 {ORPHANS} {workflow.output} are still there ({job['old']}): it ended without" in told
    assert cluster.jobs() == [job["other"]], "another output folder's jobs are left alone"


def test_a_job_that_the_controller_forgets_is_submitted_again(workflow, cluster):
    workflow.scan("sub-01", "1")
    sources = workflow.folder / "workflow_scripts"
    workflow.environment = {**workflow.environment, "PYTHONPATH": str(sources)}
    watching = sources / "snakemake_executor_plugin_wirbel_slurm" / "awaited.py"
    text = watching.read_text()
    assert "OVER_SECONDS = 3, 600.0" in text
    watching.write_text(text.replace("OVER_SECONDS = 3, 600.0", "OVER_SECONDS = 3, 4.0"))
    before = cluster.remember()
    for node in cluster.nodes:  # the job waits, so that nothing but the controller knows of it
        cluster.output("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test")
    run = workflow.start("--verbose")  # tells of single jobs
    read_until(run, SUBMITTED)
    cluster.forget(before)
    told = read_until(run, SUBMITTED)
    assert "SLURM has forgotten job" in told
    read_until(run, "Finished jobid")
    assert workflow.computed() == ["resample sub-01"]


def test_all_kinds_of_faults_take_turns():
    planned = [kind for kinds in faults.schedule(len(FAULTS), 4, 1, list(FAULTS)) for kind in kinds]
    assert {planned.count(kind) for kind in FAULTS} == {4}
    assert planned != [
        kind for kinds in faults.schedule(len(FAULTS), 4, 2, list(FAULTS)) for kind in kinds
    ]
