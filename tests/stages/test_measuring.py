"""From final label maps to the cohort's tables and their evaluation, by the stages' own commands."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import planned
import pytest
from planned import BUILTIN, seal_manifests

from wirbel.core import labels as L
from wirbel.core.dictionary import TABLES
from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.io.sidecars import write_json
from wirbel.io.tables import write_rows
from wirbel.io.volumes import write_volume
from wirbel.plan.plan import plan_file
from wirbel.runner.manifests.batches import COLUMNS
from wirbel.runner.manifests.records import Record, write_records
from wirbel.stages import cohort, evaluate, features

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from solid_spine import L3, L4, SolidSpine, render  # noqa: E402

BEFORE = ("resample", "semantic", "instance", "merge")
MADE_BY = {
    "Models": {kind: {"Name": "builtin", "ToyWeights": True} for kind in ("semantic", "instance")},
    "GeneratedBy": [{"Name": "wirbel", "Version": "0.9"}],
}
LEVELS = {"confidence": 0.9, "method": "sacrum", "agree": None, "flags": ["gap"]}


def scan_row(folder, scan_id, participant, session=""):
    row = {"scan_id": scan_id, "participant_id": participant, "session_id": session}
    return row | {
        "run_id": "",
        "path": str(folder / f"{scan_id}_T2w.nii.gz"),
        "size": 1,
        "mtime_ns": 1,
        "problem": "",
    }


def image_of(subregion):
    """Marrow of 100, discs of 50, cord of 80 and fluid of 200."""
    values = {L.BODY_BORDER: 100, L.DISC: 50, L.CORD: 80, L.CANAL: 200}
    image = np.zeros(subregion.data.shape, np.float32)
    for label, value in values.items():
        image[subregion.data == label] = value
    return subregion.with_data(image)


@pytest.fixture(scope="module")
def maps():
    return render(SolidSpine())


@pytest.fixture
def output(tmp_path, measured_once):
    """A copy of the measured output folder, to do with as a test likes."""
    shutil.copytree(measured_once, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="module")
def measured_once(tmp_path_factory, maps):
    """Two batches: a measured scan and one that was never readable; another measured scan."""
    tmp_path = tmp_path_factory.mktemp("measured")
    batches = {
        "b00001": [
            scan_row(tmp_path, "sub-1_ses-a", "sub-1", "ses-a"),
            scan_row(tmp_path, "sub-2", "sub-2"),
        ],
        "b00002": [scan_row(tmp_path, "sub-3", "sub-3")],
    }
    for batch, rows in batches.items():
        write_rows(tmp_path / f"work/batches/{batch}.tsv", COLUMNS, rows)
        for stage in BEFORE:
            records = [Record(row["scan_id"], "ok", key=stage) for row in rows]
            if batch == "b00001":
                status = "failed" if stage == "resample" else "skipped"
                records[1] = Record("sub-2", status, "unreadable", "sub-2.nii.gz is cut short")
            write_records(tmp_path / f"work/{stage}/{batch}.tsv", records)
    for folder, scan_id in (("sub-1/ses-a", "sub-1_ses-a"), ("sub-3", "sub-3")):
        stem = tmp_path / folder / "anat" / f"{scan_id}_desc"
        write_volume(tmp_path / f"{scan_id}_T2w.nii.gz", image_of(maps[0]))
        write_volume(f"{stem}-subregion_dseg.nii.gz", maps[0])
        write_volume(f"{stem}-vertebra_dseg.nii.gz", maps[1])
        if scan_id != "sub-3":
            write_json(f"{stem}-vertebra_dseg.json", {"Levels": LEVELS, **MADE_BY})
    for batch in batches:
        assert planned.run(features, tmp_path, BUILTIN, batch=batch) == 0
    return tmp_path


def gather(output, *more, bids="nowhere"):
    plan = planned.plan_of(output, BUILTIN, bids_dir=str(bids))
    seal_manifests(output, plan)
    assert cohort.main(["--plan", str(plan_file(output)), *map(str, more)]) == 0
    return {t: pd.read_csv(output / "cohort" / f"{t}.csv") for t in TABLES}


def test_the_tables_hold_every_scan_once(output):
    tables = gather(output)
    assert list(tables["scans"].scan_id) == ["sub-1_ses-a", "sub-2", "sub-3"]
    assert list(tables["scans"].scan_status) == ["ok", "unreadable", "ok"]
    assert list(tables["vertebrae"].level) == ["L3", "L4"] * 2
    assert list(tables["discs"].level) == ["L3-L4"] * 2
    assert list(tables["vertebrae"].session_id.fillna("")) == ["ses-a", "ses-a", "", ""]
    (failure,) = tables["failures"].to_dict("records")
    assert (failure["scan_id"], failure["stage"]) == ("sub-2", "resample")
    assert (failure["reason"], failure["detail"]) == ("unreadable", "sub-2.nii.gz is cut short")


def test_signal_ratios_come_from_the_scan_itself(output):
    tables = gather(output)
    assert list(tables["vertebrae"].body_to_csf_ratio) == pytest.approx([0.5] * 4)
    assert list(tables["discs"].disc_to_csf_ratio) == pytest.approx([0.25] * 2)
    assert set(tables["vertebrae"].body_signal_status) == {"ok"}


def test_level_naming_comes_from_the_vertebra_maps_sidecar(output):
    scans = gather(output)["scans"].set_index("scan_id")
    assert scans.level_confidence["sub-1_ses-a"] == 0.9
    assert scans.level_method["sub-1_ses-a"] == "sacrum"
    assert scans.level_flags["sub-1_ses-a"] == "gap"
    assert scans.level_method["sub-3"] == "unknown" and np.isnan(scans.level_confidence["sub-3"])


def test_what_contradicts_anatomy_is_flagged_in_the_table_of_scans(maps):
    """The canal is missing beside the disc: a gap between two vertebrae."""
    sound = features.measured_rows(None, *maps, features.NO_LEVELS)["scan"]["flags"]
    assert sound == "arches_missing"  # this spine's arches are mere slabs
    canal = np.isin(maps[0].data, (L.CANAL, L.CORD))
    height = maps[0].grid.to_world(np.argwhere(canal))[:, 2] + 17
    canal[canal] = np.abs(height) < 8
    broken = maps[0].with_data(np.where(canal, 0, maps[0].data))
    result = features.measured_rows(None, broken, maps[1], features.NO_LEVELS)
    assert result["scan"]["flags"] == "arches_missing;canal_broken"


def test_a_result_that_cannot_be_a_spine_fails_with_its_reason(maps):
    alone = np.where(np.isin(maps[0].data, L.BODY_LABELS), maps[0].data, 0)
    with pytest.raises(
        ScanError, match="found: 2, the largest of .* ml, but neither a canal"
    ) as failure:
        features.measured_rows(None, maps[0].with_data(alone), bodies_only(maps), {})
    assert failure.value.reason == "implausible_result"


def bodies_only(maps):
    return maps[1].with_data(np.where(maps[1].data < L.DISC_OFFSET, maps[1].data, 0))


def test_networks_and_version_come_from_the_vertebra_maps_sidecar(output):
    scans = gather(output)["scans"].set_index("scan_id")
    assert (
        scans.model["sub-1_ses-a"] == "builtin (toy weights)" and scans.model["sub-3"] == "unknown"
    )
    assert (
        scans.wirbel_version["sub-1_ses-a"] == "0.9" and scans.wirbel_version["sub-3"] == "unknown"
    )


def test_columns_and_dictionaries_agree(output):
    for table, columns in gather(output).items():
        described = json.loads((output / "cohort" / f"{table}.json").read_text())
        assert described.pop(cohort.TOOL_KEY)["Description"].startswith("Wirbel ")
        assert list(columns) == list(described) == [c.name for c in TABLES[table]]
        parquet = pd.read_parquet(output / "cohort" / f"{table}.parquet")
        assert list(parquet) == list(columns) and len(parquet) == len(columns)


def test_participants_own_columns_are_joined_to_the_scans(output, tmp_path_factory):
    bids = tmp_path_factory.mktemp("bids")
    (bids / "participants.tsv").write_text("participant_id\tage\nsub-1\t61\nsub-2\tn/a\n")
    scans = gather(output, bids=bids)["scans"].set_index("scan_id")
    assert scans.age["sub-1_ses-a"] == 61 and scans.age[["sub-2", "sub-3"]].isna().all()
    assert "age" in json.loads((output / "cohort" / "scans.json").read_text())


def test_gathering_again_gives_the_same_bytes(output):
    gather(output)
    before = {p.name: p.read_bytes() for p in (output / "cohort").iterdir()}
    gather(output)
    assert {p.name: p.read_bytes() for p in (output / "cohort").iterdir()} == before


def test_two_threads_give_the_same_bytes(output):
    gather(output)
    before = {p.name: p.read_bytes() for p in (output / "cohort").iterdir()}
    gather(output, "--threads", 2)
    assert {p.name: p.read_bytes() for p in (output / "cohort").iterdir()} == before


def test_a_scan_without_a_manifest_row_is_an_error(output):
    write_records(output / "work/merge/b00002.tsv", [])
    with pytest.raises(KeyError, match="sub-3 has no row in the manifest of stage merge"):
        gather(output)


def reference_folder(folder, maps, spine):
    anat = folder / "sub-3" / "anat"
    write_volume(anat / "sub-3_desc-subregion_dseg.nii.gz", maps[0])
    write_volume(anat / "sub-3_desc-vertebra_dseg.nii.gz", maps[1])
    row = {"scan_id": "sub-3", "label": L3, "level": "L3", "body_fully_visible": "true"}
    row |= {"fully_visible": "false", "height_anterior_mm": spine.height_at(0.85) + 2.0}
    row |= {"height_middle_mm": 26.0, "height_posterior_mm": ""}
    row |= {"body_volume_mm3": 40 * 30 * 24, "vertebra_volume_mm3": 1.0}
    write_rows(folder / "vertebrae.csv", list(row), [row])
    disc = {"scan_id": "sub-3", "label_above": L3, "level": "L3-L4", "fully_visible": "true"}
    disc |= {"disc_height_mm": 8.0, "disc_volume_mm3": 9600.0}
    write_rows(folder / "discs.csv", list(disc), [disc])


def run_evaluation(output, folder, *more):
    arguments = ["--output-dir", str(output), "--reference", str(folder), *more]
    assert evaluate.main(arguments) == 0
    return json.loads((output / "evaluation" / "summary.json").read_text())


def test_a_perfect_result_reaches_every_overlap(output, maps, tmp_path_factory):
    gather(output)
    folder = tmp_path_factory.mktemp("truth")
    reference_folder(folder, maps, SolidSpine())
    summary = run_evaluation(output, folder)
    figures = summary["figures"]
    assert summary["scans_compared"] == 1
    assert figures["dice_vertebral_body"] == {
        "value": 1.0,
        "count": 1,
        "target": ">= 0.9",
        "reached": True,
    }
    assert figures["vertebrae_found"]["value"] == 1.0 and figures["vertebrae_found"]["count"] == 2
    assert figures["levels_right"]["value"] == 1.0
    assert figures["vertebrae_invented"]["value"] == 0.0
    # the truth was put 2 mm too high on purpose; a truth that is missing is no error
    assert figures["height_anterior_mm_bias_mm"]["value"] == pytest.approx(-2, abs=0.4)
    assert "height_posterior_mm_bias_mm" not in figures
    assert "vertebra_volume_mm3_bias_percent" not in figures  # not fully visible
    measures = pd.read_csv(output / "evaluation" / "measures.csv").set_index("measure")
    assert measures.error_percent["disc_volume_mm3"] == pytest.approx(
        0, abs=5
    )  # 9.3 layers of voxels


def test_a_scan_without_a_result_counts_as_missed(output, maps, tmp_path_factory):
    gather(output)
    folder = tmp_path_factory.mktemp("truth")
    reference_folder(folder, maps, SolidSpine())
    for path in (output / "sub-3" / "anat").glob("*.nii.gz"):
        path.unlink()
    summary = run_evaluation(output, folder)
    assert (summary["scans_compared"], summary["scans_without_result"]) == (1, 1)
    assert summary["scans_without_reference"] == 2
    found = summary["figures"]["vertebrae_found"]
    assert (found["value"], found["count"], found["reached"]) == (0.0, 2, False)
    dice = {k: f["value"] for k, f in summary["figures"].items() if k.startswith("dice_")}
    assert set(dice) > {"dice_vertebral_body", "dice_spinal_canal", "dice_vertebra_instances"}
    assert set(dice.values()) == {0.0}
    # all that the truth says could be measured is missing, and counts: three of L3, two of its disc
    assert summary["figures"]["measured_in_vertebrae"] == {"value": 0.0, "count": 3}
    assert summary["figures"]["measured_in_discs"] == {"value": 0.0, "count": 2}


def test_a_reference_of_a_scan_that_no_batch_lists_is_told(output, maps, tmp_path_factory):
    gather(output)
    folder = tmp_path_factory.mktemp("truth")
    reference_folder(folder, maps, SolidSpine())
    write_volume(folder / "sub-4" / "sub-4_desc-vertebra_dseg.nii.gz", maps[1])
    assert run_evaluation(output, folder)["references_not_listed"] == 1


def test_a_map_stored_otherwise_and_wrongly_named_is_matched_all_the_same(
    output, maps, tmp_path_factory
):
    gather(output)
    folder = tmp_path_factory.mktemp("truth")
    spine = SolidSpine()
    renamed = maps[1].data.copy()
    for wrong, right in ((L3, 21), (L4, 22)):
        renamed[maps[1].data == wrong] = right
    flipped = [
        Volume(data[::-1], maps[0].affine @ np.diag([-1.0, 1, 1, 1]))
        for data in (maps[0].data, renamed)
    ]
    for volume in flipped:
        volume.affine[0, 3] = maps[0].grid.to_world([maps[0].data.shape[0] - 1, 0, 0])[0]
    reference_folder(folder, flipped, spine)
    figures = run_evaluation(output, folder)["figures"]
    assert figures["vertebrae_found"]["value"] == 1.0
    assert figures["levels_right"]["value"] == 0.0


def test_a_reference_of_one_body_alone(output, maps, tmp_path_factory):
    gather(output)
    folder = tmp_path_factory.mktemp("experts")
    body = (maps[1].data == L3) & (maps[0].data == L.BODY_BORDER)
    write_volume(folder / "sub-3_vertebrae.nii.gz", maps[1].with_data(body.astype(np.uint8) * 7))
    figures = run_evaluation(output, folder, "--shows", "bodies")["figures"]
    assert figures["dice_vertebra_instances"] == {"value": 1.0, "count": 1}
    assert (
        figures["vertebrae_invented"]["value"] == 0.0
    )  # L4 was not shown, so it is not held against


def test_a_missing_reference_folder_is_named(output):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        evaluate.main(["--output-dir", str(output), "--reference", str(output / "nowhere")])
