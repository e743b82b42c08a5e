"""`wirbel plan`: what more scans would cost, from the tables of a finished run."""

import pytest

from wirbel.command.main import main
from wirbel.io.tabular.tables import write_rows
from wirbel.study.ending.forecast import NothingMeasured, forecast

JOB = ("stage", "batch", "scans", "seconds", "cpu_seconds", "gpu_seconds", "max_memory_mb")
SCAN = ("scan_id", "status", "final_files", "final_bytes")


@pytest.fixture
def measured(tmp_path):
    """A run of four scans in two batches: every job took 36 s a scan; on a GPU those with a network."""

    def write(gpu: bool):
        folder = tmp_path / "logs" / "benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        jobs = [
            (stage, batch, 2, 72.0, 36.0, 72.0 * gpu * (stage != "merge"), memory)
            for batch in ("b00001", "b00002")
            for stage, memory in (("semantic", 1000), ("instance", 2000), ("merge", 500))
        ]
        write_rows(folder / "jobs.csv", JOB, (dict(zip(JOB, job, strict=True)) for job in jobs))
        scans = [("sub-01", "ok", 7, 2e6), ("sub-02", "ok", 7, 4e6), ("sub-03", "failed", 0, 0)]
        write_rows(folder / "scans.csv", SCAN, (dict(zip(SCAN, s, strict=True)) for s in scans))
        return tmp_path

    return write


def test_costs_grow_with_the_scans_and_one_job_holds_both_networks(measured):
    found = forecast(measured(gpu=True), 1000)
    networks, merge = found.kinds
    assert (networks.name, networks.jobs, merge.name) == ("semantic", 500, "merge")
    assert networks.hours == pytest.approx(20.0)  # 1000 scans, 72 s each with both networks
    assert networks.gpu_hours == pytest.approx(20.0)
    assert (merge.hours, merge.cpu_hours, merge.gpu_hours) == pytest.approx((10.0, 5.0, 0.0))
    assert (networks.memory_gb, merge.memory_gb) == (2.0, 0.5)
    assert found.kept_gb == pytest.approx(3.0)
    assert found.files == 1000 * 7 + 500 * 8


def test_days_are_those_of_the_longer_queue(measured):
    found = forecast(measured(gpu=True), 1000)
    assert found.days(processors=1, gpus=1) == pytest.approx(20 / 24)
    assert found.days(processors=1, gpus=10) == pytest.approx(10 / 24)


def test_larger_batches_are_fewer_jobs(measured):
    assert {kind.jobs for kind in forecast(measured(gpu=True), 1000, 64).kinds} == {16}


def test_without_a_gpu_its_hours_are_said_to_be_unknown(measured, capsys):
    folder = measured(gpu=False)
    assert [kind.gpu_hours for kind in forecast(folder, 8).kinds] == [None, 0.0]
    assert main(["plan", str(folder), "--scans", "30000"]) == 0
    told = capsys.readouterr().out
    assert "30,000 scans in batches of 2, by 2 scans measured" in told
    assert "the measured run used no GPU" in told


def test_a_folder_without_a_finished_run_is_told(tmp_path, capsys):
    with pytest.raises(NothingMeasured):
        forecast(tmp_path, 10)
    assert main(["plan", str(tmp_path), "--scans", "10"]) == 2
    assert "run some scans first" in capsys.readouterr().err
    assert main(["plan", str(tmp_path), "--scans", "0"]) == 2
