"""`wirbel status`: what it says is what the manifests hold, at every moment of a run, and it changes nothing."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.studies.in_process import command

from wirbel.command.main import main
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.records import OK, Record, RecordBook, manifest_file, records_file
from wirbel.plan.plan import plan_file, read_plan
from wirbel.runner.machine.locks import FileLock
from wirbel.study.ending.run_record import COLUMNS, runs_file
from wirbel.study.run_lock import RunLock
from wirbel.study.watching.pace import Pace
from wirbel.study.watching.status import look
from wirbel.study.watching.words import duration, in_words


def data_set(folder: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / f"sub-{name}" / "anat" / f"sub-{name}_T2w.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def study(tmp_path) -> Path:
    """A finished study: five scans in batches of two, one of them broken."""
    texts = {f"{number:02}": str(number) for number in range(1, 5)} | {"05": "broken"}
    output = tmp_path / "out"
    command(data_set(tmp_path / "in", texts), output, batch_size=2)
    return output


def began(output: Path, seconds_ago: float) -> None:
    """Write down a run that began then and goes on."""
    row = dict.fromkeys(COLUMNS, "")
    start = datetime.now().astimezone() - timedelta(seconds=seconds_ago)
    row |= {"started": start.isoformat(" ", "seconds"), "exit": "running"}
    write_rows(runs_file(output), COLUMNS, [row])


@pytest.fixture
def going_on(study):
    """The same study while a run goes on: the last stage of two batches is missing, one of them is at work."""
    lock = RunLock(study)
    began(study, 3600)
    features_records(study).drop(["sub-01", "sub-02"])
    manifest_file(study, "features", "b00001").unlink()
    manifest_file(study, "features", "b00003").unlink()
    at_work = FileLock(study / "work" / "batches" / ".b00001.lock")
    assert lock.acquire() and at_work.acquire()
    yield study
    at_work.release()
    lock.release()


def features_records(output: Path) -> RecordBook:
    """What the last stage has recorded of the first batch, sub-01 and sub-02."""
    return RecordBook(records_file(output, "b00001"), "features")


def counts(output: Path) -> dict[str, tuple[int, ...]]:
    return {
        s.stage: (s.done, s.failed, s.passed_over, s.running, s.waiting)
        for s in look(output).stages
    }


def files(folder: Path) -> dict[str, tuple[int, int]]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}


def test_a_finished_study_is_counted_scan_by_scan(study):
    assert counts(study) == {
        "resample": (4, 1, 0, 0, 0),
        "semantic": (4, 0, 1, 0, 0),
        "instance": (4, 0, 1, 0, 0),
        "merge": (4, 0, 1, 0, 0),
        "features": (4, 0, 1, 0, 0),
    }
    status = look(study)
    assert (status.scans, status.measured, status.failed, status.holder) == (5, 4, 1, "")
    assert [(r.stage, r.reason, r.scans) for r in status.reasons] == [("resample", "unreadable", 1)]
    assert status.pace.seconds_left is None


def test_while_a_run_goes_on_the_batch_at_work_is_told_from_those_that_wait(going_on):
    assert counts(going_on)["features"] == (2, 0, 0, 2, 1)
    assert counts(going_on)["merge"] == (4, 0, 1, 0, 0)
    told = in_words(look(going_on))
    assert f"Running: process {os.getpid()}" in told and "1 failed" in told


def test_scans_that_a_job_has_finished_count_before_its_batch_is_done(going_on):
    """By their keys: what an earlier run made under other settings is still to be done."""
    plan = read_plan(plan_file(going_on))
    source = "the key of the stage before"
    key = plan.stage("features").key(source)
    book = features_records(going_on)
    book.put(Record("sub-01", OK, key=key, source=source))
    book.put(Record("sub-02", OK, key="another", source=source))
    assert counts(going_on)["features"] == (3, 0, 0, 1, 1)


def test_what_a_killed_job_leaves_behind_does_not_run(study):
    manifest_file(study, "features", "b00001").unlink()
    (study / "work" / "batches" / ".b00001.lock").write_text(f"process 1 on {os.uname().nodename}")
    lock = RunLock(study)
    assert lock.acquire()
    assert counts(study)["features"] == (2, 0, 1, 0, 2)
    lock.release()


def test_manifests_of_other_settings_and_those_after_them_count_as_waiting(study):
    path = plan_file(study)
    content = json.loads(path.read_text())
    content["stages"][3]["settings"] = {"another": True}
    path.write_text(json.dumps(content))
    assert read_plan(path).stages[3].stage == "merge"
    assert counts(study)["instance"] == (4, 0, 1, 0, 0)
    assert counts(study)["merge"] == counts(study)["features"] == (0, 0, 0, 0, 5)


def test_time_left_is_the_work_left_over_the_work_done_since_the_run_began(going_on):
    """Ten seconds for the last stage, one for all others together; all of it done within the last hour."""
    plan = read_plan(plan_file(going_on))
    for batch, stage in ((b, s) for b in ("b00001", "b00002", "b00003") for s in plan.names):
        path = manifest_file(going_on, stage, batch)
        if not path.exists():
            continue
        seconds = "10.00" if stage == "features" else "0.25"
        lines = [line.split("\t") for line in path.read_text().split("\n")]
        text = "\n".join(
            "\t".join([*line[:5], seconds, *line[6:]])
            if line[0].startswith("sub-")
            else "\t".join(line)
            for line in lines
        )
        path.write_text(text)
    pace = look(going_on).pace
    assert pace.seconds_per_scan == {
        name: 10.0 if name == "features" else 0.25 for name in plan.names
    }
    done, left = 4 * 4 * 0.25 + 2 * 10, 3 * 10.0
    assert pace.seconds_left == pytest.approx(3600 * left / done, rel=0.01)
    assert pace.scans_per_hour == pytest.approx(done / 11, rel=0.01)


def test_it_changes_nothing_and_takes_half_written_files(going_on, capsys):
    (going_on / "work" / "merge" / "b00001.tsv").write_text("# {")
    before = files(going_on)
    assert main(["status", str(going_on)]) == 0
    assert files(going_on) == before
    assert "2 of 5 scans measured" in capsys.readouterr().out
    assert counts(going_on)["merge"] == (4, 0, 1, 0, 0), "by the records of the batch at work"
    assert counts(going_on)["features"] == (2, 0, 0, 0, 3)


def test_json_holds_the_same_figures(study, capsys):
    assert main(["status", str(study), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["scans"], told["measured"], told["failed"]) == (5, 4, 1)
    assert told["stages"][0]["stage"] == "resample" and told["stages"][0]["failed"] == 1


def test_watching_ends_with_the_run(study, capsys):
    start = time.monotonic()
    assert main(["status", str(study), "--watch", "60"]) == 0
    assert time.monotonic() - start < 10 and "4 of 5 scans measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("folder", "told"), [("nowhere", "there is no folder"), (".", "nothing was computed in")]
)
def test_a_folder_without_a_run_is_told_in_one_sentence(tmp_path, capsys, folder, told):
    assert main(["status", str(tmp_path / folder)]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


def test_time_spans_are_said_as_people_say_them():
    spans = [(40, "40 s"), (100, "2 min"), (12_000, "3 h 20 min"), (190_800, "2 d 5 h")]
    assert [duration(seconds) for seconds, _ in spans] == [said for _, said in spans]


def test_a_pace_needs_a_median_of_every_stage(going_on):
    for batch in ("b00001", "b00002", "b00003"):
        manifest_file(going_on, "features", batch).unlink(missing_ok=True)
    pace = look(going_on).pace
    assert isinstance(pace, Pace) and pace.seconds_left is None
    assert "not known yet" in in_words(look(going_on))
