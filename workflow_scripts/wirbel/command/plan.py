"""Say what more scans would cost: hours of processors and GPUs, jobs, disk and files.

It multiplies what a finished run measured, such as a batch of your own scans on your own machine. Give several output
folders to compare machines, for example the same batch on different GPUs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, offer
from wirbel.command.common.mistake import Mistake
from wirbel.study.ending.forecast import Forecast, JobForecast, NothingMeasured, forecast
from wirbel.words import counted

TITLE = f"{'job':10} {'jobs':>7} {'hours':>9} {'CPU-hours':>10} {'GPU-hours':>10} {'memory':>9}"
WITHOUT_GPU = "GPU-hours are not known: the measured run used no GPU."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    folders = parser.add_argument("output_dir", nargs="+", help="output folder of a finished run")
    offer(folders, DIRECTORY)
    parser.add_argument("--scans", type=int, required=True, help="how many scans to plan for")
    parser.add_argument("--batch-size", type=int, default=0, help="default: the same as in the run")
    parser.add_argument("--processors", type=int, default=1, help="how many you have (default: 1)")
    parser.add_argument("--gpus", type=int, default=1, help="how many you have (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Print a forecast for each folder; raises Mistake."""
    if min(args.scans, args.processors, args.gpus) < 1 or args.batch_size < 0:
        raise Mistake("expected numbers above 0 for --scans, --batch-size, --processors, --gpus")
    for folder in args.output_dir:
        try:
            found = forecast(Path(folder), args.scans, args.batch_size)
        except NothingMeasured as error:
            raise Mistake(str(error)) from None
        print(in_words(found, args.processors, args.gpus))
    return 0


def in_words(found: Forecast, processors: int, gpus: int) -> str:
    """Return a forecast as a table, what is kept, and how long it would take."""
    days = found.days(processors, gpus)
    measured = f"{counted(found.measured, 'scan')} measured in {found.folder}"
    lines = [
        f"{counted(found.scans, 'scan')} in batches of {found.batch_size}, by {measured}:",
        TITLE,
        *map(_row, found.kinds),
        f"Kept: {found.kept_gb:,.3g} GB in {counted(found.files, 'file')}",
        f"With {counted(processors, 'processor')} and {counted(gpus, 'GPU')}, always at work: {days:.2g} days",
    ]
    if any(kind.gpu_hours is None for kind in found.kinds):
        lines.append(WITHOUT_GPU)
    return "\n".join(lines)


def _row(kind: JobForecast) -> str:
    gpu = "?" if kind.gpu_hours is None else f"{kind.gpu_hours:,.1f}"
    return (
        f"{kind.name:10} {kind.jobs:7,} {kind.hours:9,.1f} {kind.cpu_hours:10,.1f} {gpu:>10} "
        f"{kind.memory_gb:6.2f} GB"
    )
