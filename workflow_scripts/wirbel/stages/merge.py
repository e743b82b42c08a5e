"""Merge the predictions of every scan of a batch into its two final label maps.

Writes, for each scan, `*_desc-subregion_dseg` and `*_desc-vertebra_dseg` (.nii.gz on the scan's own grid, .tsv with
names and colours, .json) into the output folder's `sub-*/[ses-*/]anat`. Where names are to follow, the maps stay in
work/merge, vertebrae numbered from the top down, until the stage `label` has named them.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from wirbel.core.geometry import Grid, Volume, on_spacing
from wirbel.core.instances.consolidation import Predictions
from wirbel.core.levels.relabelling import placeholders
from wirbel.core.merging.both_maps import Merged, merge
from wirbel.core.spineps.merging import both_maps as spineps
from wirbel.core.spineps.merging import naming as published
from wirbel.io.final_maps import raw_uri, write_final_maps
from wirbel.io.sidecars import read_arrays, write_json
from wirbel.io.volumes import read_grid, read_header, read_volume, write_volume
from wirbel.models.compatibility import NONE, SPINEPS
from wirbel.models.spineps_settings import instance_settings, number_settings
from wirbel.plan.stage_settings import MergeSettings, settings_of
from wirbel.runner.chain import READS_ALSO
from wirbel.runner.loop import Scan, StageFolders, run_planned

UNNAMED_FILES = ("subregion.nii.gz", "vertebra.nii.gz", "levels.json")
"""What is left in work/merge when names are to follow, after the scan's name."""


class Merge:
    """The stage as the runner drives it."""

    name = "merge"
    reads = READS_ALSO["merge"]
    reads_scan = True

    def __init__(self, settings: MergeSettings) -> None:
        self.settings = settings

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Volume, Predictions, Grid]:
        """Read the subregion map, the predictions, and the header of the scan itself."""
        labels = read_volume(folders.stage("semantic") / f"{scan.scan_id}_subregion.nii.gz")
        arrays = read_arrays(folders.stage("instance") / f"{scan.scan_id}_predictions.npz")
        predictions = Predictions(arrays["labels"], arrays["origin"], arrays["centre_mm"])
        if self.settings.method == NONE:
            i, j, k = (float(size) for size in arrays["spacing_mm"])
            labels = on_spacing(labels, (i, j, k))
        return labels, predictions, read_grid(scan.path)

    def compute(self, inputs: tuple[Volume, Predictions, Grid]) -> Merged:
        """Return the final maps."""
        labels, predictions, scan = inputs
        named = not self.settings.naming_follows
        if self.settings.method == NONE:
            return merge(labels, predictions, scan, named)
        settings = (
            instance_settings(self.settings.instance),
            number_settings(self.settings.semantic),
        )
        if self.settings.method == SPINEPS:
            if not named:
                return spineps.unnumbered(labels, predictions, scan, *settings)
            return published.flagged(spineps.merge(labels, predictions, scan, *settings))
        return published.merge(labels, predictions, scan, *settings, named)

    def save(self, scan: Scan, result: Merged, folders: StageFolders) -> list[Path]:
        """Write both maps: into the results, or, when names are to follow, for the next stage."""
        if self.settings.naming_follows:
            return self._save_unnamed(folders.stage(self.name) / scan.scan_id, result)
        stem = folders.anat(scan) / scan.scan_id
        source = raw_uri(scan.participant_id, scan.session_id, scan.path.name)
        provenance = {"Sources": [source], **self.settings.provenance}
        maps = result.subregion, result.vertebra
        return write_final_maps(stem, *maps, result.levels, provenance, read_header(scan.path))

    def _save_unnamed(self, stem: Path, result: Merged) -> list[Path]:
        """Write both maps, and by which names counting would call the numbers in them."""
        paths = [Path(f"{stem}_{name}") for name in UNNAMED_FILES]
        found = {"numbers": self._numbers(result), "counted": asdict(result.levels)}
        if result.seen is not None:
            found["seen"] = [[side.start, side.stop] for side in result.seen]
        write_volume(paths[0], result.subregion, "uint8")
        write_volume(paths[1], result.vertebra, "uint8")
        write_json(paths[2], found)
        return paths

    def _numbers(self, result: Merged) -> tuple[int, ...]:
        """Return the numbers, from the top down, that vertebrae have until they are named."""
        count = len(result.levels.labels)
        if result.seen is None:
            return placeholders(count)
        first = number_settings(self.settings.semantic).first
        return tuple(range(first, first + count))


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch; return the exit code."""
    return run_planned(
        "merge", lambda plan, args: Merge(settings_of(MergeSettings, plan.settings)), __doc__, argv
    )


if __name__ == "__main__":
    raise SystemExit(main())
