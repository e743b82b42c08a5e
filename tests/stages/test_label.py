"""Merging without names, then the stage `label`: final maps whose names come from the labelling network."""

import copy
import json
import shutil

import numpy as np
import pytest
from scipy import ndimage
from support.models import tiny_models
from support.models.labelling_folder import HEADS, write_labelling
from support.spines.spine_boxes import box_spine, counters, oracle
from support.studies.batch_lists import update_batches
from support.studies.one_batch import BATCH, OneBatch

from wirbel.core.instances.cutouts import body_centres
from wirbel.core.labelling.level_axis import REPEATING
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.io.sidecars import read_json, write_arrays
from wirbel.learning.labelling.labelling_model import LabellingModel
from wirbel.plan.plan import plan_file
from wirbel.stages import contact_sheet, features, label, merge
from wirbel.study import verify

SPINE = box_spine(range(20, 25))
NAMES = ["T12", "L1", "L2", "L3", "L4"]
NUMBERS = [19, 20, 21, 22, 23]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    tiny_models.write_semantic(folder / "quick")
    tiny_models.write_instance(folder / "sharp")
    write_labelling(folder / "namer")
    return folder


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory, models):
    """One scan of L1 to L5 with semantic and instance results, merged without names."""
    tmp_path = tmp_path_factory.mktemp("study")
    study = OneBatch(tmp_path, "sub-01")
    scan = SPINE.labels.with_data(SPINE.labels.data.astype(np.float32) * 3)
    write_volume(tmp_path / "in/sub-01/anat/sub-01_T2w.nii.gz", scan)
    update_batches(tmp_path / "in", study.out, 1)  # the scan has changed
    found = oracle(SPINE.labels, counters(SPINE), body_centres(SPINE.labels))
    study.pretend("semantic", {"sub-01": ("sub-01_subregion.nii.gz", SPINE.labels)})
    study.pretend_margins("sub-01", SPINE.labels, np.where(SPINE.vertebra == 122, 128, 255))
    study.pretend("instance", {"sub-01": ("sub-01_other.nii.gz", SPINE.labels)})
    arrays = {"labels": found.labels, "origin": found.origin, "centre_mm": found.centre_mm}
    path = study.file("instance", "sub-01_predictions.npz")
    write_arrays(path, **arrays, spacing_mm=SPINE.labels.spacing_mm)
    assert run(merge, study, models) == 0
    return study


@pytest.fixture
def study(unnamed, tmp_path):
    """The same, for one test alone."""
    mine = copy.copy(unnamed)
    mine.out = shutil.copytree(unnamed.out, tmp_path / "out")
    return mine


def run(stage, study, models, namer="namer", **settings):
    """Run a stage of the chain whose last network names the levels."""
    own = {"instance": models / "sharp", "labelling": models / namer, "n4": False}
    more = ("--device", "cpu") if stage is label else ()
    return study.run(stage, models / "quick", *more, **own | settings)


def labelled(study, models, **settings):
    return run(label, study, models, **settings)


@pytest.fixture
def told(monkeypatch):
    """Let the network, which is untrained, answer that the vertebrae are T12 to L4."""
    real = LabellingModel.classify

    def classify(self, cutouts):
        answers = real(self, cutouts)
        assert {head: len(values) for head, values in answers.items()} == dict.fromkeys(HEADS, 5)
        answers["VERT"] = np.full((5, 24), 0.1 / 23)
        answers["VERT"][range(5), [REPEATING.names.index(name) for name in NAMES]] = 0.9
        return {"VERT": answers["VERT"]}

    monkeypatch.setattr(LabellingModel, "classify", classify)


def test_merging_without_names_leaves_the_results_to_the_next_stage(study):
    assert not (study.out / "sub-01").exists()
    left = read_json(study.file("merge", "sub-01_levels.json"))
    assert left["numbers"] == [3, 4, 5, 6, 7] and left["counted"]["labels"] == [20, 21, 22, 23, 24]
    vertebra = read_volume(study.file("merge", "sub-01_vertebra.nii.gz")).data
    assert set(np.unique(vertebra[(vertebra > 0) & (vertebra < 26)])) == {3, 4, 5, 6, 7}


def test_the_final_maps_carry_the_networks_names(study, models, told):
    assert labelled(study, models) == 0
    record = study.records("label")["sub-01"]
    assert (record.status, len(record.outputs)) == ("ok", 4)
    stem = study.out / "sub-01/anat/sub-01_desc-vertebra_dseg"
    vertebra = read_volume(f"{stem}.nii.gz").data
    for number, true in zip(NUMBERS, SPINE.numbers, strict=True):
        a, b = vertebra == number, SPINE.vertebra == true
        assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.97
    sidecar = read_json(f"{stem}.json")
    assert sidecar["Levels"] == {
        "confidence": 0.9,
        "method": "labelling",
        "agree": None,
        "flags": ["counting_disagrees"],
        "alternative": "",
        "set_aside": 0,
    }
    agreement = sidecar["Agreement"]
    assert agreement["instance"] == {str(n): 1.0 for n in NUMBERS}
    assert agreement["votes"] == {"19": 2, "20": 3, "21": 3, "22": 3, "23": 2}
    assert agreement["margin"]["121"] == 0.5, "the disc that was below L3 is below L2 now"
    assert agreement["margin"]["120"] == 1.0
    assert sidecar["Models"]["labelling"]["Name"] == "namer"
    assert len(sidecar["Models"]["labelling"]["SHA256"]) == 64


def test_tables_and_contact_sheet_follow_the_names(study, models, told):
    labelled(study, models)
    assert run(features, study, models) == 0
    rows = read_json(study.file("features", "sub-01_features.json"))
    assert rows["vertebrae"]["level"] == NAMES
    assert rows["scan"]["level_method"] == "labelling"
    assert rows["scan"]["level_confidence"] == 0.9
    assert contact_sheet.main(["--plan", str(plan_file(study.out))]) == 0
    assert (study.out / contact_sheet.SHEET).stat().st_size > 1000


def test_the_untrained_network_gives_a_plausible_sequence_and_the_same_bytes_again(study, models):
    contents = []
    for _ in range(2):
        assert labelled(study, models, keep_intermediates=True) == 0
        files = sorted((study.out / "sub-01/anat").iterdir())
        contents.append([path.read_bytes() for path in files])
        for path in files:
            path.unlink()
    assert contents[0] == contents[1] and len(contents[0]) == 4


@pytest.mark.parametrize("compatibility", ["spineps", "published"])
def test_masks_of_spineps_get_the_networks_names_before_discs_get_theirs(
    study, models, monkeypatch, compatibility
):
    method = {"compatibility": compatibility}
    assert run(merge, study, models, **method) == 0
    left = read_json(study.file("merge", "sub-01_levels.json"))
    numbers = left["numbers"]
    assert numbers == [*range(2, 2 + len(numbers))], "counted from C2 down, as there"
    counted = np.unique(read_volume(study.file("merge", "sub-01_vertebra.nii.gz")).data)
    assert counted.tolist() == [0, *numbers], "nothing else has a number yet"
    assert label.read_counted(study.file("merge", "sub-01"))[0].seen == seen_of(SPINE.labels)
    names = [19, 28, 20, 21, 22][: len(numbers)]
    places = [REPEATING.names.index(name) for name in ("T12", "T12", "L1", "L2", "L3")]
    monkeypatch.setattr(
        LabellingModel, "classify", lambda self, cutouts: {"VERT": np.eye(24)[places[: len(names)]]}
    )
    assert labelled(study, models, **method) == 0
    stem = study.out / "sub-01/anat/sub-01_desc-vertebra_dseg"
    found = set(np.unique(read_volume(f"{stem}.nii.gz").data).tolist())
    assert {number for number in found if 0 < number < 100 and number != 26} == set(names)
    assert {number - 100 for number in found if 100 < number < 126 or number == 128} <= {*names, 18}
    assert 128 in found, "the disc below T13"
    sidecar = read_json(f"{stem}.json")
    assert (sidecar["Compatibility"], sidecar["Levels"]["method"]) == (compatibility, "labelling")


def seen_of(labels) -> tuple[slice, ...]:
    """Return the bounding box of what is segmented, with 1.5 mm around it."""
    box = ndimage.find_objects((labels.data > 0).astype(int))[0]
    margin = int(1.5 / labels.spacing_mm.min())
    return tuple(
        slice(max(s.start - margin, 0), min(s.stop + margin, n))
        for s, n in zip(box, labels.data.shape, strict=True)
    )


def merged_again(study, models):
    """Run merge; return what it computed."""
    assert run(merge, study, models) == 0
    return sorted(path.name for path in study.file("merge", "").glob("sub-01_*"))


def test_what_merging_left_goes_with_the_final_maps_and_is_made_again_only_for_them(
    study, models, told
):
    files = ("levels.json", "margin.nii.gz", "subregion.nii.gz", "vertebra.nii.gz")
    left = [f"sub-01_{name}" for name in files]
    assert merged_again(study, models) == left, "nobody has read them yet"
    assert labelled(study, models) == 0
    assert merged_again(study, models) == [], "nobody needs them any more"
    assert labelled(study, models) == 0
    next(study.out.glob("sub-01/anat/*-vertebra_dseg.nii.gz")).unlink()
    verify.main(["--output-dir", str(study.out)])
    assert not study.file("label", f"{BATCH}.tsv").exists()
    assert merged_again(study, models) == left
    assert labelled(study, models) == 0
    assert len(list(study.out.glob("sub-01/anat/*"))) == 4
    assert merged_again(study, models) == []


def test_a_wrong_model_stops_the_job_with_a_sentence(study, models, tmp_path, capsys):
    folder = write_labelling(tmp_path / "other", backbone="RESNET18")
    assert labelled(study, models, labelling=folder) == 1
    assert "its backbone is 'RESNET18'" in capsys.readouterr().err
    settings = json.loads((folder / "inference_config.json").read_text())
    (folder / "inference_config.json").write_text(json.dumps({**settings, "colour": "red"}))
    assert labelled(study, models, labelling=folder) == 1
    assert "unknown field 'colour'" in capsys.readouterr().err
