"""A copy of the workflow with toy stages in place of the real ones: seconds instead of minutes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TOY = Path(__file__).with_name("toy_chain")
CHAIN = ["resample", "semantic", "instance", "merge", "features"]
STAGE = """import sys
from wirbel.core.letters import LETTERS
from wirbel.toy import run
NAME, BEFORE = {name!r}, {before!r}
if __name__ == "__main__":
    sys.exit(run(NAME, BEFORE, LETTERS[NAME]))
"""
COHORT = """import argparse
from pathlib import Path
from wirbel.io.atomic import sweep_temporaries
from wirbel.io.tables import write_rows
from wirbel.toy import everything
parser = argparse.ArgumentParser()
parser.add_argument("--output-dir", type=Path)
parser.add_argument("--bids-dir")
parser.add_argument("--threads")
folder = parser.parse_args().output_dir
sweep_temporaries(folder / "cohort")
rows = [dict(scan_id=scan, value=value) for scan, value in everything(folder, "features")]
for name in ("scans", "vertebrae", "discs", "levels", "failures"):
    write_rows(folder / "cohort" / f"{name}.csv", ("scan_id", "value"), rows)
"""
SHEET = """import argparse
from pathlib import Path
from wirbel.io.atomic import write_text
parser = argparse.ArgumentParser()
parser.add_argument("--output-dir", type=Path)
parser.add_argument("--sheet", type=Path)
write_text(parser.parse_args().sheet, "picture")
"""


class Workflow:
    """A repository folder, a data folder and an output folder, and Snakemake over them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.output = folder / "repository", folder / "in", folder / "out"

    def scan(self, name: str, text: str) -> Path:
        path = self.data / name / "anat" / f"{name}_T2w.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def model(self, name: str, kind: str) -> None:
        """Lay a model folder of that name beside the workflow; it is not the embedded one."""
        shutil.copytree(REPOSITORY / "models" / "builtin" / kind, self.folder / name)
        file = self.folder / name / "inference_config.json"
        file.write_text(file.read_text().replace('"log_name": "', f'"log_name": "{name} '))

    def command(self, *more: str, **config) -> list[str]:
        settings = {"bids_dir": self.data, "output_dir": self.output, **config}
        pairs = [f"{key}={value}" for key, value in settings.items()]
        line = [sys.executable, "-m", "snakemake", "--profile", "profiles/default"]
        return [*line, *more, "--config", *pairs]

    def start(self, *more: str, sleep: float = 0.0, **config) -> subprocess.Popen:
        environment = {**os.environ, "TOY_SLEEP": str(sleep)}
        return subprocess.Popen(
            self.command(*more, **config),
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *more: str, fails: bool = False, sleep: float = 0.0, **config) -> str:
        """Run Snakemake to its end; return what it printed."""
        process = self.start(*more, sleep=sleep, **config)
        told = process.communicate(timeout=900)[0]
        assert (process.returncode != 0) == fails, told
        return told

    def computed(self) -> list[str]:
        """Return "stage scan" for all that was computed since the last call, sorted."""
        log = self.output / "work" / "computed.log"
        lines = sorted(log.read_text().split("\n")[:-1]) if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def tables(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.output / "cohort").iterdir()}


def copy_workflow(folder: Path) -> None:
    """Copy what the workflow consists of; compiled files and results stay behind."""
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copy(REPOSITORY / "Snakefile", folder)
    for name in ("rules", "config", "envs", "profiles", "workflow_scripts"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)


def toy_workflow(folder: Path) -> Workflow:
    """The workflow with toy stages."""
    workflow = Workflow(folder)
    copy_workflow(workflow.folder)
    (workflow.folder / "models").symlink_to(REPOSITORY / "models")
    package = workflow.folder / "workflow_scripts" / "wirbel"
    shutil.copy(TOY / "toy.py", package / "toy.py")
    letters = {name: name[0].upper() for name in CHAIN}
    (package / "core" / "letters.py").write_text(f"LETTERS = {letters}\n")
    for stage in (package / "stages").glob("[a-z]*.py"):
        stage.unlink()
    for name, before in zip(CHAIN, [None, *CHAIN], strict=False):
        (package / "stages" / f"{name}.py").write_text(STAGE.format(name=name, before=before))
    (package / "stages" / "cohort.py").write_text(COHORT)
    (package / "stages" / "contact_sheet.py").write_text(SHEET)
    (package / "stages" / "simulate.py").write_text("# Only planned, never run.")
    return workflow
