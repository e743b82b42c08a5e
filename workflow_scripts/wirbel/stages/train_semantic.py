"""Train the semantic network with nnU-Net v2's machinery, resuming a stopped run, and export it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.learning.exported.export import export_semantic
from wirbel.learning.exported.model_card import write_card
from wirbel.learning.exported.published import publish_semantic
from wirbel.learning.semantic.semantic_trainer import newest_checkpoint, train_semantic
from wirbel.learning.training.training_cases import TrainingFolder
from wirbel.learning.training.training_settings import read_training_settings


def main(argv: list[str] | None = None) -> int:
    """Run the stage."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.train_semantic", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="config/train.yaml")
    parser.add_argument("--folder", type=Path, required=True, help="the training's folder")
    parser.add_argument("--export", type=Path, required=True, help="model folder to write")
    parser.add_argument(
        "--published", type=Path, help="also write it as an nnU-Net v2 folder that SPINEPS runs"
    )
    parser.add_argument(
        "--export-only", action="store_true", help="export what an unfinished training has reached"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0: all")
    args = parser.parse_args(argv)
    settings, folder = read_training_settings(args.settings), TrainingFolder(args.folder)
    if not args.export_only:
        train_semantic(folder, settings.semantic, args.device, args.threads)
    checkpoint = newest_checkpoint(folder, settings.semantic.nnunet_trainer)
    export_semantic(checkpoint, folder, settings.semantic_network, args.export, settings.semantic)
    write_card(args.export, "semantic", settings)
    if args.published is not None:
        publish_semantic(args.export, args.published)
    return 0


if __name__ == "__main__":
    sys.exit(main())
