"""What is changed in Snakemake's SLURM executor, and that this version of it still has what is changed."""

import inspect
from types import SimpleNamespace

import pytest
from slurm_stand_in import Play, StandIn
from snakemake_executor_plugin_slurm import Executor

from wirbel.slurm import executor as slurm_executor
from wirbel.slurm.executor import account_argument, mend, outage_forgiven

REFUSED = (
    "SLURM sbatch failed. The error message was 'sbatch: error: Batch job submission failed: {}'.\n"
    "    sbatch call:\n        sbatch --output /data/contact_sheet/%j.log\n"
)


@pytest.fixture
def play(monkeypatch):
    return Play(monkeypatch)


def test_nodes_that_failed_are_used_again_but_not_those_that_were_excluded_by_name(play):
    play.job("7")
    play.executor._failed_nodes.add("n1")
    play.look()
    assert play.executor._failed_nodes == {"n9"}


def test_an_account_is_passed_on_without_a_question():
    given = account_argument(StandIn().get_account_arg)
    jobs = [
        SimpleNamespace(resources=resources)
        for resources in ({}, {"slurm_account": 12}, {"slurm_account": "a b"})
    ]
    assert [next(given(job)) for job in jobs] == ["", " -A 12", "asked the database"]


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        (REFUSED.format("Unable to contact slurm controller (connect failure)"), False),
        (REFUSED.format("Unexpected missing socket error"), False),
        (REFUSED.format("Invalid account or account/partition combination specified"), True),
        ("Job submission failed with exception: Unable to contact slurm controller", True),
    ],
)
def test_a_submission_during_an_outage_is_no_attempt(monkeypatch, message, counts):
    monkeypatch.setattr(slurm_executor, "AGAIN_SECONDS", 0)
    executor, failed, told = StandIn(), [], []
    executor.workflow = SimpleNamespace(scheduler=SimpleNamespace(error_callback=failed.append))
    job = SimpleNamespace(external_jobid=None, job=SimpleNamespace(attempt=1))
    outage_forgiven(executor, told.append)(job, message)
    assert job.job.attempt == (1 if counts else 0), "Snakemake adds one when it tries again"
    assert executor.errors == ([(job, message)] if counts else [])
    assert (failed, len(told)) == (([], 0) if counts else ([job.job], 1))


@pytest.mark.parametrize("executor", [None, SimpleNamespace(check_active_jobs=lambda jobs: [])])
def test_an_executor_of_another_kind_is_left_as_it_is(executor):
    before = dict(vars(executor)) if executor else None
    assert not mend(executor, "wirbel-1", print)
    assert executor is None or vars(executor) == before


def test_the_executor_still_has_what_is_changed():
    assert inspect.isasyncgenfunction(Executor.check_active_jobs)
    assert inspect.isgeneratorfunction(Executor.get_account_arg)
    assert all(callable(getattr(Executor, name)) for name in slurm_executor.METHODS)
    names = Executor.check_active_jobs.__code__.co_names + Executor.__post_init__.__code__.co_names
    assert {"report_job_success", "report_job_error", "_failed_nodes"} <= set(names)
    told = [text for text in Executor.run_job.__code__.co_consts if isinstance(text, str)]
    assert any(text in REFUSED for text in told if text.startswith("SLURM sbatch failed"))
