"""Simulate scans with known truth, to try the software on: a BIDS folder for `wirbel run`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.mistake import Mistake
from wirbel.words import counted

REGIONS = ("whole", "cervical", "thoracic", "lumbar", "any")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folder = parser.add_argument("bids_dir", help="where to write the data set")
    offer(folder, DIRECTORY)
    parser.add_argument("--count", type=int, default=6, help="number of scans (6)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first scan (1)")
    parser.add_argument(
        "--regions",
        nargs="+",
        choices=REGIONS,
        default=["whole"],
        help="fields of view, repeated over the scans in turn (whole)",
    )
    parser.add_argument(
        "--broken", type=int, default=0, help="cut so many of the last files short on purpose (0)"
    )
    parser.add_argument(
        "--stations", action="store_true", help="also three stations of zipped DICOM for each scan"
    )
    parser.add_argument("--ct", action="store_true", help="also a tomogram of each person")
    parser.add_argument("--processes", type=int, default=1, help="scans made at the same time (1)")


def run(args: argparse.Namespace) -> int:
    """Simulate; raises Mistake."""
    from wirbel.io.simulated import DELIVERIES, STATIONS_FILE, refusal
    from wirbel.stages.simulate import contradiction, main

    if wrong := contradiction(args) or refusal(Path(args.bids_dir)):
        raise Mistake(wrong)
    words = ["--bids-dir", args.bids_dir, "--regions", *args.regions]
    for name in ("count", "seed", "broken", "processes"):
        words += [f"--{name}", str(getattr(args, name))]
    main(words + ["--stations"] * args.stations + ["--ct"] * args.ct)
    command = shlex.join(["wirbel", "run", args.bids_dir, "RESULTS"])
    print(f"{counted(args.count, 'scan')} in {args.bids_dir}; next: {command}")
    if args.stations:
        folder = Path(args.bids_dir)
        words = ["--configfile", str(folder / STATIONS_FILE), f"scans={folder / DELIVERIES}"]
        print("or, from the stations:", shlex.join(["wirbel", "run", "RESULTS", *words]))
    return 0
