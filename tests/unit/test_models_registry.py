"""Which model a name stands for, and that nothing is opened whose bytes are not the expected ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.models.inference_settings import SETTINGS

from wirbel.models.entries import Published, network, networks
from wirbel.models.folders.check import TYPES
from wirbel.models.folders.inference_config import parse_inference_config
from wirbel.models.publish import CHECKSUMS, publish
from wirbel.models.registry import (
    KINDS,
    REGISTRY_FILE,
    ModelError,
    find_model,
    hash_files,
    read_registry,
)
from wirbel.plan.networks import identified
from wirbel.stages import register_models

REPOSITORY = Path(__file__).parents[2]
BUILTIN = REPOSITORY / "models" / "builtin"
MOST_BYTES = 16_000_000
CONFIG = {**SETTINGS, "labels": {"1": "26", "2": "arcus_vertebrae"}}


@pytest.fixture
def trained(tmp_path) -> Path:
    """What a training leaves: one folder per network, weights replaced by a few bytes."""
    for kind in KINDS:
        folder = tmp_path / "trained" / kind
        (folder / "fold_0").mkdir(parents=True)
        config = {**CONFIG, "modeltype": TYPES[kind]}
        (folder / "inference_config.json").write_text(json.dumps(config))
        (folder / "fold_0" / "weights.safetensors").write_bytes(kind.encode())
        (folder / "losses.tsv").write_text("step\tloss\n")
    return tmp_path / "trained"


@pytest.fixture
def registry(tmp_path, trained) -> Path:
    """The registry file of a checkout in which the model "mine" was published."""
    file = tmp_path / "checkout" / "config" / "models.yaml"
    publish(trained, "mine", "CC-BY-4.0", file)
    return file


def weights(registry: Path) -> Path:
    return registry.parents[1] / "models/mine/semantic/fold_0/weights.safetensors"


def test_a_published_model_is_found_by_its_name(registry):
    model = find_model("mine", "semantic", registry)
    assert model.folder == registry.parents[1].resolve() / "models/mine/semantic"
    assert model.config.spacing_mm == (1.0, 1.0, 3.0)
    assert model.config.labels == {1: 26, 2: 41}, "structures may be given by number or by name"


def test_a_folder_is_found_by_its_path_and_by_that_of_the_folder_above(trained):
    direct, above = (
        find_model(str(trained / "instance"), "instance"),
        find_model(str(trained), "instance"),
    )
    assert direct == above
    assert direct.sha256 != find_model(str(trained), "semantic").sha256


def test_the_identity_of_a_model_is_its_content_not_its_place(registry, trained):
    named = find_model("mine", "semantic", registry)
    assert named.sha256 == find_model(str(trained), "semantic").sha256
    (trained / "semantic" / "fold_0" / "weights.safetensors").write_bytes(b"other")
    assert named.sha256 != find_model(str(trained), "semantic").sha256


def test_descriptions_and_hidden_files_are_no_part_of_a_model(trained):
    before = find_model(str(trained), "semantic").sha256
    (trained / "semantic" / "README.md").write_text("a card")
    (trained / "semantic" / ".DS_Store").write_bytes(b"?")
    assert find_model(str(trained), "semantic").sha256 == before


def test_a_changed_file_is_refused_before_anything_is_opened(registry):
    """The settings are made unreadable too: that nobody complains about them shows they stayed shut."""
    settings = weights(registry).parents[1] / "inference_config.json"
    settings.write_text("{ this is not JSON")
    with pytest.raises(ModelError, match=r"inference_config.json was changed or damaged"):
        find_model("mine", "semantic", registry)


def test_a_missing_and_an_additional_file_are_refused(registry):
    extra = weights(registry).with_name("extra.pth")
    extra.write_bytes(b"")
    with pytest.raises(ModelError, match=r"extra.pth is not listed"):
        find_model("mine", "semantic", registry)
    extra.unlink()
    weights(registry).unlink()
    with pytest.raises(ModelError, match=r"weights.safetensors is missing"):
        find_model("mine", "semantic", registry)


def test_an_unknown_name_is_told_the_known_ones(registry):
    with pytest.raises(ModelError, match=r"'minne' is neither a model .*\(mine\) nor a folder"):
        find_model("minne", "semantic", registry)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("mine: {semantics: {}}", "'semantics' was unexpected.* holds networks of the kinds"),
        ("mine: {semantic: {path: a, sha: {}}}", "'sha' was unexpected.* needs path, licence and"),
        ("mine: {semantic: {path: a}}", "'licence' is a required property"),
        ("'../mine': {semantic: other}", "'../mine' does not match"),
        ("mine: {semantic: other}", "should be the one of 'other', which is not another entry"),
        ("mine: {semantic: mine}", "should be the one of 'mine', which is not another entry"),
        ("mine: [", "not valid YAML"),
        ("mine: {instance: {path: a, licence: b, sha256: {f: %s}}}", "has no semantic network"),
        ("mine: {semantic: {path: gone, licence: b, sha256: {f: %s}}}", "there is no .*gone"),
    ],
)
def test_a_malformed_registry_is_explained(tmp_path, content, sentence):
    file = tmp_path / "config" / "models.yaml"
    file.parent.mkdir()
    file.write_text(content.replace("%s", "a" * 64))
    with pytest.raises(ModelError, match=sentence):
        find_model("mine", "semantic", file)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("labels", [26, 41], "field 'labels'"),
        ("labels", {"1": "sacrumm"}, "field 'labels': .*'sacrumm' is neither"),
        ("labels", {"1": 300}, "field 'labels.1': expected a number from 0 to 255 .*, found 300"),
        ("resolution_range", [1.0, 1.0, 0], "field 'resolution_range': expected three lengths"),
        ("resolution_range", "fine", "field 'resolution_range'"),
        ("model_expected_orientation", ["P", "I", "S"], "expected three directions"),
        ("model_expected_orientation", "PI", "expected three directions"),
        ("cutout_size", [10, 10], "field 'cutout_size'"),
        ("cutout_size", [10, 11, 12], "even numbers of voxels"),
        ("modality", "T3w", "field 'modality': expected .* T2w, .* found 'T3w'"),
        ("modeltype", "transformer", "expected nnunet, unet, classifier or translator"),
        ("acquisition", "oblique", "expected sag, cor, ax or iso"),
        ("expected_inputs", ["img", "pet"], "found 'pet'"),
        ("needs_corp", True, "cropping with another network first is not supported"),
        ("default_step_size", 0, "expected a share of the patch"),
        ("colour", "red", "unknown field 'colour'"),
    ],
)
def test_a_malformed_setting_is_named(field, value, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        parse_inference_config({**CONFIG, field: value}, "folder/inference_config.json")
    assert str(caught.value).startswith("folder/inference_config.json")


def test_the_published_names_of_structures_are_understood():
    labels = {
        "1": "Spinosus_Process",
        "2": "S1",
        "3": "Vertebra_Corpus_border",
        "4": "Metal",
        "5": 62,
    }
    config = parse_inference_config({**CONFIG, "labels": labels}, "f")
    assert config.labels == {1: 42, 2: 26, 3: 49, 4: 80, 5: 62}


def test_folds_may_be_a_number_a_name_or_a_list():
    for folds, read in ((5, 5), ("all", ("all",)), ([0, 3], (0, 3))):
        config = parse_inference_config({**CONFIG, "available_folds": folds}, "f")
        assert config.available_folds == read


def test_a_range_of_resolutions_keeps_a_scans_own_voxels_within_its_limits():
    fixed = parse_inference_config(CONFIG, "f")
    assert fixed.spacing_for((0.5, 2.0, 3.3)) == (1.0, 1.0, 3.0)
    limits = [[0.75, 0.75, 1.65], [1.0, 1.0, 3.0]]
    ranged = parse_inference_config({**CONFIG, "resolution_range": limits}, "f")
    assert ranged.spacing_for((0.5, 0.8, 3.3)) == (0.75, 0.8, 3.0)


def test_a_missing_setting_is_named():
    with pytest.raises(ValueError, match="resolution_range"):
        parse_inference_config({k: v for k, v in CONFIG.items() if k != "resolution_range"}, "f")


def test_publishing_again_replaces_files_and_digests_and_keeps_other_models(registry, trained):
    publish(trained, "other", "MIT", registry)
    (trained / "semantic/fold_0/weights.safetensors").rename(
        trained / "semantic/fold_0/new.safetensors"
    )
    line = ["--trained", str(trained), "--name", "mine", "--registry", str(registry)]
    assert register_models.main(line) == 0
    assert not weights(registry).exists()
    assert (
        find_model("mine", "semantic", registry).sha256
        != find_model("other", "semantic", registry).sha256
    )


def test_the_checksums_beside_a_model_are_those_of_its_files(registry):
    folder = registry.parents[1] / "models" / "mine"
    listed = dict(
        reversed(line.split("  ")) for line in (folder / CHECKSUMS).read_text().splitlines()
    )
    assert listed == {k: v for k, v in hash_files(folder).items() if k != CHECKSUMS}
    assert list(listed) == sorted(listed)


def test_half_a_training_is_not_published(registry, trained, capsys):
    (trained / "instance" / "inference_config.json").unlink()
    before = registry.read_bytes()
    line = ["--trained", str(trained), "--name", "mine", "--registry", str(registry)]
    assert register_models.main(line) == 1
    assert "nothing was published" in capsys.readouterr().err
    assert registry.read_bytes() == before


def test_looking_a_model_up_needs_no_torch():
    code = (
        "import sys, wirbel.models.registry, wirbel.models.publish; print('torch' in sys.modules)"
    )
    path = {"PYTHONPATH": str(REPOSITORY / "workflow_scripts"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_the_registry_of_this_repository_is_well_formed():
    entries = read_registry(REGISTRY_FILE)
    assert set(entries["builtin"]) == set(KINDS)
    for part in entries["builtin"].values():
        assert part["path"].startswith("models/builtin/")
    for name, entry in entries.items():
        assert all(network(entries, name, kind).licence for kind in entry)


def test_the_published_models_are_fetched_over_https_and_credited():
    published = [n for n in networks(read_registry(REGISTRY_FILE)) if isinstance(n, Published)]
    assert {(n.name, n.kind) for n in published} == {
        ("spineps-t2w", "semantic"),
        ("spineps-t2w", "instance"),
        ("spineps-t2w", "labelling"),
        ("spineps-t1w", "semantic"),
    }
    for found in published:
        assert all(url.startswith("https://github.com/Hendrik-code/spineps/") for url in found.urls)
        assert "Möller" in found.citation and found.licence and found.modality


def test_a_network_can_be_that_of_another_entry(registry):
    entries = yaml.safe_load(registry.read_text())
    entries["other"] = {"semantic": entries["mine"]["semantic"], "instance": "mine"}
    registry.write_text(yaml.safe_dump(entries))
    assert find_model("other", "instance", registry) == find_model("mine", "instance", registry)


def test_a_model_is_identified_by_its_listed_digests_without_reading_weights(
    registry, trained, monkeypatch
):
    whole = find_model("mine", "semantic", registry)
    weights = whole.folder / "fold_0/weights.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    assert identified("mine", "semantic", registry) == whole
    weights.write_bytes(content)
    (whole.folder / "inference_config.json").write_text("{}")
    with pytest.raises(ModelError, match="inference_config.json was changed or damaged"):
        identified("mine", "semantic", registry)


def test_a_folder_is_identified_by_its_content(registry, trained):
    folder = str(trained / "semantic")
    own = identified(folder, "semantic", registry)
    assert own == find_model(folder, "semantic", registry)
    weights = trained / "semantic/fold_0/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[::-1])
    assert identified(folder, "semantic", registry).sha256 != own.sha256


@pytest.mark.skipif(
    not (BUILTIN / "semantic").is_dir(), reason="models/builtin holds no networks yet"
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_embedded_networks_are_the_registered_ones(kind):
    model = find_model("builtin", kind)
    assert not [p for p in model.folder.rglob("*") if p.suffix in (".pth", ".ckpt", ".pkl", ".pt")]


@pytest.mark.skipif(
    not (BUILTIN / "semantic").is_dir(), reason="models/builtin holds no networks yet"
)
def test_the_embedded_networks_are_small_and_described():
    assert sum(path.stat().st_size for path in BUILTIN.rglob("*") if path.is_file()) <= MOST_BYTES
    assert "{{" not in (BUILTIN / "README.md").read_text(), "fill in the model card"
