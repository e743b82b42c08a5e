"""Train the translator of MR images to tomograms on simulated and real pairs, resuming a stopped run, and export it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from wirbel.learning.exported.export import export_translator
from wirbel.learning.exported.model_card import write_card
from wirbel.learning.translation.translator_settings import read_translator_settings
from wirbel.learning.translation.translator_trainer import newest_checkpoint, train_translator


def main(argv: list[str] | None = None) -> int:
    """Run the stage; return 2 if the settings are refused."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.train_translator", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="config/translator.yaml")
    parser.add_argument("--folder", type=Path, required=True, help="the training's folder")
    parser.add_argument("--check", action="store_true", help="only check the settings")
    parser.add_argument(
        "--export", type=Path, help="model folder; default: models/translator in it"
    )
    parser.add_argument(
        "--export-only", action="store_true", help="export what an unfinished training has reached"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0: all")
    args = parser.parse_args(argv)
    try:
        settings = read_translator_settings(args.settings)
    except (ValueError, TypeError, OSError, yaml.YAMLError) as error:
        print(f"{args.settings}: {error}", file=sys.stderr)
        return 2
    if args.check:
        return 0
    if not args.export_only:
        train_translator(args.folder, settings, args.device, args.threads)
    target = args.export or args.folder / "models" / "translator"
    export_translator(newest_checkpoint(args.folder), target)
    write_card(target, "translator", settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
