"""Convert what was delivered of each scan (DICOM files, folders, zip and tar archives) to NIfTI.

Writes sub-X/[ses-Y/]anat/<scan_id>_T2w.nii.gz, and a JSON file with the few things of the header that
may be told. Nothing else of a header, and no name of a delivered file, reaches any file of the output
folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from wirbel.errors import ScanError
from wirbel.ingest.delivery import Converted, convert
from wirbel.io.dataset.several_paths import parted_paths
from wirbel.io.nifti.volumes import write_volume
from wirbel.io.sidecars import write_json
from wirbel.plan.series_rules import rules_of
from wirbel.plan.stage_settings import IngestSettings, settings_of
from wirbel.runner.failures import machine_fault
from wirbel.runner.loop import Scan, StageFolders, run_planned

NOTES = "IngestNotes"


class IngestStage:
    """The stage as the runner drives it."""

    name = "ingest"

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        self._rules = rules_of(settings.series)

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> Converted:
        """Choose the series and convert it."""
        paths = parted_paths(scan.path)
        try:
            return convert(paths, self._rules, best=self.settings.one_per_session)
        except ScanError as error:
            raise ScanError(error.reason, f"{scan.scan_id}: {error.detail}") from None
        except Exception as error:
            if machine_fault(error):
                raise
            raise _unforeseen(scan, error) from None

    def compute(self, inputs: Converted) -> Converted:
        """Nothing is left to compute: dcm2niix has done it."""
        return inputs

    def save(self, scan: Scan, result: Converted, folders: StageFolders) -> list[Path]:
        """Write the scan and its sidecar."""
        image = folders.converted(scan, self.settings.suffix)
        sidecar = Path(str(image).removesuffix(".nii.gz") + ".json")
        write_volume(image, result.volume)
        write_json(sidecar, sidecar_of(result))
        return [image, sidecar]


def sidecar_of(result: Converted) -> dict[str, Any]:
    """Return what is told of a converted scan."""
    told = {"ConversionSoftware": "dcm2niix", **result.facts}
    return {**told, NOTES: result.notes} if result.notes else told


def _unforeseen(scan: Scan, error: Exception) -> Exception:
    """Return an error that nobody foresaw, without its words, which may repeat a header."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (
        ""
        if trace is None
        else f" (line {trace.tb_lineno} of {Path(trace.tb_frame.f_code.co_filename).name})"
    )
    told = f"{scan.scan_id}: {type(error).__name__} while the delivery was read{place}"
    return ScanError("unexpected", told)


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch."""
    return run_planned(
        "ingest",
        lambda plan, args: IngestStage(settings_of(IngestSettings, plan.settings)),
        __doc__,
        argv,
    )


if __name__ == "__main__":
    sys.exit(main())
