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
from wirbel.core.geometry import Volume
from wirbel.core.instances.network_results import Found
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.merging.map_types import CountedMaps, FinalMaps
from wirbel.core.method.cut_out import instance_map
from wirbel.core.method.merge import merge, merge_unnamed
from wirbel.io.maps.final_maps import write_maps_of
from wirbel.io.maps.sidecar_entries import agreement_entry
from wirbel.io.nifti.volumes import QUICKEST, read_grid, read_volume, write_volume
from wirbel.io.sidecars import read_arrays, write_json
from wirbel.manifests.engines import EnginesUsed
from wirbel.models.engine import with_engines
from wirbel.plan.chain import READS_ALSO
from wirbel.plan.stage_settings import MergeSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned

UNNAMED_FILES = ("subregion.nii.gz", "vertebra.nii.gz", "levels.json", "margin.nii.gz")
"""What is left in work/merge when names are to follow, after the scan's name."""

Inputs = tuple[Found, Volume]
Outputs = tuple[FinalMaps | CountedMaps, Agreement, Volume]


class Merge:
    """The stage as the runner drives it."""

    name = "merge"
    reads = READS_ALSO["merge"]
    reads_scan = True

    def __init__(self, settings: MergeSettings, batch: str) -> None:
        self.settings, self.engines = settings, EnginesUsed(batch)

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> Inputs:
        """Read the subregion map, the predictions, the header of the scan itself, and the map's margins."""
        stem = folders.stage("semantic") / scan.scan_id
        labels, margin = (read_volume(f"{stem}_{kind}.nii.gz") for kind in ("subregion", "margin"))
        arrays = read_arrays(folders.stage("instance") / f"{scan.scan_id}_predictions.npz")
        predictions = Predictions(arrays["labels"], arrays["origin"], arrays["centre_mm"])
        spacing_mm = arrays["spacing_mm"].tolist()
        return Found(labels, predictions, spacing_mm, read_grid(scan.path)), margin

    def compute(self, inputs: Inputs) -> Outputs:
        """Return the maps, how well the networks agree about them, and the margins, for the next stage."""
        found, margin = inputs
        wanted = self.settings
        step = merge_unnamed if wanted.naming_follows else merge
        maps = step(wanted.method, found, wanted.semantic, wanted.instance)
        labels = instance_map(wanted.method, found.labels, wanted.instance, found.spacing_mm)
        agreement = agreement_of_votes(labels, found.predictions, maps.vertebra)
        if not wanted.naming_follows:
            whole, bodies = mean_margins(margin, maps.vertebra, maps.subregion)
            agreement = replace(agreement, margin=whole, body_margin=bodies)
        return maps, agreement, margin

    def save(self, scan: Scan, result: Outputs, folders: StageFolders) -> list[Path]:
        """Write both maps: into the results, or, when names are to follow, for the next stage."""
        maps, agreement, margin = result
        if isinstance(maps, CountedMaps):
            return _save_unnamed(folders.stage(self.name) / scan.scan_id, maps, agreement, margin)
        used = self.engines.of(scan.scan_id, folders.output_dir)
        more = with_engines(self.settings.provenance, used)
        return write_maps_of(scan, folders.anat(scan), maps, agreement, more)


def _save_unnamed(
    stem: Path, maps: CountedMaps, agreement: Agreement, margin: Volume
) -> list[Path]:
    """Write both maps and the margins, and by which names counting would call the numbers in them."""
    paths = [Path(f"{stem}_{name}") for name in UNNAMED_FILES]
    found = {"numbers": maps.numbers, "counted": asdict(maps.levels)}
    if maps.seen is not None:
        found["seen"] = [[side.start, side.stop] for side in maps.seen]
    write_volume(paths[0], maps.subregion, "uint8")
    write_volume(paths[1], maps.vertebra, "uint8")
    write_json(paths[2], found | {"agreement": agreement_entry(agreement)})
    write_volume(paths[3], margin, level=QUICKEST)
    return paths


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch; return the exit code."""

    def make(plan, args):
        return Merge(settings_of(MergeSettings, plan.settings), args.batch)

    return run_planned("merge", make, __doc__, argv)


if __name__ == "__main__":
    raise SystemExit(main())
