"""Measure every scan of a batch from its two final label maps and the scan itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wirbel.core.agreement.figures import Agreement, followed
from wirbel.core.dictionary import clean_row
from wirbel.core.geometry import Volume
from wirbel.core.joining.naming import Joined, joint_names
from wirbel.core.joining.renaming import named_together
from wirbel.core.joining.stations import Station
from wirbel.core.measures import Measurements, measure_maps
from wirbel.core.measures import status as S
from wirbel.core.measures.agreement import agreement_columns
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.plausibility.scan_flags import LOW_AGREEMENT, NOT_APPLIED
from wirbel.core.plausibility.whole.check import ImplausibleResult, check_maps
from wirbel.core.preparation.intake import scan_doubts
from wirbel.core.reviewing.shifting import ShiftError, shifted
from wirbel.errors import ScanError
from wirbel.io.maps.ingest_sidecar import ingest_flags, ingest_sidecar
from wirbel.io.maps.reviewed_map import forget_reviewed_map, write_reviewed_map
from wirbel.io.maps.sidecar_entries import AGREEMENT_KEY, agreement_entry, agreement_from, made_by
from wirbel.io.maps.station_maps import read_station, station_from
from wirbel.io.nifti.volumes import read_header, read_volume
from wirbel.io.sidecars import read_json
from wirbel.io.tabular.measurements import LANDMARKS, NUMBERS, write_measurements
from wirbel.manifests.findings import read_reviews, shifts_of
from wirbel.plan.stage_settings import FeaturesSettings, settings_of
from wirbel.plan.station_names import station_of
from wirbel.runner.loop import Scan, StageFolders, run_planned

REVIEWED = "reviewed"
AGREEMENT = "agreement"
NO_LEVELS: dict[str, Any] = {
    "confidence": None,
    "method": "unknown",
    "agree": None,
    "flags": [],
    "alternative": None,
    "set_aside": None,
}


class Features:
    """Final label maps -> `work/features/<scan_id>_features.json`."""

    name = "features"
    reads_scan = True

    def __init__(self, settings: FeaturesSettings) -> None:
        self.settings = settings
        self.others: Mapping[str, Sequence[Scan]] = {}
        self._reviews: dict[str, dict[str, Any]] | None = None

    def prepare(self) -> None:
        """Nothing to load."""

    def load(self, scan: Scan, folders: StageFolders) -> tuple[Volume, Volume, Volume, dict]:
        """Read the scan and both label maps, how the levels were named, and what made the maps."""
        stem = f"{scan.scan_id}_desc"
        anat = folders.anat(scan)
        sidecar = anat / f"{stem}-vertebra_dseg.json"
        described = read_json(sidecar) if sidecar.exists() else {}
        subregion = read_volume(anat / f"{stem}-subregion_dseg.nii.gz")
        vertebra = read_volume(anat / f"{stem}-vertebra_dseg.nii.gz")
        before = vertebra.data
        levels = {**NO_LEVELS, **described.get("Levels", {})}
        reviews = self._all_reviews(folders)
        others = self._others(scan, folders)
        if others:
            own = station_from(self._station(scan), scan.path, subregion, vertebra, levels)
            joined = joint_names([own, *others], self._readers(scan, reviews))[own.name]
            vertebra, review = _renamed(vertebra, described, joined, reviews.get(scan.scan_id, {}))
        else:
            vertebra, review = self._reviewed(reviews.get(scan.scan_id, {}), vertebra, described)
        agreement = agreement_from(described.get(AGREEMENT_KEY, {}))
        if REVIEWED in review:
            agreement = agreement.renamed(followed(before, vertebra.data))
            review[REVIEWED][AGREEMENT_KEY] = agreement_entry(agreement)
        image = read_volume(scan.path)
        odd = [doubt.code for doubt in read_header(scan.path).doubts]
        odd += [*scan_doubts(image), *ingest_flags(ingest_sidecar(scan.path, anat))]
        told = {
            **NO_LEVELS,
            **described.get("Levels", {}),
            **review,
            "header_flags": list(dict.fromkeys(odd)),
            "made_by": made_by(described),
            AGREEMENT: agreement,
        }
        return image, subregion, vertebra, told

    def compute(self, inputs: tuple[Volume, Volume, Volume, dict]) -> dict[str, Any]:
        """Return the rows of all four tables, and the map that a reader corrected, where there is one."""
        _, _, vertebra, told = inputs
        corrected = {REVIEWED: (vertebra, told[REVIEWED])} if REVIEWED in told else {}
        return measured_rows(*inputs) | corrected | {NUMBERS: told.get(NUMBERS, {})}

    def save(self, scan: Scan, result: dict[str, Any], folders: StageFolders) -> list[Path]:
        """Write the rows as one JSON file."""
        path = folders.stage(self.name) / f"{scan.scan_id}_features.json"
        tables = dict(result)
        corrected = tables.pop(REVIEWED, None)
        landmarks = tables.pop(LANDMARKS, [])
        numbers = tables.pop(NUMBERS, {})
        write_measurements(path, tables.pop("scan"), tables, landmarks, numbers)
        anat = folders.anat(scan)
        if corrected is None:
            forget_reviewed_map(anat, scan.scan_id)
            return [path]
        return [path, *write_reviewed_map(anat, scan.scan_id, scan.path, *corrected)]

    def _station(self, scan: Scan) -> str:
        return station_of(scan.scan_id, self.settings.apart)

    def _others(self, scan: Scan, folders: StageFolders) -> list[Station]:
        """Read the other stations of the session."""
        return [
            read_station(self._station(one), folders.anat(one), one.path, one.scan_id)
            for one in self.others.get(scan.scan_id, ())
        ]

    def _readers(self, scan: Scan, reviews: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        """Return station -> by how many levels a reader moved its names."""
        shifts = shifts_of(reviews, [one.scan_id for one in (scan, *self.others[scan.scan_id])])
        return {station_of(scan_id, self.settings.apart): by for scan_id, by in shifts.items()}

    def _all_reviews(self, folders: StageFolders) -> dict[str, dict[str, Any]]:
        """Return the reviews of the whole cohort, read once for all scans of the batch."""
        if self._reviews is None:
            self._reviews = read_reviews(folders.output_dir)
        return self._reviews

    def _reviewed(
        self, review: Mapping[str, Any], vertebra: Volume, described: dict
    ) -> tuple[Volume, dict[str, Any]]:
        """Return the map with the names that a reader gave, and what that changes in the account of its names."""
        if not review.get("shift"):
            return vertebra, {}
        levels = {**NO_LEVELS, **described.get("Levels", {})}
        try:
            moved = vertebra.with_data(shifted(vertebra.data, review["shift"]))
        except ShiftError:
            return vertebra, {"flags": [*levels["flags"], NOT_APPLIED]}
        named = {"method": "reader", "confidence": 1.0, "agree": None, "alternative": None}
        sidecar = {**described, "Levels": {**levels, **named}, "Review": review}
        return moved, {**named, REVIEWED: sidecar}


def _renamed(
    vertebra: Volume, described: Mapping[str, Any], joined: Joined, review: Mapping[str, Any]
) -> tuple[Volume, dict[str, Any]]:
    """Return a station's map as its session names it, and what that changes in the account of its names."""
    levels = {**NO_LEVELS, **described.get("Levels", {})}
    moved, told = named_together(vertebra, levels, joined, reviewed=bool(review.get("shift")))
    if moved is vertebra:
        return vertebra, {**told, NUMBERS: joined.numbers}
    entries = {
        "Levels": {**levels, **told},
        **({"Review": review} if told["method"] == "reader" else {}),
    }
    return moved, {**told, NUMBERS: joined.numbers, REVIEWED: {**described, **entries}}


def measured_rows(
    image: Volume | None, subregion: Volume, vertebra: Volume, levels: dict[str, Any]
) -> dict[str, Any]:
    """Measure the maps and look at the result as a whole; return cleaned rows by table.

    Raises ScanError when the maps cannot be measured, or nothing of the result can be right.
    """
    try:
        maps = LabelMaps(subregion, vertebra)
        measured = measure_maps(image, maps)
        flags = check_maps(maps, measured.vertebrae)
    except ImplausibleResult as error:
        raise ScanError("implausible_result", str(error)) from error
    except ValueError as error:
        raise ScanError("bad_geometry", f"the label maps cannot be measured: {error}") from error
    return features(measured, levels, flags)


def features(measured: Measurements, levels: dict[str, Any], found: list[str]) -> dict[str, Any]:
    """Return cleaned rows by table.

    `levels` is the vertebra map's account of its level names, `found` are the flags of the whole result.
    Where they are given, `levels["made_by"]` holds the columns that say what made the map,
    `levels["header_flags"]` what is odd about the scan's header, and `levels["agreement"]` how well the networks agree.
    """
    rows = asdict(measured)
    agreed = agreement_columns(
        rows["vertebrae"], rows["discs"], levels.get(AGREEMENT) or Agreement(), measured.cut
    )
    found = [*found, LOW_AGREEMENT] if agreed["low_agreement_rows"] else found
    naming = {"level_confidence": levels["confidence"], "level_method": levels["method"]}
    flags = {"levels_agree": levels["agree"], "level_flags": ";".join(levels["flags"])}
    odd = [*levels.get("header_flags", ()), *filter(None, [rows["scan"]["flags"]]), *found]
    doubts = {
        "level_alternative": levels["alternative"] or None,
        "parts_set_aside": levels["set_aside"],
        "flags": ";".join(odd),
    }
    made_by = levels.get("made_by", {})
    scan = {"scan_status": S.OK, **made_by, **rows["scan"], **naming, **doubts, **flags, **agreed}
    lists = {
        table: [clean_row(table, row | naming) for row in rows[table]]
        for table in ("vertebrae", "discs", "levels")
    }
    return {"scan": clean_row("scans", scan), **lists, LANDMARKS: rows["landmarks"]}


def main(argv: list[str] | None = None) -> int:
    """Run the stage over one batch; return the exit code."""
    return run_planned(
        "features",
        lambda plan, args: Features(settings_of(FeaturesSettings, plan.settings)),
        __doc__,
        argv,
    )


if __name__ == "__main__":
    raise SystemExit(main())
