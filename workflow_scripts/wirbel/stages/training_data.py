"""Simulate the training scans, read the real ones, and write them in nnU-Net's format; finished scans are kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.learning.training.training_data import make_training_data
from wirbel.learning.training.training_settings import read_training_settings


def main(argv: list[str] | None = None) -> int:
    """Run the stage."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.training_data", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="config/train.yaml")
    parser.add_argument("--folder", type=Path, required=True, help="the training's folder")
    args = parser.parse_args(argv)
    settings = read_training_settings(args.settings)
    cases = make_training_data(args.folder, settings.data, settings.semantic_network, settings.real)
    print(f"{cases} training cases in {args.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
