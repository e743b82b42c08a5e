"""Train the semantic and the instance network and register them; SETTINGS is a YAML file (config/train.yaml).

With a section `labelling` in SETTINGS, a network that names the levels is trained as well. Run again, it goes on where
it was stopped. The trained networks are in FOLDER/models, the semantic one in nnU-Net's format also in
FOLDER/published; `wirbel run ... models=NAME` uses them. With --translator the two networks of `wirbel translate` are
trained instead: SETTINGS is then that of the network for tomograms (config/train_ct.yaml).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from wirbel.command.common.completion import DIRECTORY, FILE, offer
from wirbel.command.common.mistake import Mistake
from wirbel.command.starting.line import snakemake_line
from wirbel.command.starting.words import Wanted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    settings = parser.add_argument("settings", help="YAML file with data, networks and budgets")
    offer(settings, FILE)
    folder = parser.add_argument("folder", help="folder for cases, checkpoints and networks")
    offer(folder, DIRECTORY)
    parser.add_argument("--name", required=True, help="what the networks are to be called")
    parser.add_argument("--licence", required=True, help="their licence, as an SPDX name")
    translator = parser.add_argument(
        "--translator", help="train a translator, by such a file as config/translator.yaml"
    )
    offer(translator, FILE)
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would be done")
    profile = parser.add_argument(
        "--profile", default="default", help="default, slurm, or a folder"
    )
    offer(profile, DIRECTORY)
    parser.add_argument("-c", "--cores", help="processors to use at most on this machine, or all")


def run(args: argparse.Namespace) -> int:
    """Check the settings, then become Snakemake; raises Mistake before any job starts."""
    check("training_data", args.settings, "config/train.yaml", args.folder)
    if args.translator:
        check("train_translator", args.translator, "config/translator.yaml", args.folder)
    line = snakemake_line(wanted(args))
    sys.stdout.flush()
    os.execv(line[0], line)  # signals, exit code and terminal are Snakemake's own


def check(stage: str, given: str, example: str, folder: str) -> None:
    """Let a stage read its settings; raise Mistake if they are missing or refused."""
    if not Path(given).is_file():
        raise Mistake(f"{given}: expected a file such as {example}, found none")
    line = [sys.executable, "-P", "-m", f"wirbel.stages.{stage}", "--check"]
    more = ["--settings", str(Path(given).absolute()), "--folder", folder]
    if subprocess.run([*line, *more], check=False).returncode:
        raise Mistake(f"{given} was refused, see above; nothing was started")


def wanted(args: argparse.Namespace) -> Wanted:
    """Return what Snakemake is asked for."""
    own = {
        "settings": str(Path(args.settings).absolute()),
        "translator": str(Path(args.translator).absolute()) if args.translator else "",
        "folder": str(Path(args.folder).absolute()),
        "name": args.name,
        "licence": args.licence,
    }
    flow = ", ".join(f'{key}: "{value}"' for key, value in own.items())
    return Wanted(
        {"train": "{" + flow + "}"},
        args.profile,
        cores=args.cores,
        dry_run=args.dry_run,
        after=("--", "train"),
    )
