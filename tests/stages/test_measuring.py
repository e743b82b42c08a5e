"""From final label maps to the cohort's tables and their evaluation, by the stages' own commands."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from support.spines.solid_spine import L3, L4, SolidSpine  # noqa: E402
from support.studies.measured import gather

from wirbel.cohort.description import TOOL_KEY
from wirbel.core import labels as L
from wirbel.core.dictionary import TABLES
from wirbel.core.geometry import Volume, reorient
from wirbel.core.label_schemes import UnknownLabelError
from wirbel.errors import ScanError
from wirbel.io.nifti.volumes import write_volume
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.records import write_records
from wirbel.stages import evaluate, features


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
        assert described.pop(TOOL_KEY)["Description"].startswith("Wirbel ")
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


def spider_like(folder, maps, shift=0):
    """Write a reference in SPIDER's numbers, stored in another order of axes; returns the folder."""
    subregion, vertebra = maps
    numbers = np.zeros(subregion.data.shape, np.uint8)
    for number, level in enumerate((L4, L3), start=1):
        numbers[vertebra.data == level] = number
    numbers[subregion.data == L.DISC] = 201
    numbers[np.isin(subregion.data, (L.CORD, L.CANAL))] = 100
    stored = subregion.with_data(np.roll(numbers, shift, axis=1))
    write_volume(folder / "sub-3_mask.nii.gz", reorient(stored, ("L", "A", "S")))
    return folder


def test_a_reference_with_other_numbers_is_compared_by_its_scheme(output, maps, tmp_path_factory):
    """The same output folder is the other model, so nothing differs."""
    folder = spider_like(tmp_path_factory.mktemp("spider"), maps)
    summary = run_evaluation(output, folder, "--scheme", "spider", "--compare", str(output))
    assert summary["scans_compared"] == 1
    figures = {name: figure["value"] for name, figure in summary["figures"].items()}
    assert {figures[f"dice_{name}"] for name in ("vertebra", "disc", "canal")} == {1.0}
    assert figures["vertebrae_found"] == 1.0 and figures["vertebrae_invented"] == 0.0
    assert figures["levels_right"] == 0.0, "SPIDER counts from the lowest one, as if it were L5"
    assert "target" not in summary["figures"]["dice_vertebra"], "limits are for simulated scans"
    table = pd.read_csv(output / "evaluation" / "comparison.csv")
    dice = table[table.metric == "dice"]
    assert list(dice.structure) == ["vertebra", "disc", "canal", "mean over structures"]
    assert set(table.difference_high) == {0.0} and table.wilcoxon_p.isna().all()
    assert {"pq", "sq_assd_mm", "level_right"} <= set(table.metric)
    moved = spider_like(tmp_path_factory.mktemp("moved"), maps, shift=3)
    figures = run_evaluation(output, moved, "--scheme", "spider")["figures"]
    assert 0.3 < figures["dice_vertebra"]["value"] < 0.95
    assert pd.read_csv(output / "evaluation" / "comparison.csv").empty, (
        "it was that of the last run"
    )


def test_the_tables_of_a_paper_lie_beside_the_rows(output, maps, tmp_path_factory):
    folder = spider_like(tmp_path_factory.mktemp("spider"), maps)
    more = ("--scheme", "spider", "--published", "spider", "--by", "level", "sex")
    bids = tmp_path_factory.mktemp("bids")
    (bids / "participants.tsv").write_text("participant_id\tsex\nsub-3\tF\n")
    run_evaluation(output, folder, *more, "--bids-dir", str(bids))
    written = output / "evaluation"
    table = pd.read_csv(written / "table.csv").set_index(["metric", "structure"])
    dice = table.loc[("sq_dice", "vertebra (instances)")]
    assert (dice["SPINEPS, published"], dice["nnU-Net, published"]) == (0.933, 0.911)
    assert dice[output.name] == 1.0 and dice[f"{output.name} scans"] == 1
    latex = (written / "table.tex").read_text()
    assert r"\textbf{1.000 [1.000, 1.000]} & 0.933 & 0.911 \\" in latex
    page = (written / "table.html").read_text()
    assert "<strong>1.000 [1.000, 1.000]</strong>" in page and "arXiv 2402.16368" in page
    assert (written / "dice.png").read_bytes().startswith(b"\x89PNG")
    by = pd.read_csv(written / "by.csv").set_index(["column", "group", "structure", "metric"])
    assert by.loc[("sex", "F", "disc", "dice"), "mean"] == 1.0
    assert by.loc[("level", "L4", "vertebra", "level_right"), "mean"] == 0.0
    before = {path.name: path.read_bytes() for path in written.iterdir()}
    run_evaluation(output, folder, *more, "--bids-dir", str(bids))
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before


def test_a_column_that_there_is_not_is_refused_with_those_that_there_are(
    output, maps, tmp_path_factory
):
    folder = spider_like(tmp_path_factory.mktemp("spider"), maps)
    bids = tmp_path_factory.mktemp("bids")
    (bids / "participants.tsv").write_text("participant_id\tsite\nsub-3\tA\n")
    with pytest.raises(ValueError, match="--by centre: .* there are site, level, scanner"):
        run_evaluation(
            output, folder, "--scheme", "spider", "--by", "centre", "--bids-dir", str(bids)
        )


def test_two_maps_of_one_scan_in_a_foreign_reference_are_refused(output, maps, tmp_path_factory):
    folder = spider_like(tmp_path_factory.mktemp("twice"), maps)
    shutil.copy(folder / "sub-3_mask.nii.gz", folder / "sub-3_other.nii.gz")
    with pytest.raises(UnknownLabelError, match="found sub-3_mask.nii.gz, sub-3_other.nii.gz"):
        run_evaluation(output, folder, "--scheme", "spider")


def test_a_reference_in_another_scheme_is_refused_by_scan(output, maps, tmp_path_factory):
    folder = spider_like(tmp_path_factory.mktemp("spider"), maps)
    with pytest.raises(UnknownLabelError, match="sub-3: label scheme spider_merged.* found 100"):
        run_evaluation(output, folder, "--scheme", "spider_merged")
