# Settings, paths and the functions that the rules use; no other rule file defines functions.

import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from shlex import quote
from tempfile import NamedTemporaryFile

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake.settings.enums import Quietness, RerunTrigger

ROOT = Path(workflow.basedir)
# In a checkout the package lies beside the rules; otherwise it is installed together with them.
SOURCES = str(ROOT / "workflow_scripts") if (ROOT / "workflow_scripts").is_dir() else ""
if SOURCES:
    sys.path.insert(0, SOURCES)
# Jobs find this repository's package and this environment's Python, whether or not either is activated, and no
# other copies of packages.
inherited = dict(os.environ)
os.environ.update(
    PYTHONPATH=SOURCES,
    PATH=os.pathsep.join([str(Path(sys.executable).parent), inherited["PATH"]]),
)

from wirbel.models.errors import ModelError
from wirbel.models.store import VARIABLE as MODELS_VARIABLE
from wirbel.plan.plan import Wishes, plan_file
from wirbel.runner.batches import BATCH_PATTERN
from wirbel.runner.chain import ALL_STAGES, LABEL
from wirbel.runner.codehash import stage_code_hash
from wirbel.runner.hangup import outlive_terminal
from wirbel.runner.light_snakemake import (
    collect_garbage_seldom,
    with_signature,
    without_input_sizes,
)
from wirbel.runner.run_lock import RunLock
from wirbel.runner.settings import SettingsError, checked_settings
from wirbel.runner.slurm import SlurmError, jobname_prefix
from wirbel.runner.slurm_executor import mend
from wirbel.runner.slurm_queue import choose_status_command, take_over, watch
from wirbel.runner.slurm_setup import check_requests, partitions, requests_of, shortest_limit
from wirbel.runner.summary import summary
from wirbel.study.checks import check_before_run, check_reference
from wirbel.study.ending import TOO_MANY_FAILED, AtNothingToDo, exit_code, say_at_the_end
from wirbel.study.output_folder import check_output_folder
from wirbel.study.refused import Refused
from wirbel.study.space import check_space, estimate
from wirbel.study.toy_weights import toy_remark
from wirbel.study.acceptance import doubts
from wirbel.study.account import account, scans_in_words
from wirbel.study.before_table import BeforeJobTable
from wirbel.study.run import look, usual_inputs
from wirbel.study.run_record import begin_record, end_record


configfile: str(ROOT / "config" / "config.yaml")


try:
    SETTINGS = checked_settings(
        config, ROOT / "config" / "schemas" / "config.schema.json", sys.argv
    )
    if workflow.is_main_process:
        check_output_folder(SETTINGS.output_dir, SETTINGS.bids_dir)
except (SettingsError, Refused) as error:
    raise WorkflowError(str(error)) from None

if SETTINGS.models_dir:
    os.environ[MODELS_VARIABLE] = os.path.abspath(SETTINGS.models_dir)

if config["container"]:

    container: config["container"]


# The stage that writes the final maps: with a labelling network it names the levels, after merging.
NAMING = LABEL if "labelling" in SETTINGS.models else "merge"
# The stages that run for every scan, in their order.
RUN_STAGES = [stage for stage in ALL_STAGES if stage != LABEL or stage == NAMING]

OUT = SETTINGS.output_dir
# What `snakemake evaluate` compares the results with.
REFERENCE = config["reference"] or f"{SETTINGS.bids_dir}/derivatives/truth"
LOGS = f"{OUT}/logs"
# Stand for the tables of the cohort and for the contact sheet, as manifests stand for batches.
TABLES_RECEIPT = f"{OUT}/work/receipts/cohort.json"
SHEET_RECEIPT = f"{OUT}/work/receipts/contact_sheet.json"
PICTURES_RECEIPT = f"{OUT}/work/receipts/pictures/{{batch}}.json"
REPORT_RECEIPT = f"{OUT}/work/receipts/report.json"
RUN_LOCK = RunLock(OUT)
WISHES = Wishes(
    SETTINGS.retry_failed,
    SETTINGS.recompute,
    SETTINGS.max_failed_fraction,
    SETTINGS.mixed_settings,
)
# Minutes that further attempts of a job may ask for; partitions add theirs.
TIME_LIMITS = [365 * 24 * 60]
OUTPUT_ARGUMENT = f" --output-dir {quote(OUT)}"
# All that a job is told: the plan, which holds everything that decides its results, and its batch.
PLAN_ARGUMENT = f" --plan {quote(str(plan_file(OUT)))} --threads {{threads}}"
BATCH_ARGUMENTS = f"{PLAN_ARGUMENT} --batch {{wildcards.batch}} >> {{log:q}} 2>&1"
# What is worth keeping of a job's log is in the batch's own by then (wirbel.runner.joblogs).
LOG_NO_MORE = " && (rm -f {log:q} || true)"


wildcard_constraints:
    batch=BATCH_PATTERN,


@cache
def this_run():
    """Return what this start found and decided, looked up once; only a run that will compute writes that down."""
    lighten_snakemake()
    decide_alone()
    needs_bids_dir(None)
    check_first()
    if is_run():
        with explained(f"nothing can be written to {OUT}; free some space or fix the permissions"):
            claim_output()
    with explained("the scans cannot be listed"):
        run = look(SETTINGS, WISHES)
    for remark in run.remarks:
        logger.warning(remark)
    if not run.found.sizes:
        stop(f"no scan found: expected sub-*/[ses-*/]anat/*_T2w.nii.gz in {SETTINGS.bids_dir}")
    with explained("the disk cannot be looked at"):
        for remark in check_space(OUT, estimate(run.new_scans(), SETTINGS.keep_intermediates)):
            logger.warning(remark)
    if is_run():
        with explained(f"nothing can be written to {OUT}; free some space or fix the permissions"):
            begin(run)
    return run


def begin(run):
    """Say what is new; stop where a person should look first; write lists and plan."""
    doubt = "" if SETTINGS.accept_changes else doubts(Path(OUT), run.plan, run.found)
    if doubt:
        stop(doubt)
    logger.info(scans_in_words(run.found), extra={"wirbel_output": OUT})
    run.carry_out()
    begin_record(OUT, run)


def check_first():
    """Stop, before anything is written, when the run could not end well; say what to know about it."""
    try:
        remembers = is_run()
        for remark in check_before_run(SETTINGS, is_for_slurm(), inherited, remembers=remembers):
            logger.warning(remark)
    except Refused as error:
        stop(str(error))


def lighten_snakemake():
    """Spare Snakemake what costs time with thousands of jobs, before it makes the first of them."""
    collect_garbage_seldom()
    without_input_sizes(JobScheduler)
    if workflow.local_exec and workflow.scheduling_settings:
        # A limit to jobs per second means one thread and one look at all waiting jobs more for every job.
        unlimited = replace(workflow.scheduling_settings, max_jobs_per_timespan=None)
        workflow.scheduling_settings = unlimited


def decide_alone():
    """Keep Snakemake's own records of earlier runs, which lie in the folder it is started in, from adding jobs.

    What has to run is decided in `wirbel.study.decision`. Its marks of jobs that were cut off add nothing either.
    Parameters count: the rules that are decided there have none.
    """
    workflow.dag_settings = replace(
        workflow.dag_settings,
        rerun_triggers=frozenset([RerunTrigger.PARAMS]),
        force_incomplete=True,
    )


def stop(sentence):
    """End this start with one sentence. Snakemake would hide an error of an input function in a traceback."""
    raise SystemExit(sentence)


@contextmanager
def explained(sentence):
    """Turn faults of the file system, of models and of SLURM into one sentence for the user."""
    try:
        yield
    except (SlurmError, Refused) as error:
        stop(str(error))
    except ModelError as error:
        stop(str(error))
    except OSError as error:
        stop(f"{sentence}: {error}")


def claim_output():
    """Make sure that nobody else computes into the output folder, on this machine or as jobs of SLURM."""
    refuse_a_second_run()
    if submits_to_slurm():
        outlive_terminal(Path(LOGS, "workflow.log"))
        take_over(workflow.executor_settings, OUT, say=logger.warning)


def is_run():
    """Whether this is a main process that is about to compute, and no dry run, `--touch` or other question."""
    asked = workflow.executor_plugin is None or workflow.dryrun
    return workflow.is_main_process and not asked and not is_touch()


def is_touch():
    """Whether files are only touched: that makes nothing newer here, so there is nothing to touch."""
    plugin = workflow.executor_plugin
    return plugin is not None and plugin.name == "touch"


def refuse_a_second_run():
    """Stop when another main process works on the same output folder."""
    if not RUN_LOCK.acquire(SETTINGS.wait_seconds, say=logger.info):
        stop(RUN_LOCK.refusal())


def submits_to_slurm():
    """Whether this process hands jobs to SLURM."""
    plugin = workflow.executor_plugin
    return workflow.is_main_process and plugin is not None and plugin.name == "slurm"


def is_for_slurm():
    """Whether the run is one on SLURM, also where this is its dry run: only then jobs have a partition."""
    defaults = workflow.resource_settings.default_resources
    return submits_to_slurm() or (defaults is not None and "slurm_partition" in defaults)


def prepare_slurm():
    """Stop, before anything is submitted, when SLURM can never run what is asked for; keep watch."""
    if not submits_to_slurm():
        return
    try:
        choose_status_command(workflow.executor_settings)
        jobs = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
        requests, cluster = requests_of(jobs), partitions()
        check_requests(requests, cluster)
        TIME_LIMITS.append(shortest_limit(requests, cluster))
    except SlurmError as error:
        raise WorkflowError(str(error)) from None
    prefix, executor = jobname_prefix(OUT), getattr(workflow.scheduler, "_executor", None)
    mended = mend(executor, prefix, say=logger.warning)
    watch(prefix, say=logger.warning, awaited=awaited_jobs, mended=mended)


def awaited_jobs():
    """Return how many submitted jobs have not been seen to end."""
    return sum(not job.is_local for job in list(workflow.scheduler.running))


def inputs_of(stage, before):
    """Return an input function: what a stage's job reads, where that is about to be made."""

    @with_signature
    def paths(wildcards):
        if not workflow.is_main_process:
            return usual_inputs(OUT, before, wildcards.batch)
        return this_run().inputs(stage, wildcards.batch, shown=not (is_run() or is_touch()))

    return paths


def gathered_by(stage, *stages):
    """Return an input function of what is made from the manifests of all batches."""
    return lambda wildcards: (
        this_run().gathered(stage, *stages, shown=not (is_run() or is_touch()))
        if workflow.is_main_process
        else []
    )


def tell_dry_run():
    """Say which rules would run and why, in place of Snakemake's dozen lines per job."""
    if not this_run.cache_info().currsize:
        return
    run = this_run()
    jobs = [
        (job.rule.name, job.wildcards_dict.get("batch", ""))
        for job in workflow.dag.needrun_jobs()
        if not job.rule.norun
    ]
    logger.info(account(jobs, run.decision, run.found, run.gathered_causes, RUN_LOCK.at_work()))
    doubt = "" if SETTINGS.accept_changes else doubts(Path(OUT), run.plan, run.found)
    if doubt:
        logger.warning(f"A run would stop: {doubt}")


if workflow.output_settings.dryrun and not workflow.output_settings.verbose:
    # With both kinds of output off Snakemake ends a dry run before it "runs" every job.
    silent = {Quietness.RULES, Quietness.PROGRESS}
    workflow.output_settings = replace(workflow.output_settings, quiet=silent)
    logger.addFilter(BeforeJobTable(tell_dry_run))


def end_without_jobs():
    """End a run that found nothing to do as any other."""
    if is_run():
        print_summary(0, computed=False)


logger.addFilter(AtNothingToDo(logger.info, end_without_jobs))


def manifest(stage):
    """Return the pattern of a stage's manifest."""
    return f"{OUT}/work/{stage}/{{batch}}.tsv"


def manifests_to_make(wildcards):
    """An input function: the manifests of all stages and batches that are out of date."""
    needs_bids_dir(wildcards)
    return this_run().manifests(*RUN_STAGES) if workflow.is_main_process else []


def needs_bids_dir(wildcards):
    """An input function without files: stop when no folder for scans was named."""
    if not SETTINGS.bids_dir:
        stop("bids_dir is not set: add --config bids_dir=FOLDER")
    return []


def needs_reference(wildcards):
    """An input function without files: stop when there is nothing to compare with, before anything is computed."""
    if workflow.is_main_process:
        with explained("the reference cannot be looked at"):
            check_reference(REFERENCE)
    return []


def job_log(stage):
    """Return the pattern of a per-batch job's log."""
    return f"{LOGS}/{stage}/{{batch}}.log"


def code_of(stage):
    """Return a params function: the hash of the code that a stage beside the chain uses."""
    return with_signature(lambda wildcards: stage_code_hash(stage))


def models_to_fetch():
    """Return the models as the stage `models` takes them."""
    if isinstance(config["models"], str):
        return [config["models"]]
    return [f"{kind}={name}" for kind, name in config["models"].items()]


def megabytes(base):
    """Return a resource function: `base` MB, that much more with every further attempt.

    The size of a batch plays no part: three of its scans are in memory at a time, however many there are.
    """
    return with_signature(lambda wildcards, attempt: base * attempt)


def minutes(base, per_scan):
    """Return a resource function: time for a start and for each scan of the batch, more with every further attempt.

    But no more than the partitions allow: scans that an earlier attempt has finished are not computed again anyway.
    """

    @with_signature
    def asked(wildcards, attempt):
        first = base + per_scan * scans_in(wildcards.batch)
        return max(first, min(attempt * first, *TIME_LIMITS))

    return asked


def scans_in(batch):
    """Return the number of scans in a batch; only the main process, which submits jobs, needs it right."""
    if not workflow.is_main_process:
        return SETTINGS.batch_size
    return this_run().found.sizes.get(batch, SETTINGS.batch_size)


def print_summary(code, computed=True):
    """Say how many scans were measured, why others were not, and where the results are; complete the run's record.

    Ends the process where more scans failed than `fail_on` allows, so that a script notices.
    """
    if not workflow.is_main_process or not this_run.cache_info().currsize:
        return
    remarks = [*this_run().data.remarks, toy_remark(SETTINGS.models)]
    told = summary(OUT, remarks, computed=computed)
    code = code or exit_code(SETTINGS.fail_on, told.failed, told.scans)
    end_record(OUT, code, told.measured, told.failed)
    say_at_the_end(logger, workflow.output_settings, told.text)
    if code == TOO_MANY_FAILED:
        allowed = f"more scans failed than fail_on={SETTINGS.fail_on} allows"
        say_at_the_end(logger, workflow.output_settings, f"Exit code {code}: {allowed}")
        sys.exit(code)
