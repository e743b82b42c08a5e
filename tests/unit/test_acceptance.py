"""When a run asks a person first: much less of the data set is there than last time."""

from pathlib import Path

import pytest

from wirbel.manifests.records import Record, manifest_file, write_records
from wirbel.plan.plan import Plan
from wirbel.plan.stage_plan import StagePlan
from wirbel.study.listing.acceptance import doubts
from wirbel.study.listing.batch_rows import ListChange
from wirbel.study.listing.discovery import BatchPlan

PLAN = Plan(tuple(StagePlan(name, "code") for name in ("merge", "features")), bids_dir="/data")


def doubt(output, there, gone, finished, new=0, left_out=()):
    """Return what is doubted: `there` scans are found, of `gone` and `finished` the names."""
    records = [Record(name, "ok") for name in finished]
    write_records(manifest_file(output, "features", "b00001"), records)
    names = frozenset(f"new-{number}" for number in range(new))
    change = ListChange(new=names, gone=frozenset(gone))
    sizes = {"b00001": there}
    plan = BatchPlan(
        Path(output), "", sizes, {}, changes={"b00001": change}, left_out=frozenset(left_out)
    )
    return doubts(output, PLAN, plan)


SCANS = [f"sub-{number:03}" for number in range(100)]


@pytest.mark.parametrize(
    ("missing", "finished", "doubted"),
    [
        (SCANS[:5], SCANS, False),
        (SCANS[:6], SCANS, True),
        (SCANS[:3], SCANS[:10], True),
        (SCANS[:3], SCANS[50:60], False),
    ],
)
def test_a_twentieth_of_scans_or_finished_results_may_go(tmp_path, missing, finished, doubted):
    told = doubt(tmp_path, 100 - len(missing), missing, finished)
    assert bool(told) is doubted
    if doubted:
        assert f"{len(missing)} of the 100 scans of the last run are gone from /data" in told
        assert "accept_changes=true" in told


def test_new_scans_do_not_make_up_for_those_that_are_gone(tmp_path):
    assert doubt(tmp_path, 100, SCANS[:6], SCANS, new=6)


def test_scans_that_the_setting_participants_leaves_out_are_not_missed(tmp_path):
    assert not doubt(tmp_path, 2, SCANS[:98], SCANS, left_out=SCANS[:98])


def test_nothing_gone_nothing_asked(tmp_path):
    assert doubt(tmp_path, 100, [], SCANS) == ""
