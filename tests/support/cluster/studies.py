"""What a round works on, and how it is known whether something was lost: with toy stages or with the real ones."""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.cluster.cluster_workflow import (
    MEMORY_MB,
    ClusterWorkflow,
    copy_real_workflow,
    make_troubled,
)
from support.cluster.small_study import small_study
from support.studies.toy_workflow import CHAIN, toy_workflow
from wirbel.io.tabular.tables import read_rows

TOY_SCANS, TOY_BATCH_SIZE, TOY_SECONDS_PER_SCAN = 8, 4, 0.4
TOY_DISK, REAL_DISK = "size=12m", "size=96m"
KEPT = ("sub-*/**/*", "cohort/*", "qc/*", "work/features/*.json", "dataset_description.json")
"""What a study leaves for its user, as patterns below the output folder."""
INTERMEDIATE = ("work/resample/*.nii.gz", "work/semantic/*.nii.gz", "work/instance/*.n*")


class ToyStudy(ClusterWorkflow):
    """Scans that are texts."""

    disk = TOY_DISK
    settings = {"batch_size": TOY_BATCH_SIZE}

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        toy_workflow(folder)
        super().__init__(folder, environment, MEMORY_MB["toy"])
        make_troubled(self.folder, MEMORY_MB["toy"])
        names = [f"sub-{number:02}" for number in range(TOY_SCANS)]
        self.texts = {name: "broken" if name == "sub-03" else name for name in names}
        self.replaced: set[str] = set()
        for name, text in self.texts.items():
            self.scan(name, text)
        self.output.mkdir()

    def start(self, *more: str, sleep: float = TOY_SECONDS_PER_SCAN, **options) -> subprocess.Popen:
        return super().start(*more, sleep=sleep, **options)

    @property
    def names(self) -> list[str]:
        """All scans."""
        return list(self.texts)

    def replace(self, scan: str) -> None:
        """Write a scan's file anew, in one step."""
        path = self.scan("new", f"{self.texts[scan]}again")
        path.replace(self.data / scan / "anat" / f"{scan}_T2w.nii.gz")
        shutil.rmtree(self.data / "new")
        self.texts[scan] += "again"
        self.replaced.add(scan)

    def expected(self) -> set[str]:
        """Return "stage scan" of all that an undisturbed run computes."""
        failed = {scan for scan, text in self.texts.items() if "broken" in text}
        everything = {f"{stage} {scan}" for stage in CHAIN for scan in self.texts}
        return everything - {f"{stage} {scan}" for stage in CHAIN[1:] for scan in failed}

    def differences(self) -> list[str]:
        """Compare with what a run without faults writes (tests/workflow/test_toy_chain.py holds it to that)."""
        rows = [
            f"{scan},{'unreadable' if 'broken' in text else text + 'RSIMF'}\n"
            for scan, text in sorted(self.texts.items())
        ]
        path = self.output / "cohort" / "scans.csv"
        found = path.read_text() if path.exists() else ""
        return [] if found == "scan_id,value\n" + "".join(rows) else [f"the table is {found!r}"]


class RealStudy(ClusterWorkflow):
    """Small scans (small_study.py) through the real stages; `kept` holds what all rounds share."""

    disk = REAL_DISK
    # Few jobs at once on this machine's processors, and one thread each.
    more = ("--jobs", "6", "--set-threads", "semantic=1")

    def __init__(
        self, folder: Path, environment: dict[str, str], kept: Path, scans: int, batch_size: int
    ) -> None:
        self.reference = Reference(kept, scans)
        shutil.copytree(self.reference.repository, folder / "repository", symlinks=True)
        shutil.copytree(self.reference.scans["first"], folder / "in")
        super().__init__(folder, environment, MEMORY_MB["real"])
        self.settings = {"batch_size": batch_size, **self.reference.settings}
        self.replaced: set[str] = set()
        self.output.mkdir()

    @property
    def names(self) -> list[str]:
        """All scans that were not replaced yet."""
        return sorted({path.name for path in self.data.glob("sub-*")} - self.replaced)

    def replace(self, scan: str) -> None:
        """Put another scan in a file's place, in one step."""
        name = f"{scan}/anat/{scan}_T2w.nii.gz"
        new = self.data / "new"
        shutil.copy(self.reference.scans["second"] / name, new)
        new.replace(self.data / name)
        self.replaced.add(scan)

    def expected(self) -> set[str]:
        """Return "stage scan" of all that undisturbed runs compute, of replaced scans as they are now."""
        first, second = (self.reference.computed(which) for which in ("first", "second"))
        return {line for line in first if line.split()[1] not in self.replaced} | {
            line for line in second if line.split()[1] in self.replaced
        }

    def differences(self) -> list[str]:
        """Compare every file that a study leaves with those of undisturbed runs, byte for byte."""
        expected = self.reference.output("first")
        if self.replaced:
            expected = self.reference.mixed(self.folder.parent / "expected", self.replaced)
        found = _compared(expected, self.output)
        left = [path.name for pattern in INTERMEDIATE for path in self.output.glob(pattern)]
        failures = self.output / "cohort" / "failures.csv"
        rows = read_rows(failures) if failures.exists() else []  # found missing above
        failed = {row["scan_id"] for row in rows}
        left = [name for name in left if name.partition("_")[0] not in failed]
        nameless = [
            row["scan_id"] for row in rows if not (row["stage"] and row["reason"] and row["detail"])
        ]
        found += [f"intermediate results left: {left[:5]}"] if left else []
        return found + ([f"failed without a reason: {nameless}"] if nameless else [])


class Reference:
    """Two undisturbed runs in one batch on this machine: of the scans, and of those that may replace them."""

    def __init__(self, kept: Path, scans: int) -> None:
        study = small_study(kept / f"study-{scans}", scans)
        self.scans, self._scans = study.scans, scans
        pairs = ", ".join(f"{kind}: {path}" for kind, path in study.models.items())
        self.settings = {"models": f"{{{pairs}}}", "n4": "false"}
        fresh = kept / f"new-{os.getpid()}"
        copy_real_workflow(fresh)
        self.folder = kept / f"reference-{scans}-{_digest(fresh)}"
        self.repository = self.folder / "repository"
        if not (self.folder / "complete").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir()
            fresh.rename(self.repository)
            for which, scans in self.scans.items():
                shutil.copytree(scans, self.folder / which / "in")
                self._run(self.folder / which)
            (self.folder / "complete").touch()
        shutil.rmtree(fresh, ignore_errors=True)

    def output(self, which: str) -> Path:
        """Return the output folder of one of the runs."""
        return self.folder / which / "out"

    def computed(self, which: str) -> set[str]:
        """Return "stage scan" of all that one of the runs computed."""
        return set((self.folder / which / "trouble" / "computed.log").read_text().splitlines())

    def mixed(self, target: Path, replaced: set[str]) -> Path:
        """Run undisturbed on the first scans, those `replaced` exchanged for the second ones; return the output."""
        scans = target / "in"
        shutil.copytree(self.scans["first"], scans)
        for scan in replaced:
            shutil.rmtree(scans / scan)
            shutil.copytree(self.scans["second"] / scan, scans / scan)
        return self._run(target)

    def _run(self, folder: Path) -> Path:
        """Run the workflow on all scans of `folder`/in, in one batch on this machine; return the output folder.

        The folders are named and placed as a round's, because results name the raw data set.
        """
        trouble, output = folder / "trouble", folder / "out"
        trouble.mkdir(parents=True)
        settings = {"bids_dir": folder / "in", "output_dir": output, "batch_size": self._scans}
        settings |= self.settings
        line = [sys.executable, "-m", "snakemake", "--profile", "profiles/default", "--cores", "2"]
        line += ["--set-threads", "semantic=1", "--config"]
        line += [f"{key}={value}" for key, value in settings.items()]
        environment = {**os.environ, "WIRBEL_TROUBLE": str(trouble)}
        with open(folder / "log.txt", "w") as log:
            subprocess.run(
                line, cwd=self.repository, env=environment, stdout=log, stderr=log, check=True
            )
        shutil.rmtree(self.repository / ".snakemake")
        return output


def _digest(repository: Path) -> str:
    """Return a hash of everything that decides results."""
    digest = hashlib.sha256()
    for folder in ("workflow_scripts", "config"):
        for path in sorted((repository / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(repository)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _kept(output: Path) -> dict[str, Path]:
    return {
        str(path.relative_to(output)): path
        for pattern in KEPT
        for path in output.glob(pattern)
        if path.is_file()
    }


def _compared(expected: Path, found: Path) -> list[str]:
    one, other = _kept(expected), _kept(found)
    missing, extra = sorted(one.keys() - other.keys()), sorted(other.keys() - one.keys())
    differing = [
        name
        for name in sorted(one.keys() & other.keys())
        if not filecmp.cmp(one[name], other[name], shallow=False)
    ]
    told = {"missing": missing, "not expected": extra, "differing": differing}
    return [
        f"{word}: {json.dumps(names[:8])} of {len(names)}" for word, names in told.items() if names
    ]
