"""Name the vertebrae of every scan of a batch by the labelling network, and write the final maps.

Reads what `merge` left in work/merge, and the scan. Writes, for each scan, `*_desc-subregion_dseg` and
`*_desc-vertebra_dseg` (.nii.gz on the scan's own grid, .json) into the output folder's `sub-*/[ses-*/]anat`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wirbel.core.agreement.figures import Agreement, followed
from wirbel.core.agreement.margins import mean_margins
from wirbel.core.geometry import Volume
from wirbel.core.labelling.level_cutouts import LevelInput, level_cutouts
from wirbel.core.levels.naming import levels_from
from wirbel.core.merging.map_types import CountedMaps, FinalMaps
from wirbel.core.method.name import name
from wirbel.core.preparation.voxel_values import cleaned
from wirbel.io.maps.final_maps import write_maps_of
from wirbel.io.maps.sidecar_entries import agreement_from
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import read_json
from wirbel.manifests.engines import EnginesUsed
from wirbel.models.engine import with_engines
from wirbel.models.registry import Model
from wirbel.plan.networks import planned_model
from wirbel.plan.stage_settings import LabelSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned

if TYPE_CHECKING:
    from wirbel.learning.labelling.labelling_model import LabellingModel


Inputs = tuple[CountedMaps, dict[int, np.ndarray], tuple[Agreement, Volume]]
Outputs = tuple[FinalMaps, Agreement]


class LabelStage:
    """The stage as the runner drives it."""

    name = "label"
    reads_scan = True

    def __init__(
        self, settings: LabelSettings, model: Model, batch: str, device: str = "auto"
    ) -> None:
        self.settings, self.model, self.device = settings, model, device
        self.engines = EnginesUsed(batch)
        self.network: LabellingModel | None = None

    def prepare(self) -> None:
        """Load the network."""
        from wirbel.learning.labelling.labelling_model import LabellingModel

        self.network = LabellingModel(self.model.folder, self.device)

    def load(self, scan: Scan, folders: StageFolders) -> Inputs:
        """Read scan and maps, and cut out the surroundings of every vertebral body."""
        stem = folders.stage("merge") / scan.scan_id
        counted, agreement = read_counted(stem)
        assert self.network is not None  # `prepare` was called
        cutouts = cutouts_of(scan.path, counted, self.network.wanted)
        return counted, cutouts, (agreement, read_volume(f"{stem}_margin.nii.gz"))

    def compute(self, inputs: Inputs) -> Outputs:
        """Ask the network and name the vertebrae."""
        counted, cutouts, (agreement, margin) = inputs
        assert self.network is not None
        heads = self.network.classify(np.stack(list(cutouts.values()))) if cutouts else {}
        maps = name(self.settings.method, counted, list(cutouts), heads, self.settings.semantic)
        agreement = agreement.renamed(followed(counted.vertebra.data, maps.vertebra.data))
        whole, bodies = mean_margins(margin, maps.vertebra, maps.subregion)
        return maps, replace(agreement, margin=whole, body_margin=bodies)

    def save(self, scan: Scan, result: Outputs, folders: StageFolders) -> list[Path]:
        """Write both maps with their look-up tables and sidecars."""
        maps, agreement = result
        used = self.engines.of(scan.scan_id, folders.output_dir)
        more = with_engines(self.settings.provenance, used)
        return write_maps_of(scan, folders.anat(scan), maps, agreement, more)


def read_counted(stem: Path) -> tuple[CountedMaps, Agreement]:
    """Return what `merge` left of a scan for this stage."""
    described = read_json(f"{stem}_levels.json")
    seen = described.get("seen")
    counted = CountedMaps(
        read_volume(f"{stem}_subregion.nii.gz"),
        read_volume(f"{stem}_vertebra.nii.gz"),
        levels=levels_from(described["counted"]),
        numbers=tuple(described["numbers"]),
        seen=None if seen is None else tuple(slice(*side) for side in seen),
    )
    return counted, agreement_from(described["agreement"])


def cutouts_of(scan: Path, counted: CountedMaps, wanted: LevelInput) -> dict[int, np.ndarray]:
    """Return what a labelling network is shown of a scan: number -> cut-out."""
    image = cleaned(read_volume(scan))
    return level_cutouts(image, counted.vertebra, counted.subregion, wanted, counted.seen)


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch; return the exit code."""

    def make(plan, args):
        settings = settings_of(LabelSettings, plan.settings)
        return LabelStage(settings, planned_model(plan, "labelling"), args.batch, args.device)

    return run_planned("label", make, __doc__, argv)


if __name__ == "__main__":
    raise SystemExit(main())
