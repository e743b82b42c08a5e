"""What is added to Snakemake's SLURM executor, and that this version of it still has what that relies on."""

import inspect
import os
import subprocess
import sys
from dataclasses import fields
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_slurm import Executor
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
from support.cluster.slurm_stand_in import Play, UnattendedStandIn

from snakemake_executor_plugin_wirbel_slurm import unattended
from snakemake_executor_plugin_wirbel_slurm.unattended import Unattended

REFUSED = (
    "SLURM sbatch failed. The error message was 'sbatch: error: Batch job submission failed: {}'.\n"
    "    sbatch call:\n        sbatch --output /data/contact_sheet/%j.log\n"
)


@pytest.fixture
def play(monkeypatch):
    return Play(monkeypatch)


def test_nodes_that_failed_are_used_again_but_not_those_that_were_excluded_by_name(play):
    play.job("7")
    play.executor.failing = {"n1"}
    play.look()
    assert play.executor._failed_nodes == {"n9"}


def test_an_account_is_passed_on_without_a_question():
    executor = UnattendedStandIn()
    jobs = [
        SimpleNamespace(resources=resources)
        for resources in ({}, {"slurm_account": 12}, {"slurm_account": "a b"})
    ]
    found = [next(executor.get_account_arg(job)) for job in jobs]
    assert found == ["", " -A 12", "asked the database"]


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
    monkeypatch.setattr(unattended, "AGAIN_SECONDS", 0)
    executor, failed = UnattendedStandIn(), []
    executor.workflow.scheduler = SimpleNamespace(error_callback=failed.append)
    job = SimpleNamespace(external_jobid=None, job=SimpleNamespace(attempt=1))
    executor.report_job_error(job, msg=message)
    assert job.job.attempt == (1 if counts else 0), "Snakemake adds one when it tries again"
    assert executor.errors == ([(job, message)] if counts else [])
    assert (failed, len(executor.told)) == (([], 0) if counts else ([job.job], 1))


def test_snakemake_finds_the_executor_with_all_settings_of_its_own_one():
    registry = ExecutorPluginRegistry()
    registry.collect_plugins()
    plugin, own = (registry.get_plugin(name) for name in ("wirbel-slurm", "slurm"))
    assert issubclass(plugin.executor, Unattended) and issubclass(plugin.executor, Executor)
    assert plugin.common_settings == own.common_settings
    assert fields(plugin.settings_cls) == fields(own.settings_cls)
    assert plugin.cli_prefix == "wirbel-slurm"


def test_the_executor_still_has_what_is_added_to():
    assert inspect.isasyncgenfunction(Executor.check_active_jobs)
    assert inspect.isgeneratorfunction(Executor.get_account_arg)
    for name in ("report_job_success", "report_job_error", "cancel_jobs"):
        assert callable(getattr(Executor, name))
    names = Executor.check_active_jobs.__code__.co_names + Executor.__post_init__.__code__.co_names
    assert {"report_job_success", "report_job_error", "_failed_nodes"} <= set(names)
    told = [text for text in Executor.run_job.__code__.co_consts if isinstance(text, str)]
    assert any(text in REFUSED for text in told if text.startswith("SLURM sbatch failed"))


@pytest.mark.parametrize("kind", ["executor", "logger"])
def test_snakemake_can_load_a_plugin_without_choosing_which_wirbel_runs(kind):
    """Another copy of it may be installed than the one beside the Snakefile."""
    name = (
        "snakemake_executor_plugin_wirbel_slurm"
        if kind == "executor"
        else "snakemake_logger_plugin_wirbel"
    )
    code = f"import sys, {name}; print([m for m in sys.modules if m.split('.')[0] == 'wirbel'])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
