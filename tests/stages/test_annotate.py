"""`annotate` on a spine of boxes: two sources in two schemes, a reader's corrections, mistakes in settings."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from support.spines.solid_spine import SolidSpine, render
from support.studies.bids_errors import bids_errors

from wirbel.command.main import main as command
from wirbel.core import labels as L
from wirbel.core.geometry import Volume, reorient
from wirbel.io.annotation import outputs
from wirbel.io.annotation.settings import AnnotateSettingsError, annotate_settings
from wirbel.io.dataset.bids import find_scans
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.learning.training.real_cases import labels_of
from wirbel.stages import annotate


@pytest.fixture(scope="module")
def maps():
    """Both label maps, with voxels large enough for quick tests."""
    return render(SolidSpine(), (4.0, 2.0, 2.0))


@pytest.fixture
def study(tmp_path, maps):
    """Two scans; a source with all structures and vertebrae, one in SPIDER's numbers, stored otherwise."""
    subregion, vertebra = maps
    image = subregion.with_data((subregion.data > 0).astype(np.float32) * 100)
    for scan in ("sub-1", "sub-2"):
        write_volume(tmp_path / "bids" / scan / "anat" / f"{scan}_T2w.nii.gz", image)
        write_volume(tmp_path / "full" / f"{scan}_desc-subregion_dseg.nii.gz", subregion)
        write_volume(tmp_path / "full" / f"{scan}_desc-vertebra_dseg.nii.gz", vertebra)
        write_volume(tmp_path / "spider" / f"{scan}.nii.gz", spider_numbers(subregion, scan))
    sources = [
        {
            "name": "full",
            "labels": str(tmp_path / "full"),
            "ending": "desc-subregion_dseg",
            "scheme": "spineps",
            "vertebrae": str(tmp_path / "full"),
            "vertebrae_ending": "desc-vertebra_dseg",
        },
        {"name": "spider", "labels": str(tmp_path / "spider"), "scheme": "spider_merged"},
    ]
    content = {
        "images": str(tmp_path / "bids"),
        "output": str(tmp_path / "out"),
        "sources": sources,
    }
    (tmp_path / "annotate.yaml").write_text(yaml.safe_dump(content))
    return tmp_path


def spider_numbers(subregion, scan):
    """Return 1, 2, 3 for vertebra, disc, canal in another storage order; the second scan has no discs."""
    numbers = np.zeros(subregion.data.shape, np.uint8)
    numbers[np.isin(subregion.data, L.VERTEBRA_SUBREGIONS)] = 1
    numbers[subregion.data == L.DISC] = 2 if scan == "sub-1" else 0
    numbers[np.isin(subregion.data, (L.CANAL, L.CORD))] = 3
    return reorient(subregion.with_data(numbers), ("L", "A", "S"))


def run(study):
    return annotate.main(["--settings", str(study / "annotate.yaml")])


def fused(study, scan, kind):
    return study / "out" / scan / "anat" / f"{scan}_desc-{kind}_dseg.nii.gz"


def training(study, scan):
    return study / "out" / "training" / f"{scan}_desc-training_dseg.nii.gz"


def test_two_sources_that_agree_give_both_maps_and_a_training_map(study, maps):
    assert run(study) == 0
    found = read_volume(fused(study, "sub-1", "subregion"))
    assert np.array_equal(found.data, one_body(maps[0].data))
    assert np.allclose(found.affine, maps[0].affine)
    vertebra = read_volume(fused(study, "sub-1", "vertebra")).data
    bone = np.isin(maps[0].data, L.VERTEBRA_SUBREGIONS)
    assert np.array_equal(vertebra[bone], maps[1].data[bone])
    assert np.array_equal(read_volume(training(study, "sub-1")).data, found.data)
    sidecar = json.loads(
        training(study, "sub-1").with_name("sub-1_desc-training_dseg.json").read_text()
    )
    assert [one["Name"] for one in sidecar["FusedFrom"]] == ["full", "spider"]
    assert sidecar["FusedFrom"][1]["Files"] == {"labels": "sub-1.nii.gz"}
    assert sidecar["Sources"] == ["bids:raw:sub-1/anat/sub-1_T2w.nii.gz"]
    assert len(sidecar["FusedFrom"][1]["Sha256"]["labels"]) == 64 and sidecar["Manual"] is False


def one_body(labels):
    return np.where(labels == L.BODY, L.BODY_BORDER, labels)


def test_where_sources_conflict_the_training_ignores_and_the_scan_is_proposed(study, maps):
    run(study)
    discs = maps[0].data == L.DISC
    assert set(np.unique(read_volume(training(study, "sub-2")).data[discs])) == {255}
    shown = read_volume(
        study / "out" / "sub-2" / "anat" / "sub-2_desc-disagreement_probseg.nii.gz"
    ).data
    assert (shown[discs] > 0).all() and shown[maps[0].data == L.CANAL].max() == 0
    proposed = pd.read_csv(study / "out" / "to_correct.csv")
    assert list(proposed.scan_id) == ["sub-2", "sub-1"] and list(proposed["rank"]) == [1, 2]
    assert proposed.worst_structure[0] == "intervertebral_disc"
    agreement = pd.read_csv(study / "out" / "agreement.csv").set_index(
        ["scan_id", "structure", "source"]
    )
    assert agreement.dice["sub-1", "intervertebral_disc", "spider"] == 1.0
    assert agreement.undecided["sub-2", "intervertebral_disc", "all sources"] != 0


def test_a_second_run_keeps_what_stands_and_a_changed_source_is_fused_again(study, maps, capsys):
    run(study)
    before = training(study, "sub-1").stat().st_mtime_ns
    capsys.readouterr()
    run(study)
    assert "1 of 2, sub-1: kept" in capsys.readouterr().out
    assert training(study, "sub-1").stat().st_mtime_ns == before
    write_volume(study / "spider" / "sub-1.nii.gz", spider_numbers(maps[0], "sub-2"))
    run(study)
    told = capsys.readouterr().out
    assert "1 of 2, sub-1: fused" in told and "2 of 2, sub-2: kept" in told


def corrected_map(maps):
    return maps[0].with_data(np.where(maps[0].data == L.DISC, 0, one_body(maps[0].data)))


def test_a_correction_replaces_the_training_map(study, maps, capsys):
    run(study)
    path = study / "out" / "corrections" / "sub-2_reader.nii.gz"
    write_volume(path, reorient(corrected_map(maps), ("L", "A", "S")))
    before = path.read_bytes()
    run(study)
    assert "2 of 2, sub-2: corrected by a reader" in capsys.readouterr().out
    assert np.array_equal(read_volume(training(study, "sub-2")).data, corrected_map(maps).data)
    assert path.read_bytes() == before
    proposed = pd.read_csv(study / "out" / "to_correct.csv").set_index("scan_id")
    assert proposed.corrected["sub-2"] and pd.isna(proposed["rank"]["sub-2"])
    run(study)
    assert "2 of 2, sub-2: kept" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["subregion", "training"])
def test_a_map_that_a_reader_edited_in_place_is_never_written_over(study, maps, kind):
    run(study)
    path = training(study, "sub-2") if kind == "training" else fused(study, "sub-2", "subregion")
    write_volume(path, corrected_map(maps))
    before = path.read_bytes()
    write_volume(study / "spider" / "sub-2.nii.gz", spider_numbers(maps[0], "sub-1"))
    for _ in range(2):
        run(study)
        assert path.read_bytes() == before
        assert np.array_equal(read_volume(training(study, "sub-2")).data, corrected_map(maps).data)
    proposed = pd.read_csv(study / "out" / "to_correct.csv").set_index("scan_id")
    assert proposed.corrected["sub-2"]


def test_a_run_killed_between_a_sidecar_and_its_map_is_no_edit_by_a_reader(
    study, maps, monkeypatch
):
    """The source changes; the next run dies after it has written the training map's sidecar."""
    run(study)
    old = training(study, "sub-2").read_bytes()
    write_volume(study / "spider" / "sub-2.nii.gz", spider_numbers(maps[0], "sub-1"))
    kept = outputs.write_json

    def dies(path, content):
        kept(path, content)
        if "sub-2_desc-training" in str(path):
            raise KeyboardInterrupt

    monkeypatch.setattr(outputs, "write_json", dies)
    with pytest.raises(KeyboardInterrupt):
        run(study)
    assert training(study, "sub-2").read_bytes() == old
    monkeypatch.undo()
    run(study)
    assert training(study, "sub-2").read_bytes() != old
    assert not pd.read_csv(study / "out" / "to_correct.csv").corrected.any()


def test_an_edited_training_map_stays_beside_a_correction_in_the_folder(study, maps):
    run(study)
    write_volume(training(study, "sub-2"), corrected_map(maps))
    before = training(study, "sub-2").read_bytes()
    write_volume(study / "out" / "corrections" / "sub-2.nii.gz", maps[0])
    run(study)
    assert training(study, "sub-2").read_bytes() == before


def test_training_maps_are_real_data_of_a_training(study):
    run(study)
    scans = find_scans(study / "bids")
    found = [labels_of(study / "out" / "training", scan) for scan in scans]
    assert [path.name for path in found] == [training(study, s).name for s in ("sub-1", "sub-2")]
    scheme = read_scheme("fused")
    for path in found:
        scheme.read(read_volume(path).data, path.name)
    assert scheme.numbers[255] == "ignore"


def test_one_bad_scan_stops_nothing_and_is_listed(study, capsys):
    (study / "full" / "sub-1_desc-subregion_dseg.nii.gz").write_bytes(b"no")
    (study / "spider" / "sub-2.nii.gz").rename(study / "spider" / "sub-2_a.nii.gz")
    (study / "spider" / "sub-2_b.nii.gz").write_bytes(b"another")
    assert run(study) == 1, "no scan could be annotated"
    failures = pd.read_csv(study / "out" / "failures.csv").set_index("scan_id")
    assert dict(failures.reason) == {"sub-1": "unreadable", "sub-2": "bad_annotation"}
    assert "sub-2_a.nii.gz, sub-2_b.nii.gz" in failures.detail["sub-2"]


def test_a_map_with_unknown_numbers_is_named(study, maps):
    wrong = maps[0].with_data(np.full(maps[0].data.shape, 7, np.uint8))
    write_volume(study / "spider" / "sub-1.nii.gz", wrong)
    assert run(study) == 0
    (row,) = pd.read_csv(study / "out" / "failures.csv").to_dict("records")
    assert (
        row["reason"] == "bad_annotation" and "spider: label scheme spider_merged" in row["detail"]
    )


def test_results_are_a_valid_bids_derivative(study):
    run(study)
    (study / "out" / "corrections").mkdir()
    assert bids_errors(study / "out") == []


def test_a_scan_that_only_one_source_has_is_taken_from_it(study):
    (study / "spider" / "sub-1.nii.gz").unlink()
    run(study)
    told = json.loads(
        training(study, "sub-1").with_name("sub-1_desc-training_dseg.json").read_text()
    )
    assert [one["Name"] for one in told["FusedFrom"]] == ["full"]


def test_a_shifted_source_is_aligned_by_its_image(study, maps):
    """The second source's images and maps lie 6 mm higher in the world."""
    away = np.eye(4)
    away[2, 3] = 6.0
    rng = np.random.default_rng(0)
    texture = rng.normal(0, 3, maps[0].data.shape)
    image = maps[0].with_data((maps[0].data.astype(np.float32) + texture).astype(np.float32))
    write_volume(study / "bids" / "sub-1" / "anat" / "sub-1_T2w.nii.gz", image)
    write_volume(study / "images" / "sub-1_T2w.nii.gz", Volume(image.data, away @ image.affine))
    moved = spider_numbers(maps[0], "sub-1")
    write_volume(study / "spider" / "sub-1.nii.gz", Volume(moved.data, away @ moved.affine))
    content = yaml.safe_load((study / "annotate.yaml").read_text()) | {"participants": ["1"]}
    content["sources"][1] |= {"align": True, "images": str(study / "images")}
    (study / "annotate.yaml").write_text(yaml.safe_dump(content))
    assert run(study) == 0
    told = json.loads(
        training(study, "sub-1").with_name("sub-1_desc-training_dseg.json").read_text()
    )
    motion = np.array(told["FusedFrom"][1]["Alignment"]["Motion"])
    centre = image.grid.to_world([n / 2 for n in image.data.shape])
    assert (motion @ [*centre, 1])[:3] - centre == pytest.approx([0, 0, -6], abs=0.5)
    agreement = pd.read_csv(study / "out" / "agreement.csv").set_index(["structure", "source"])
    assert agreement.dice["intervertebral_disc", "spider"] > 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "unknown: colour"),
        ({"sources": []}, "missing: sources"),
        ({"method": "mean"}, "expected a method .priority, vote, staple., found 'mean'"),
        ({"methods": {"hip": "vote"}}, "unknown structure 'hip'"),
        ({"least_agreement": 60}, "from 0 to 1, found 60"),
        (
            {"sources": [{"name": "a", "labels": "nowhere", "scheme": "spineps"}]},
            "no folder nowhere",
        ),
        ({"sources": [{"name": "a", "labels": "/", "scheme": "spidr"}]}, "expected one of"),
        (
            {"sources": [{"name": "a", "labels": "/", "scheme": "spineps", "align": True}]},
            "needs images",
        ),
        (
            {
                "sources": [
                    {"name": "a", "labels": "/", "scheme": "spineps", "trust": {"sacrum": -1}}
                ]
            },
            "numbers of 0 or more",
        ),
        ({"sources": [{"name": "a", "labels": "/", "scheme": "spineps"}] * 2}, "different names"),
    ],
)
def test_mistakes_in_settings_are_named(change, message):
    good = {
        "images": "b",
        "output": "o",
        "sources": [{"name": "a", "labels": "/", "scheme": "spineps"}],
    }
    with pytest.raises(AnnotateSettingsError, match=message):
        annotate_settings(good | change, "mine.yaml")


def test_trust_in_wholes_holds_for_their_parts_unless_these_have_their_own():
    source = {"name": "a", "labels": "/", "scheme": "spineps"}
    source["trust"] = {"default": 0.5, "arcus_vertebrae": 3, "whole_vertebra": 2}
    (made,) = annotate_settings({"images": "b", "output": "o", "sources": [source]}, "x").sources
    trust = made.trust_by_label
    assert (trust[L.ARCUS], trust[L.SPINOUS_PROCESS], trust[L.DISC]) == (3, 2, 0.5)


def test_the_command_says_mistakes_in_a_sentence(tmp_path, capsys):
    assert command(["annotate", str(tmp_path / "none.yaml")]) == 2
    assert "expected a file with settings, found nothing" in capsys.readouterr().err
