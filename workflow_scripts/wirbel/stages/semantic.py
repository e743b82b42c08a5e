"""Segment the structures of the spine in every model-grid image of a batch.

Writes work/semantic/<scan_id>_subregion.nii.gz (uint8, on the model grid, cleaned).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wirbel.core.cleaning import clean_semantic
from wirbel.core.geometry import Volume, upright
from wirbel.core.spineps import semantic_cleaning as spineps
from wirbel.io.volumes import read_volume, write_volume
from wirbel.models.compatibility import (
    NONE,
    add_compatibility_argument,
    compatibility_of,
    compatibility_parameter,
)
from wirbel.models.registry import Model, ModelError, find_model
from wirbel.runner.runner import Scan, StageFolders, add_runner_arguments, run_stage

if TYPE_CHECKING:
    from wirbel.learning.semantic_model import SemanticModel


class SemanticStage:
    """The stage as the runner drives it."""

    name = "semantic"

    def __init__(self, model: Model, device: str, threads: int, as_spineps: bool = False) -> None:
        self.model, self.device, self.threads = model, device, threads
        self.as_spineps = as_spineps
        self.network: SemanticModel | None = None

    def prepare(self) -> None:
        """Load the network."""
        from wirbel.learning.semantic_model import SemanticModel

        self.network = SemanticModel(self.model.folder, self.device, self.threads, self.as_spineps)

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Volume, Any]:
        """Read the image and normalise it."""
        image = read_volume(folders.stage("resample") / f"{scan.scan_id}_image.nii.gz")
        return image, self.network.normalise(image.data, tuple(image.spacing_mm))

    def compute(self, inputs: tuple[Volume, Any]) -> Volume:
        """Run the network."""
        image, normalised = inputs
        return image.with_data(self.network.segment(normalised, image.data.shape))

    def save(self, scan: Scan, result: Volume, folders: StageFolders) -> list[Path]:
        """Clean the map, which needs no GPU, and write it."""
        path = folders.stage(self.name) / f"{scan.scan_id}_subregion.nii.gz"
        if self.as_spineps:
            write_volume(path, spineps.clean_semantic(result))
        else:
            write_volume(path, result.with_data(clean_semantic(upright(result)).data))
        return [path]


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.semantic", description=__doc__)
    parser.add_argument("--model", required=True, help="name in config/models.yaml, or a folder")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    add_compatibility_argument(parser)
    add_runner_arguments(parser)
    args = parser.parse_args(argv)
    try:
        model = find_model(args.model, "semantic")
    except ModelError as error:
        print(f"semantic: {error}", file=sys.stderr)
        return 1
    compatibility = compatibility_of(args, model)
    stage = SemanticStage(model, args.device, args.threads, compatibility != NONE)
    return run_stage(stage, args, compatibility_parameter(compatibility), model.sha256)


if __name__ == "__main__":
    sys.exit(main())
