"""Snakemake still has the members that `wirbel.study.workflow.session` uses, in the shape that it expects."""

import inspect
from dataclasses import fields

import snakemake.api  # noqa: F401  (first: its modules import one another)
from snakemake import settings
from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.rules import Rule
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.enums import Quietness, RerunTrigger
from snakemake.workflow import Workflow

OF_WORKFLOW = {
    "is_main_process",
    "executor_plugin",
    "dryrun",
    "local_exec",
    "resource_settings",
    "output_settings",
    "executor_settings",
    "deployment_settings",
    "scheduling_settings",
    "dag_settings",
}


def _has(kind: type) -> set[str]:
    return {
        *dir(kind),
        *(field.name for field in getattr(kind, "__dataclass_fields__", {}).values()),
    }


def test_the_workflow_has_what_is_asked_of_it():
    assert _has(Workflow) >= OF_WORKFLOW | {"dag", "scheduler"}


def test_settings_have_the_fields_that_are_replaced():
    expected = {
        settings.types.DAGSettings: {
            "rerun_triggers",
            "force_incomplete",
            "forceall",
            "forcerun",
            "forcetargets",
        },
        settings.types.SchedulingSettings: {"max_jobs_per_timespan"},
        settings.types.OutputSettings: {"quiet", "verbose", "dryrun"},
        settings.types.ResourceSettings: {"default_resources"},
        settings.types.DeploymentSettings: {"deployment_method"},
    }
    for kind, names in expected.items():
        assert names <= {field.name for field in fields(kind)}, kind
    assert RerunTrigger.PARAMS and Quietness.RULES and Quietness.PROGRESS


def test_jobs_and_the_scheduler_have_what_is_read():
    assert inspect.isfunction(DAG.needrun_jobs)
    assert {"wildcards_dict", "is_local"} <= _has(Job)
    assert "norun" in inspect.getsource(Rule.__init__)
    assert "running" in inspect.getsource(JobScheduler.__init__)
