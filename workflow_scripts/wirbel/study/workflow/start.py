"""One start of the workflow on an output folder: checks, what has to run, and how the run ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from wirbel.io.escapes import visible
from wirbel.models.errors import ModelError
from wirbel.plan.plan import Wishes
from wirbel.slurm.questions import SlurmError
from wirbel.study.checks.command_line import FORCED
from wirbel.study.checks.space import check_space, estimate
from wirbel.study.checks.start import check_before_run
from wirbel.study.checks.toy_weights import toy_remark
from wirbel.study.decision.account import account, again_in_words, scans_in_words
from wirbel.study.ending.finish import TOO_MANY_FAILED, exit_code
from wirbel.study.ending.run_record import begin_record, end_record
from wirbel.study.ending.summary import Summary, summary
from wirbel.study.listing.acceptance import doubts
from wirbel.study.refused import Refused
from wirbel.study.run import Run, look
from wirbel.study.run_lock import RunLock
from wirbel.study.settings.run_settings import Settings
from wirbel.study.withdrawing.withdrawal import end_withdrawal, withdrawal_doubt
from wirbel.study.workflow import on_slurm
from wirbel.study.workflow.session import Session


class Start:
    """Looks at the data set once, when it is first asked what has to run; only a run that will compute writes.

    `inherited` is the environment as the user had it.
    """

    def __init__(self, settings: Settings, session: Session, inherited: Mapping[str, str]) -> None:
        self._settings, self._session, self._inherited = settings, session, inherited
        self._lock = RunLock(settings.output_dir)

    @cached_property
    def run(self) -> Run:
        """What this start found and decided. Ends the process, with one sentence, where it cannot go on."""
        session, settings = self._session, self._settings
        session.lighten()
        session.decide_alone()
        self.need_bids_dir()
        with self.explained("the settings cannot be checked"):
            self._check()
        if session.is_run:
            with self.explained(self._unwritable):
                self._claim()
        with self.explained("the scans cannot be listed"):
            run = look(settings, _wishes(settings), on_cluster=session.is_for_slurm)
        self._tell(run)
        if session.is_run:
            with self.explained(self._unwritable):
                self._begin(run)
        return run

    def need_bids_dir(self) -> None:
        """Stop when no folder for scans was named."""
        if not self._settings.bids_dir:
            self._session.stop("bids_dir is not set: add --config bids_dir=FOLDER")

    @contextmanager
    def explained(self, sentence: str) -> Iterator[None]:
        """Turn faults of the file system, of models and of SLURM, and Ctrl-C, into one sentence for the user."""
        try:
            yield
        except KeyboardInterrupt:
            self._session.stop("interrupted before the first job; run the same command again")
        except (SlurmError, Refused, ModelError) as error:
            self._session.stop(str(error))
        except OSError as error:
            self._session.stop(f"{sentence}: {error}")

    def tell_dry_run(self) -> None:
        """Say which rules would run and why."""
        if "run" not in vars(self):
            return
        run, session = self.run, self._session
        planned, at_work = session.planned(), self._lock.at_work()
        session.say(account(planned, run.decision, run.found, run.gathered_causes, at_work))
        if doubt := self._doubt(run):
            session.warn(f"A run would stop: {doubt}")

    def end(self, code: int, *, computed: bool = True) -> None:
        """Say how many scans were measured, why others were not, and where the results are; complete the run's record.

        Ends the process where more scans failed than `fail_on` allows, so that a script notices.
        """
        if not self._session.is_main or "run" not in vars(self):
            return
        settings = self._settings
        remarks = [*self.run.remarks, toy_remark(settings.models)]
        told = summary(settings.output_dir, remarks, computed=computed)
        code = code or exit_code(settings.fail_on, told.failed, told.scans)
        self._session.say_at_the_end(told.text)
        self._end_record(code, told)
        self._end_withdrawal()
        if code == TOO_MANY_FAILED:
            allowed = f"more scans failed than fail_on={settings.fail_on} allows"
            self._session.say_at_the_end(f"Exit code {code}: {allowed}")
            sys.exit(code)

    def _end_record(self, code: int, told: Summary) -> None:
        """Complete the run's record; a full disk, which has stopped the jobs, must not hide what they said."""
        try:
            end_record(self._settings.output_dir, code, told.measured, told.failed)
        except OSError as error:
            self._session.say_at_the_end(f"logs/runs.tsv lacks how this run ended: {error}")

    def _end_withdrawal(self) -> None:
        """Look once more for withdrawn participants, when everything that a run writes is written."""
        data = self.run.data
        for remark in end_withdrawal(Path(self._settings.output_dir), data.withdrawn, data.known):
            self._session.say_at_the_end(remark)

    def end_without_jobs(self) -> None:
        """End a run that found nothing to do as any other."""
        if self._session.is_run:
            self.end(0, computed=False)

    @property
    def _unwritable(self) -> str:
        return f"nothing can be written to {self._settings.output_dir}; free some space or fix the permissions"

    def _check(self) -> None:
        """Stop, before anything is written, when the run could not end well; say what to know about it."""
        session = self._session
        on_cluster, remembers = session.is_for_slurm, session.is_run
        for remark in check_before_run(
            self._settings, on_cluster, self._inherited, remembers=remembers
        ):
            session.warn(remark)

    def _claim(self) -> None:
        """Make sure that nobody else computes into the output folder, on this machine or as jobs of SLURM."""
        if not self._lock.acquire(self._settings.wait_seconds, say=self._session.say):
            self._session.stop(self._lock.refusal())
        if self._session.submits_to_slurm:
            on_slurm.claim(self._session, self._settings.output_dir)

    def _tell(self, run: Run) -> None:
        """Say what is odd, and stop where there is nothing to do, or no room for it."""
        session, settings = self._session, self._settings
        for remark in [*run.remarks, *([FORCED] if session.is_forced else [])]:
            session.warn(remark)
        if not run.found.sizes:
            session.stop(self._no_scan(run))
        needed = estimate(run.new_scans(), settings.keep_intermediates)
        with self.explained("the disk cannot be looked at"):
            for remark in check_space(settings.output_dir, needed):
                session.warn(remark)

    def _no_scan(self, run: Run) -> str:
        """Return what was expected where no scan was found, or that the settings leave all of them out."""
        settings, left_out = self._settings, run.data.left_out
        if left_out:
            told = f"such as {visible(left_out[0].scan.scan_id)} ({left_out[0].detail})"
            return f"no scan left: the settings leave out all {len(left_out):,}, {told}"
        return f"no scan found: expected {settings.source.expected} in {settings.bids_dir}"

    def _begin(self, run: Run) -> None:
        """Say what is new; stop where a person should look first; write lists and plan."""
        if doubt := self._doubt(run):
            self._session.stop(doubt)
        told = [scans_in_words(run.found), *again_in_words(run.decision, run.found)]
        run.carry_out()
        begin_record(self._settings.output_dir, run)
        # From here on the terminal shows how far the run is, by the plan that was just written.
        self._session.say("\n".join(told), wirbel_output=self._settings.output_dir)

    def _doubt(self, run: Run) -> str:
        if self._settings.accept_changes:
            return ""
        folder = Path(self._settings.output_dir)
        return doubts(folder, run.plan, run.found) or withdrawal_doubt(folder, run.data.withdrawn)


def _wishes(settings: Settings) -> Wishes:
    return Wishes(
        settings.retry_failed,
        settings.recompute,
        settings.max_failed_fraction,
        settings.mixed_settings,
    )
