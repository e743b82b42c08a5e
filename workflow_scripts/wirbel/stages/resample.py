"""Check each scan and bring it to the model grid: orientation, voxel size, bias field, range.

Writes work/resample/<scan_id>_image.nii.gz (int16) and a JSON file that says what was done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel.core.geometry import Volume
from wirbel.core.preparation import PreparedImage, prepare_image
from wirbel.core.spineps import preparation as spineps
from wirbel.io.sidecars import write_json
from wirbel.io.volumes import read_volume, write_volume
from wirbel.models.compatibility import (
    NONE,
    add_compatibility_argument,
    compatibility_of,
    compatibility_parameter,
)
from wirbel.models.inference_config import InferenceConfig
from wirbel.models.registry import ModelError, find_model
from wirbel.models.spineps_settings import is_tomography
from wirbel.runner.runner import Scan, StageFolders, add_runner_arguments, run_stage


class ResampleStage:
    """The stage as the runner drives it."""

    name = "resample"
    reads_scan = True

    def __init__(
        self, model: InferenceConfig, correct_bias: bool, compatibility: str = NONE
    ) -> None:
        self.model = model
        self.correct_bias = correct_bias
        self.compatibility = compatibility

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> tuple[str, Volume]:
        """Read the scan."""
        return scan.path.name, read_volume(scan.path)

    def compute(self, inputs: tuple[str, Volume]) -> PreparedImage:
        """Check and resample."""
        name, volume = inputs
        axes = self.model.model_expected_orientation
        if self.compatibility == NONE:
            return prepare_image(volume, name, self.model.spacing_for, axes, self.correct_bias)
        normalise = not is_tomography(self.model)
        n4 = self.correct_bias and normalise
        return spineps.prepare_image(volume, name, self.model.spacing_for, axes, n4, normalise)

    def save(self, scan: Scan, result: PreparedImage, folders: StageFolders) -> list[Path]:
        """Write the image and its sidecar."""
        image = folders.stage(self.name) / f"{scan.scan_id}_image.nii.gz"
        sidecar = folders.stage(self.name) / f"{scan.scan_id}_image.json"
        write_volume(image, result.image)
        write_json(sidecar, result.steps)
        return [image, sidecar]


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.resample", description=__doc__)
    parser.add_argument(
        "--model", required=True, help="semantic model, a name or a folder; it sets the grid"
    )
    parser.add_argument(
        "--n4",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="correct the bias field (N4)",
    )
    add_compatibility_argument(parser)
    add_runner_arguments(parser)
    args = parser.parse_args(argv)
    try:
        found = find_model(args.model, "semantic")
    except ModelError as error:
        print(f"resample: {error}", file=sys.stderr)
        return 1
    model, compatibility = found.config, compatibility_of(args, found)
    parameters = {
        "spacing_mm": model.resolution_range,
        "axes": list(model.model_expected_orientation),
        "n4": args.n4,
        **compatibility_parameter(compatibility),
    }
    return run_stage(ResampleStage(model, args.n4, compatibility), args, parameters)


if __name__ == "__main__":
    sys.exit(main())
