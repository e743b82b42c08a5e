"""Convert what was delivered of each scan (DICOM files, folders, zip and tar archives) to NIfTI, and join stations.

Writes sub-X/[ses-Y/]anat/<scan_id>_T2w.nii.gz, and a JSON file with the few things of the header that
may be told. Nothing else of a header, and no name of a delivered file, reaches any file of the output
folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.pictures.seams import seam_picture
from wirbel.core.stitching.seams import Seam
from wirbel.core.stitching.stations import Stitched, seam_above, stitched
from wirbel.errors import ScanError
from wirbel.ingest.checking import accepting, people_of, warnings_of
from wirbel.ingest.delivery import Converted, convert
from wirbel.ingest.nifti_stations import read_session
from wirbel.ingest.sidecar import lone_sidecar, sidecar_of, station_sidecar
from wirbel.ingest.stations import Session, Stations, converted_session
from wirbel.io.dataset.several_paths import parted_paths
from wirbel.io.dataset.sidecar_facts import sidecar_path
from wirbel.io.nifti.volumes import write_volume
from wirbel.io.pictures import write_picture
from wirbel.io.sidecars import write_json
from wirbel.io.tabular.tables import write_rows
from wirbel.plan.series_rules import rules_of, stations_of
from wirbel.plan.stage_settings import IngestSettings, settings_of
from wirbel.plan.station_names import station_of
from wirbel.runner.failures import machine_fault
from wirbel.runner.loop import Scan, StageFolders, run_planned

NO_SESSION: tuple[Path | None, Session] = None, Session({}, {})
SEAM_COLUMNS = tuple(field.name for field in fields(Seam))


@dataclass(frozen=True)
class Ingested:
    """A scan, what its sidecar tells, and how its stations were put together, if it has some."""

    volume: Volume
    sidecar: dict[str, Any]
    stitched: Stitched | None = None


class IngestStage:
    """The stage as the runner drives it."""

    name = "ingest"

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        series = accepting(settings.series, settings.levels)
        self._rules = rules_of(series)
        self._stations = stations_of(settings.stations, series)
        self._last = NO_SESSION

    def prepare(self) -> None:
        """There is nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> Converted | Stations:
        """Choose the series and convert it; or that of each station."""
        paths, best = parted_paths(scan.path), self.settings.one_per_session
        try:
            if not self._stations:
                return convert(paths, self._rules, best=best)
            alone = station_of(scan.scan_id, self.settings.apart)
            session = self._session(scan.path)
            return session.apart(alone) if alone else session.together()
        except ScanError as error:
            raise ScanError(error.reason, f"{scan.scan_id}: {error.detail}") from None
        except Exception as error:
            if machine_fault(error):
                raise
            raise _unforeseen(scan, error) from None

    def _session(self, path: Path) -> Session:
        """Return the stations of a session; those that are scans of their own follow each other, and are read once."""
        if path != self._last[0]:
            paths, self._last = parted_paths(path), NO_SESSION
            if any(rule.name for rule in self._stations.values()):
                session = read_session(paths, self._stations)
            else:
                best = self.settings.one_per_session
                session = converted_session(paths, self._stations, best=best)
            self._last = path, session
        return self._last[1]

    def compute(self, inputs: Converted | Stations) -> Ingested:
        """Put stations together; a single series is finished already."""
        if isinstance(inputs, Converted):
            told = sidecar_of(inputs, self._warnings([inputs]))
            return Ingested(inputs.volume, told)
        if inputs.alone:
            return self._alone(inputs)
        found = inputs.found.values()
        warnings = sorted([*self._people(found), *self._warnings(found)])
        result = stitched({name: one.volume for name, one in inputs.found.items()})
        return Ingested(result.volume, station_sidecar(inputs, result, warnings), result)

    def _alone(self, inputs: Stations) -> Ingested:
        """Return a station as it is, and how it fits to the one above."""
        own, people = inputs.found[inputs.alone], self._people(inputs.found.values())
        seam: tuple[Seam, np.ndarray] | ScanError | None
        try:
            seam = seam_above({n: one.volume for n, one in inputs.found.items()}, inputs.alone)
        except ScanError as error:
            seam = error
        return Ingested(
            own.volume, lone_sidecar(inputs, seam, sorted([*people, *self._warnings([own])]))
        )

    def _warnings(self, scans: Iterable[Converted]) -> list[str]:
        asked = self.settings.series, self.settings.levels, self.settings.suffix
        found = [warnings_of(one.facts, one.is_derived, one.notes, *asked) for one in scans]
        return sorted({code for codes in found for code in codes})

    def _people(self, scans: Iterable[Converted]) -> list[str]:
        return people_of((one.patient for one in scans), self.settings.levels)

    def save(self, scan: Scan, result: Ingested, folders: StageFolders) -> list[Path]:
        """Write the scan, its sidecar, and a table and a picture of its seams."""
        image = folders.converted(scan, self.settings.suffix)
        sidecar = Path(sidecar_path(str(image)))
        write_volume(image, _as_stored(result.volume))
        write_json(sidecar, result.sidecar)
        return [image, sidecar, *self._save_seams(scan, result, folders)]

    def _save_seams(self, scan: Scan, result: Ingested, folders: StageFolders) -> list[Path]:
        if result.stitched is None or not result.stitched.seams:
            return []
        seams, rows = result.stitched.seams, result.stitched.rows
        table = folders.stage(self.name) / f"{scan.scan_id}_seams.tsv"
        picture = table.with_suffix(".png")
        write_rows(table, SEAM_COLUMNS, [seam.as_row() for seam in seams])
        write_picture(picture, seam_picture(result.volume, seams, rows))
        return [table, picture]


def _as_stored(volume: Volume) -> Volume:
    """Return a stitched volume, which is float32, as integers, as scanners store them."""
    if volume.data.dtype.kind != "f" or not (0 <= volume.data.min() <= volume.data.max() < 2**15):
        return volume
    return volume.with_data(np.rint(volume.data).astype(np.int16))


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
