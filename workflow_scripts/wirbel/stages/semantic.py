"""Segment the structures of the spine in every model-grid image of a batch.

Writes work/semantic/<scan_id>_subregion.nii.gz (uint8, on the model grid, cleaned).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wirbel.core.geometry import Volume, upright
from wirbel.core.semantic.cleaning import clean_semantic
from wirbel.core.spineps import semantic_cleaning as spineps
from wirbel.io.volumes import read_volume, write_volume
from wirbel.models.compatibility import NONE
from wirbel.models.registry import Model
from wirbel.plan.networks import planned_model
from wirbel.plan.stage_settings import NetworkSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned

if TYPE_CHECKING:
    from wirbel.learning.semantic_model import SemanticModel


class SemanticStage:
    """The stage as the runner drives it."""

    name = "semantic"

    def __init__(
        self, settings: NetworkSettings, model: Model, device: str = "auto", threads: int = 1
    ) -> None:
        self.model, self.device, self.threads = model, device, threads
        self.as_spineps = settings.method != NONE
        self.network: SemanticModel | None = None

    def prepare(self) -> None:
        """Load the network."""
        from wirbel.learning.semantic_model import SemanticModel

        self.network = SemanticModel(self.model.folder, self.device, self.threads, self.as_spineps)

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Volume, Any]:
        """Read the image and normalise it."""
        image = read_volume(folders.stage("resample") / f"{scan.scan_id}_image.nii.gz")
        assert self.network is not None  # `prepare` was called
        return image, self.network.normalise(image.data, tuple(image.spacing_mm))

    def compute(self, inputs: tuple[Volume, Any]) -> Volume:
        """Run the network."""
        image, normalised = inputs
        assert self.network is not None
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

    def make(plan, args):
        settings = settings_of(NetworkSettings, plan.settings)
        return SemanticStage(settings, planned_model(plan, "semantic"), args.device, args.threads)

    return run_planned("semantic", make, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
