"""What a dry run says, for graphs of jobs small enough to be written down."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
from wirbel.runner.dry_run import BeforeJobTable, account

from wirbel.runner.discovery import BatchPlan, ListChange
from wirbel.runner.records import FAILED, OK, Record, write_records

REASONS = (
    "forced",
    "incomplete_output",
    "missing_output",
    "updated_input",
    "input_changed",
    "code_changed",
    "software_stack_changed",
)


class Job:
    """As much of a Snakemake job as is asked for."""

    def __init__(self, rule, batch="", output="", **params):
        self.rule = SimpleNamespace(name=rule, norun=rule == "all")
        self.wildcards_dict = {"batch": batch} if batch else {}
        self.output, self.params = [output], params

    def __str__(self):
        return f"{self.rule.name} {self.wildcards_dict}"


class Graph:
    """As much of a Snakemake graph: `add` a job, why it runs, and the jobs whose results it reads."""

    def __init__(self):
        self.levels, self.reasons, self.dependencies, self.news = [], {}, {}, {}
        self.workflow = SimpleNamespace(persistence=self)

    def add(self, job, *reasons, after=(), new_params=()):
        self.levels.append([job])
        flags = {name: name in reasons for name in REASONS}
        self.reasons[job] = SimpleNamespace(**flags)
        self.dependencies[job] = dict.fromkeys(after, ())
        self.news[job] = set(new_params)
        return job

    def toposorted(self):
        return self.levels

    def reason(self, job):
        return self.reasons[job]

    def needrun(self, job):
        return job in self.reasons

    def params_changed(self, job):
        news = self.news[job]
        return SimpleNamespace(only_new={repr(value) for value in news}) if news else None


def plan(sizes, **changes) -> BatchPlan:
    return BatchPlan(Path("out"), "fingerprint", sizes, changes=changes)


def lines(graph, plan) -> list[str]:
    return [line.strip() for line in account(graph, plan).splitlines()]


def test_what_follows_from_a_changed_model_concerns_all_scans_of_its_batches():
    graph = Graph()
    first = graph.add(Job("semantic", "b00001", model="new"), new_params=["new"])
    later = graph.add(Job("instance", "b00001"), after=[first])
    graph.add(Job("cohort"), after=[later])
    told = lines(graph, plan({"b00001": 64, "b00002": 1_000}))
    assert told == [
        "1,064 scans found: none new, changed or gone since the last run.",
        "What would run, on how many scans at most, and why:",
        "semantic       64 scans in 1 of 2 batches: another model is set",
        "instance       64 scans in 1 of 2 batches: follows semantic",
        "cohort         follows instance",
        "This was a dry run: nothing was written. Every single job: add --verbose.",
    ]


def test_a_new_batch_is_called_new_and_a_changed_one_counts_its_changed_scans_only():
    graph = Graph()
    graph.add(Job("resample", "b00001"), "updated_input")
    graph.add(Job("resample", "b00002"), "missing_output")
    changed = ListChange(changed=frozenset("a"), gone=frozenset("bc"))
    told = lines(
        graph, plan({"b00001": 9, "b00002": 2}, b00001=changed, b00002=ListChange(frozenset("xy")))
    )
    assert told[0] == "11 scans found: 2 new, 1 changed, 2 gone since the last run."
    assert (
        told[2]
        == "resample       3 scans in 2 of 2 batches: 2 new scans, 1 changed scan, 2 gone scans"
    )


def test_trying_failed_scans_again_concerns_those_scans(tmp_path):
    manifest = tmp_path / "b00001.tsv"
    failures = [Record("a", FAILED, "unreadable"), Record("b", FAILED, "not_sagittal")]
    write_records(manifest, [*failures, Record("c", OK)])
    for wish, size in ("unreadable@7", 1), ("true@7", 2), ("unreadable,not_sagittal@7", 2):
        graph = Graph()
        graph.add(Job("resample", "b00001", manifest, retry=wish), new_params=[wish])
        (line,) = lines(graph, plan({"b00001": 3}))[2:-1]
        assert line.startswith(f"resample       {size} scan")
        assert line.endswith("in 1 of 1 batch: failed scans are tried again")


@pytest.mark.parametrize(
    ("reasons", "params", "words"),
    [
        (["missing_output"], {}, "not computed yet"),
        (["incomplete_output"], {}, "was cut off"),
        (["updated_input"], {}, "its inputs changed"),
        (["code_changed"], {}, "the rule changed"),
        (["forced"], {}, "asked for by --force"),
        ([], {"code": "abc"}, "the code changed"),
        ([], {"fingerprint": "abc"}, "the model's files changed"),
        ([], {"n4": "--no-n4"}, "setting n4 changed"),
        ([], {"retry": "false"}, "failed scans are no longer tried again"),
        (
            ["forced"],
            {"code": "abc", "n4": "--n4"},
            "asked for by --force, the code changed, setting n4 changed",
        ),
    ],
)
def test_every_reason_has_words(reasons, params, words):
    graph = Graph()
    graph.add(Job("merge", "b00001", **params), *reasons, new_params=params.values())
    assert lines(graph, plan({"b00001": 3}))[2].endswith(f"in 1 of 1 batch: {words}")


def test_another_run_on_the_same_folder_is_mentioned():
    told = account(Graph(), plan({"b00001": 1}), "process 7 on login1")
    assert "process 7 on login1 is at it already" in told


def test_the_account_comes_before_the_first_table_of_jobs_and_once():
    told = []
    watcher = BeforeJobTable(lambda: told.append("account"))
    for event in ("workflow_started", "run_info", "run_info"):
        record = logging.makeLogRecord({"msg": event, "event": event})
        assert watcher.filter(record)
        told.append(event)
    assert told == ["workflow_started", "account", "run_info", "run_info"]
