"""Name the vertebrae of every scan of a batch by the labelling network, and write the final maps.

Reads what `merge` left in work/merge, and the scan. Writes, for each scan, `*_desc-subregion_dseg` and
`*_desc-vertebra_dseg` (.nii.gz on the scan's own grid, .tsv, .json) into the output folder's `sub-*/[ses-*/]anat`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.labelling.level_cutouts import LevelInput, level_cutouts
from wirbel.core.labelling.named_maps import name_maps
from wirbel.core.levels.naming import Levels, levels_from
from wirbel.core.merging.both_maps import Merged
from wirbel.core.preparation.voxel_values import cleaned
from wirbel.core.spineps.merging.naming import named_maps
from wirbel.io.final_maps import raw_uri, write_final_maps
from wirbel.io.sidecars import read_json
from wirbel.io.volumes import read_header, read_volume
from wirbel.models.compatibility import SPINEPS
from wirbel.models.registry import Model
from wirbel.models.spineps_settings import number_settings
from wirbel.plan.networks import planned_model
from wirbel.plan.stage_settings import LabelSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned

if TYPE_CHECKING:
    from wirbel.learning.labelling_model import LabellingModel


UNNAMED = Levels((), 0.0, "counted", None, ())
"""Stands for the account of levels while vertebrae are being named."""


class LabelStage:
    """The stage as the runner drives it."""

    name = "label"
    reads_scan = True

    def __init__(self, settings: LabelSettings, model: Model, device: str = "auto") -> None:
        self.settings, self.model, self.device = settings, model, device
        self.network: LabellingModel | None = None

    def prepare(self) -> None:
        """Load the network."""
        from wirbel.learning.labelling_model import LabellingModel

        self.network = LabellingModel(self.model.folder, self.device)

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Merged, dict, dict]:
        """Read scan and maps, and cut out the surroundings of every vertebral body."""
        stem = folders.stage("merge") / scan.scan_id
        merged = read_merged(stem)
        described = read_json(f"{stem}_levels.json")
        by_counting = dict(zip(described["numbers"], merged.levels.labels, strict=True))
        assert self.network is not None  # `prepare` was called
        return merged, by_counting, cutouts_of(scan.path, merged, self.network.wanted)

    def compute(self, inputs: tuple[Merged, dict, dict]) -> tuple[Volume, Volume, Levels]:
        """Ask the network and name the vertebrae."""
        merged, by_counting, cutouts = inputs
        assert self.network is not None
        heads = self.network.classify(np.stack(list(cutouts.values()))) if cutouts else {}
        return name_maps(
            merged.subregion,
            merged.vertebra,
            list(cutouts),
            heads,
            merged.levels,
            by_counting,
            self.settings.semantic.has_c1,
            None if merged.seen is None else self._finish,
        )

    def _finish(
        self, subregion: Volume, vertebra: Volume, names: Mapping[int, int]
    ) -> tuple[Volume, Volume]:
        """Return the final maps as SPINEPS makes them."""
        found = Merged(subregion, vertebra, UNNAMED)
        as_there = self.settings.method == SPINEPS
        return named_maps(found, number_settings(self.settings.semantic), names, as_there)

    def save(self, scan: Scan, result: tuple, folders: StageFolders) -> list[Path]:
        """Write both maps with their look-up tables and sidecars."""
        source = raw_uri(scan.participant_id, scan.session_id, scan.path.name)
        provenance = {"Sources": [source], **self.settings.provenance}
        stem = folders.anat(scan) / scan.scan_id
        subregion, vertebra, levels = result
        header = read_header(scan.path)
        return write_final_maps(stem, subregion, vertebra, levels, provenance, header)


def read_merged(stem: Path) -> Merged:
    """Return what `merge` left of a scan for this stage."""
    described = read_json(f"{stem}_levels.json")
    subregion, vertebra = (
        read_volume(f"{stem}_{kind}.nii.gz") for kind in ("subregion", "vertebra")
    )
    seen = described.get("seen")
    seen = None if seen is None else tuple(slice(*side) for side in seen)
    return Merged(subregion, vertebra, levels_from(described["counted"]), seen)


def cutouts_of(scan: Path, merged: Merged, wanted: LevelInput) -> dict[int, np.ndarray]:
    """Return what a labelling network is shown of a scan: number -> cut-out."""
    image = cleaned(read_volume(scan))
    return level_cutouts(image, merged.vertebra, merged.subregion, wanted, merged.seen)


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch; return the exit code."""

    def make(plan, args):
        settings = settings_of(LabelSettings, plan.settings)
        return LabelStage(settings, planned_model(plan, "labelling"), args.device)

    return run_planned("label", make, __doc__, argv)


if __name__ == "__main__":
    raise SystemExit(main())
