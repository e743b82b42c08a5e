"""How much of the time of a job with both networks the networks run, if their device does nothing but sleep.

    .venv/bin/python benchmarks/speed/sleeping.py SCAN [--scans 16] [--seconds 1.5]

A batch of copies of one scan goes through the real job (`python -m wirbel.stages semantic instance`, its start
included). In place of computing, each network sleeps its share of the seconds, as a quick GPU would, and answers what
the embedded networks found in the scan; reading, normalising, cleaning, cutting out and writing are real. The last line
is `network_share=<time asleep over wall time of the job> without_start=<the same from the first to the last sleep>`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import networks
import numpy as np
import sides
from parity import runs as parity_runs

from wirbel.core.method.names import TORCH
from wirbel.models.registry import find_model
from wirbel.plan.plan import plan_file
from wirbel.study.listing.discovery import plan_batches

HERE = Path(__file__).resolve().parent
SHARES = {"semantic": 2 / 3, "instance": 1 / 3}
"""Of a scan's seconds on the device: about what the embedded networks need there."""


def main(argv: list[str] | None = None) -> int:
    """Run the job and print what share of it the device was busy."""
    args = _arguments(argv)
    with tempfile.TemporaryDirectory() as folder:
        started, ended, account = _run(args, Path(folder))
    naps = account["naps"]
    slept_s = sum(nap["ended"] - nap["begun"] for nap in naps)
    first, second = naps[0], naps[args.scans]
    print(
        f"{slept_s:.1f} s asleep of {ended - started:.1f} s; {first['begun'] - started:.1f} s to the first sleep, "
        f"{second['begun'] - naps[args.scans - 1]['ended']:.1f} s between the networks, "
        f"{ended - naps[-1]['ended']:.1f} s after the last"
    )
    print(
        f"CPU seconds: {first['cpu_s']:.2f} to the first sleep, "
        f"{naps[args.scans - 1]['cpu_s'] - first['cpu_s']:.2f} beside the semantic network, "
        f"{second['cpu_s'] - naps[args.scans - 1]['cpu_s']:.2f} between both, "
        f"{account['cpu_s'] - second['cpu_s']:.2f} beside the instance network and after it"
    )
    inside_s = naps[-1]["ended"] - first["begun"]
    print(f"network_share={slept_s / (ended - started):.3f} without_start={slept_s / inside_s:.3f}")
    return 0


def _run(args, folder: Path) -> tuple[float, float, dict]:
    """Return when the job began and ended, and what it wrote about itself."""
    args.semantic = args.instance = "builtin"
    semantic, instance = networks.load(args, TORCH)
    given = networks.inputs(args.scan, args, semantic)
    answers = folder / "answers.npz"
    np.savez(answers, labels=given.labels, votes=instance.predict(given.cutouts))
    sides.copies(args.scan, args.scans, folder)
    bids, out = folder / "bids", folder / "out"
    plan_batches(bids, out, args.scans).write()
    models = {kind: (None, find_model("builtin", kind).folder) for kind in SHARES}
    parity_runs.plan_run(out, bids, models, 1, "auto")
    parity_runs.stage("resample", args, out)
    seconds = [str(args.seconds * share) for share in SHARES.values()]
    line = [sys.executable, str(HERE / "sleeping_run.py"), str(answers), *seconds]
    line += ["--plan", str(plan_file(out)), "--batch", parity_runs.BATCH]
    line += ["--device", "cpu", "--threads", "1"]
    started = time.time()
    subprocess.run(line, check=True, stderr=subprocess.DEVNULL)
    ended = time.time()
    return started, ended, json.loads(answers.with_suffix(".json").read_text())


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan", type=Path)
    parser.add_argument("--scans", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.5, help="on the device, per scan")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
