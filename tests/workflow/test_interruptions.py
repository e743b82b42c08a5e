"""kill -9, SIGTERM and two main processes: the same command afterwards gives the same tables."""

import os
import random
import signal
import subprocess
import time

import pytest
from support.studies.toy_workflow import CHAIN

from wirbel.manifests.records import records_on_disk

SCANS = [f"sub-{number:02}" for number in range(6)]


def _kill_run(process, whole_group: bool) -> None:
    """Kill the main process alone (its jobs live on as orphans) or with everything it started."""
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.stdout.close()
    process.wait()


def _start(workflow, sleep, **config):
    environment = {**os.environ, "TOY_SLEEP": str(sleep)}
    return subprocess.Popen(
        workflow.command(**config),
        cwd=workflow.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("whole_group", [False, True])
def test_killed_at_random_moments_the_same_command_completes_the_same_tables(workflow, whole_group):
    for number, scan in enumerate(SCANS):
        workflow.scan(scan, "broken" if number == 4 else str(number))
    chance = random.Random(whole_group)
    for _ in range(4):
        process = _start(workflow, sleep=0.1, batch_size=3)
        time.sleep(1.0 + 3 * chance.random())
        _kill_run(process, whole_group)
    workflow.run(batch_size=3)
    interrupted = workflow.tables()
    computed = workflow.computed()
    workflow.output = workflow.output.with_name("undisturbed")
    workflow.run(batch_size=3)
    assert interrupted == workflow.tables()
    once = workflow.computed()
    # At most the scan in flight is computed twice, once per kill (and job running at that moment).
    assert set(computed) == set(once)
    assert len(computed) <= len(once) + 4 * 2


def test_a_second_main_process_is_refused_in_one_sentence(workflow):
    for scan in SCANS:
        workflow.scan(scan, "1")
    first = _start(workflow, sleep=0.0, batch_size=3)
    lock = workflow.output / "work" / "workflow.lock"
    while not (lock.exists() and lock.read_text()):
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGSTOP)  # so that it cannot end before the others have looked
    try:
        told = workflow.run(fails=True, batch_size=3, wait_seconds=0)
        dry = workflow.run("--dry-run", batch_size=3, wait_seconds=0)
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    assert f"{workflow.output} is being worked on by process {first.pid} on" in told
    assert told.endswith("wait for it, stop it, or choose another output_dir\n")
    assert "Traceback" not in told
    assert "is being worked on" not in dry
    assert first.wait(300) == 0
    first.stdout.close()
    assert len(workflow.computed()) == len(SCANS) * len(CHAIN)


def test_after_sigterm_the_running_jobs_finish_and_the_same_command_goes_on(workflow):
    for scan in SCANS:
        workflow.scan(scan, "1")
    process = _start(workflow, sleep=0.2, batch_size=3)
    while not records_on_disk(workflow.output, "resample", "b00001"):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    workflow.run(batch_size=3)
    assert len(workflow.computed()) == len(SCANS) * len(CHAIN)
