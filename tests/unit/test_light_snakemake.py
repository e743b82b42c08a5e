"""What is changed in Snakemake to save time changes nothing else."""

import asyncio
import gc
import inspect

import pytest
import snakemake.api  # noqa: F401  (first: its modules import one another)
from snakemake.dag import DAG
from snakemake.scheduling.greedy import Scheduler, SchedulerSettings
from snakemake.scheduling.job_scheduler import JobScheduler

from wirbel.study.workflow import light_snakemake


@pytest.fixture
def scheduler():
    """An untouched kind of Snakemake's scheduler, to be changed."""
    return type("Changed", (JobScheduler,), {"__init__": lambda self: None})


def test_snakemake_still_has_what_is_changed():
    assert inspect.iscoroutinefunction(JobScheduler.update_input_sizes)
    assert list(inspect.signature(JobScheduler.update_input_sizes).parameters) == ["self", "jobs"]
    for name in ("check_directory_outputs", "update_conda_envs"):
        assert list(inspect.signature(getattr(DAG, name)).parameters) == ["self"]


class Input:
    """No file: to ask the disk for it fails."""

    def is_flagged(self, flag):
        return False


class Job:
    """As much of a job as the greedy scheduler asks for."""

    def __init__(self, priority):
        self.priority, self.input = priority, [Input()]
        self.scheduler_resources = {"_cores": 1}


def test_no_input_is_looked_up_and_priorities_still_decide(scheduler):
    light_snakemake.without_input_sizes(scheduler)
    changed, jobs = scheduler(), [Job(priority) for priority in (0, 4, 2)]
    asyncio.run(changed.update_input_sizes(jobs))
    greedy = Scheduler(None, SchedulerSettings(), None)
    (chosen,) = greedy.select_jobs(jobs, jobs, {"_cores": 1}, changed._input_sizes)
    assert chosen.priority == 4


@pytest.mark.parametrize("conda", [True, False])
def test_environments_are_looked_for_only_where_conda_makes_them(conda):
    graph = type("Changed", (DAG,), {"__init__": lambda self: None})
    untouched = DAG.update_conda_envs
    light_snakemake.without_idle_checks(graph, conda=conda)
    assert (graph.update_conda_envs is untouched) == conda
    assert graph().check_directory_outputs() is None


def test_garbage_is_still_collected_only_less_often():
    before = gc.get_threshold()
    try:
        light_snakemake.collect_garbage_seldom()
        assert gc.isenabled()
        assert gc.get_threshold()[0] == light_snakemake.OBJECTS_BETWEEN_COLLECTIONS
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
