"""On a cluster with an accounting database, as nearly all have: sacct is asked, and accounts are enforced."""

import time

import pytest
from support.cluster.accounting import ACCOUNT
from support.cluster.cluster_workflow import read_until, toy_cluster_workflow
from support.cluster.rounds import IN_HAND

from wirbel.manifests.records import read_records

CANCELLED = "failed, SLURM status is: 'CANCELLED'"
NO_ANSWER = "SLURM does not say anything about 1 job; Wirbel waits until it does"


@pytest.fixture
def study(accounting_cluster, tmp_path):
    """A copy of the workflow with toy stages, two scans, and an account in the profile."""
    made = toy_cluster_workflow(tmp_path, accounting_cluster.environment)
    made.scan("sub-01", "1")
    made.scan("sub-02", "2")
    _set_account(made, ACCOUNT)
    yield made
    made.stop()
    accounting_cluster.cancel_all()


def _set_account(study, account: str) -> None:
    """Edit the profile as a user would."""
    profile = study.folder / "profiles" / "slurm" / "config.yaml"
    lines = profile.read_text().splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("  account: ")]
    lines[place] = f'  account: "{account}"'
    profile.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("account", "sentences"),
    [
        (
            "brain",
            (
                "account 'brain' is not one of yours on this cluster (",
                f"{ACCOUNT}): edit the line `account:` in profiles/slurm/config.yaml",
            ),
        ),
        (
            "",
            (
                "SLURM takes no jobs without an account in partition 'cpu' (",
                "write an account into the line `account:` in profiles/slurm/config.yaml",
            ),
        ),
    ],
)
def test_a_missing_account_is_told_before_anything_is_submitted(
    study, accounting_cluster, account, sentences
):
    _set_account(study, account)
    if not account:
        accounting_cluster.accounting.manage("delete", "user", "root")
    try:
        told = study.run(fails=True)
    finally:
        if not account:
            accounting_cluster.accounting.add_user()
    assert [sentence for sentence in sentences if sentence not in told] == [], told
    assert "Traceback (most recent" not in told
    assert accounting_cluster.jobs() == []


def test_jobs_are_followed_with_sacct_through_a_cancellation_and_an_outage(
    study, accounting_cluster
):
    manifest = study.output / "work" / "semantic" / "b00001.tsv"
    # Few attempts, so that the outage is longer than the executor itself waits.
    options = ("--until", "semantic", "--verbose", "--wirbel-slurm-status-attempts", "3")
    run = study.start(*options, sleep=3.0, batch_size=2)
    _await_computing(study, 1)
    accounting_cluster.output("scancel", *accounting_cluster.jobs("R"))
    assert "command=sacct" in read_until(run, CANCELLED)
    _await_computing(study, 3)
    accounting_cluster.accounting.kill_slurmdbd()
    told = read_until(run, NO_ANSWER)
    while accounting_cluster.jobs():  # it ends without anybody there to note it
        time.sleep(0.2)
    accounting_cluster.accounting.start_slurmdbd()
    told += run.communicate(timeout=180)[0]
    assert run.returncode == 0, told
    assert "command=squeue" not in told
    assert [record.status for record in read_records(manifest).values()] == ["ok", "ok"]
    computed = study.computed()
    assert len(computed) - len(set(computed)) <= IN_HAND, "only what the cancelled job had in hand"


def _await_computing(study, scans: int, seconds: float = 200) -> None:
    """Wait until so many scans have been computed or begun."""
    end = time.monotonic() + seconds
    while len(study.computed()) < scans and time.monotonic() < end:
        time.sleep(0.1)
    assert len(study.computed()) >= scans


def test_no_job_names_a_participant_and_nothing_stays_of_a_withdrawn_one(study, accounting_cluster):
    study.scan("sub-03", "3")
    study.run(batch_size=3)
    names = study.folder.parent / "gone.txt"  # what stands on the command line is kept by SLURM
    names.write_text("sub-02\n")
    told = study.run(batch_size=3, withdrawn=names)
    assert "1 participant is withdrawn" in told
    fields = "jobname%200,comment%200,submitline%2000,workdir%500"
    known = accounting_cluster.output("sacct", "-anP", "-S", "now-1hour", "-o", fields)
    assert "b00001" in known and "sub-0" not in known
    files = [path for path in study.output.rglob("*") if path.is_file()]
    assert [p for p in files if "sub-02" in str(p) or b"sub-02" in p.read_bytes()] == []
    assert (study.output / "logs" / "withdrawals.tsv").exists()
