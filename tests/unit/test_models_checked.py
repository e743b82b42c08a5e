"""The models of the settings are checked once, at the start: one sentence for each name, and no torch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from support.models import labelling_folder, published_folders, tiny_models

from wirbel.models.folders.inference_config import read_inference_config
from wirbel.models.modality import contrast_remark
from wirbel.models.publish import publish
from wirbel.study.checks import model_files as study_models
from wirbel.study.checks.model_files import MEMORY, models_fault

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A checkout with the models `mine` (embedded), `theirs` (not fetched) and `names` (labelling alone)."""
    root = tmp_path_factory.mktemp("site")
    tiny_models.write_semantic(root / "trained" / "semantic")
    tiny_models.write_instance(root / "trained" / "instance")
    labelling_folder.write_labelling(root / "labelling")
    registry = root / "checkout" / "config" / "models.yaml"
    publish(root / "trained", "mine", "MIT", registry)
    entries = yaml.safe_load(registry.read_text())
    described = {"licence": "MIT", "citation": "A. Author", "modality": ["T2w"]}
    url = {"url": "https://example.org/a.zip", "sha256": None, "size": None, **described}
    entries["theirs"] = {"semantic": url, "instance": "mine"}
    registry.write_text(yaml.safe_dump(entries))
    return root


@pytest.fixture(autouse=True)
def no_other_folder(monkeypatch):
    monkeypatch.delenv("WIRBEL_MODELS_DIR", raising=False)


def registry(site: Path) -> Path:
    return site / "checkout" / "config" / "models.yaml"


def fault(
    site: Path, semantic: str, instance: str = "mine", out: Path | None = None, **more
) -> str:
    found = models_fault(
        {"semantic": semantic, "instance": instance, **more},
        out,
        remembers=True,
        registry_file=registry(site),
    )
    assert found is None or all(
        line.startswith("setting models") and "; " in line or "did you mean" in line
        for line in found.splitlines()
    )
    return found or ""


def test_models_that_are_in_order_have_no_fault(site):
    trained = str(site / "trained")
    assert not fault(site, "mine")
    assert not fault(site, trained, f"{trained}/instance", labelling=str(site / "labelling"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("mnie", "semantic: 'mnie' is neither a model in config/models.yaml (mine, theirs) .* you mean 'mine'"),
        ("Mine", "did you mean 'mine'"),
        ("/no/such/folder", "there is no /no/such/folder; correct the name or the path"),
        ("theirs", "has not been fetched to .* --config models=theirs -- models"),
    ],
)  # fmt: skip
def test_a_name_that_stands_for_nothing_here_is_told_once(site, name, sentence):
    for models in ((name, "mine"), (name, name)):
        found = fault(site, *models)
        assert len(found.splitlines()) == 1
        pattern = sentence.split(" .* ")
        assert all(part in found for part in pattern), found


def test_a_file_and_a_folder_of_something_else_are_told(site, tmp_path):
    (tmp_path / "t2w.zip").write_bytes(b"PK")
    assert "it is a file; unpack it and give its folder" in fault(site, str(tmp_path / "t2w.zip"))
    assert "it contains t2w.zip; give the folder of the model itself" in fault(site, str(tmp_path))


def test_a_folder_in_the_home_folder_may_be_given_with_a_tilde(site, monkeypatch):
    monkeypatch.setenv("HOME", str(site))
    assert not fault(site, "~/trained")
    assert f"there is no {site}/nowhere" in fault(site, "~/nowhere")


@pytest.mark.parametrize("kind", ["semantic", "instance", "labelling"])
def test_a_model_of_another_kind_is_told(site, tmp_path, kind):
    trained = site / "trained"
    folders = {
        "semantic": trained / "semantic",
        "instance": trained / "instance",
        "labelling": site / "labelling",
    }
    article = "an" if kind == "instance" else "a"
    for other in set(folders) - {kind}:
        models = {**{k: str(f) for k, f in folders.items()}, kind: str(folders[other])}
        found = models_fault(models, registry_file=registry(site))
        assert f"give the folder of {article} {kind} model" in found


def of_modality(folder: Path, source: Path, *modality: str) -> Path:
    """Return a copy of a model folder that names other modalities."""
    shutil.copytree(source, folder)
    settings = folder / "inference_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "modality": modality}))
    return folder


@pytest.mark.parametrize("kind", ["semantic", "labelling"])
def test_a_network_of_tomograms_is_not_given_mr_scans(site, tmp_path, kind):
    """It would label them without any complaint, and every number would be wrong."""
    sources = {"semantic": site / "trained" / "semantic", "labelling": site / "labelling"}
    models = {"semantic": "mine", "instance": "mine"}
    folder = of_modality(tmp_path / "ct", sources[kind], "CT")
    found = models_fault({**models, kind: str(folder)}, registry_file=registry(site))
    assert (
        f"setting models, {kind}: {folder}: expected a network of MR scans, found one of CT"
        in found
    )
    assert "give this one to `wirbel translate` as `segmentation`" in found
    both = of_modality(tmp_path / "both", sources[kind], "CT", "T2w")
    assert models_fault({**models, kind: str(both)}, registry_file=registry(site)) is None


def test_an_instance_network_may_name_any_modality_as_it_sees_label_maps_alone(site, tmp_path):
    folder = of_modality(tmp_path / "ct", site / "trained" / "instance", "CT")
    assert not fault(site, "mine", str(folder))


@pytest.mark.parametrize(
    ("modality", "suffix", "told"),
    [
        (["T1w"], "T2w", "trained on T1w scans, and these are T2w scans"),
        (["FLAIR", "T1w"], "T2w", "trained on FLAIR and T1w scans, and these are T2w scans"),
        (["T2w"], "T1w", "trained on T2w scans, and these are T1w scans"),
        (["T1w", "T2w"], "T2w", ""),
        (["T2w"], "water", ""),
        (["Vibe"], "T2w", ""),
    ],
)
def test_scans_of_another_contrast_than_the_networks_are_told(site, modality, suffix, told):
    folder = site / "trained" / "semantic"
    config = replace(read_inference_config(folder), modality=tuple(modality))
    remark = contrast_remark(folder, config, suffix)
    assert (told in remark and str(folder) in remark) if told else remark == ""


def test_a_labelling_model_alone_is_told(site):
    found = models_fault({"labelling": str(site / "labelling")}, registry_file=registry(site))
    assert "there is no semantic and no instance model" in found


def test_a_changed_an_additional_and_a_missing_file_are_told(site):
    weights = site / "checkout/models/mine/instance/weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + b"\0")
    assert "weights.safetensors was changed or damaged" in fault(site, "mine")
    weights.unlink()
    assert "weights.safetensors is missing; restore the file" in fault(site, "mine")
    weights.write_bytes(content)
    extra = weights.with_name("more.ckpt")
    extra.write_bytes(b"")
    assert "more.ckpt is not listed in config/models.yaml; remove it" in fault(site, "mine")
    extra.unlink()
    assert not fault(site, "mine")


def test_a_damaged_folder_is_told_before_the_first_job(site, tmp_path):
    folder = published_folders.write_semantic(tmp_path / "semantic")
    plans = json.loads((folder / "plans.json").read_text())
    plans["configurations"]["3d_fullres"]["patch_size"] = [1200, 1200, 1200]
    (folder / "plans.json").write_text(json.dumps(plans))
    assert "patch_size[0]': expected three edges from 1 to 1024 voxels, found 1200" in fault(
        site, str(folder)
    )


def test_both_models_are_told_about_when_both_are_wrong(site):
    assert len(fault(site, "mnie", "/nowhere").splitlines()) == 2


def test_weights_are_hashed_once_while_they_stay_the_same(site, tmp_path, monkeypatch):
    hashed = []
    real = study_models.sha256_of_file
    monkeypatch.setattr(
        study_models, "sha256_of_file", lambda path: hashed.append(path) or real(path)
    )
    assert not fault(site, "mine", out=tmp_path)
    assert len(hashed) == 6
    assert not fault(site, "mine", out=tmp_path) and len(hashed) == 6
    weights = site / "checkout/models/mine/instance/weights.safetensors"
    content, times = weights.read_bytes(), weights.stat()
    weights.write_bytes(content[:-1] + b"\0")
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert "changed or damaged" in fault(site, "mine", out=tmp_path), "its time stamp was set back"
    weights.write_bytes(content)
    for damage in ("{", "[1]", json.dumps({str(weights): "x"})):
        (tmp_path / MEMORY).write_text(damage)
        assert not fault(site, "mine", out=tmp_path)


def test_nothing_is_written_without_an_output_folder(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not fault(site, "mine")
    assert not list(tmp_path.iterdir())


def test_the_check_needs_no_torch(site):
    code = (
        "import sys; from wirbel.study.checks.model_files import models_fault; from pathlib import Path;"
        f"print(models_fault(dict(semantic='mine', instance='mine', labelling={str(site / 'labelling')!r}),"
        f" registry_file=Path({str(registry(site))!r})), 'torch' in sys.modules)"
    )
    path = {"PYTHONPATH": str(REPOSITORY / "workflow_scripts"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True)
    assert done.stdout.strip() == "None False", done.stderr
