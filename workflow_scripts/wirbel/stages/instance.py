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

from wirbel.core.method.arithmetic import arithmetic
from wirbel.core.method.cut_out import cut_out
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import write_arrays
from wirbel.models.registry import Model
from wirbel.plan.networks import planned_model
from wirbel.plan.stage_settings import NetworkSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned
from wirbel.runner.machine.imports import lasting_imports

if TYPE_CHECKING:
    from wirbel.learning.instance.instance_model import InstanceModel

Arrays = dict[str, np.ndarray]


class InstanceStage:
    """The stage as the runner drives it."""

    name = "instance"

    def __init__(
        self, settings: NetworkSettings, model: Model, device: str = "auto", threads: int = 1
    ) -> None:
        self.model, self.device, self.threads = model, device, threads
        self.method, self.planned, self.engine = settings.method, settings.engine, ""
        self.network: InstanceModel | None = None

    def prepare(self) -> None:
        """Load the network."""
        with lasting_imports():
            from wirbel.learning.instance.instance_model import InstanceModel

        self.network = InstanceModel(
            self.model.folder, self.device, self.threads, arithmetic(self.method), self.planned
        )
        self.engine = self.network.engine.name

    def load(self, scan: Scan, folders: StageFolders) -> tuple[np.ndarray, Arrays]:
        """Read the subregion map and cut out the surroundings of every body."""
        labels = read_volume(folders.stage("semantic") / f"{scan.scan_id}_subregion.nii.gz")
        found = cut_out(self.method, labels, self.model.config)
        where = {
            "origin": found.origin,
            "centre_mm": found.centre_mm,
            "spacing_mm": found.spacing_mm,
        }
        return found.labels, where

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
