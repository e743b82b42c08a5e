"""What a person is told at the end: what it cost, what is kept, and which jobs failed for which reason."""

import csv
import subprocess
import sys

import numpy as np
import pytest

from wirbel.manifests.records import Record, manifest_file, write_records
from wirbel.plan.chain import STAGES
from wirbel.runner.machine.joblogs import KILLED, USED, read_job_log
from wirbel.runner.machine.process import Usage, usage, used_lately
from wirbel.study.ending.summary import summary

MEASURED = Usage(100.0, 50.0, 2000.0)
DONE = "2 ok; 2 of 2 computed now"
BATCH = "b00001"


@pytest.fixture
def output(tmp_path):
    """Two scans through all stages; sub-02 fails at `instance`. Every job took 100 s, a scan 10 s a stage."""
    lists = tmp_path / "work" / "batches"
    lists.mkdir(parents=True)
    (lists / f"{BATCH}.tsv").write_text("scan_id\n")
    for number, stage in enumerate(STAGES):
        device = "cuda" if stage in ("semantic", "instance") else "cpu"
        files = (f"{stage}.nii.gz", f"{stage}.json")
        good = Record("sub-01", "ok", "", "", f"k{number}", 10.0, files, (900, 100), "", device)
        bad = Record("sub-02", "failed", "no_spine_found", "none", "k", 5.0)
        if number < 2:
            bad = Record("sub-02", "ok", "", "", "k", 10.0, files, (900, 100), "", device)
        if number > 2:
            bad = Record("sub-02", "skipped", "no_spine_found", "none", "k")
        write_records(manifest_file(tmp_path, stage, BATCH), [good, bad])
        _log(tmp_path, stage, "started: 2 scans, process 1 on n1", USED.format(MEASURED), DONE)
    return tmp_path


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _log(output, stage, *lines):
    text = "".join(f"{stage} {BATCH}: {line}\n" for line in lines)
    path = output / "logs" / f"{BATCH}.log"
    _write(path, (path.read_text() if path.exists() else "") + text)


def _table(output, name):
    with open(output / "logs" / "benchmarks" / f"{name}.csv") as stream:
        return list(csv.DictReader(stream))


def test_the_summary_says_what_it_cost_and_what_is_kept(output):
    told = summary(output).text.splitlines()
    assert told[0] == "1 scan measured, 1 failed"
    assert (
        "Cost: 0.069 CPU-hours and 0.056 GPU-hours in 5 jobs; the largest took 2 GB of memory"
        in told
    )
    (typical,) = [
        line for line in told if line.startswith("A typical scan: 50 s (resample 10, semantic 10")
    ]
    assert typical.endswith("4 files and 0.002 MB kept")


def test_costs_by_stage_job_and_scan(output):
    again = USED.format(Usage(60.0, 40.0, 1000.0))
    _log(output, "merge", "started: 2 scans", "terminated", "started: 2 scans", again, DONE)
    summary(output)
    stages = {row["stage"]: row for row in _table(output, "stages")}
    assert list(stages) == list(STAGES)
    assert (stages["semantic"]["gpu_seconds"], stages["merge"]["gpu_seconds"]) == ("100.0", "0.0")
    assert (stages["merge"]["starts"], stages["merge"]["jobs"]) == ("3", "1")
    assert stages["instance"]["median_seconds_per_scan"] == "7.5"
    cpu_seconds = [row["cpu_seconds"] for row in _table(output, "jobs")]
    assert cpu_seconds == ["50.0", "50.0", "50.0", "40.0", "50.0"], "those of the last attempt"
    first, second = _table(output, "scans")
    assert (first["scan_id"], first["seconds"], first["gpu_seconds"]) == ("sub-01", "50.0", "20.0")
    assert (first["final_files"], first["final_bytes"]) == ("4", "2000")
    assert (second["status"], second["seconds"], second["final_files"]) == ("skipped", "25.0", "0")


def test_a_failed_job_is_named_with_its_sentence_and_its_log(output):
    for stage in ("merge", "features"):
        manifest_file(output, stage, BATCH).unlink()
    log = output / "logs" / "merge" / f"{BATCH}.log"
    _write(log, f"merge {BATCH}: started: 2 scans\nmerge: the file system refused: no space\n")
    told = summary(output).text
    assert "1 job failed because of the machine or the installation" in told
    assert f"merge {BATCH}: the file system refused: no space (see {log})" in told
    row = f"merge\t{BATCH}".replace("\t", ",")
    assert (output / "logs" / "failed_jobs.csv").read_text().splitlines()[1].startswith(row)


def test_tables_that_a_run_did_not_come_to_are_not_blamed_on_jobs(output):
    """As with `--until merge`, or after Ctrl-C."""
    told = summary(output).text
    assert "cohort was not made, as the run ended before it" in told
    _write(output / "cohort" / "vertebrae.csv", "of an earlier run")
    told = summary(output).text
    assert "cohort was not made again, as the run ended before it" in told
    assert "cohort/vertebrae.csv is from an earlier run" in told
    manifest_file(output, "features", BATCH).unlink()
    _write(output / "logs" / "features" / f"{BATCH}.log", "features: out of memory\n")
    assert "cohort was not made again, as jobs before it failed" in summary(output).text


def test_empty_logs_go_and_others_stay(output):
    _write(output / "logs" / "merge" / f"{BATCH}.log", "")
    _write(output / "logs" / "merge" / "b00002.log", "merge: out of memory\n")
    summary(output)
    assert [path.name for path in (output / "logs" / "merge").iterdir()] == ["b00002.log"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["merge b00001: started: 2 scans", "merge b00001: 2 ok; 2 of 2 computed now"], ""),
        (["merge b00001: started: 2 scans", "merge b00001: 1/2 sub-01: ok in 3.0 s"], KILLED),
        (["merge b00001: started: 2 scans", "merge: out of memory"], "out of memory"),
        (["Traceback (most recent call last):", "KeyError: 'x'"], "KeyError: 'x'"),
        (["Traceback (most recent call last):", "KeyboardInterrupt"], "interrupted (Ctrl-C)"),
        (["merge b00001: started: 2 scans", "Killed"], "Killed"),
        ([], ""),
    ],
)
def test_how_a_job_ended_is_read_from_its_log(tmp_path, lines, sentence):
    _write(tmp_path / "logs" / "merge" / f"{BATCH}.log", "".join(f"{line}\n" for line in lines))
    assert read_job_log(tmp_path, "merge", BATCH).sentence == sentence


SEMANTIC_ENDED = "semantic b00001: 2 ok; 2 of 2 computed now"


@pytest.mark.parametrize("stage", ["semantic", "instance"])
@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([SEMANTIC_ENDED], KILLED),
        ([SEMANTIC_ENDED, "instance b00001: 1/2 sub-01: ok in 3.0 s"], KILLED),
        ([SEMANTIC_ENDED, "instance b00001: 2 ok; 2 of 2 computed now"], ""),
        ([SEMANTIC_ENDED, "instance b00001: started: 2 scans", "Killed"], "Killed"),
    ],
)
def test_how_a_job_of_two_stages_ended_is_read_from_its_one_log(tmp_path, stage, lines, sentence):
    _write(tmp_path / "logs" / "semantic" / f"{BATCH}.log", "".join(f"{line}\n" for line in lines))
    assert read_job_log(tmp_path, stage, BATCH).sentence == sentence


def test_a_stage_counts_what_was_used_after_the_one_before_it():
    used_lately()
    sum(number * number for number in range(2_000_000))
    first, second, whole = used_lately(), used_lately(), usage()
    assert whole.cpu_seconds > first.cpu_seconds > second.cpu_seconds >= 0
    assert whole.seconds > first.seconds > second.seconds >= 0


def test_memory_is_that_of_the_process_and_not_of_the_one_that_started_it():
    large = np.ones(300 * 2**20 // 8)  # 300 MB
    code = "from wirbel.runner.machine.process import usage; print(usage().max_memory_mb)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert large.nbytes / 2**20 == 300
    assert 5 < float(told.stdout) < 100


def test_what_a_process_has_used_grows():
    before = usage()
    sum(number * number for number in range(2_000_000))
    after = usage()
    assert after.seconds > before.seconds > 0
    assert after.cpu_seconds > before.cpu_seconds > 0
    assert 5 < after.max_memory_mb < 100_000
