"""Segment the structures of the spine in every model-grid image of a batch.

Writes work/semantic/<scan_id>_subregion.nii.gz (uint8, on the model grid, cleaned) and <scan_id>_margin.nii.gz (uint8:
how clearly the network decided, as `wirbel.learning.semantic.margins` says; 0 where it found nothing).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wirbel.core.geometry import Volume
from wirbel.core.method.arithmetic import arithmetic
from wirbel.core.method.clean import clean
from wirbel.io.nifti.volumes import QUICKEST, read_volume, write_volume
from wirbel.models.registry import Model
from wirbel.plan.networks import planned_model
from wirbel.plan.stage_settings import NetworkSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned
from wirbel.runner.machine.imports import lasting_imports

if TYPE_CHECKING:
    from wirbel.learning.semantic.semantic_model import SemanticModel


class SemanticStage:
    """The stage as the runner drives it."""

    name = "semantic"

    def __init__(
        self, settings: NetworkSettings, model: Model, device: str = "auto", threads: int = 1
    ) -> None:
        self.model, self.device, self.threads = model, device, threads
        self.method, self.planned, self.engine = settings.method, settings.engine, ""
        self.network: SemanticModel | None = None

    def prepare(self) -> None:
        """Load the network."""
        with lasting_imports():
            from wirbel.learning.semantic.semantic_model import SemanticModel

        self.network = SemanticModel(
            self.model.folder, self.device, self.threads, arithmetic(self.method), self.planned
        )
        self.engine = self.network.engine.name

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Volume, Any]:
        """Read the image and normalise it."""
        image = read_volume(folders.stage("resample") / f"{scan.scan_id}_image.nii.gz")
        assert self.network is not None  # `prepare` was called
        return image, self.network.normalise(image.data, tuple(image.spacing_mm))

    def compute(self, inputs: tuple[Volume, Any]) -> tuple[Volume, Volume]:
        """Run the network; return labels and margins."""
        image, normalised = inputs
        assert self.network is not None
        found = self.network.segment_with_margins(normalised, image.data.shape)
        return image.with_data(found.labels), image.with_data(found.margins)

    def save(self, scan: Scan, result: tuple[Volume, Volume], folders: StageFolders) -> list[Path]:
        """Clean the map, which needs no GPU, and write both."""
        labels, margins = result
        stem = folders.stage(self.name) / scan.scan_id
        paths = [Path(f"{stem}_{kind}.nii.gz") for kind in ("subregion", "margin")]
        write_volume(paths[0], clean(self.method, labels))
        write_volume(paths[1], margins, level=QUICKEST)
        return paths


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch."""

    def make(plan, args):
        settings = settings_of(NetworkSettings, plan.settings)
        return SemanticStage(settings, planned_model(plan, "semantic"), args.device, args.threads)

    return run_planned("semantic", make, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
