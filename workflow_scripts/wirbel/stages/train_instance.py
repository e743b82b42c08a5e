"""Train the instance network, resuming a stopped run, and export it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.core.inference_config import PUBLISHED_CHANNELS
from wirbel.learning.exported.export import INSTANCE_CHANNELS, export_instance
from wirbel.learning.exported.model_card import write_card
from wirbel.learning.instance.instance_trainer import newest_checkpoint, train_instance
from wirbel.learning.instance.predicted_cases import predict_cases
from wirbel.learning.training.training_cases import TrainingFolder
from wirbel.learning.training.training_settings import read_training_settings


def main(argv: list[str] | None = None) -> int:
    """Run the stage."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.train_instance", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="config/train.yaml")
    parser.add_argument("--folder", type=Path, required=True, help="the training's folder")
    parser.add_argument("--export", type=Path, required=True, help="model folder to write")
    parser.add_argument(
        "--export-only", action="store_true", help="export what an unfinished training has reached"
    )
    parser.add_argument(
        "--semantic", type=Path, help="trained semantic model folder, for predicted_share"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0: all")
    args = parser.parse_args(argv)
    settings, folder = read_training_settings(args.settings), TrainingFolder(args.folder)
    if settings.instance.predicted_share and not args.semantic:
        parser.error("predicted_share needs --semantic FOLDER, a trained semantic network")
    if not args.export_only:
        budget, network = settings.instance, settings.instance_network
        mapping = PUBLISHED_CHANNELS if network.published_width else INSTANCE_CHANNELS
        own = args.device, args.threads
        predicted = None
        if budget.predicted_share:
            predicted = predict_cases(folder, args.semantic, network.spacing_mm, *own)
        train_instance(folder, network, mapping, budget, *own, predicted)
    export_instance(newest_checkpoint(folder), folder, args.export)
    write_card(args.export, "instance", settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
