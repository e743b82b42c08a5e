"""A worker that dies, or finds the disk full, at any step of its writing: nothing is lost, nothing is wrong.

A child process runs two toy stages and kills itself with SIGKILL at the n-th call that touches the output
folder, for every n; then the same command runs undisturbed.
"""

import errno
import itertools
import os

import pytest
from support.studies.batch_lists import update_batches
from support.studies.sudden_death import die_at
from support.studies.toy import Count, Double, parsed, plan_of

from wirbel.io import atomic
from wirbel.runner import upstream
from wirbel.runner.loop import run_stage

TEXTS = {"sub-01": "one", "sub-02": "four"}
"""Audit events of calls that read or change a folder."""


class Triple(Double):
    """Another setting of `double`: the same names, for sub-01 (6 and 9) the same size, other content."""

    def save(self, scan, result, folders):
        path = folders.anat(scan) / f"{scan.scan_id}_double.txt"
        atomic.write_text(path, str(3 * int(result)))
        return [path]


DOUBLED = {"sub-01_double.txt": "6", "sub-02_double.txt": "8"}
TRIPLED = {"sub-01_double.txt": "9", "sub-02_double.txt": "12"}


class Tally(list):
    """A list of computed scans that outlives the process."""

    def __init__(self, path, stage):
        self.path, self.stage = path, stage

    def append(self, scan_id):
        with open(self.path, "a") as log:
            log.write(f"{self.stage} {scan_id}\n")


class Study:
    """A data folder, an output folder, and the chain of both stages."""

    def __init__(self, folder, texts=TEXTS):
        self.data, self.output, self.tally = folder / "in", folder / "out", folder / "tally"
        self.done = False
        for name, text in texts.items():
            path = self.data / name / "anat" / f"{name}_T2w.nii"
            path.parent.mkdir(parents=True)
            path.write_text(text)

    def chain(self, last=Double):
        """Run both stages by one plan, `last` standing for the later one; return whether all went well."""
        plan = self.plan(last)
        return self._run(Count(), plan) and self._run(last(), plan)

    def plan(self, last=Double):
        """Do what the main process does before its jobs; return the plan."""
        update_batches(self.data, self.output, 100)
        return plan_of(self.output, codes={"double": last.__name__}, drops=["count"])

    def _run(self, stage, plan):
        stage.calls = Tally(self.tally, stage.name)
        return run_stage(stage, parsed(plan)) == 0

    def killed_at(self, number, last=Double):
        """Run the chain in a child that dies at its n-th call; return whether it came that far."""
        child = os.fork()
        if child == 0:
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                die_at(number, str(self.output))
                self.done = self.chain(last)
            finally:
                os._exit(0 if self.done else 1)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)

    def results(self):
        return {path.name: path.read_text() for path in self.output.rglob("sub-*.txt")}

    def computed(self):
        return sorted(self.tally.read_text().split("\n")[:-1])


@pytest.fixture
def studies(tmp_path, monkeypatch):
    """Return a function that returns numbers from 1 on, each with a new study."""
    monkeypatch.setattr(upstream, "LATENCY_SECONDS", 0.0)
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: None
    )  # matters to power failures, not to SIGKILL
    return lambda *texts: ((n, Study(tmp_path / str(n), *texts)) for n in itertools.count(1))


def test_killed_at_any_call_the_same_command_completes_the_same_results(studies):
    whole = DOUBLED | {"sub-01_count.txt": "3", "sub-02_count.txt": "4"}
    for number, study in studies():
        killed = study.killed_at(number)
        assert study.results().items() <= whole.items()
        assert study.chain()
        assert study.results() == DOUBLED
        assert not list(study.output.rglob(".tmp-*"))
        assert (
            len(study.computed()) <= 4 + 2
        )  # besides each once, what was being computed and saved
        if not killed:
            break
    assert number > 100


def test_killed_at_any_call_under_other_settings_old_and_new_are_never_mixed(studies):
    for number, study in studies({"sub-01": "one"}):
        assert study.chain(Double)
        killed = study.killed_at(number, Triple)
        assert study.chain(Double)
        assert study.results() == {"sub-01_double.txt": "6"}
        assert study.chain(Triple)
        assert study.results() == {"sub-01_double.txt": "9"}
        if not killed:
            break
    assert number > 50


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space and run the same command again; finished scans are kept"),
        (errno.EDQUOT, "your quota is used up"),
        (errno.EROFS, "output_dir cannot be written to from this machine"),
    ],
)
def test_a_disk_that_is_full_at_any_write_stops_in_one_sentence_and_loses_nothing(
    studies, monkeypatch, capsys, number, advice
):
    flush = atomic._flush
    for which, study in studies():
        study.plan()
        calls = itertools.count(1)

        def refuse(path, which=which, calls=calls):
            if next(calls) == which:
                raise OSError(number, os.strerror(number))
            flush(path)

        with monkeypatch.context() as patched:
            patched.setattr(atomic, "_flush", refuse)
            done = study.chain()
        told = capsys.readouterr().err
        if done:
            break
        assert told.splitlines()[-1].split(":")[0] in ("count", "double")
        assert os.strerror(number) in told
        assert advice in told.splitlines()[-1]
        assert study.chain()
        assert study.results() == DOUBLED
        assert not list(study.output.rglob(".tmp-*"))
    assert which > 10
