"""Train the labelling network, resuming a stopped run, and export it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.learning.exported.export import export_labelling
from wirbel.learning.exported.model_card import write_card
from wirbel.learning.labelling.labelling_trainer import newest_checkpoint, train_labelling
from wirbel.learning.training.training_cases import TrainingFolder
from wirbel.learning.training.training_settings import read_training_settings


def main(argv: list[str] | None = None) -> int:
    """Run the stage."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.train_labelling", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="config/train.yaml")
    parser.add_argument("--folder", type=Path, required=True, help="the training's folder")
    parser.add_argument("--export", type=Path, required=True, help="model folder to write")
    parser.add_argument(
        "--export-only", action="store_true", help="export what an unfinished training has reached"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0: all")
    args = parser.parse_args(argv)
    settings, folder = read_training_settings(args.settings), TrainingFolder(args.folder)
    if settings.labelling is None:
        parser.error(f"{args.settings} has no section `labelling`, so no such network is trained")
    grid = settings.semantic_network
    if not args.export_only:
        own = args.device, args.threads
        network, budget = settings.labelling_network, settings.labelling
        train_labelling(folder, network, grid.spacing_mm, budget, *own)
    export_labelling(newest_checkpoint(folder), folder, grid, args.export)
    write_card(args.export, "labelling", settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
