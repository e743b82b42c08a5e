"""What a training leaves: the table of who was kept out, curves, a model card, and the published formats."""

import csv
import json

import numpy as np
import pytest
import torch
import yaml
from support.models import tiny_models

from wirbel.core.inference_config import PUBLISHED_CHANNELS
from wirbel.learning.exported import curves, model_card
from wirbel.learning.exported.export import instance_config
from wirbel.learning.exported.published import publish_semantic, write_published_instance
from wirbel.learning.instance.instance_model import InstanceModel
from wirbel.learning.instance.instance_network import InstanceNetwork
from wirbel.learning.instance.published_network import PublishedUNet
from wirbel.learning.semantic.semantic_model import SemanticModel
from wirbel.learning.semantic.semantic_plans import SemanticNetwork
from wirbel.learning.training import training_data as making
from wirbel.learning.training.splits import Part, dealt, read_folds, write_splits
from wirbel.learning.training.training_settings import DataSettings, training_settings
from wirbel.stages import training_data

PEOPLE = [f"sub-{number:02d}" for number in range(10)]


def test_folds_are_of_one_size_and_do_not_depend_on_the_order():
    folds = dealt(PEOPLE, {}, 5)
    assert sorted(folds.values()) == sorted([*range(5)] * 2)
    assert dealt(reversed(PEOPLE), {}, 5) == folds


def test_a_growing_study_moves_nobody_to_another_fold(tmp_path):
    table = tmp_path / "splits.tsv"
    first = dealt(PEOPLE[3:], {}, 3)
    write_splits(table, [Part("mine", name, fold, fold == 0) for name, fold in first.items()])
    later = dealt(PEOPLE, read_folds(table, "mine"), 3)
    assert {name: later[name] for name in first} == first
    assert sorted(np.bincount([*later.values()])) == [3, 3, 4]


def test_who_was_dealt_stays_in_the_table_of_a_training_without_them(tmp_path):
    table = tmp_path / "splits.tsv"
    write_splits(table, [Part("mine", "sub-01", 1, False), Part("simulated", "a", None, True)])
    write_splits(table, [Part("other", "sub-01", 0, True)])
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    assert rows == [
        ["version", "data_set", "participant_id", "fold", "used_for"],
        ["1", "mine", "sub-01", "1", "training"],
        ["1", "other", "sub-01", "0", "validation"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fold\tname\n", "expected the columns version, data_set"),
        (
            "version\tdata_set\tparticipant_id\tfold\tused_for\n2\tmine\tsub-01\t0\ttraining\n",
            "expected version 1",
        ),
    ],
)
def test_a_table_that_is_none_is_refused(text, message, tmp_path):
    (tmp_path / "splits.tsv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_folds(tmp_path / "splits.tsv", "mine")


def test_fewer_folds_than_were_dealt_are_refused():
    with pytest.raises(ValueError, match="sub-01 is in fold 4, but there are 3 folds"):
        dealt(PEOPLE, {"sub-01": 4}, 3)


REAL = {"name": "mine", "images": "i", "labels": "l", "scheme": "spider", "share": 0.5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folds": 5, "validation": ["01"]}, "either folds or validation, found both"),
        ({"folds": 5, "fold": 5}, "found folds 5 and fold 5"),
        ({"folds": 1}, "expected 2 or more folds"),
    ],
)
def test_impossible_folds_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        training_settings({"real": [REAL | change]})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"semantic_network": {"features": [4, 6]}}, "at least 3 numbers of features"),
        ({"instance_network": {"published_width": 12}}, "multiple of 8"),
        (
            {"instance_network": {"published_width": 8, "cutout_size": [32, 32, 6]}},
            "multiples of 8",
        ),
    ],
)
def test_networks_that_cannot_be_trained_are_refused(raw, message):
    with pytest.raises(ValueError, match=message):
        training_settings(raw)


def test_settings_are_checked_without_computing_anything(tmp_path, capsys):
    settings = tmp_path / "train.yaml"
    line = ["--settings", str(settings), "--folder", str(tmp_path / "train"), "--check"]
    settings.write_text(yaml.safe_dump({"real": [REAL | {"scheme": "nothing"}]}))
    assert training_data.main(line) == 2
    assert "label scheme nothing: expected one of" in capsys.readouterr().err
    settings.write_text(yaml.safe_dump({"real": [REAL]}))
    assert training_data.main(line) == 0
    assert not (tmp_path / "train").exists()


LOSSES = (
    "epoch\tminutes\ttraining\tvalidation\tdice\n1\t2.5\t-0.3\t-0.2\t0.6\n2\t5.0\t-0.5\t-0.4\t0.8\n"
)


def test_the_course_of_a_training_is_a_table_and_a_plot_the_same_every_time(tmp_path):
    losses = tmp_path / "losses.tsv"
    losses.write_text(LOSSES)
    for name in ("one", "two"):
        curves.write_curves(losses, tmp_path / name)
    with (tmp_path / "one" / "curves.csv").open(newline="") as file:
        assert [row["dice"] for row in csv.DictReader(file)] == ["0.6", "0.8"]
    pictures = [(tmp_path / name / "curves.png").read_bytes() for name in ("one", "two")]
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")


def test_the_model_card_names_data_settings_figures_and_whom_to_cite(tmp_path):
    (tmp_path / "losses.tsv").write_text(LOSSES)
    facts = "fact\tvalue\ncases\t4\nfirst_case\tphantom5\nlast_case\tphantom8\nepochs\t2\n"
    (tmp_path / "training.tsv").write_text(facts)
    settings = training_settings({"real": [REAL], "semantic": {"steps": 1234}})
    model_card.write_card(tmp_path, "semantic", settings)
    card = (tmp_path / "README.md").read_text()
    for words in ("| steps | 1234 |", "| dice | 0.8 |", "van der Graaf", "phantom5 to phantom8"):
        assert words in card
    model_card.write_card(tmp_path, "instance", settings)
    card = (tmp_path / "README.md").read_text()
    assert "van der Graaf" not in card, "it saw no real scan"
    assert "splits.tsv" not in card and "last twentieth of them" in card


def test_the_semantic_network_answers_alike_in_nnunets_format(tmp_path):
    """Slices lie along the third axis here and along the first one in nnU-Net's order."""
    ours = tiny_models.write_semantic(tmp_path / "ours")
    publish_semantic(ours, tmp_path / "published")
    image = np.random.default_rng(0).normal(size=(37, 41, 9)).astype(np.float32)
    answers = []
    for folder in (ours, tmp_path / "published"):
        model = SemanticModel(folder, "cpu", 1)
        answers.append(model.probabilities(model.normalise(image), image.shape))
    assert np.abs(answers[0] - answers[1]).max() < 1e-3
    assert "resamples_to_plans" not in json.loads(
        (tmp_path / "published" / "inference_config.json").read_text()
    )


def test_an_instance_network_of_the_published_architecture_is_read_back(tmp_path):
    settings = InstanceNetwork(cutout_size=(32, 32, 8), published_width=8)
    channels = 1 + max(PUBLISHED_CHANNELS.values())
    torch.manual_seed(0)
    network = PublishedUNet(8, channels)
    config = instance_config(settings, PUBLISHED_CHANNELS)
    write_published_instance(network.state_dict(), 8, channels, config, tmp_path)
    found = InstanceModel(tmp_path, "cpu", 1)
    for name, value in network.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], value), name


def test_the_stated_share_of_simulated_scans_is_water_images(tmp_path, monkeypatch):
    made = []

    def simulated(seed, region, **options):
        made.append(options)
        raise InterruptedError

    monkeypatch.setattr(making, "make_phantom", simulated)
    settings = DataSettings(phantoms=400, first_seed=50, water_share=0.25)
    for seed in settings.seeds():
        with pytest.raises(InterruptedError):
            making.make_case((tmp_path, seed, settings, SemanticNetwork()))
    water = [options for options in made if options.get("water_image")]
    assert 0.2 < len(water) / len(made) < 0.3
    assert all(0.7 <= options["in_plane_mm"] <= 1.9 for options in water)
    assert not any(DataSettings().is_water(seed) for seed in range(100))
