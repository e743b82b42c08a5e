"""The runner as a process: overlap, SIGTERM, kill -9 and two writers."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
from support.studies import toy
from support.studies.batch_lists import update_batches
from support.studies.toy import Count, arguments, plan_of
from support.studies.toy_study import Study

from wirbel.manifests.records import read_records, records_on_disk

TOY = str(toy.__file__)


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path)
    for number in range(12):
        study.scan(f"sub-{number:02}", "x" * number)
    update_batches(study.data, study.output, 100)
    return study


def _start(study, stage="count", sleep="0.05", **more):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}
    given = arguments(plan_of(study.output))
    command = [sys.executable, TOY, stage, "--sleep", sleep, *given]
    # A shell's background jobs ignore Ctrl-C, and so would their children.
    heeded = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    options = {"env": environment, "stderr": subprocess.PIPE, "text": True, "preexec_fn": heeded}
    return subprocess.Popen(command, **options)


def _results(study):
    """Return name -> content of all final files, and the manifest without its seconds."""
    files = {path.name: path.read_bytes() for path in study.output.rglob("sub-*.txt")}
    records = read_records(study.output / "work/count/b00001.tsv").values()
    return files, [(r.scan_id, r.status, r.key, r.outputs, r.sizes) for r in records]


def test_loading_computing_and_saving_overlap_and_look_ahead_is_bounded(study):
    events, gate = [], threading.Lock()
    scans = [f"sub-{number:02}" for number in range(12)]

    class Timed(Count):
        def _note(self, what, scan_id):
            with gate:
                events.append((what, scan_id))

        def load(self, scan, folders):
            self._note("load", scan.scan_id)
            return super().load(scan, folders)

        def compute(self, inputs):
            following = ("load", f"sub-{int(inputs[0][-2:]) + 1:02}")
            deadline = time.monotonic() + 5
            while following not in events and following[1] in scans and time.monotonic() < deadline:
                time.sleep(0.005)
            result = super().compute(inputs)
            self._note("computed", inputs[0])
            return result

    study.run(Timed())
    for number in range(11):
        following = events.index(("load", f"sub-{number + 1:02}"))
        assert following < events.index(("computed", f"sub-{number:02}"))
    for number in range(10):
        two_ahead = events.index(("load", f"sub-{number + 2:02}"))
        assert two_ahead > events.index(("computed", f"sub-{number:02}"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_and_ctrl_c_stop_cleanly_and_keep_what_is_finished(study, number):
    process = _start(study, sleep="0.1")
    while not records_on_disk(study.output, "count", "b00001"):
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(10) == 143
    assert "Traceback" not in process.stderr.read()
    assert not (study.output / "work/count/b00001.tsv").exists()
    done = len(records_on_disk(study.output, "count", "b00001"))
    assert 1 <= done < 12
    stage = Count()
    study.run(stage)
    assert len(stage.calls) == 12 - done


def test_killed_at_random_moments_the_results_are_those_of_an_undisturbed_run(study, tmp_path):
    chance = random.Random(20)
    for _ in range(5):
        process = _start(study)
        time.sleep(0.3 + chance.random() * 0.5)
        process.kill()
        process.wait()
    assert _start(study).wait(30) == 0
    undisturbed = Study(tmp_path / "quiet")
    undisturbed.data = study.data
    undisturbed.run(Count())
    assert _results(study) == _results(undisturbed)
    assert not list(study.output.rglob(".tmp-*"))


def test_a_second_writer_waits_for_the_first_and_then_finds_everything_done(study):
    first, second = _start(study), _start(study)
    told = first.communicate()[1] + second.communicate()[1]
    assert (first.returncode, second.returncode) == (0, 0)
    assert "works on the same batch" in told
    assert "12 of 12 computed now" in told
    assert "0 of 12 computed now" in told


def test_two_writers_on_a_file_system_without_locks_do_no_harm(study, tmp_path):
    writers = [_start(study, TOY_NO_LOCKS="1") for _ in range(2)]
    told = [writer.communicate(timeout=60)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], told
    undisturbed = Study(tmp_path / "quiet")
    undisturbed.data = study.data
    undisturbed.run(Count())
    assert _results(study) == _results(undisturbed)
    stage = Count()
    study.run(stage)
    assert stage.calls == []
