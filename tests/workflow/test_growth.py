"""A study grows and its settings change: exactly the scans concerned are computed, and -n says so before."""

import os
import shutil

import pytest
from support.studies.toy_workflow import CHAIN, model

from wirbel.plan.chain import job_of


def everything_in(folder) -> dict:
    """Return content and time stamp of every file."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_added_corrected_and_removed_scans(workflow):
    """sub-02 is corrected in place, sub-03 only touched, sub-04 removed, sub-00 delivered late."""
    paths = {n: workflow.scan(f"sub-{n:02}", str(n)) for n in (1, 2, 3, 4)}
    told = workflow.run("-n", batch_size=4)
    assert "4 scans found: 4 new since the last run." in told
    assert "resample       4 scans in 1 of 1 batch: 4 new scans\n" in told
    assert not workflow.output.exists()
    workflow.run(batch_size=4)
    workflow.computed()

    folder = os.stat(paths[2].parent)
    workflow.scan("sub-02", "X")
    assert os.stat(paths[2].parent).st_mtime_ns == folder.st_mtime_ns
    os.utime(paths[3])
    paths[4].unlink()
    workflow.scan("sub-00", "new")
    before = everything_in(workflow.output)
    told = workflow.run("-n", batch_size=5)
    assert "A run would stop: 1 of the 4 scans of the last run are gone from" in told
    assert everything_in(workflow.output) == before
    assert "4 scans found: 1 new, 2 changed, 1 gone since the last run." in told
    for stage in CHAIN:
        line = f"{stage:14} 3 scans in 2 of 2 batches: 1 new scan, 2 changed scans, 1 gone scan\n"
        assert line in told
    assert "cohort         follows features\n" in told

    assert "add accept_changes=true to --config" in workflow.run(fails=True, batch_size=5)
    assert everything_in(workflow.output).keys() == before.keys()
    workflow.run(batch_size=5, accept_changes="true")
    assert workflow.computed() == sorted(
        f"{stage} {scan}" for stage in CHAIN for scan in ("sub-00", "sub-02")
    )
    assert workflow.tables()["scans.csv"] == (
        b"scan_id,value\nsub-00,newRSIMF\nsub-01,1RSIMF\nsub-02,XRSIMF\nsub-03,3RSIMF\n"
    )
    workflow.data = workflow.data.rename(workflow.data.with_name("moved"))
    workflow.run(batch_size=64)
    assert workflow.computed() == []
    assert "Nothing to be done" in workflow.run("-n", batch_size=64)


def test_another_model_and_another_setting(workflow):
    for number in (1, 2, 3):
        workflow.scan(f"sub-{number:02}", str(number))
    b, c = (model(workflow.folder / name, "instance", name) for name in "bc")
    settings = {"batch_size": 4, "models": f"{{semantic: builtin, instance: {b}}}"}
    workflow.run(**settings)
    workflow.computed()

    settings["models"] = f"{{semantic: builtin, instance: {c}}}"
    told = workflow.run("-n", **settings)
    assert "3 scans found: none new, changed or gone since the last run." in told
    assert "instance       3 scans in 1 of 1 batch: another model is set" in told
    assert "features       3 scans in 1 of 1 batch: follows merge\n" in told
    dropped = (
        "resample       3 scans in 1 of 1 batch: a later stage changed that reads its results\n"
    )
    assert dropped in told
    assert "semantic       3 scans in 1 of 1 batch: follows resample\n" in told
    workflow.run(**settings)
    assert len(workflow.computed()) == 3 * len(CHAIN)

    workflow.scan("sub-04", "4")
    told = workflow.run("-n", n4="false", **settings)
    assert (
        "resample       4 scans in 2 of 2 batches: 1 new scan, setting n4 changed (in 1 batch)\n"
        "  semantic       4 scans in 2 of 2 batches: 1 new scan, follows resample (in 1 batch)\n"
    ) in told
    workflow.run(n4="false", **settings)
    assert len(workflow.computed()) == 4 * len(CHAIN)


def test_a_job_looks_at_its_own_batch_only(workflow):
    """On a compute node Snakemake starts once more; the data set may be gone by then, or 30,000 scans large."""
    for number in (1, 2):
        workflow.scan(f"sub-{number:02}", str(number))
    workflow.run("--until", "resample")
    workflow.computed()
    shutil.rmtree(workflow.data)
    (workflow.output / "work" / "batches" / "b00002.tsv").write_text("not to be opened")
    target = ["--target-jobs", "semantic:batch=b00001", "--allowed-rules", "semantic"]
    workflow.run(*target, "--mode", "remote", "--cores", "1", "--force", "--no-hooks")
    assert workflow.computed() == ["instance sub-01", "semantic sub-01"]


@pytest.mark.parametrize("stage", ["resample", "semantic", "merge"])
def test_a_correction_is_not_lost_when_its_job_is_stopped(finished, stage):
    """Snakemake removes a job's manifest before it starts; killed then, all later results are there, and look newer."""
    finished.computed()
    finished.scan("sub-02", "7")
    place = CHAIN.index(stage)
    if place:
        finished.run("--until", job_of(CHAIN[place - 1]))
    (finished.output / "work" / stage / "b00001.tsv").unlink()
    for later in CHAIN[place + 1 :]:  # their node's clock was ahead
        manifest = finished.output / "work" / later / "b00001.tsv"
        ahead = manifest.stat().st_mtime + 12 * 3600
        os.utime(manifest, (ahead, ahead))
    finished.run()
    assert b"sub-02,7RSIMF" in finished.tables()["scans.csv"]
    assert "Nothing to be done" in finished.run()


def test_a_correction_is_noticed_although_the_manifest_looks_newer(finished):
    """The first stage ran on a node whose clock was half a day ahead; meanwhile a scan is replaced."""
    finished.computed()
    manifest = finished.output / "work" / "resample" / "b00001.tsv"
    ahead = manifest.stat().st_mtime + 12 * 3600
    os.utime(manifest, (ahead, ahead))
    finished.scan("sub-02", "7")
    told = finished.run("-n")
    assert "resample       1 scan in 1 of 1 batch: 1 changed scan\n" in told
    assert os.stat(manifest).st_mtime == ahead
    finished.run()
    assert finished.computed() == sorted(f"{stage} sub-02" for stage in CHAIN)
    assert b"sub-02,7RSIMF" in finished.tables()["scans.csv"]
    assert "Nothing to be done" in finished.run()
