"""Requests held against what a cluster offers, as its programs print it; tests/cluster asks a real one."""

import threading
from types import SimpleNamespace

import pytest

from wirbel.slurm import queue as slurm_queue
from wirbel.slurm import setup as slurm_setup
from wirbel.slurm.questions import QueuedJob, SlurmError, jobname_prefix
from wirbel.slurm.queue import choose_status_command, waiting
from wirbel.slurm.setup import Request, check_requests, partitions, shortest_limit

SINFO = """\
normal*|up|3-12:00:00|64|256000|(null)
gpu|up|1-00:00:00|32|500000|gpu:a100:4(S:0-1)
gpu|up|1-00:00:00|16|120000+|gpu:v100:2
old|inact|infinite|8|32000|gpu:2,lustre:1
"""


@pytest.fixture
def answers(monkeypatch):
    """What SLURM's programs print in this test."""
    told = {
        "sinfo": SINFO,
        "sbatch": "",
        "scontrol": "AccountingStorageType = accounting_storage/none\nMinJobAge = 300 sec\n",
    }

    def ask(*command, **_):
        answer = told[command[0]]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(slurm_setup, "ask", ask)
    return told


def test_what_sinfo_prints_is_understood(answers):
    normal, a100, v100, old = partitions()
    assert (normal.partition, normal.longest_minutes, normal.cpus) == ("normal", 84 * 60, 64)
    assert (a100.gres, a100.memory_mb, v100.memory_mb) == ("gpu:a100:4(S:0-1)", 500000, 120000)
    assert not old.up
    assert old.longest_minutes == float("inf")


@pytest.mark.parametrize(
    "request_",
    [
        Request("merge", partition="normal", runtime=84 * 60, memory_mb=256000, cpus=64),
        Request("semantic", partition="gpu", gpus=1, gpu_model="v100", cpus=16, memory_mb=12000),
        Request("semantic", gpus=1, runtime=60),
    ],
)
def test_what_can_be_had_is_not_complained_about(answers, request_):
    check_requests([request_], partitions())


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (
            Request("semantic", partition="gpus", gpus=1),
            "no partition 'gpus' (rule semantic): did you mean 'gpu'?",
        ),
        (Request("merge", partition="xyz"), "it has gpu, normal, old. Edit the line `partitions:`"),
        (
            Request("semantic", partition="normal", gpus=1),
            "partition 'normal' has no nodes with GPUs",
        ),
        (
            Request("semantic", partition="gpu", gpus=1, gpu_model="h100"),
            "no nodes with GPUs of type 'h100'",
        ),
        (
            Request("semantic", partition="old", gpus=1),
            "partition 'old' has no nodes in operation now",
        ),
        (
            Request("merge", partition="gpu", runtime=1441),
            "has no nodes for jobs of 1441 minutes (rule merge)",
        ),
        (
            Request("merge", partition="gpu", cpus=33),
            "has no nodes with 33 processors and 0 MB of memory",
        ),
        # The v100 nodes have too little memory, the a100 nodes are of the wrong type: no node has both.
        (
            Request("semantic", partition="gpu", gpus=1, gpu_model="v100", memory_mb=200000),
            "has no nodes with 1 processors and 200000 MB",
        ),
    ],
)
def test_what_can_never_be_had_is_named_with_a_remedy(answers, request_, sentence):
    with pytest.raises(SlurmError) as caught:
        check_requests([request_], partitions())
    assert sentence in str(caught.value)


def test_further_attempts_stay_within_the_shortest_partition(answers):
    requests = [Request("merge", partition="normal"), Request("semantic", partition="gpu")]
    assert shortest_limit(requests, partitions()) == 24 * 60
    assert shortest_limit([Request("merge", partition="old")], partitions()) == 365 * 24 * 60


def test_a_foreign_account_is_named_with_ones_own(answers):
    answers["scontrol"] = "AccountingStorageType = accounting_storage/slurmdbd\n"
    answers["sacctmgr"] = "spine\nspine\nheart\n"
    check_requests([Request("merge", account="Spine", partition="normal")], partitions())
    with pytest.raises(SlurmError) as caught:
        check_requests([Request("merge", account="brain", partition="normal")], partitions())
    assert "account 'brain' is not one of yours on this cluster (heart, spine)" in str(caught.value)


def test_while_the_accounting_database_is_down_the_controller_judges_the_account(answers):
    answers["scontrol"] = "AccountingStorageType = accounting_storage/slurmdbd\n"
    answers["sacctmgr"] = SlurmError("SLURM did not answer `sacctmgr`")
    check_requests([Request("merge", account="spine", partition="normal")], partitions())
    answers["sbatch"] = SlurmError("`sbatch` failed: allocation failure: Invalid account")
    with pytest.raises(SlurmError) as caught:
        check_requests([Request("merge", account="brain", partition="normal")], partitions())
    assert "SLURM takes no jobs for account 'brain' in partition 'normal' (" in str(caught.value)


def test_without_an_accounting_database_jobs_are_looked_up_in_the_queue(answers):
    settings = SimpleNamespace(status_command="sacct", init_seconds_before_status_checks=40)
    choose_status_command(settings)
    assert vars(settings) == {"status_command": "squeue", "init_seconds_before_status_checks": 40}
    answers["scontrol"] = "AccountingStorageType = accounting_storage/none\nMinJobAge = 60 sec\n"
    choose_status_command(settings)
    assert settings.init_seconds_before_status_checks == 20
    answers["scontrol"] = "AccountingStorageType = accounting_storage/slurmdbd\n"
    settings.status_command = "sacct"
    choose_status_command(settings)
    assert settings.status_command == "sacct"


def test_why_jobs_wait_is_said_once_for_each_reason():
    jobs = [QueuedJob(str(number), "wirbel", "PENDING", "gpu", "Resources") for number in range(3)]
    jobs.append(QueuedJob("7", "wirbel", "PENDING", "gpu", "QOSMaxGRESPerUser"))
    jobs.append(QueuedJob("8", "wirbel", "RUNNING", "cpu", "None"))
    limited, free = waiting(jobs)
    assert free.startswith("3 jobs wait in partition gpu (Resources): no GPU")
    assert "a limit of your account is reached" in limited


def test_the_watch_speaks_when_the_reasons_change_and_not_otherwise(monkeypatch):
    seen = [[], ["Priority"], ["Priority", "Priority"], ["Resources"], []]
    told: list[str] = []
    done = threading.Event()

    def queue(prefix):
        assert prefix == "wirbel-1"
        if not seen:
            done.set()
            return []
        return [QueuedJob("1", "wirbel-1", "PENDING", "gpu", reason) for reason in seen.pop(0)]

    monkeypatch.setattr(slurm_queue, "queued_jobs", queue)
    slurm_queue.watch("wirbel-1", told.append, awaited=lambda: 0, seconds=0.01)
    assert done.wait(10)
    assert [line.partition(":")[0] for line in told] == [
        "1 job waits in partition gpu (Priority)",
        "1 job waits in partition gpu (Resources)",
    ]


@pytest.mark.parametrize(
    ("gives_up", "look", "sentence"),
    [
        (False, 18, "SLURM has forgotten 2 jobs of this run"),
        (True, 38, "2 jobs of this run are no longer in SLURM's queue"),
    ],
)
def test_jobs_that_are_gone_are_told_after_some_looks_at_an_empty_queue(
    monkeypatch, gives_up, look, sentence
):
    looks, told, done, prefix = [0], [], threading.Event(), f"wirbel-{gives_up}"

    def queue(asked):
        if asked != prefix:
            return []  # the watch of another test, which ends with the process
        looks[0] += 1
        if looks[0] == look + 7:
            done.set()
        return [QueuedJob("1", asked, "RUNNING", "gpu", "None")] if looks[0] == 8 else []

    def awaited():
        return 2 if looks[0] < look + 7 else 0

    def say(words):
        told.append((looks[0], words))

    monkeypatch.setattr(slurm_queue, "queued_jobs", queue)
    slurm_queue.watch(prefix, say, awaited, seconds=0.001, gives_up=gives_up)
    assert done.wait(10)
    assert [number for number, _ in told] == [look], "the eighth look still showed a job"
    assert told[0][1].startswith(sentence)


def test_jobs_are_named_by_the_output_folder_however_it_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert jobname_prefix("out") == jobname_prefix(tmp_path / "out") != jobname_prefix("other")
