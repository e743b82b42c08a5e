"""What Snakemake itself costs with 30,000 scans, when computing takes no time.

    nice .venv/bin/python benchmarks/planning.py [--scans 30000] [--batch-size 64] [--folder /tmp/planning]

Makes a BIDS folder of tiny files and a copy of the workflow whose stages only write their manifests and files of one
byte (a small script in place of the package), runs it, and measures seconds and peak memory of each step. Everything
lies in a temporary folder that is removed afterwards. Results of one machine: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "rules", "config", "envs", "profiles", "workflow_scripts", "models")
FINAL = {"merge": 6, "features": 1}
"""Files per scan of the stages whose results stay."""
STUB = """# Stands for a stage: the manifest says that every scan of its batch is done; final results have one byte.
import csv, hashlib, json, os, sys
FINAL = {final!r}
stage, options = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
out = os.path.dirname(os.path.dirname(options["--plan"]))
plan = json.load(open(options["--plan"]))
known = {{s["stage"]: s["fingerprint"] for s in [*plan["stages"], *plan["tables"].values()]}}
names = [s["stage"] for s in plan["stages"]]
SUM = hashlib.sha256(b"x").hexdigest()[:16]

def seal_of(name, batch):
    with open(f"{{out}}/work/{{name}}/{{batch}}.tsv") as manifest:
        return json.loads(manifest.readline()[2:])

def put(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("x")
    return str(os.stat(path).st_mtime_ns)

def batch_job(batch):
    place = names.index(stage)
    if place:
        before = seal_of(names[place - 1], batch)["holds"]
    else:
        before = json.load(open(f"{{out}}/work/batches/discovery.json"))["digests"][batch]
    seal = {{"made_by": known[stage], "made_from": before, "holds": "done", "drops": plan["stages"][place]["drops"]}}
    with open(f"{{out}}/work/batches/{{batch}}.tsv") as lines:
        scans = [row[0] for row in list(csv.reader(lines, delimiter="\\t"))[1:]]
    rows = []
    for scan in scans:
        count = FINAL.get(stage, 0)
        files = [f"{{scan}}/anat/{{scan}}_{{stage}}-{{i}}.nii.gz" for i in range(count)]
        stamps = [put(f"{{out}}/{{name}}") for name in files]
        cells = [scan, "ok", "", "", "key", "0.00", files, ["1"] * count, "key", "cpu", [SUM] * count, stamps]
        rows.append("\\t".join(c if isinstance(c, str) else ";".join(c) for c in cells))
    head = "scan_id status reason detail key seconds outputs sizes source device sums stamps".split()
    target = f"{{out}}/work/{{stage}}/{{batch}}.tsv"
    with open(target + ".part", "w") as manifest:
        manifest.write("\\n".join(["# " + json.dumps(seal), "\\t".join(head), *rows, ""]))
    os.replace(target + ".part", target)

def draw(batch):
    from wirbel.manifests.receipts import digest_of_seals, pictures_receipt, write_receipt
    from wirbel.manifests.seals import read_seal
    from pathlib import Path
    seals = {{(s, batch): read_seal(f"{{out}}/work/{{s}}/{{batch}}.tsv") for s in names[-2:]}}
    path = f"{{out}}/work/pictures/{{batch}}.json"
    put(path)
    write_receipt(Path(out), pictures_receipt(batch), known[stage], digest_of_seals(seals), [Path(path)])

def gather():
    from wirbel.manifests.findings import data_set_mark
    from wirbel.manifests.receipts import digest_of_seals, write_receipt
    from wirbel.manifests.seals import read_seal
    from pathlib import Path
    tables = stage != "contact_sheet"
    stages = names if tables else names[-2:-1]
    batches = sorted(n[:-4] for n in os.listdir(f"{{out}}/work/features") if n[0] == "b")
    seals = {{(s, b): read_seal(f"{{out}}/work/{{s}}/{{b}}.tsv") for s in stages for b in batches}}
    made_from = digest_of_seals(seals, data_set_mark(out) if tables else "")
    made = dict(cohort="cohort/scans.csv", contact_sheet="qc/contact_sheet.png", report="qc/index.html")
    path = f"{{out}}/{{made[stage]}}"
    put(path)
    write_receipt(Path(out), stage, known[stage], made_from, [Path(path)])

sys.path.insert(0, sys.argv[0].replace("stub.py", "workflow_scripts"))
if stage == "pictures":
    draw(options["--batch"])
elif stage in names:
    batch_job(options["--batch"])
else:
    gather()
"""
EMPTY = "rule all:\n    input: []\n"


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    told: str = ""


def measure(command: list[str], folder: Path) -> Cost:
    """Run a command to its end; raises RuntimeError with its output when it fails."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # modules are compiled once
    with tempfile.TemporaryFile("w+") as output:
        options = {"stdout": output, "stderr": subprocess.STDOUT, "env": environment}
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, **options)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        output.seek(0)
        told = output.read()
    if status:
        raise RuntimeError(f"{command} failed:\n{told[-3000:]}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, told)


class Study:
    """A folder with fake scans and a workflow without computing."""

    def __init__(self, folder: Path, scans: int, batch_size: int) -> None:
        self.folder, self.scans, self.batch_size = folder, scans, batch_size
        self.data, self.output = folder / "in", folder / "out"
        self.workflow = folder / "workflow"
        self.empty = folder / "Snakefile.empty"

    def prepare(self) -> None:
        """Write the fake scans and the workflow."""
        for number in range(self.scans):
            self.scan(number).parent.mkdir(parents=True)
            self.scan(number).write_bytes(b"fake")
        self.workflow.mkdir()
        for name in PARTS:
            source = REPOSITORY / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.workflow / name)
        stub = self.workflow / "stub.py"
        stub.write_text(STUB.format(final=FINAL))
        for rules in (self.workflow / "rules").glob("*.smk"):
            rules.write_text(
                rules.read_text().replace("python -m wirbel.stages.", f"python {stub} ")
            )
        self.empty.write_text(EMPTY)

    def scan(self, number: int) -> Path:
        name = f"sub-{number:05d}"
        return self.data / name / "anat" / f"{name}_T2w.nii.gz"

    def run(self, *more: str, profile: str = "default", **settings: str) -> Cost:
        line = [sys.executable, "-m", "snakemake", "--profile", f"profiles/{profile}", *more]
        places = {"bids_dir": self.data, "output_dir": self.output, "batch_size": self.batch_size}
        places["allow_toy_weights"] = "true"
        pairs = [f"{key}={value}" for key, value in {**places, **settings}.items()]
        return measure([*line, "--config", *pairs], self.workflow)

    def parse(self) -> Cost:
        """List the rules: Snakemake's start and the Snakefile, nothing else."""
        return self.run("--list-rules")

    def parse_empty(self) -> Cost:
        command = [sys.executable, "-m", "snakemake", "-s", str(self.empty), "--list-rules"]
        return measure(command, self.folder)

    def job(self) -> Cost:
        """Start Snakemake as an executor on a compute node does for one job."""
        target = ["--target-jobs", "semantic:batch=b00001", "--allowed-rules", "semantic"]
        how = "--mode remote --executor local --cores 1 --force --no-hooks --nolock --notemp"
        more = "--ignore-incomplete --max-inventory-time 0 --target-files-omit-workdir-adjustment"
        return self.run(*target, *how.split(), *more.split())

    def interrupt(self, every: int) -> None:
        """Pretend that a run was stopped: of every so many batches the last manifest is missing, and the tables."""
        for manifest in sorted((self.output / "work" / "features").glob("b?????.tsv"))[::every]:
            manifest.unlink()
        (self.output / "work" / "receipts" / "cohort.json").unlink(missing_ok=True)

    def jobs_alone(self) -> Cost:
        """The stub's own work for all stages and batches, without Snakemake, two at a time."""
        lists = sorted((self.output / "work" / "batches").glob("b?????.tsv"))
        plan = self.output / "work" / "plan.json"
        call = f"{sys.executable} {self.workflow / 'stub.py'} {{}} --plan {plan} --batch {{}}"
        stages = ("resample", "semantic", "instance", "merge", "features")
        lines = [call.format(stage, path.stem) for stage in stages for path in lists]
        text = self.folder / "calls.txt"
        text.write_text("\n".join(lines) + "\n")
        return measure(["sh", "-c", f"xargs -P2 -I LINE sh -c LINE < {text}"], self.folder)


def repeated(title: str, times: int, run) -> Cost:
    """Run and report the median of `times` costs."""
    costs = [run() for _ in range(times)]
    middle = Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu_seconds for cost in costs),
        max(cost.megabytes for cost in costs),
        costs[-1].told,
    )
    print(
        f"{title:34} {middle.seconds:8.1f} s {middle.cpu_seconds:8.1f} s CPU "
        f"{middle.megabytes:7.0f} MB   ({times} times)",
        flush=True,
    )
    return middle


def report(study: Study, times: int) -> None:
    """Measure all steps in the order in which a study goes through them."""
    repeated("an empty Snakefile", times, study.parse_empty)
    repeated("parsing, main process", times, study.parse)
    repeated("dry run, fresh", times, lambda: study.run("-n"))
    repeated("dry run, fresh, profiles/slurm", times, lambda: study.run("-n", profile="slurm"))
    repeated("the whole run", 1, study.run)
    repeated("its jobs alone, two at a time", 1, study.jobs_alone)
    repeated("nothing to do", times, study.run)
    repeated("parsing and one job, in a job", times, study.job)
    study.interrupt(every=47)
    repeated("dry run, resume, 10 jobs left", times, lambda: study.run("-n"))
    study.interrupt(every=2)
    repeated("dry run, resume, half finished", times, lambda: study.run("-n"))
    repeated("the same, profiles/slurm", times, lambda: study.run("-n", profile="slurm"))
    repeated("the same, another setting", times, lambda: study.run("-n", n4="false"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scans", type=int, default=30_000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--times", type=int, default=3, help="repetitions of the quick steps")
    parser.add_argument("--folder", type=Path, help="parent of the temporary folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="wirbel-planning-") as folder:
        study = Study(Path(folder), args.scans, args.batch_size)
        study.prepare()
        report(study, args.times)


if __name__ == "__main__":
    main()
