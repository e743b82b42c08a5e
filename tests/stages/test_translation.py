"""From pairs to a translator, from MR scans to label maps of their tomograms, and on into the fusion; tiny networks."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from support.models import tiny_models
from support.studies.bids_errors import bids_errors

from wirbel.command.main import main as command
from wirbel.core import labels as L
from wirbel.core.geometry import reorient
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.io.tabular.tables import read_rows
from wirbel.learning.checkpoints import FINAL, read_pickled_checkpoint, read_weights
from wirbel.learning.semantic.semantic_plans import SemanticNetwork
from wirbel.learning.training import training_data
from wirbel.learning.training.training_cases import TrainingFolder
from wirbel.learning.training.training_settings import DataSettings
from wirbel.learning.translation import pairs, translator_trainer
from wirbel.learning.translation.pairs import LIST_NAME, read_pair
from wirbel.models.registry import ModelError, find_model
from wirbel.phantom import make_phantom
from wirbel.phantom.tomography import make_ct
from wirbel.stages import (
    annotate,
    register_models,
    simulate,
    train_semantic,
    train_translator,
    translate,
)
from wirbel.stages import training_data as training_data_stage

pytestmark = pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:nnunetv2")

SMALL = {name: list(v) if isinstance(v, tuple) else v for name, v in tiny_models.SMALL.items()}
NETWORK = {"spacing_mm": list(tiny_models.SPACING_MM), "patch_size": [32, 32, 4], **SMALL}
BUDGET = {"steps": 6, "steps_per_epoch": 2, "batch_size": 2}
DATA = {"phantoms": 3, "first_seed": 5, "validation_cases": 1, "processes": 1}
SETTINGS = {"data": DATA, "translator_network": NETWORK, "translator": BUDGET}
CT_NETWORK = SemanticNetwork(
    tiny_models.SPACING_MM, (32, 32, 4), **tiny_models.SMALL, contrast="CT"
)


class Killed(BaseException):
    """Stands for the end of the process."""


@functools.wraps(make_phantom)
def quick(seed, region=None, **options):
    """A small lumbar phantom."""
    return make_phantom(seed, "lumbar", in_plane_mm=2.5, slice_mm=6.0, **options)


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """Two people: MR scans as a BIDS folder, tomograms and masks of them in folders of their own."""
    root = tmp_path_factory.mktemp("people")
    for seed, name in ((31, "sub-1"), (32, "sub-2")):
        phantom = quick(seed, with_truth=False)
        ct = make_ct(phantom)
        write_volume(root / "bids" / name / "anat" / f"{name}_T2w.nii.gz", phantom.image, np.int16)
        write_volume(root / "ct" / f"{name}_ct.nii.gz", ct, np.int16)
        mask = np.ones(ct.data.shape, np.uint8)
        mask[:, :, : ct.data.shape[2] // 2] = 0
        write_volume(root / "masks" / f"{name}_mask.nii.gz", ct.with_data(mask))
    return root


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    """A training folder with its pairs."""
    root = tmp_path_factory.mktemp("simulated")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pairs, "make_phantom", quick)
        pairs.make_pairs(root, train_translator.read_translator_settings(settings_in(root)))
    return root


def settings_in(root: Path, content: dict = SETTINGS) -> Path:
    path = root / "translator.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def train(root: Path, pairs_of: Path, *more: str) -> Path:
    """Train in a new folder with pairs that exist; return the exported model folder."""
    root.mkdir(exist_ok=True)
    if not (root / "pairs").exists():
        (root / "pairs").symlink_to(pairs_of / "pairs")
    line = ["--settings", str(settings_in(root)), "--folder", str(root), "--device", "cpu"]
    assert train_translator.main([*line, *(more or ("--threads", "1"))]) == 0
    return root / "models" / "translator"


def weights(root: Path) -> dict[str, torch.Tensor]:
    return read_pickled_checkpoint(root / "translator" / FINAL)["network"]


def kill_at(patched, step: int) -> None:
    trainer, steps = translator_trainer._Training, iter(range(1000))
    real = trainer._train_step

    def dying(self, batch):
        if next(steps) == step:
            raise Killed
        return real(self, batch)

    patched.setattr(trainer, "_train_step", dying)


def test_a_killed_training_ends_with_the_same_weights(tmp_path, simulated, monkeypatch):
    train(tmp_path / "undisturbed", simulated, "--threads", "2")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, 3)
        train(tmp_path / "killed", simulated)
    assert not (tmp_path / "killed" / "models").exists(), "nothing is exported before the end"
    folder = train(tmp_path / "killed", simulated)
    other = weights(tmp_path / "undisturbed")
    for name, value in weights(tmp_path / "killed").items():
        assert torch.equal(value, other[name]), name
    kill_at(monkeypatch, 0)
    again = train(tmp_path / "killed", simulated)
    assert (again / "weights.safetensors").read_bytes() == (
        folder / "weights.safetensors"
    ).read_bytes()


def test_a_training_leaves_a_card_and_curves_and_can_start_another(tmp_path, simulated):
    folder = train(tmp_path / "first", simulated)
    rows = (folder / "losses.tsv").read_text().splitlines()
    assert rows[0].split("\t")[2:] == ["training", "validation", "error_hu", "error_bone_hu"]
    assert len(rows) == 1 + 3
    assert "simulated: 2 pairs" in (folder / "README.md").read_text()
    assert (folder / "curves.png").exists()
    budget = BUDGET | {"start_from": str(folder), "learning_rate": 1e-12}
    settings = settings_in(tmp_path / "first", SETTINGS | {"translator": budget})
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "pairs").symlink_to(simulated / "pairs")
    line = ["--settings", str(settings), "--folder", str(tmp_path / "second"), "--threads", "1"]
    assert train_translator.main(line) == 0
    second = weights(tmp_path / "second")
    for name, value in read_weights(folder / "weights.safetensors")[0].items():
        assert torch.allclose(value, second[name], atol=1e-3), name


def test_real_pairs_are_read_with_masks_and_kept_out_as_asked(tmp_path, scans):
    """A real pair is the simulated one where the mask allows it."""
    data = {"name": "mine", "share": 1.0, "validation": ["2"]}
    data |= {kind: str(scans / folder) for kind, folder in FOLDERS.items()}
    content = SETTINGS | {"pairs": [data], "data": {"phantoms": 0}}
    read = train_translator.read_translator_settings(settings_in(tmp_path, content))
    (group,) = pairs.make_pairs(tmp_path, read)
    assert (group.training, group.validation) == (("mine_sub-1",), ("mine_sub-2",))
    assert json.loads((tmp_path / LIST_NAME).read_text())[0]["share"] == 1.0
    pair = read_pair(tmp_path, "mine_sub-1")
    assert pair.image.shape == pair.ct.shape == pair.known.shape
    assert 0.3 < pair.known.mean() < 0.7
    middle = pair.known.shape[1] // 2
    assert pair.known[1:-1, 1 : middle - 2, 1:-1].all(), "the upper half is known"
    assert not pair.known[:, middle + 2 :].any()
    before = (tmp_path / "pairs" / "mine_sub-1.npz").read_bytes()
    pairs.make_pairs(tmp_path, read)
    assert (tmp_path / "pairs" / "mine_sub-1.npz").read_bytes() == before


FOLDERS = {"images": "bids", "ct": "ct", "masks": "masks"}


def test_a_tomogram_elsewhere_is_refused_and_a_shifted_one_aligned(tmp_path, scans):
    far, near = tmp_path / "far", tmp_path / "near"
    ct = read_volume(scans / "ct" / "sub-1_ct.nii.gz")
    for folder, mm in ((far, 900.0), (near, 6.0)):
        affine = ct.affine.copy()
        affine[2, 3] += mm
        write_volume(folder / "sub-1_ct.nii.gz", type(ct)(ct.data, affine))
    data = {"name": "mine", "images": str(scans / "bids"), "share": 1.0, "participants": ["1"]}
    made = {}
    for name, folder, aligned in (
        ("far", far, False),
        ("near", near, True),
        ("at", scans / "ct", False),
    ):
        entry = data | {"ct": str(folder), "align": aligned}
        content = SETTINGS | {"pairs": [entry], "data": {"phantoms": 0}}
        read = train_translator.read_translator_settings(settings_in(tmp_path, content))
        if name == "far":
            with pytest.raises(ValueError, match="mine_sub-1: expected a tomogram that shows"):
                pairs.make_pairs(tmp_path / name, read)
            continue
        pairs.make_pairs(tmp_path / name, read)
        made[name] = read_pair(tmp_path / name, "mine_sub-1")
    bone = made["at"].ct > np.arcsinh(1.5)
    found = made["near"].ct > np.arcsinh(1.5)
    assert 2 * (bone & found).sum() / (bone.sum() + found.sum()) > 0.8


def test_a_missing_tomogram_is_named(tmp_path, scans):
    (tmp_path / "empty").mkdir()
    entry = {
        "name": "mine",
        "images": str(scans / "bids"),
        "ct": str(tmp_path / "empty"),
        "share": 1,
    }
    read = train_translator.read_translator_settings(
        settings_in(tmp_path, SETTINGS | {"pairs": [entry]})
    )
    with pytest.raises(ValueError, match=r"mine: expected a tomogram sub-1_\*.nii.gz in .*empty"):
        pairs._real(tmp_path, read.pairs[0], lambda mm: mm)


def test_the_whole_chain_from_simulated_pairs_to_fused_annotations(
    tmp_path, scans, simulated, monkeypatch
):
    """The commands of docs/translate.md: both trainings, the registry, the translation, the fusion."""
    models = train(tmp_path / "translator", simulated).parent
    monkeypatch.setattr(training_data, "make_phantom", quick)
    content = {"data": DATA, "semantic": BUDGET, "semantic_network": NETWORK | {"contrast": "CT"}}
    (tmp_path / "train_ct.yaml").write_text(yaml.safe_dump(content))
    line = ["--settings", str(tmp_path / "train_ct.yaml"), "--folder", str(tmp_path / "ct")]
    assert training_data_stage.main(line) == 0
    assert train_semantic.main([*line, "--export", str(models / "semantic"), "--threads", "1"]) == 0
    assert "computed tomography" in (models / "semantic" / "README.md").read_text()
    listed = tmp_path / "checkout" / "config" / "models.yaml"
    registered = ["--trained", str(models), "--registry", str(listed), "--name", "mine"]
    assert register_models.main(registered) == 0
    assert find_model("mine", "semantic", listed).config.is_tomography
    settings = translation(tmp_path, scans, models, models)
    assert command(["translate", str(settings), "--device", "cpu", "--threads", "1"]) == 0
    sources = [
        {
            "name": "ct",
            "labels": str(tmp_path / "out"),
            "ending": "desc-subregion_dseg",
            "scheme": "spineps",
        }
    ]
    fusion = {"images": str(scans / "bids"), "output": str(tmp_path / "fused"), "sources": sources}
    (tmp_path / "annotate.yaml").write_text(yaml.safe_dump(fusion))
    assert annotate.main(["--settings", str(tmp_path / "annotate.yaml")]) == 0
    assert len(list((tmp_path / "fused" / "training").glob("*.nii.gz"))) == 2


def test_training_cases_of_tomograms_show_bone_bright(tmp_path, monkeypatch):
    monkeypatch.setattr(training_data, "make_phantom", quick)
    training_data.make_case((tmp_path, 5, DataSettings(), CT_NETWORK))
    case = np.load(TrainingFolder(tmp_path).cases / "phantom00000005.npz")
    bone, fluid = (
        np.median(case["image"][case["subregion"] == n].astype(float))
        for n in (L.BODY_BORDER, L.CANAL)
    )
    assert bone > 1.1 * fluid


def translation(root: Path, scans: Path, translator: Path, semantic: Path | str) -> Path:
    content = {"images": str(scans / "bids"), "output": str(root / "out")}
    content |= {"translator": str(translator), "segmentation": str(semantic)}
    (root / "translate.yaml").write_text(yaml.safe_dump(content))
    return root / "translate.yaml"


@pytest.fixture(scope="module")
def models(tmp_path_factory, simulated) -> Path:
    """Both networks, hardly trained."""
    folder = train(tmp_path_factory.mktemp("models") / "translator", simulated).parent
    tiny_models.write_semantic(folder / "semantic", CT_NETWORK)
    return folder


def run(settings: Path) -> int:
    return translate.main(["--settings", str(settings), "--device", "cpu", "--threads", "1"])


def test_results_lie_on_the_scans_grid_and_finished_scans_are_kept(tmp_path, scans, models, capsys):
    settings = translation(tmp_path, scans, models, models)
    assert run(settings) == 0
    stem = tmp_path / "out" / "sub-1" / "anat" / "sub-1"
    scan = read_volume(scans / "bids" / "sub-1" / "anat" / "sub-1_T2w.nii.gz")
    paths = [Path(f"{stem}_desc-{kind}.nii.gz") for kind in ("translated_ct", "subregion_dseg")]
    for path in paths:
        made = read_volume(path)
        assert made.data.shape == scan.data.shape
        np.testing.assert_allclose(made.affine, scan.affine, atol=1e-4)
        told = json.loads(Path(str(path).replace(".nii.gz", ".json")).read_text())
        assert set(told["Models"]) == {"translator", "semantic"}
        assert told["Sources"] == ["bids:raw:sub-1/anat/sub-1_T2w.nii.gz"]
    before = [path.read_bytes() for path in paths]
    assert bids_errors(tmp_path / "out") == []
    capsys.readouterr()
    assert run(settings) == 0
    assert "translate: 1 of 2, sub-1: kept" in capsys.readouterr().out
    paths[0].write_bytes(b"damaged")
    assert run(settings) == 0
    out = capsys.readouterr().out
    assert "sub-1: translated" in out and "sub-2: kept" in out
    assert [path.read_bytes() for path in paths] == before, "same input, same bytes"


def test_how_a_scan_is_stored_changes_no_voxel(tmp_path, scans, models):
    scan = read_volume(scans / "bids" / "sub-1" / "anat" / "sub-1_T2w.nii.gz")
    made = []
    for number, axes in enumerate((("P", "I", "R"), ("L", "S", "A"))):
        root = tmp_path / str(number)
        write_volume(root / "bids/sub-1/anat/sub-1_T2w.nii.gz", reorient(scan, axes))
        assert run(translation(root, root, models, models)) == 0
        anat = root / "out/sub-1/anat"
        made.append([reorient(read_volume(p)).data for p in sorted(anat.glob("*.nii.gz"))])
    for one, other in zip(*made, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_scan_that_cannot_be_read_is_listed_and_the_others_are_made(tmp_path, scans, models):
    for name in ("sub-1", "sub-2"):
        path = tmp_path / "bids" / name / "anat" / f"{name}_T2w.nii.gz"
        path.parent.mkdir(parents=True)
        content = (scans / "bids" / name / "anat" / path.name).read_bytes()
        path.write_bytes(content if name == "sub-1" else content[:2000])
    assert run(translation(tmp_path, tmp_path, models, "")) == 0
    (row,) = read_rows(tmp_path / "out" / "failures.csv")
    assert row["scan_id"] == "sub-2" and row["detail"]
    assert len(list((tmp_path / "out").rglob("*_desc-translated_ct.nii.gz"))) == 1
    assert not list((tmp_path / "out").rglob("*dseg.nii.gz")), "no segmentation was asked for"


def test_networks_of_the_wrong_kind_are_refused(tmp_path, scans, models, capsys):
    mr = tiny_models.write_semantic(tmp_path / "mr")
    assert run(translation(tmp_path, scans, models, mr)) == 1
    told = capsys.readouterr()
    assert f"{mr}: expected a semantic network of CT, found one of T2w" in told.err
    assert "sub-1" not in told.out and not (tmp_path / "out" / "failures.csv").exists()
    assert run(translation(tmp_path, scans, mr, "")) == 1
    assert "'translator' of a translator model, found 'nnunet'" in capsys.readouterr().err
    (models / "translator" / "weights.safetensors").rename(tmp_path / "away")
    try:
        assert run(translation(tmp_path, scans, models, "")) == 1
        assert "is not a translator model folder" in capsys.readouterr().err
    finally:
        (tmp_path / "away").rename(models / "translator" / "weights.safetensors")
    with pytest.raises(ModelError):
        find_model(str(mr), "translator")


def test_simulated_people_can_have_tomograms(tmp_path, monkeypatch):
    def small(seed, region=None):
        return make_phantom(seed, "lumbar", in_plane_mm=2.5, slice_mm=6.0, with_truth=False)

    phantom = small(4)
    monkeypatch.setattr(simulate, "write_tables", lambda made, bids_dir: None)
    monkeypatch.setattr(simulate, "make_phantom", small)
    line = ["--bids-dir", str(tmp_path / "sim"), "--count", "1", "--seed", "4", "--ct"]
    assert simulate.main(line) == 0
    (path,) = (tmp_path / "sim" / "derivatives" / "ct").rglob("*_ct.nii.gz")
    assert path.name == "sub-sim0001_ct.nii.gz"
    np.testing.assert_array_equal(read_volume(path).data, make_ct(phantom).data)
