"""Check each scan and bring it to the model grid: orientation, voxel size, bias field, range.

Writes work/resample/<scan_id>_image.nii.gz (int16) and a JSON file that says what was done.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wirbel.core.geometry import Volume
from wirbel.core.method.prepare import prepare
from wirbel.core.preparation.header_transforms import CONVERT
from wirbel.core.preparation.image import PreparedImage, Spacing
from wirbel.core.spacing import spacing_within
from wirbel.errors import ScanError
from wirbel.io.nifti.volumes import QUICKEST, read_header, read_volume, write_volume
from wirbel.io.sidecars import write_json
from wirbel.plan.stage_settings import ResampleSettings, settings_of
from wirbel.runner.loop import Scan, StageFolders, run_planned


class ResampleStage:
    """The stage as the runner drives it."""

    name = "resample"
    reads_scan = True

    def __init__(self, settings: ResampleSettings) -> None:
        self.settings = settings

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> tuple[str, Volume]:
        """Read the scan; refuse a header that leaves open what the settings want to know."""
        for doubt in read_header(scan.path).doubts:
            if doubt.code in self.settings.refused:
                raise ScanError(doubt.code, f"{scan.path.name}: {doubt.sentence}; {CONVERT}")
        return scan.path.name, read_volume(scan.path)

    def compute(self, inputs: tuple[str, Volume]) -> PreparedImage:
        """Check and resample."""
        name, volume = inputs
        wanted = self.settings
        grid = self._spacing_for, wanted.axes
        return prepare(
            wanted.method,
            volume,
            name,
            *grid,
            wanted.bias_field,
            wanted.fixed_range,
            wanted.accepted,
        )

    def _spacing_for(self, scan_mm: Spacing) -> Spacing:
        """Return the voxel size of the model grid for a scan of `scan_mm`, both along the model's axes."""
        resolution = self.settings.resolution
        return resolution if len(resolution) == 3 else spacing_within(scan_mm, resolution)

    def save(self, scan: Scan, result: PreparedImage, folders: StageFolders) -> list[Path]:
        """Write the image and its sidecar."""
        image = folders.stage(self.name) / f"{scan.scan_id}_image.nii.gz"
        sidecar = folders.stage(self.name) / f"{scan.scan_id}_image.json"
        write_volume(image, result.image, level=QUICKEST)
        write_json(sidecar, result.steps)
        return [image, sidecar]


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch."""
    return run_planned(
        "resample",
        lambda plan, args: ResampleStage(settings_of(ResampleSettings, plan.settings)),
        __doc__,
        argv,
    )


if __name__ == "__main__":
    sys.exit(main())
