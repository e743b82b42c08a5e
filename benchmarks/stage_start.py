"""How long a stage takes from its Python to the first scan being loaded, beside `import torch`.

    nice .venv/bin/python benchmarks/stage_start.py [--times 7]

Runs the real command lines on a batch of one scan with the embedded networks; when the runner asks the stage to
load that scan, the network is ready, and the process ends. Commands take turns, so that a busy machine slows all
of them alike; given are medians, and the ratio to the bare interpreter that imports torch.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "workflow_scripts"), str(REPOSITORY / "tests")]

from support.studies.planned import BUILTIN, plan_of  # noqa: E402

from wirbel.manifests.records import OK, Record, write_records  # noqa: E402
from wirbel.plan.plan import plan_file  # noqa: E402
from wirbel.study.listing.discovery import plan_batches  # noqa: E402

CHAIN = ("resample", "semantic", "instance", "merge", "features")
CODE = """import os, sys
from wirbel.stages import {name} as stage
kinds = [k for k in vars(stage).values() if isinstance(k, type) and hasattr(k, "prepare")]
for kind in kinds:
    kind.load = lambda *arguments: os._exit(0)
stage.main(sys.argv[1:])
os._exit(1)
"""


def study(folder: Path) -> Path:
    """Write a batch of one scan that every stage has left behind, and a plan; return the output folder."""
    scan, output = folder / "in/sub-01/anat/sub-01_T2w.nii.gz", folder / "out"
    scan.parent.mkdir(parents=True)
    scan.write_bytes(b"never opened")
    plan_batches(folder / "in", output, 1).write()
    plan_of(output, BUILTIN)
    result = output / "result"
    result.write_bytes(b"never opened")
    for stage in CHAIN:
        record = Record("sub-01", OK, key="key", outputs=("result",), sizes=(12,))
        write_records(output / "work" / stage / "b00001.tsv", [record])
    return output


def command(stage: str, output: Path) -> list[str]:
    """Return the command line of a stage that ends when it would load the scan."""
    code = CODE.format(name=stage)
    return [sys.executable, "-c", code, "--plan", str(plan_file(output)), "--batch", "b00001"]


def measure(line: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds, and its CPU seconds."""
    places = {"PYTHONPATH": str(REPOSITORY / "workflow_scripts"), "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(line, env={**os.environ, **places}, cwd=REPOSITORY)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{line} failed")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=7)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        output = study(Path(folder))
        lines = {"import torch": [sys.executable, "-c", "import torch"]}
        lines |= {stage: command(stage, output) for stage in CHAIN}
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
        for _ in range(times + 1):
            for name, line in lines.items():
                took[name].append(measure(line))
    bare = [statistics.median(kind) for kind in zip(*took["import torch"][1:], strict=True)]
    for name, costs in took.items():
        seconds, cpu = (statistics.median(kind) for kind in zip(*costs[1:], strict=True))
        ratios = f"{seconds / bare[0]:5.2f} x {cpu / bare[1]:5.2f} x CPU"
        print(f"{name:14} {seconds:6.2f} s {cpu:6.2f} s CPU {ratios}")


if __name__ == "__main__":
    main()
