"""Predict, for every vertebral body of every scan of a batch, its vertebra and the two neighbours.

Writes work/instance/<scan_id>_predictions.npz: `labels` uint8 (n, P, I, R) of 0 background, 1 above,
2 centre, 3 below; `origin` int32 (n, 3), index of each cut-out's first voxel on the model grid, which may
be negative; `centre_mm` float64 (n, 3), world; from the top of the spine down; `spacing_mm` (3,), the grid's.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wirbel.core.geometry import on_spacing, upright
from wirbel.core.instances.cutouts import body_centres, cut_out
from wirbel.core.spineps.merging import both_maps as spineps
from wirbel.errors import ScanError
from wirbel.io.sidecars import write_arrays
from wirbel.io.volumes import read_volume
from wirbel.models.compatibility import NONE
from wirbel.models.registry import Model
from wirbel.models.spineps_settings import instance_settings
from wirbel.plan.networks import planned_model
from wirbel.plan.stage_settings import NetworkSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned

if TYPE_CHECKING:
    from wirbel.learning.instance_model import InstanceModel

Arrays = dict[str, np.ndarray]


class InstanceStage:
    """The stage as the runner drives it."""

    name = "instance"

    def __init__(
        self, settings: NetworkSettings, model: Model, device: str = "auto", threads: int = 1
    ) -> None:
        self.model, self.device, self.threads = model, device, threads
        self.as_spineps = settings.method != NONE
        self.network: InstanceModel | None = None

    def prepare(self) -> None:
        """Load the network."""
        from wirbel.learning.instance_model import InstanceModel

        self.network = InstanceModel(
            self.model.folder, self.device, self.threads, exact=self.as_spineps
        )

    def load(self, scan: Scan, folders: StageFolders) -> tuple[np.ndarray, Arrays]:
        """Read the subregion map and cut out the surroundings of every body."""
        labels = read_volume(folders.stage("semantic") / f"{scan.scan_id}_subregion.nii.gz")
        if self.as_spineps:
            settings = instance_settings(self.model.config)
            grid = spineps.instance_grid(labels, settings)
            blocks, origins, centre_mm = spineps.cut_outs(grid, settings)
            return blocks, {
                "origin": origins,
                "centre_mm": centre_mm,
                "spacing_mm": grid.spacing_mm,
            }
        labels = on_spacing(labels, self.model.config.spacing_for(labels.spacing_mm.tolist()))
        flat = upright(labels)
        index = flat.grid.to_index(body_centres(flat))
        if not len(index):
            raise ScanError("no_spine_found", "the segmentation has no vertebral body")
        size = self.model.config.cutout_size
        blocks, origins = zip(*(cut_out(labels.data, at, size) for at in index), strict=True)
        return np.stack(blocks), {
            "origin": np.stack(origins),
            "centre_mm": labels.grid.to_world(index),
            "spacing_mm": labels.spacing_mm,
        }

    def compute(self, inputs: tuple[np.ndarray, Arrays]) -> Arrays:
        """Run the network on all cut-outs."""
        cutouts, where = inputs
        assert self.network is not None  # `prepare` was called
        return {"labels": self.network.predict(cutouts), **where}

    def save(self, scan: Scan, result: Arrays, folders: StageFolders) -> list[Path]:
        """Write the predictions."""
        path = folders.stage(self.name) / f"{scan.scan_id}_predictions.npz"
        write_arrays(path, **result)
        return [path]


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch."""

    def make(plan, args):
        settings = settings_of(NetworkSettings, plan.settings)
        return InstanceStage(settings, planned_model(plan, "instance"), args.device, args.threads)

    return run_planned("instance", make, __doc__, argv)


if __name__ == "__main__":
    sys.exit(main())
