"""Simulate the training scans, read the real ones, and write them in nnU-Net's format; finished scans are kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.learning.training.training_data import make_training_data
from wirbel.learning.training.training_settings import read_training_settings


def main(argv: list[str] | None = None) -> int:
    """Run the stage."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.training_data", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="config/train.yaml")
    parser.add_argument("--folder", type=Path, required=True, help="the training's folder")
    parser.add_argument("--check", action="store_true", help="only check the settings")
    args = parser.parse_args(argv)
    if args.check:
        return _check(args.settings)
    settings = read_training_settings(args.settings)
    cases = make_training_data(
        args.folder, settings.data, settings.semantic_network, settings.real, settings.splits
    )
    print(f"{cases} training cases in {args.folder}")
    return 0


def _check(path: Path) -> int:
    """Say what is wrong with the settings; return 2 then."""
    try:
        settings = read_training_settings(path)
        for data in settings.real:
            read_scheme(data.scheme)
    except (ValueError, TypeError, OSError, yaml.YAMLError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
