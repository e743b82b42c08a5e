"""The runner: what is computed, what is skipped, and whose fault a failure is."""

import os
import threading

import pytest
from support.studies.toy import Count, Double
from support.studies.toy_study import Study

from wirbel.runner import upstream


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def test_every_scan_gets_a_row_and_its_output(study):
    study.scan("sub-01", "four")
    study.scan("sub-02", "seven..")
    code, records = study.run(Count())
    assert code == 0
    assert [(r.scan_id, r.status, r.outputs, r.sizes) for r in records.values()] == [
        ("sub-01", "ok", ("work/count/sub-01_count.txt",), (1,)),
        ("sub-02", "ok", ("work/count/sub-02_count.txt",), (1,)),
    ]
    assert (study.output / "work/count/sub-02_count.txt").read_text() == "7"


def test_a_second_run_computes_nothing_and_does_not_even_prepare(study):
    study.scan("sub-01", "four")
    first = study.run(Count())
    again = Count()
    assert study.run(again) == first
    assert (again.calls, again.prepared) == ([], 0)


@pytest.mark.parametrize("change", ["content", "parameter", "model", "code", "deleted", "cut"])
def test_what_makes_a_scan_be_computed_again(study, change):
    study.scan("sub-01", "four")
    study.scan("sub-02", "other")
    study.run(Count(), parameters={"n4": True}, model="abc")
    settings = {"parameters": {"n4": change != "parameter"}, "model": "abc"}
    if change == "content":
        study.scan("sub-01", "changed")
    if change == "model":
        settings["model"] = "def"
    if change == "code":
        settings["codes"] = {"count": "newer"}
    result = study.output / "work/count/sub-01_count.txt"
    if change == "deleted":
        result.unlink()
    if change == "cut":
        result.write_text("")
    stage = Count()
    study.run(stage, **settings)
    everything = change in ("parameter", "model", "code")
    assert stage.calls == (["sub-01", "sub-02"] if everything else ["sub-01"])


def test_a_touched_file_with_the_same_content_is_not_computed_again(study):
    path = study.scan("sub-01", "four")
    study.run(Count())
    os.utime(path, ns=(1, 1))
    stage = Count()
    study.run(stage)
    assert stage.calls == []


def test_a_scans_fault_is_a_row_and_the_later_stage_passes_it_on(study):
    study.scan("sub-01", "broken")
    study.scan("sub-02", "four")
    code, records = study.run(Count())
    assert code == 0
    fault = ("no_spine_found", "expected a spine, found none")
    assert (records["sub-01"].status, records["sub-01"].reason, records["sub-01"].detail) == (
        "failed",
        *fault,
    )
    later = Double()
    code, records = study.run(later)
    assert later.calls == ["sub-02"]
    assert (records["sub-01"].status, records["sub-01"].reason, records["sub-01"].detail) == (
        "skipped",
        *fault,
    )
    assert (study.output / "sub-02/anat/sub-02_double.txt").read_text() == "8"


def test_failed_scans_are_tried_again_only_when_asked_or_changed(study):
    study.scan("sub-01", "broken")
    tried = []
    for wish in ("false", "false", "unreadable", "no_spine_found"):
        stage = Count()
        study.run(stage, retry_failed=wish)
        tried.append(len(stage.calls))
    assert tried == [1, 0, 0, 1]
    stage = Count()
    study.run(stage, retry_failed="true")
    assert stage.calls == ["sub-01"]
    study.scan("sub-01", "mended")
    assert study.run(Count())[1]["sub-01"].status == "ok"


def test_a_scan_that_fails_now_loses_its_old_results_downstream_too(study):
    study.scan("sub-01", "four")
    study.run(Count())
    study.run(Double())
    study.scan("sub-01", "broken")
    study.run(Count())
    study.run(Double())
    left = [path.name for path in study.output.rglob("sub-01*.txt")]
    assert left == []


def test_a_full_disk_stops_the_job_and_keeps_what_was_finished(study, capsys):
    study.scan("sub-01", "four")
    study.scan("sub-02", "full")
    study.scan("sub-03", "never reached or redone")
    code, manifest = study.run(Count())
    assert (code, manifest) == (1, None)
    assert "sub-02: the file system refused" in capsys.readouterr().err
    study.scan("sub-02", "fits now")
    stage = Count()
    code, records = study.run(stage)
    assert code == 0
    assert "sub-01" not in stage.calls
    assert {r.status for r in records.values()} == {"ok"}


def test_no_memory_stops_the_job(study, capsys):
    study.scan("sub-01", "memory")
    assert study.run(Count()) == (1, None)
    assert "out of memory" in capsys.readouterr().err


def test_a_stage_that_cannot_start_stops_the_job_in_one_sentence(study, capsys):
    class Weightless(Count):
        def prepare(self):
            raise FileNotFoundError("no weights at models/x")

    study.scan("sub-01", "four")
    assert study.run(Weightless()) == (1, None)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "count: cannot start: FileNotFoundError: no weights at models/x"
    ]


def test_one_unforeseen_error_is_a_row_with_its_place_and_a_traceback_in_the_log(study, capsys):
    study.scan("sub-01", "bug")
    study.scan("sub-02", "four")
    code, records = study.run(Count())
    assert code == 0
    assert records["sub-01"].reason == "unexpected"
    assert "KeyError: 'something' (toy.py, line" in records["sub-01"].detail
    assert "Traceback" in capsys.readouterr().err


def test_many_unforeseen_errors_stop_the_job_and_are_not_held_against_the_scans(study, capsys):
    for number in range(6):
        study.scan(f"sub-{number:02}", "bug")
    assert study.run(Count()) == (1, None)
    assert "installation problem" in capsys.readouterr().err
    stage = Count()
    study.run(stage, max_failed_fraction=1.0)
    assert len(stage.calls) == 6


def test_a_missing_result_of_an_earlier_stage_is_no_scans_fault_and_is_made_again(
    study, capsys, monkeypatch
):
    monkeypatch.setattr(upstream, "LATENCY_SECONDS", 0.0)
    study.scan("sub-01", "four")
    study.run(Count())
    (study.output / "work/count/sub-01_count.txt").unlink()
    assert study.run(Double())[0] == 1
    assert "run the same command again" in capsys.readouterr().err
    assert not (study.output / "work/count/b00001.tsv").exists()
    assert study.run(Double())[0] == 1
    assert "b00001.tsv is missing: the stage before has to run again" in capsys.readouterr().err
    stage = Count()
    study.run(stage)
    assert stage.calls == ["sub-01"]
    assert study.run(Double())[1]["sub-01"].status == "ok"


def test_a_result_that_a_slow_file_system_shows_late_is_waited_for(study, monkeypatch):
    study.scan("sub-01", "four")
    study.run(Count())
    result = study.output / "work/count/sub-01_count.txt"
    result.rename(study.output / "late")
    threading.Timer(0.5, (study.output / "late").rename, [result]).start()
    assert study.run(Double())[0] == 0


def test_a_scan_replaced_while_the_workflow_runs_fails_and_the_next_run_mends_it(study):
    study.scan("sub-01", "four")

    class Slow(Count):
        def load(self, scan, folders):
            loaded = super().load(scan, folders)
            study.scan("sub-01", "longer text")
            return loaded

    assert study.run(Slow())[1]["sub-01"].reason == "upstream_changed"
    assert study.run(Count())[1]["sub-01"].status == "ok"
    assert (study.output / "work/count/sub-01_count.txt").read_text() == "11"


def test_a_later_stage_that_reads_the_scan_refuses_another_content_but_not_another_time_stamp(
    study,
):
    path = study.scan("sub-01", "four")
    study.run(Count())
    os.utime(path, ns=(1, 1))
    assert study.run(Double())[1]["sub-01"].status == "ok"
    study.scan("sub-01", "changed")
    newer = {"double": "newer"}
    assert study.run(Double(), codes=newer)[1]["sub-01"].reason == "upstream_changed"


def test_two_files_of_one_name_fail_as_duplicates(study):
    path = study.scan("sub-01", "four")
    path.with_suffix(".nii.gz").write_text("five.")
    _, records = study.run(Count())
    assert records["sub-01"].reason == "duplicate"


def test_a_removed_scan_keeps_its_record_for_its_return(study):
    path = study.scan("sub-01", "four")
    study.scan("sub-02", "other")
    study.run(Count())
    path.rename(study.data / "aside")
    assert list(study.run(Count())[1]) == ["sub-02"]
    (study.data / "aside").rename(path)
    stage = Count()
    assert list(study.run(stage)[1]) == ["sub-01", "sub-02"]
    assert stage.calls == []


@pytest.mark.parametrize("found", ["other", b"\xff", "9"])
def test_a_damaged_result_of_an_earlier_stage_is_no_scans_fault_and_is_made_again(
    study, capsys, monkeypatch, found
):
    """Also where size and time are the same (a failing disk), and whether or not it can still be read."""
    monkeypatch.setattr(upstream, "LATENCY_SECONDS", 0.0)
    study.scan("sub-01", "four")
    study.run(Count())
    result = study.output / "work/count/sub-01_count.txt"
    status = result.stat()
    result.write_bytes(found if isinstance(found, bytes) else found.encode())
    os.utime(result, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert study.run(Double())[0] == 1
    told = capsys.readouterr().err
    assert "run the same command again, which makes" in told
    stage = Count()
    assert study.run(stage)[0] == 0 and stage.calls == ["sub-01"]
    assert study.run(Double())[1]["sub-01"].status == "ok"


def test_absent_content_keeps_what_was_made_of_it(study):
    path = study.scan("sub-01", "four")
    study.run(Count())
    path.rename(study.data / "aside")
    path.symlink_to("nowhere")
    stage = Count()
    assert study.run(stage)[1]["sub-01"].status == "ok" and stage.calls == []
    record = study.run(Count(), codes={"count": "newer"})[1]["sub-01"]
    assert record.reason == "content_missing"
    assert "`datalad get`" in record.detail and "sub-01_T2w.nii" in record.detail
    assert (study.output / "work/count/sub-01_count.txt").read_text() == "4", (
        "of other code, but kept"
    )
    path.unlink()
    (study.data / "aside").rename(path)
    assert study.run(Count(), codes={"count": "newer"})[1]["sub-01"].status == "ok"


@pytest.mark.parametrize(
    "pointer",
    ["/annex/objects/SHA256E-s5--12.nii.gz\n", "version https://git-lfs.github.com/spec/v1\n"],
)
def test_so_does_a_file_that_only_stands_for_content(study, pointer):
    study.scan("sub-01", "four")
    study.run(Count())
    study.scan("sub-01", pointer)
    stage = Count()
    assert study.run(stage)[1]["sub-01"].status == "ok" and stage.calls == []


def test_asked_for_a_scan_is_computed_again(study):
    study.scan("sub-01", "four")
    study.scan("sub-02", "other")
    study.run(Count())
    stage = Count()
    study.run(stage, recompute=("01",))
    assert stage.calls == ["sub-01"]
