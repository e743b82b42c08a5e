"""Merge the predictions of every scan of a batch into its two final label maps.

Writes, for each scan, `*_desc-subregion_dseg` and `*_desc-vertebra_dseg` (.nii.gz on the scan's own grid, .json)
into the output folder's `sub-*/[ses-*/]anat`. Where names are to follow, the maps stay in
work/merge, vertebrae numbered from the top down, until the stage `label` has named them.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from wirbel.core.agreement.figures import Agreement
from wirbel.core.agreement.margins import mean_margins
from wirbel.core.agreement.votes import agreement_of_votes
from wirbel.core.geometry import Grid, Volume, on_spacing
from wirbel.core.instances.consolidation import Predictions
from wirbel.core.levels.relabelling import placeholders
from wirbel.core.merging.both_maps import Merged, merge
from wirbel.core.spineps.merging import both_maps as spineps
from wirbel.core.spineps.merging import naming as published
from wirbel.io.final_maps import agreement_entry, raw_uri, write_final_maps
from wirbel.io.sidecars import read_arrays, write_json
from wirbel.io.volumes import QUICKEST, read_grid, read_header, read_volume, write_volume
from wirbel.models.compatibility import NONE, SPINEPS
from wirbel.models.spineps_settings import instance_settings, number_settings
from wirbel.plan.stage_settings import MergeSettings, settings_of
from wirbel.runner.chain import READS_ALSO
from wirbel.runner.loop import Scan, StageFolders, run_planned

UNNAMED_FILES = ("subregion.nii.gz", "vertebra.nii.gz", "levels.json", "margin.nii.gz")
"""What is left in work/merge when names are to follow, after the scan's name."""

Inputs = tuple[Volume, Predictions, Grid, Volume]
Outputs = tuple[Merged, Agreement, Volume]


class Merge:
    """The stage as the runner drives it."""

    name = "merge"
    reads = READS_ALSO["merge"]
    reads_scan = True

    def __init__(self, settings: MergeSettings) -> None:
        self.settings = settings

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> Inputs:
        """Read the subregion map, the predictions, the header of the scan itself, and the map's margins."""
        stem = folders.stage("semantic") / scan.scan_id
        labels, margin = (read_volume(f"{stem}_{kind}.nii.gz") for kind in ("subregion", "margin"))
        arrays = read_arrays(folders.stage("instance") / f"{scan.scan_id}_predictions.npz")
        predictions = Predictions(arrays["labels"], arrays["origin"], arrays["centre_mm"])
        if self.settings.method == NONE:
            i, j, k = (float(size) for size in arrays["spacing_mm"])
            labels = on_spacing(labels, (i, j, k))
        return labels, predictions, read_grid(scan.path), margin

    def compute(self, inputs: Inputs) -> Outputs:
        """Return the final maps, how well the networks agree about them, and the margins, for the next stage."""
        labels, predictions, scan, margin = inputs
        merged = self._merged(labels, predictions, scan)
        if self.settings.method != NONE:
            labels = spineps.instance_grid(labels, instance_settings(self.settings.instance))
        agreement = agreement_of_votes(labels, predictions, merged.vertebra)
        if not self.settings.naming_follows:
            whole, bodies = mean_margins(margin, merged.vertebra, merged.subregion)
            agreement = replace(agreement, margin=whole, body_margin=bodies)
        return merged, agreement, margin

    def _merged(self, labels: Volume, predictions: Predictions, scan: Grid) -> Merged:
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

    def save(self, scan: Scan, result: Outputs, folders: StageFolders) -> list[Path]:
        """Write both maps: into the results, or, when names are to follow, for the next stage."""
        merged, agreement, _ = result
        if self.settings.naming_follows:
            return self._save_unnamed(folders.stage(self.name) / scan.scan_id, *result)
        stem = folders.anat(scan) / scan.scan_id
        source = raw_uri(scan.participant_id, scan.session_id, scan.path.name)
        provenance = {"Sources": [source], **self.settings.provenance}
        maps = merged.subregion, merged.vertebra
        header = read_header(scan.path)
        return write_final_maps(stem, *maps, merged.levels, provenance, header, agreement)

    def _save_unnamed(
        self, stem: Path, result: Merged, agreement: Agreement, margin: Volume
    ) -> list[Path]:
        """Write both maps and the margins, and by which names counting would call the numbers in them."""
        paths = [Path(f"{stem}_{name}") for name in UNNAMED_FILES]
        found = {"numbers": self._numbers(result), "counted": asdict(result.levels)}
        if result.seen is not None:
            found["seen"] = [[side.start, side.stop] for side in result.seen]
        write_volume(paths[0], result.subregion, "uint8")
        write_volume(paths[1], result.vertebra, "uint8")
        write_json(paths[2], found | {"agreement": agreement_entry(agreement)})
        write_volume(paths[3], margin, level=QUICKEST)
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
