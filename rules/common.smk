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
from snakemake.settings.enums import Quietness

ROOT = Path(workflow.basedir)
SOURCES = str(ROOT / "workflow_scripts")
sys.path.insert(0, SOURCES)
# Jobs find this repository's package and this environment's Python, whether or not either is activated.
inherited = dict(os.environ)
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [SOURCES, inherited.get("PYTHONPATH")])),
    PATH=os.pathsep.join([str(Path(sys.executable).parent), inherited["PATH"]]),
)

from wirbel.models.registry import ModelError, fingerprint
from wirbel.models.store import VARIABLE as MODELS_VARIABLE
from wirbel.runner.batches import BATCH_PATTERN, list_batches
from wirbel.runner.causes import NOT_ASKED
from wirbel.runner.chain import ALL_STAGES, INTERMEDIATE, LABEL, LAST_READER, STAGES
from wirbel.runner.codehash import stage_code_hash
from wirbel.runner.discovery import plan_batches
from wirbel.runner.dry_run import BeforeJobTable, account
from wirbel.runner.hangup import outlive_terminal
from wirbel.runner.light_snakemake import (
    collect_garbage_seldom,
    with_signature,
    without_input_sizes,
)
from wirbel.runner.records import retry_mark
from wirbel.runner.run_lock import RunLock
from wirbel.runner.settings import SettingsError, checked_settings
from wirbel.runner.slurm import SlurmError, jobname_prefix
from wirbel.runner.slurm_executor import mend
from wirbel.runner.slurm_queue import choose_status_command, take_over, watch
from wirbel.runner.slurm_setup import check_requests, partitions, requests_of, shortest_limit
from wirbel.runner.summary import summary
from wirbel.study.checks import check_before_run
from wirbel.study.dataset import look_up
from wirbel.study.output_folder import check_output_folder
from wirbel.study.refused import Refused
from wirbel.study.toy_weights import toy_remark


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
NAMING_FOLLOWS = "--naming-follows" if NAMING == LABEL else ""

OUT = SETTINGS.output_dir
LOGS = f"{OUT}/logs"
COHORT_TABLES = [
    f"{OUT}/cohort/{name}.csv" for name in ("scans", "vertebrae", "discs", "levels", "failures")
]
CONTACT_SHEET = f"{OUT}/qc/contact_sheet.png"
RUN_LOCK = RunLock(OUT)
# A time stamp at the end of the year 2099, in seconds.
FAR_AHEAD = 130 * 365 * 24 * 3600
# Minutes that further attempts of a job may ask for; partitions add theirs.
TIME_LIMITS = [365 * 24 * 60]
# The output folder and the arguments that every per-scan stage takes (wirbel.runner.arguments). The batch's list is
# the input of the first stage only: when it changes, the others follow, and thousands of files are never looked at.
OUTPUT_ARGUMENT = f" --output-dir {quote(OUT)}"
BATCH_ARGUMENTS = (
    f"{OUTPUT_ARGUMENT} --batch {quote(f'{OUT}/work/batches')}/{{wildcards.batch}}.tsv"
    " --manifest {output.manifest:q}"
    " --threads {threads} --code-hash {params.code} --retry-failed {params.retry:q}"
    " --max-failed-fraction {params.max_failed_fraction}"
)
# What is worth keeping of a job's log is in the batch's own by then (wirbel.runner.joblogs).
LOG_NO_MORE = " && (rm -f {log:q} || true)"


wildcard_constraints:
    batch=BATCH_PATTERN,


@cache
def batch_plan():
    """Return which scans and batches there are, looked up once; only a run that will compute writes that down."""
    lighten_snakemake()
    check_first()
    if is_run():
        with explained(f"nothing can be written to {OUT}; make room there or mend it"):
            claim_output()
    with explained("the scans cannot be listed"):
        plan = plan_batches(
            SETTINGS.bids_dir, OUT, SETTINGS.batch_size, SETTINGS.participants, data_set().scans
        )
    if is_run():
        with explained(f"nothing can be written to {OUT}; make room there or mend it"):
            plan.write()
            data_set().write(OUT)
    return plan


@cache
def data_set():
    """Return what there is in bids_dir, looked up once; say what is odd about it."""
    found = look_up(SETTINGS.bids_dir, OUT, SETTINGS.participants)
    for remark in found.remarks:
        logger.warning(remark)
    return found


def check_first():
    """Stop, before anything is written, when the run could not end well; say what to know about it."""
    try:
        for remark in check_before_run(SETTINGS, is_for_slurm(), remembers=is_run()):
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


def stop(sentence):
    """End this start with one sentence. Snakemake would hide an error of an input function in a traceback."""
    raise SystemExit(sentence)


@contextmanager
def explained(sentence):
    """Turn faults of the file system and of SLURM into one sentence for the user."""
    try:
        yield
    except (SlurmError, Refused) as error:
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
    """Whether this is a main process that is about to compute, and no dry run or other question."""
    return workflow.is_main_process and workflow.executor_plugin is not None and not workflow.dryrun


def refuse_a_second_run():
    """Stop when another main process works on the same output folder."""
    if not RUN_LOCK.acquire(SETTINGS.wait_seconds, say=logger.info):
        stop(RUN_LOCK.refusal())


def scan_batches():
    """Return the names of all batches; jobs take the lists as the main process left them."""
    return batch_plan().batches if workflow.is_main_process else list_batches(OUT)


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


@cache
def stand_in():
    """Return a temporary file that stands for every list that a run would write: a dry run leaves those alone.

    It is newer than any manifest, also than those written under a clock that ran ahead.
    """
    file = NamedTemporaryFile(prefix="wirbel-dry-run-", suffix=".tsv")
    os.utime(file.name, (FAR_AHEAD, FAR_AHEAD))
    return file


def batch_list():
    """Return an input function: a batch's list of scans."""

    @with_signature
    def path(wildcards):
        if workflow.is_main_process and not is_run() and wildcards.batch in batch_plan().lists:
            return stand_in().name
        return f"{OUT}/work/batches/{wildcards.batch}.tsv"

    return path


def tell_dry_run():
    """Say which rules would run and why, in place of Snakemake's dozen lines per job."""
    if batch_plan.cache_info().currsize:
        logger.info(account(workflow.dag, batch_plan(), RUN_LOCK.at_work()))


if workflow.output_settings.dryrun and not workflow.output_settings.verbose:
    # With both kinds of output off Snakemake ends a dry run before it "runs" every job.
    silent = {Quietness.RULES, Quietness.PROGRESS}
    workflow.output_settings = replace(workflow.output_settings, quiet=silent)
    logger.addFilter(BeforeJobTable(tell_dry_run))


def manifest(stage):
    """Return the pattern of a stage's manifest."""
    return f"{OUT}/work/{stage}/{{batch}}.tsv"


def all_manifests(*stages):
    """Return an input function: the stages' manifests of all batches."""
    return lambda wildcards: [
        f"{OUT}/work/{stage}/{name}.tsv" for stage in stages for name in needed_batches()
    ]


def needs_bids_dir(wildcards):
    """An input function without files: stop when no folder for scans was named."""
    if not SETTINGS.bids_dir:
        stop("bids_dir is not set: add --config bids_dir=FOLDER")
    return []


def needed_batches():
    """Return all batches; none at all is an error."""
    needs_bids_dir(None)
    found = scan_batches()
    if not found:
        stop(f"no scan found: expected sub-*/[ses-*/]anat/*_T2w.nii.gz in {SETTINGS.bids_dir}")
    return found


def data_set_mark():
    """Return a params function whose value changes when the files about people do, or what was odd in the data set."""
    return with_signature(lambda wildcards: data_set().mark if workflow.is_main_process else "")


def job_log(stage):
    """Return the pattern of a per-batch job's log."""
    return f"{LOGS}/{stage}/{{batch}}.log"


@cache
def code_hash(stage):
    """Return the hash of the code that a stage uses; once per start, since it reads that code."""
    return stage_code_hash(stage)


def code_of(stage):
    """Return a params function: the hash of the code that the stage uses."""
    return with_signature(lambda wildcards: code_hash(stage))


@cache
def model_fingerprint(kind):
    """Return a hash that changes with a model's files; stop when a listed model was not fetched."""
    try:
        return fingerprint(SETTINGS.models[kind], kind)
    except ModelError as error:
        stop(str(error))


def fingerprint_of(kind):
    """Return a params function: the model's fingerprint."""
    return with_signature(lambda wildcards: model_fingerprint(kind))


def models_to_fetch():
    """Return the models as the stage `models` takes them."""
    if isinstance(config["models"], str):
        return [config["models"]]
    return [f"{kind}={name}" for kind, name in config["models"].items()]


def later_than(stage):
    """Return a params function: the commands of the later stages that use a stage's intermediate results.

    The stage makes results again that were dropped when one of those has to compute something anew.
    """
    models = {kind: quote(name) for kind, name in SETTINGS.models.items()}
    compatibility = f"--compatibility {quote(SETTINGS.compatibility)}"
    n4 = "--n4" if SETTINGS.n4 else "--no-n4"
    both = f"--instance-model {models['instance']} {n4} {compatibility}"
    options = {
        "semantic": f"--model {models['semantic']} {compatibility}",
        "instance": f"--model {models['instance']} {compatibility}",
        "merge": f"--model {models['semantic']} {both} {NAMING_FOLLOWS}",
        LABEL: f"--model {models.get('labelling')} --semantic-model {models['semantic']} {both}",
    }
    kinds = {**{kind: kind for kind in models}, LABEL: "labelling"}
    later = ALL_STAGES[ALL_STAGES.index(stage) + 1 : ALL_STAGES.index(NAMING) + 1]

    @cache
    def commands():
        # The remark is no part of the command; it makes a change of the model's files count.
        return [
            f"python -m wirbel.stages.{name} {options[name]} --code-hash {code_hash(name)}"
            f" # model {model_fingerprint(kinds[name]) if name in kinds else 'as before'}"
            for name in later
        ]

    return with_signature(lambda wildcards: commands())


def dropped_results(stage):
    """Return the option that names the stages whose results go when `stage`, the last to read them, is done."""
    dropped = {LAST_READER: INTERMEDIATE, LABEL: (LAST_READER,)}[stage]
    return "" if SETTINGS.keep_intermediates else f"--drop {' '.join(dropped)}"


def failures_to_retry(stage):
    """Return a params function whose value changes when failed scans of the batch are to be retried."""
    if SETTINGS.retry_failed == NOT_ASKED:
        return NOT_ASKED  # not thousands of functions to call
    return with_signature(
        lambda wildcards: retry_mark(
            Path(OUT, "work", stage, f"{wildcards.batch}.tsv"), SETTINGS.retry_failed
        )
    )


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
    return batch_plan().sizes.get(batch, SETTINGS.batch_size)


def print_summary():
    """Say how many scans were measured, why others were not, and where the results are."""
    if workflow.output_settings.quiet:
        return
    if workflow.is_main_process and batch_plan.cache_info().currsize:
        remarks = [*data_set().remarks, toy_remark(SETTINGS.models)]
        print(summary(OUT, remarks=remarks), file=sys.stderr)
