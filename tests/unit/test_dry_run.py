"""What a dry run says, for decisions small enough to be written down."""

import logging
from pathlib import Path

from wirbel.study.decision.account import account, again_in_words
from wirbel.study.decision.batches import LATER, NEVER, Cause, Decision
from wirbel.study.decision.job_report import BeforeJobTable
from wirbel.study.listing.batch_rows import ListChange
from wirbel.study.listing.discovery import BatchPlan

STAGES = ("resample", "semantic", "merge")


def found(sizes, absent=(), left_out=frozenset(), **changes) -> BatchPlan:
    return BatchPlan(
        Path("out"), "fingerprint", sizes, {}, changes=changes, absent=absent, left_out=left_out
    )


def lines(sizes, causes, tables=None, changes=None, **more) -> list[str]:
    """Return what is told where `causes` is (stage, batch) -> causes, and all jobs that follow are planned."""
    first = {}
    for stage, batch in causes:
        place = STAGES.index(stage)
        first[batch] = min(first.get(batch, place), place)
    own = {job: tuple(told) for job, told in causes.items()}
    decision = Decision(STAGES, own, first)
    jobs = [*decision.running(*STAGES), *((name, "") for name in tables or {})]
    told = account(jobs, decision, found(sizes, **more, **changes or {}), tables or {})
    return [line.strip() for line in told.splitlines()]


def test_what_follows_from_a_changed_model_concerns_all_scans_of_its_batches():
    told = lines(
        {"b00001": 64, "b00002": 1_000},
        {("semantic", "b00001"): [Cause("another model is set")]},
        {"cohort": ["follows merge"]},
    )
    assert told == [
        "1,064 scans found: none new, changed or gone since the last run.",
        "What would run, on how many scans at most, and why:",
        "semantic       64 scans in 1 of 2 batches: another model is set",
        "merge          64 scans in 1 of 2 batches: follows semantic",
        "cohort         follows merge",
        "This was a dry run: nothing was written. Every single job: add --verbose.",
    ]


def test_a_new_batch_is_called_new_and_a_changed_one_counts_its_changed_scans_only():
    changed = ListChange(changed=frozenset("a"), gone=frozenset("bc"))
    told = lines(
        {"b00001": 9, "b00002": 2},
        {
            ("resample", "b00001"): [Cause("its list changed", frozenset("a"))],
            ("resample", "b00002"): [Cause("not computed yet")],
        },
        changes={"b00001": changed, "b00002": ListChange(frozenset("xy"))},
    )
    assert told[0] == "11 scans found: 2 new, 1 changed, 2 gone since the last run."
    counted = "3 scans in 2 of 2 batches: 2 new scans, 1 changed scan, 2 gone scans"
    assert told[2:4] == [f"resample       {counted}", f"semantic       {counted}"]


def test_causes_that_concern_some_scans_count_those():
    retry = Cause("failed scans are tried again", frozenset("ab"))
    told = lines({"b00001": 9}, {("resample", "b00001"): [retry]})
    assert told[2] == "resample       2 scans in 1 of 1 batch: failed scans are tried again"
    assert told[3] == "semantic       2 scans in 1 of 1 batch: follows resample"


def test_that_dropped_results_are_made_again_is_told_where_there_is_no_other_reason():
    told = lines({"b00001": 9}, {("resample", "b00001"): [Cause(LATER)]})
    assert told[2].endswith("a later stage changed that reads its results")
    both = [Cause(LATER), Cause("setting n4 changed")]
    told = lines({"b00001": 9}, {("resample", "b00001"): both})
    assert told[2].endswith(": setting n4 changed")


def test_scans_that_are_left_out_are_not_called_gone_and_absent_content_is_told():
    change = ListChange(gone=frozenset({"sub-01", "sub-02"}))
    told = lines(
        {"b00001": 9},
        {},
        changes={"b00001": change},
        left_out=frozenset({"sub-02"}),
        absent=("sub-03",),
    )
    assert told[0] == "9 scans found: 1 gone, 1 left out by the settings since the last run."
    assert told[1].startswith("1 scan of them without content (content_missing): sub-03.")
    assert "`datalad get`" in told[1]


def test_another_run_on_the_same_folder_is_mentioned():
    told = account([], Decision(STAGES), found({"b00001": 1}), {}, "process 7 on login1")
    assert "process 7 on login1 is at it already" in told


def test_the_account_comes_before_the_first_table_of_jobs_and_once():
    told = []
    watcher = BeforeJobTable(lambda: told.append("account"))
    for event in ("workflow_started", "run_info", "run_info"):
        record = logging.makeLogRecord({"msg": event, "event": event})
        assert watcher.filter(record)
        told.append(event)
    assert told == ["workflow_started", "account", "run_info", "run_info"]


def test_a_run_says_why_finished_results_are_made_again():
    """Three batches: all scans under another setting, one scan asked for, and a new one that needs no such sentence."""
    causes = {
        ("resample", "b00001"): (Cause(LATER),),
        ("merge", "b00001"): (Cause("setting n4 changed"),),
        ("resample", "b00002"): (Cause("asked for by recompute", frozenset({"sub-03"})),),
        ("resample", "b00003"): (Cause(NEVER),),
    }
    decision = Decision(STAGES, causes, {"b00001": 0, "b00002": 0, "b00003": 0})
    assert again_in_words(decision, found({"b00001": 1_000, "b00002": 2, "b00003": 7})) == [
        "Computed again, from resample on: 1 scan at most (asked for by recompute).",
        "Computed again, from resample on: 1,000 scans at most (setting n4 changed).",
    ]
