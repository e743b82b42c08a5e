"""One main process per output folder, on one machine and across machines."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wirbel
from wirbel.study.refused import Refused
from wirbel.study.run_lock import RunLock, main

HOLD = "import sys, time; from wirbel.study.run_lock import RunLock; lock = RunLock(sys.argv[1]); lock.acquire()"


@pytest.fixture
def lock_file(tmp_path):
    path = tmp_path / "work" / "workflow.lock"
    path.parent.mkdir()
    return path


def _hold(folder, and_then: str) -> subprocess.Popen:
    holder = _python(f"{HOLD}; {and_then}", str(folder))
    path = folder / "work" / "workflow.lock"
    while not (path.exists() and "since" in path.read_text()):
        assert holder.poll() in (None, 0)
        time.sleep(0.02)
    return holder


def _python(code: str, *arguments: str, **options) -> subprocess.Popen:
    """Start a Python that finds the package this test was written for."""
    sources = str(Path(wirbel.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": sources}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment, **options)


def test_a_second_process_is_refused_and_told_who_holds_the_lock(tmp_path):
    holder = _hold(tmp_path, "time.sleep(60)")
    second = RunLock(tmp_path)
    assert not second.acquire()
    who = f"is being worked on by process {holder.pid} on {socket.gethostname()} since "
    assert who in second.refusal()
    assert "unlock" not in second.refusal()
    with pytest.raises(Refused, match="nothing was changed"):
        second.clear()
    holder.kill()
    holder.wait()
    assert second.acquire(5), "on the same machine the lock ends with its holder"
    second.release()


def test_who_is_at_work_can_be_asked_without_touching_the_lock(tmp_path, lock_file):
    assert RunLock(tmp_path).at_work() == ""
    holder = _hold(tmp_path, "time.sleep(60)")
    before = lock_file.stat()
    assert RunLock(tmp_path).at_work().startswith(f"process {holder.pid} on ")
    holder.kill()
    holder.wait()
    assert RunLock(tmp_path).at_work() == "", "its name is still there, its lock is not"
    assert lock_file.stat().st_mtime_ns == before.st_mtime_ns


def test_a_run_that_ends_by_itself_leaves_no_name_behind(tmp_path, lock_file):
    assert _hold(tmp_path, "time.sleep(0.5)").wait(30) == 0
    assert lock_file.read_text() == ""


def test_a_holder_on_another_machine_is_believed_until_unlock(tmp_path, lock_file, capsys):
    lock_file.write_text("process 77 on login2 since 2026-11-23 14:00+01:00\n")
    lock = RunLock(tmp_path)
    assert not lock.acquire()
    assert "process 77 on login2 since 2026-11-23 14:00+01:00: wait for it" in lock.refusal()
    assert "add `-- unlock` to the end of this command once" in lock.refusal()
    assert main(["--output-dir", str(tmp_path)]) == 0
    assert (
        capsys.readouterr().out == "forgotten: process 77 on login2 since 2026-11-23 14:00+01:00\n"
    )
    assert lock.acquire()
    lock.release()


def test_waiting_ends_when_the_other_machine_is_done(tmp_path, lock_file):
    lock_file.write_text("process 77 on login2 since 2026-11-23 14:00+01:00\n")
    subprocess.Popen(
        [sys.executable, "-c", f"import time; time.sleep(1); open({str(lock_file)!r}, 'w')"]
    )
    lock = RunLock(tmp_path)
    assert lock.acquire(30)
    lock.release()


def test_a_lost_terminal_does_not_end_a_run(tmp_path):
    log = tmp_path / "logs" / "workflow.log"
    code = (
        "import signal, sys, time; from pathlib import Path\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # the tests themselves may run under nohup
        "from wirbel.slurm.hangup import outlive_terminal\n"
        f"outlive_terminal(Path({str(log)!r}))\n"
        "print('ready', flush=True)\n"
        "time.sleep(1.5)\n"
        "print('done', flush=True)\n"
    )
    process = _python(code, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGHUP)
    assert process.wait(30) == 0
    assert "the terminal is gone, the run goes on\ndone\n" in log.read_text()
