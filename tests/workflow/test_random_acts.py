"""Whatever users do to a study, the same command afterwards gives what a fresh run on the present state would give."""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.studies.in_process import command
from support.studies.sudden_death import die_at

from wirbel.io import atomic
from wirbel.plan.plan import plan_file, read_plan
from wirbel.study.settings import planning

NAMES = [f"sub-0{number}" for number in range(6)]
STAGES = ["resample", "semantic", "instance", "merge", "features"]
STAGES += ["cohort", "contact_sheet", "pictures", "report"]
TEXTS = st.sampled_from(["one", "two", "three", "broken", "four four"])
QUIET = {"batch_size": 2, "accept_changes": True}
MISSING, UNREADABLE = "content_missing", "unreadable"
PATCHED = ("stage_code_hash", "identified", "planned_source")


class Study(RuleBasedStateMachine):
    """A data set whose scans are links into a store, as git-annex keeps them; an output folder; a command."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="wirbel-acts-"))
        self.data, self.output, self.store = (self.folder / n for n in ("in", "out", "store"))
        self.data.mkdir()
        self.store.mkdir()
        self.chosen = dict(QUIET)
        self.versions = dict.fromkeys(STAGES, 0)
        self.real = {name: getattr(planning, name) for name in PATCHED}
        self.real_flush = atomic._flush
        for name in ("identified", "planned_source"):  # the networks stay as they are
            setattr(planning, name, cache(self.real[name]))
        planning.stage_code_hash = lambda stage: f"{stage}-{self.versions[stage]}"
        atomic._flush = lambda path: None  # matters to power failures only
        self.place, self.way, self.serial = os.getcwd(), "", 0
        self.valid, self.fingerprint = {}, ""

    def teardown(self):
        for name, function in self.real.items():
            setattr(planning, name, function)
        atomic._flush = self.real_flush
        os.chdir(self.place)
        shutil.rmtree(self.folder)

    @initialize(texts=st.lists(TEXTS, min_size=2, max_size=5))
    def begin(self, texts):
        for name, text in zip(NAMES, texts, strict=False):
            self._put(name, text)
        self.same_command()

    # What users do to the data set

    @rule(name=st.sampled_from(NAMES), text=TEXTS)
    def put_a_scan(self, name, text):
        self._put(name, text)
        self.same_command()

    @rule(which=st.integers(0, 9))
    def touch_a_scan(self, which):
        path = self._one(which)
        if path.exists():
            os.utime(path, ns=(which, which))
        self.same_command()

    @precondition(lambda self: len(self._scans()) > 1)
    @rule(which=st.integers(0, 9))
    def remove_a_scan(self, which):
        name = self._one(which).name
        self._one(which).unlink()
        self.same_command()
        left = self.output.glob(f"work/*/{name.removesuffix('_T2w.nii')}.txt")
        assert not [path for path in left if path.parent.name != "features"], "images of who left"

    @rule(which=st.integers(0, 9))
    def drop_content(self, which):
        with suppress(FileNotFoundError):
            self._one(which).resolve().unlink()
        self.same_command()

    @rule()
    def restore_content(self):
        for path in self._scans():
            self._restore(path)
        self.same_command()

    @rule(text=st.sampled_from(["participant_id\tage\nsub-01\t5\n", "participant_id\nsub-02\n"]))
    def edit_participants(self, text):
        (self.data / "participants.tsv").write_text(text)
        os.utime(self.data / "participants.tsv", (4e9, 4e9))
        self.same_command()

    @rule()
    def move_the_data_set(self):
        self.serial += 1
        self.data = self.data.rename(self.folder / f"in{self.serial}")
        self.same_command()

    # ... to settings and software

    @rule(
        key=st.sampled_from(["n4", "keep_intermediates"]),
        value=st.booleans(),
    )
    def change_a_setting(self, key, value):
        self.chosen[key] = value
        self.same_command()

    @rule(size=st.integers(1, 3))
    def change_the_batch_size(self, size):
        self.chosen["batch_size"] = size
        self.same_command()

    @rule(stage=st.sampled_from(STAGES), version=st.integers(0, 2))
    def upgrade(self, stage, version):
        self.versions[stage] = version
        self.same_command()

    # ... to the output folder, and to the way that it is named

    @rule(way=st.sampled_from(["", "dots", "slashes", "relative", "link", "cwd"]))
    def name_it_differently(self, way):
        self.way = way
        self.same_command()

    @rule()
    def move_the_output(self):
        self.serial += 1
        self.output = self.output.rename(self.folder / f"out{self.serial}")
        self.same_command()

    @rule(which=st.integers(0, 99), how=st.sampled_from(["delete", "flip", "cut"]))
    def damage_a_file(self, which, how):
        """A result, a table, a picture, a manifest, a receipt: anything but the bookkeeping of scans."""
        kinds = ("sub-*/anat/*", "work/features/*", "work/[rsimp]*/*", "cohort/*", "qc/*")
        kinds += ("work/receipts/pictures/*",)
        found = (path for kind in kinds for path in self.output.glob(kind))
        files = sorted(path for path in found if path.is_file())
        path = files[which % len(files)]
        for scan in NAMES:
            if scan in str(path.relative_to(self.output)):
                self.valid.pop(scan, None)  # without its content it cannot be made again
        content = bytearray(path.read_bytes())
        if how == "delete" or not content:
            path.unlink()
        elif how == "cut":
            path.write_bytes(content[:-1])
        else:
            content[len(content) // 2] ^= 0x80
            path.write_bytes(content)
        self.same_command()

    @rule(number=st.integers(1, 400), n4=st.booleans())
    def kill_a_run(self, number, n4):
        self.chosen["n4"] = n4
        child = os.fork()
        if child == 0:
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                die_at(number, str(self.folder))
                self._run()
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in (0, -signal.SIGKILL)
        self.same_command()

    # What must hold

    def same_command(self):
        """Run the command, and compare what there is with what a fresh run makes of the same state."""
        self._run()
        again = command(self.data, self.output, **self.chosen)
        left = again.decision.first, again.pictures, any(again.tables.values())
        assert not any(left), "nothing is left to do"
        absent = {path.parents[1].name: path for path in self._scans() if not path.exists()}
        for path in absent.values():
            self._restore(path)
        fresh = self.folder / "fresh"
        command(self.data, fresh, **self.chosen)
        for path in absent.values():
            path.resolve().unlink()
        self._compare(fresh, set(absent))
        shutil.rmtree(fresh)

    def _compare(self, fresh, absent):
        fingerprint = read_plan(plan_file(self.output)).fingerprint
        assert fingerprint == read_plan(plan_file(fresh)).fingerprint
        same_plan, self.fingerprint = fingerprint == self.fingerprint, fingerprint
        found, expected = _table(self.output), _table(fresh)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            # A failure does not show its settings, as a result does: with others, it has to be seen again.
            known = self.valid.get(name) == value and (same_plan or UNREADABLE not in value)
            if name in absent and not known:
                assert found[name] in (f"{name},{MISSING}", value)
            else:
                assert found[name] == value, name
            scan = name.split(",")[0]
            told = value.removeprefix(f"{name},")
            if found[name] == value and not told.startswith((UNREADABLE, MISSING)):
                for path in (fresh / scan).rglob("*_map.txt"):
                    own = self.output / path.relative_to(fresh)
                    assert own.read_bytes() == path.read_bytes()
        self.valid = found
        assert (self.output / "qc/contact_sheet.png").exists()
        assert (self.output / "qc/index.html").exists()

    def _run(self):
        named = self.output
        if self.way == "dots":
            named = f"{self.output}/../{self.output.name}"
        if self.way == "slashes":
            named = f"{self.output.parent}//{self.output.name}//"
        if self.way == "relative":
            named = os.path.relpath(self.output)
        if self.way == "link":
            self.serial += 1
            named = self.folder / f"link{self.serial}"
            named.symlink_to(self.output)
        if self.way == "cwd":
            os.chdir(self.folder)
        command(self.data, named, **self.chosen)

    def _put(self, name, text):
        path = self.data / name / "anat" / f"{name}_T2w.nii"
        self.serial += 1
        target = self.store / f"{name}-{self.serial}"
        target.write_text(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        target.with_name(f".{target.name}").write_text(text)

    def _restore(self, path):
        target = Path(os.readlink(path))
        if not target.exists():
            shutil.copy(target.with_name(f".{target.name}"), target)

    def _scans(self):
        return sorted(self.data.glob("sub-*/anat/*_T2w.nii"))

    def _one(self, which):
        scans = self._scans()
        return scans[which % len(scans)]


def _table(folder):
    """Return the rows of the table by scan, and the lines about participants under their own names."""
    lines = (folder / "cohort/scans.csv").read_text().splitlines()
    return {line.split(",")[0] if "," in line else f"people: {line}": line for line in lines}


def test_the_same_command_gives_what_a_fresh_run_would(capsys):
    few = settings(
        max_examples=int(os.environ.get("WIRBEL_ACTS", "50")),
        derandomize="WIRBEL_ACTS"
        not in os.environ,  # the same sequences every time, unless asked for others
        stateful_step_count=8,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Study, settings=few)


def test_a_failure_of_a_scan_that_is_gone_is_not_carried_over_to_other_settings():
    """Found by chance among 200 sequences: the scan could be read once, as broken, and then no more."""
    study = Study()
    try:
        study.begin(texts=["broken", "one", "one"])
        study.drop_content(which=0)
        assert _table(study.output)["sub-00"] == f"sub-00,{UNREADABLE}"
        study.change_a_setting(key="n4", value=not study.chosen.get("n4", True))
        assert _table(study.output)["sub-00"] == f"sub-00,{MISSING}"
    finally:
        study.teardown()


@pytest.mark.parametrize("stage", ["resample", "merge", "features"])
@pytest.mark.parametrize(
    ("old", "new"), [(b"\tok\t", b"\tok\xf4"), (b"\tok\t", b"\tnk\t")], ids=["no text", "another"]
)
def test_a_manifest_that_a_failing_disk_changed_is_made_again(stage, old, new):
    """A byte that is no text, and a status that nobody wrote."""
    study = Study()
    try:
        study.begin(texts=["one", "two"])
        path = study.output / "work" / stage / "b00001.tsv"
        written = path.read_bytes()
        path.write_bytes(written.replace(old, new, 1))
        study.upgrade(stage="merge", version=1)
        left = path.read_bytes().replace(new, old, 1) if stage == "resample" else path.read_bytes()
        assert new not in left and left.count(old) == written.count(old)
    finally:
        study.teardown()


@pytest.mark.parametrize("stage", ["resample", "merge", "features"])
def test_a_damaged_manifest_does_not_stop_a_run_that_makes_all_of_them_again(stage):
    study = Study()
    try:
        study.begin(texts=["one", "two"])
        path = study.output / "work" / stage / "b00001.tsv"
        path.write_bytes(path.read_bytes().replace(b"\tok\t", b"\tok\xf4", 1))
        study.change_a_setting(key="n4", value=not study.chosen.get("n4", True))
        assert path.read_bytes().count(b"\tok\t") == 2
    finally:
        study.teardown()
