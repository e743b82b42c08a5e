"""A copy of the workflow with toy stages in place of the real ones: seconds instead of minutes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
TOY = Path(__file__).with_name("toy_chain")
CHAIN = ["resample", "semantic", "instance", "merge", "features"]
STAGE = """import sys
from wirbel.core.letters import LETTERS
from wirbel.toy import run
NAME, BEFORE = {name!r}, {before!r}
def main(argv=None):
    return run(NAME, BEFORE, LETTERS[NAME], argv)
if __name__ == "__main__":
    sys.exit(main())
"""
COHORT = """import sys
from wirbel.io.atomic import sweep_temporaries
from wirbel.io.tabular.tables import write_rows
from wirbel.toy import everything, gather
def write(folder, plan):
    sweep_temporaries(folder / "cohort")
    rows = [dict(scan_id=scan, value=value) for scan, value in everything(folder, "features")]
    names = ("scans", "vertebrae", "discs", "levels", "failures")
    paths = [folder / "cohort" / f"{name}.csv" for name in names]
    for path in paths:
        write_rows(path, ("scan_id", "value"), rows)
    return paths
if __name__ == "__main__":
    sys.exit(gather("cohort", write))
"""
SHEET = """import sys
from wirbel.io.atomic import write_text
from wirbel.toy import everything, gather
def write(folder, plan):
    path = folder / "qc" / "contact_sheet.png"
    write_text(path, repr(everything(folder, plan.naming)))
    return [path]
if __name__ == "__main__":
    sys.exit(gather("contact_sheet", write))
"""
PICTURES = """import argparse, sys
from pathlib import Path
from wirbel.io.atomic import write_text
from wirbel.plan.plan import output_of, read_plan
from wirbel.manifests.receipts import digest_of_seals, pictures_receipt, read_seals, write_receipt
parser = argparse.ArgumentParser()
for name in ("--plan", "--batch", "--threads"):
    parser.add_argument(name)
if __name__ == "__main__":
    args = parser.parse_args()
    folder, plan = output_of(Path(args.plan)), read_plan(Path(args.plan))
    seals = read_seals(folder, plan, plan.names[-2:], [args.batch])
    path = folder / "work" / "pictures" / f"{args.batch}.json"
    write_text(path, "{}")
    made_by, made_from = plan.stage("pictures").fingerprint, digest_of_seals(seals)
    write_receipt(folder, pictures_receipt(args.batch), made_by, made_from, [path])
"""
REPORT = """import sys
from wirbel.io.atomic import write_text
from wirbel.toy import gather
def write(folder, plan):
    path = folder / "qc" / "index.html"
    write_text(path, (folder / "cohort" / "scans.csv").read_text())
    return [path]
if __name__ == "__main__":
    sys.exit(gather("report", write))
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
        model(self.folder / name, kind, name)

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
    (folder / "models").symlink_to(REPOSITORY / "models")


def model(folder: Path, kind: str, name: str = "other") -> Path:
    """A model folder that is the embedded one but for what its network is called."""
    shutil.copytree(REPOSITORY / "models" / "builtin" / kind, folder, dirs_exist_ok=True)
    file = folder / "inference_config.json"
    file.write_text(file.read_text().replace('"log_name": "', f'"log_name": "{name} '))
    return folder


def toy_workflow(folder: Path) -> Workflow:
    """The workflow with toy stages."""
    workflow = Workflow(folder)
    copy_workflow(workflow.folder)
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
    (package / "stages" / "report.py").write_text(REPORT)
    (package / "stages" / "pictures.py").write_text(PICTURES)
    (package / "stages" / "simulate.py").write_text("# Only planned, never run.")
    return workflow
