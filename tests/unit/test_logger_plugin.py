"""What the terminal shows of a run, from Snakemake's own records."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import snakemake
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

import snakemake_logger_plugin_wirbel.handler as plugin
from snakemake_logger_plugin_wirbel import LogHandler, screen
from snakemake_logger_plugin_wirbel.bars import Bars
from snakemake_logger_plugin_wirbel.plain import Plain
from wirbel.manifests.records import FAILED, OK, Record, manifest_file, write_records
from wirbel.study.watching.pace import Pace
from wirbel.study.watching.status import StageStatus, Status

SNAKEMAKE = str(Path(snakemake.__file__).with_name("workflow.py"))


@dataclass
class Settings:
    printshellcmds: bool = False
    nocolor: bool = True
    quiet: set = field(default_factory=set)
    debug_dag: bool = False
    verbose: bool = False
    show_failed_logs: bool = False
    stdout: bool = False
    dryrun: bool = False


@pytest.fixture
def told(monkeypatch):
    """Return a function that shows records under settings and returns what a person reads."""

    def show(*records: logging.LogRecord, **settings) -> str:
        stream = io.StringIO()
        monkeypatch.setattr(plugin.sys, "stderr", stream)
        handler = LogHandler(Settings(**settings), None)
        for record in records:
            handler.emit(record)
        handler.close()
        return stream.getvalue()

    return show


def record(text: str, level=logging.INFO, path: str = "rules/common.smk", **more):
    made = logging.LogRecord("snakemake.logging", level, path, 1, text, (), None)
    vars(made).update(more)
    return made


def job(
    number: int, rule: str, batch: str = "", message: str = "", event=LogEvent.JOB_INFO, **more
):
    wildcards = {"batch": batch} if batch else {}
    more = {"jobid": number, "rule_name": rule, "rule_msg": message, "wildcards": wildcards} | more
    return record(f" Rule: {rule}", event=event, path=SNAKEMAKE, **more)


def finished(number: int):
    return record("Finished jobid", event=LogEvent.JOB_FINISHED, job_id=number, path=SNAKEMAKE)


def status(done: int, failed: int = 0, left: float | None = 90.0) -> Status:
    stages = (
        StageStatus("resample", done, failed, 0, 1, 9 - done - failed),
        StageStatus("features", waiting=10),
    )
    pace = Pace({}, 10.0, None if left is None else 120.0, left)
    return Status("out", 10, 0, failed, stages, (), "process 1", {}, pace)


def test_snakemake_finds_the_plugin():
    assert "wirbel" in LoggerPluginRegistry().plugins


def test_sentences_of_the_rules_are_shown_and_snakemakes_preamble_is_not(told):
    preamble = [
        record("Building DAG of jobs...", path=SNAKEMAKE),
        record("", event=LogEvent.WORKFLOW_STARTED, path=SNAKEMAKE),
        record("Job stats: ...", event=LogEvent.RUN_INFO, path=SNAKEMAKE),
        record("1 of 9 steps", event=LogEvent.PROGRESS, path=SNAKEMAKE),
    ]
    assert told(*preamble, record("4 scans found")) == "4 scans found\n"


def test_warnings_and_errors_are_shown_whoever_says_them(told):
    warning = record("A node is down", logging.WARNING, SNAKEMAKE)
    error = record("No space left", logging.ERROR, SNAKEMAKE, event=LogEvent.ERROR)
    assert told(warning, error, quiet={Quietness.ALL}) == "A node is down\nNo space left\n"


@pytest.mark.parametrize("quiet", [set(), {Quietness.ALL}, {Quietness.PROGRESS, Quietness.RULES}])
def test_the_summary_comes_however_quiet(told, quiet):
    summary = record(
        "", wirbel_summary="3 scans measured, 1 failed\nTable: out/cohort/vertebrae.csv"
    )
    assert told(summary, quiet=quiet).split("\n")[1:3] == [
        "3 scans measured, 1 failed",
        "Table: out/cohort/vertebrae.csv",
    ]


def test_a_dry_run_shows_the_table_of_jobs(told):
    table = record("Job stats: 9 jobs", event=LogEvent.RUN_INFO, path=SNAKEMAKE)
    assert "Job stats" in told(table, dryrun=True)


def test_verbose_is_as_wordy_as_snakemake(told):
    wordy = told(record("Building DAG of jobs...", path=SNAKEMAKE), verbose=True)
    assert wordy == "Building DAG of jobs...\n"


def test_jobs_of_batches_are_silent_and_others_say_what_they_are_about(told):
    batch = job(1, "resample", "b00001", "Resampling batch b00001")
    assert (
        told(batch, job(2, "cohort", message="Collecting the tables")) == "Collecting the tables\n"
    )


def test_scans_that_failed_are_named_when_their_job_ends_and_only_once(told, tmp_path):
    path = manifest_file(tmp_path, "resample", "b00001")
    bad = Record("sub-02", FAILED, "unreadable", "sub-02_T2w.nii.gz \x1b[2J is cut off")
    write_records(path, [Record("sub-01", OK), bad])
    begin = record("2 scans found", wirbel_output=str(tmp_path))
    twice = [job(1, "resample", "b00001"), finished(1)] * 2
    shown = told(begin, *twice, quiet={Quietness.PROGRESS})
    line = r"sub-02: failed at resample (unreadable): sub-02_T2w.nii.gz \x1b[2J is cut off"
    assert shown == f"2 scans found\n{line}\n"


def test_a_failed_job_is_one_line_with_the_end_of_its_log(told, tmp_path):
    log = tmp_path / "b00001.log"
    log.write_text("semantic b00001: started\nsemantic: the disk is full\n\n")
    failed = job(1, "semantic", "b00001", event=LogEvent.JOB_ERROR, log=[str(log)])
    shown = told(job(1, "semantic", "b00001"), failed)
    assert shown == f"semantic b00001: the job failed: the disk is full (see {log})\n"
    gone = job(2, "cohort", event=LogEvent.JOB_ERROR, log=[str(tmp_path / "none.log")])
    assert told(gone).startswith("cohort: the job failed (see ")


def test_the_command_of_a_failed_job_is_not_repeated(told):
    text = "RuleException:\nCalledProcessError in file chain.smk, line 28:\nCommand 'python' returned 1"
    repeated = record(text, logging.ERROR, SNAKEMAKE)
    assert told(repeated) == "" and "Command" in told(repeated, verbose=True)
    other = record("RuleException:\nValueError in file x.smk", logging.ERROR, SNAKEMAKE)
    assert "ValueError" in told(other)


def test_commands_are_shown_where_wished_for(told):
    command = record("", event=LogEvent.SHELLCMD, shellcmd="python -m wirbel", path=SNAKEMAKE)
    assert told(command) == "" and told(command, printshellcmds=True) == "python -m wirbel\n"


def test_bars_show_scans_and_the_time_left():
    stream = io.StringIO()
    console = screen.Console(file=stream, force_terminal=True, width=100, no_color=True)
    bars = Bars(console)
    bars.show(status(4, failed=1))
    bars.show(status(9, failed=1, left=None))
    bars.close()
    shown = stream.getvalue()
    assert "10/10 scans, 1 failed" in shown and "0/10 scans" in shown
    assert "resample" in shown and "features" in shown


def test_without_a_terminal_a_line_comes_when_something_changed_and_seldom_enough(monkeypatch):
    lines: list[str] = []
    clock = [100.0]
    monkeypatch.setattr("snakemake_logger_plugin_wirbel.plain.time.monotonic", lambda: clock[0])
    plain = Plain(lines.append)
    for seconds, done in ((0, 0), (1, 1), (2, 2), (12, 2), (13, 2), (40, 2), (60, 3)):
        clock[0] = 100.0 + seconds
        plain.show(status(done))
    told = [line.split(" ", 1)[1].split(", 120")[0] for line in lines]
    assert told == ["resample 0/10", "resample 2/10", "resample 3/10"]
    assert lines[0].endswith("120 scans per hour, about 2 min left")
