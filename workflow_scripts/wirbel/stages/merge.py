"""Merge the predictions of every scan of a batch into its two final label maps.

Writes, for each scan, `*_desc-subregion_dseg` and `*_desc-vertebra_dseg` (.nii.gz on the scan's own grid, .tsv with
names and colours, .json) into the output folder's `sub-*/[ses-*/]anat`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wirbel import __version__
from wirbel.core.consolidation import Predictions
from wirbel.core.geometry import Grid, Volume, on_spacing
from wirbel.core.labels import SUBREGION_NAMES
from wirbel.core.levels import Levels
from wirbel.core.lookups import subregion_colours, vertebra_colours, vertebra_names
from wirbel.core.merging import Merged, merge
from wirbel.core.spineps import merging as spineps
from wirbel.io.sidecars import read_arrays, write_json, write_lookup
from wirbel.io.volumes import read_grid, read_volume, write_volume
from wirbel.models.inference_config import InferenceConfig
from wirbel.models.registry import Model, ModelError, find_model
from wirbel.models.spineps_settings import instance_settings, number_settings
from wirbel.runner.compatibility import (
    add_compatibility_argument,
    as_spineps,
    compatibility_parameter,
)
from wirbel.runner.runner import Scan, StageFolders, add_runner_arguments, run_stage


class Merge:
    """The stage as the runner drives it."""

    name = "merge"
    reads = ("semantic",)
    reads_scan = True

    def __init__(
        self,
        provenance: dict,
        semantic: InferenceConfig,
        instance: InferenceConfig,
        as_spineps: bool = False,
    ) -> None:
        self.provenance = provenance
        self.semantic, self.instance = semantic, instance
        self.as_spineps = as_spineps

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Volume, Predictions, Grid]:
        """Read the subregion map, the predictions, and the header of the scan itself."""
        labels = read_volume(folders.stage("semantic") / f"{scan.scan_id}_subregion.nii.gz")
        arrays = read_arrays(folders.stage("instance") / f"{scan.scan_id}_predictions.npz")
        predictions = Predictions(arrays["labels"], arrays["origin"], arrays["centre_mm"])
        if not self.as_spineps:
            labels = on_spacing(labels, arrays["spacing_mm"])
        return labels, predictions, read_grid(scan.path)

    def compute(self, inputs: tuple[Volume, Predictions, Grid]) -> Merged:
        """Return the final maps."""
        labels, predictions, scan = inputs
        if self.as_spineps:
            settings = instance_settings(self.instance), number_settings(self.semantic)
            return spineps.merge(labels, predictions, scan, *settings)
        return merge(labels, predictions, scan)

    def save(self, scan: Scan, result: Merged, folders: StageFolders) -> list[Path]:
        """Write both maps with their look-up tables and sidecars."""
        stem = folders.anat(scan) / f"{scan.scan_id}_desc"
        source = {"Sources": [bids_uri(scan)], **self.provenance}
        described = {**source, "Levels": levels_entry(result.levels)}
        return [
            *write_map(f"{stem}-subregion_dseg", result.subregion, _SUBREGIONS, source),
            *write_map(f"{stem}-vertebra_dseg", result.vertebra, _VERTEBRAE, described),
        ]


_SUBREGIONS = (
    "Substructures of the spine",
    SUBREGION_NAMES,
    subregion_colours(),
)
_VERTEBRAE = (
    "Vertebrae by level; 100 + v is the disc below vertebra v, 200 + v both endplates of that disc",
    vertebra_names(),
    vertebra_colours(),
)


def bids_uri(scan: Scan) -> str:
    """Return the scan's place in its data set, as BIDS derivatives name their sources."""
    parts = (scan.participant_id, scan.session_id, "anat", scan.path.name)
    return "bids:raw:" + "/".join(part for part in parts if part)


def provenance_entry(models: dict[str, tuple[str, Model]], n4: bool) -> dict:
    """Return the sidecars' account of networks and settings; a model folder goes by its last name."""
    return {
        "Models": {
            kind: {"Name": Path(name).name, "SHA256": model.sha256}
            for kind, (name, model) in models.items()
        },
        "BiasFieldCorrection": n4,
    }


def levels_entry(levels: Levels) -> dict:
    """Return the sidecar's account of how the levels were named."""
    return {
        "confidence": levels.confidence,
        "method": levels.method,
        "agree": levels.agree,
        "flags": list(levels.flags),
    }


def write_map(stem: str, volume: Volume, described: tuple, more: dict) -> list[Path]:
    """Write one label map with its table of the numbers present and its sidecar; return the files."""
    description, names, colours = described
    present = [number for number in names if (volume.data == number).any()]
    image, table, sidecar = (Path(f"{stem}{suffix}") for suffix in (".nii.gz", ".tsv", ".json"))
    write_volume(image, volume, "uint8")
    write_lookup(table, {n: names[n] for n in present}, {n: colours[n] for n in present})
    generator = {"Name": "wirbel", "Version": __version__}
    sidecar_content = {"Description": description, "GeneratedBy": [generator], **more}
    write_json(sidecar, sidecar_content)
    return [image, table, sidecar]


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch; return the exit code."""
    parser = argparse.ArgumentParser(prog="wirbel.stages.merge", description=__doc__)
    parser.add_argument("--model", required=True, help="semantic model, for the sidecars")
    parser.add_argument("--instance-model", required=True, help="instance model, for the sidecars")
    parser.add_argument("--n4", action=argparse.BooleanOptionalAction, default=True)
    add_compatibility_argument(parser)
    add_runner_arguments(parser)
    args = parser.parse_args(argv)
    names = {"semantic": args.model, "instance": args.instance_model}
    try:
        models = {kind: (name, find_model(name, kind)) for kind, name in names.items()}
    except ModelError as error:
        print(f"merge: {error}", file=sys.stderr)
        return 1
    provenance = {**provenance_entry(models, args.n4), **compatibility_parameter(args)}
    configs = (models[kind][1].config for kind in ("semantic", "instance"))
    return run_stage(Merge(provenance, *configs, as_spineps(args)), args, parameters=provenance)


if __name__ == "__main__":
    raise SystemExit(main())
