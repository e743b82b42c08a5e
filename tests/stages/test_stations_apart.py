"""Stations that are scans of their own (`stitch: false`): converted apart, named together, each vertebra once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from stages.test_ingest_nifti_stations import RULES, chunks
from support.deliveries.ingesting import Study
from support.deliveries.station_cohort import RULES as DICOM_RULES
from support.deliveries.station_cohort import delivered, plain, truncated_zip
from support.deliveries.stations import tall
from support.spines.solid_spine import SolidSpine, render
from support.studies import planned
from support.studies.measured import BEFORE, image_of
from support.studies.planned import BUILTIN, seal_manifests

from wirbel.core.geometry import Volume
from wirbel.ingest import conversion
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.io.sidecars import read_json, write_json
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.batches import COLUMNS
from wirbel.manifests.findings import write_findings
from wirbel.manifests.records import Record, read_records, write_records
from wirbel.plan.plan import plan_file
from wirbel.stages import cohort, features

STEP_MM = 34.0
"""From one body of the solid spine to the next."""
MOVED_MM = 3.0
"""By which the person moved up between the stations."""
SURE = {"confidence": 0.95, "method": "top", "agree": None, "flags": [], "alternative": ""}
UNSURE = {
    "confidence": 0.5,
    "method": "estimated",
    "agree": None,
    "flags": [],
    "alternative": "L4",
}
SETTINGS = {"stations": {"neck": {"name": "a"}, "lumbar": {"name": "b"}}, "stitch": False}
BATCH = "b00001"


def below(volume):
    """The same map one vertebra further down, where the header says that it lies MOVED_MM higher than it does."""
    affine = volume.affine.copy()
    affine[2, 3] += MOVED_MM - STEP_MM
    return Volume(volume.data, affine)


def study(folder, *, joined=True, lumbar="ok", levels=UNSURE):
    """A session of two stations: the neck's shows L3 and L4, the other L4 and L5, which it calls L3 and L4."""
    maps = render(SolidSpine())
    motion = np.eye(4)
    motion[2, 3] = -MOVED_MM
    above = {"StationAbove": {"upper": "neck", "motion": motion.tolist()}}
    rows = []
    for chunk, named, told in ((1, SURE, {}), (2, levels, above if joined else {"NotJoined": "x"})):
        scan_id = f"sub-1_chunk-{chunk}"
        rows.append(
            {"scan_id": scan_id, "participant_id": "sub-1", "session_id": "", "run_id": ""}
            | {"path": "delivery", "size": 1, "mtime_ns": 1, "problem": ""}
        )
        own = [below(one) if chunk == 2 else one for one in maps]
        stem = folder / "sub-1/anat" / scan_id
        write_volume(f"{stem}_T2w.nii.gz", image_of(own[0]))
        write_json(f"{stem}_T2w.json", told)
        write_volume(f"{stem}_desc-subregion_dseg.nii.gz", own[0])
        write_volume(f"{stem}_desc-vertebra_dseg.nii.gz", own[1])
        write_json(f"{stem}_desc-vertebra_dseg.json", {"Levels": named})
    write_rows(folder / f"work/batches/{BATCH}.tsv", COLUMNS, rows)
    for stage in ("ingest", *BEFORE):
        records = [Record(row["scan_id"], "ok", key=f"{stage} {row['scan_id']}") for row in rows]
        if lumbar != "ok":
            records[1] = Record(rows[1]["scan_id"], "failed", lumbar, "cut short", key=stage)
        write_records(folder / f"work/{stage}/{BATCH}.tsv", records)
    return folder


def measured(folder):
    """Return the cohort's tables, and the keys of the measurements."""
    assert planned.run(features, folder, BUILTIN, batch=BATCH, **SETTINGS) == 0
    plan = planned.plan_of(folder, BUILTIN, **SETTINGS)
    seal_manifests(folder, plan)
    assert cohort.main(["--plan", str(plan_file(folder))]) == 0
    names = ("scans", "vertebrae", "discs", "levels", "failures")
    keys = {s: r.key for s, r in read_records(folder / f"work/features/{BATCH}.tsv").items()}
    return {name: pd.read_csv(folder / f"cohort/{name}.csv") for name in names}, keys


def test_a_person_has_each_vertebra_once_with_the_names_of_the_surest_station(tmp_path):
    tables, _ = measured(study(tmp_path))
    told = [tuple(row) for row in tables["vertebrae"][["level", "station"]].to_numpy()]
    assert told == [("L3", "neck"), ("L4", "neck"), ("L5", "lumbar")]
    assert list(tables["discs"].level) == ["L3-L4", "L4-L5"]
    assert list(tables["discs"].station) == ["neck", "lumbar"]
    assert list(tables["levels"].level) == ["L3", "L4", "L5"]
    scans = tables["scans"].set_index("station")
    assert list(scans.level_method) == ["top", "stations"] and scans.level_confidence.min() > 0.9
    assert scans.first_level["lumbar"] == "L4"
    stem = tmp_path / "sub-1/anat/sub-1_chunk-2_desc"
    moved = read_volume(f"{stem}-reviewed_dseg.nii.gz").data
    assert set(np.unique(moved)) >= {23, 24, 123} and 22 not in moved
    assert read_json(f"{stem}-reviewed_dseg.json")["Levels"]["method"] == "stations"


def test_of_two_stations_the_one_that_shows_a_vertebra_completely_has_its_row(tmp_path):
    study(tmp_path)
    for kind in ("T2w", "desc-subregion_dseg", "desc-vertebra_dseg"):  # cut through L4
        path = tmp_path / f"sub-1/anat/sub-1_chunk-1_{kind}.nii.gz"
        volume = read_volume(path)
        affine = volume.affine.copy()
        affine[:3, 3] = volume.grid.to_world([0, 0, 50])
        write_volume(path, Volume(volume.data[:, :, 50:], affine))
    tables, _ = measured(tmp_path)
    vertebrae = tables["vertebrae"].set_index("level")
    assert vertebrae.station.to_dict() == {"L3": "neck", "L4": "lumbar", "L5": "lumbar"}
    assert vertebrae.complete.all()


def test_stations_that_do_not_fit_keep_all_of_their_rows_and_say_so(tmp_path):
    tables, _ = measured(study(tmp_path, joined=False))
    assert list(tables["vertebrae"].level) == ["L3", "L4", "L3", "L4"]
    scans = tables["scans"].set_index("station")
    assert "station_not_joined" in scans["flags"]["lumbar"].split(";")
    assert scans.level_flags["lumbar"] == "stations_disagree"


def test_a_station_that_was_sure_and_is_outvoted_is_flagged(tmp_path):
    levels = {**UNSURE, "confidence": 0.92, "alternative": ""}
    tables, _ = measured(study(tmp_path, levels=levels))
    assert list(tables["vertebrae"].level) == ["L3", "L4", "L5"]
    assert set(tables["scans"].level_flags) == {"stations_disagree"}


def test_a_station_without_results_leaves_the_others_and_is_listed(tmp_path):
    tables, before = measured(study(tmp_path, lumbar="unreadable"))
    assert list(tables["vertebrae"].level) == ["L3", "L4"]
    assert tables["failures"][["station", "reason"]].to_numpy().tolist() == [
        ["lumbar", "unreadable"]
    ]
    _, after = measured(study(tmp_path))
    assert before["sub-1_chunk-1"] != after["sub-1_chunk-1"]  # of which the names depend, too


def test_a_reader_decides_for_all_stations_of_the_session(tmp_path):
    study(tmp_path)
    _, before = measured(tmp_path)
    review = {"review": "relabelled", "shift": -2, "comment": "", "reader": "Ann"}
    write_findings(tmp_path, [], "", {"sub-1_chunk-1": review})
    tables, after = measured(tmp_path)
    assert list(tables["vertebrae"].level) == ["L1", "L2", "L3"]
    assert list(tables["scans"].level_method) == ["reader", "stations"]
    assert all(before[scan] != after[scan] for scan in before)


@pytest.fixture
def deliveries(tmp_path):
    return Study(tmp_path)


def test_each_station_is_a_scan_that_knows_the_one_above(deliveries):
    chunks(deliveries, "sub-1")
    chunks(deliveries, "sub-2", which=(1, 3))
    records = deliveries.run(scans="", dicom=False, stations=RULES, stitch=False)
    assert list(records) == [f"sub-{n}_chunk-{k}" for n in (1, 2) for k in (1, 2, 3)]
    told = {
        name: read_json(deliveries.out / record.outputs[1])
        for name, record in records.items()
        if record.status == "ok"
    }
    assert records["sub-2_chunk-2"].reason == "no_scan"
    assert (
        told["sub-1_chunk-1"]["Station"] == "neck" and "StationAbove" not in told["sub-1_chunk-1"]
    )
    above = told["sub-1_chunk-2"]["StationAbove"]
    assert above["upper"] == "neck" and above["shift_front_mm"] == pytest.approx(-3.0, abs=0.5)
    assert np.array(above["motion"]).shape == (4, 4)
    assert "overlap" in told["sub-2_chunk-3"]["NotJoined"]


def test_a_stitched_scan_says_which_stations_are_missing_and_which_were_left(tmp_path):
    write_json(
        study(tmp_path) / "sub-1/anat/sub-1_chunk-1_T2w.json",
        {"MissingStations": {"chest": "no_series", "neck": "no_overlap"}},
    )
    tables, _ = measured(tmp_path)
    flags = tables["scans"].set_index("station")["flags"]["neck"].split(";")
    assert {"stations_missing", "stations_left"} <= set(flags)


def test_zipped_stations_are_converted_once_for_all_scans_of_their_session(deliveries, monkeypatch):
    converted = []
    run = conversion._run
    monkeypatch.setattr(conversion, "_run", lambda *line: (converted.append(1), run(*line))[1])
    ways = {"1": plain, "2": truncated_zip}
    for name, way in ways.items():
        for path in delivered(way, deliveries.folder / name, tall(rows=260), seed=3)[0]:
            deliveries.deliver(name, path)
    records = deliveries.run(stations=DICOM_RULES, stitch=False)
    assert len(converted) == 3 + 2
    assert {name: record.reason for name, record in records.items()} == {
        **dict.fromkeys([f"sub-{n}_chunk-{k}" for n in (1, 2) for k in (1, 2, 3)], ""),
        "sub-2_chunk-3": "archive_damaged",
    }
    told = read_json(deliveries.out / records["sub-2_chunk-2"].outputs[1])
    assert (told["Station"], told["StationAbove"]["upper"]) == ("chest", "neck")
