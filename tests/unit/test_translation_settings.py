"""What is refused in the settings of `train_translator` and `translate`, and of networks of tomograms."""

import re

import pytest

from wirbel.io.settings_files import SettingsFileError
from wirbel.io.translation.settings import read_translate_settings, translate_settings
from wirbel.learning.training.training_settings import training_settings
from wirbel.learning.translation.translator_settings import (
    read_translator_settings,
    translator_settings,
)
from wirbel.stages import train_translator

PAIR = {"name": "mine", "images": ".", "ct": ".", "share": 0.5}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"hair": 1}, "unknown key 'hair'"),
        ({"translator": {"hair": 1}}, "translator: unknown key 'hair'"),
        ({"translator": {"kept_share": 0.5}}, "kept_share belongs to the semantic network"),
        ({"data": {"regions": ["knee"]}}, "expected regions out of whole, .* found 'knee'"),
        ({"data": {"water_share": 0.1}}, "water_share belongs to the semantic network"),
        ({"data": {"phantoms": 0}}, "expected real pairs or simulated ones"),
        ({"pairs": [{"name": "mine"}]}, "pairs[0]: expected the keys images, ct, share"),
        ({"pairs": [PAIR, PAIR]}, "expected a name of its own"),
        ({"pairs": [PAIR | {"share": 1.5}]}, "found mine 1.5"),
        ({"pairs": [PAIR | {"ct": "/nowhere"}]}, "mine: expected a folder for ct, found none at"),
    ],
)
def test_mistakes_in_the_settings_of_a_translator_are_named(content, message):
    with pytest.raises(ValueError, match=message.replace("[0]", re.escape("[0]"))):
        translator_settings(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": "."}, "missing: output, translator"),
        ({"images": ".", "output": "o", "translator": "t", "hair": 1}, "unknown: hair"),
        ({"images": "/nowhere", "output": "o", "translator": "t"}, "there is no folder /nowhere"),
    ],
)
def test_mistakes_in_the_settings_of_a_translation_are_named(content, message):
    with pytest.raises(SettingsFileError, match=message):
        translate_settings(content, "here")


def test_a_file_that_is_missing_or_no_yaml_is_named(tmp_path):
    with pytest.raises(SettingsFileError, match=r"config/translate.yaml is an example"):
        read_translate_settings(tmp_path / "none.yaml")
    (tmp_path / "odd.yaml").write_text("a: [")
    with pytest.raises(SettingsFileError, match="not a YAML file"):
        read_translate_settings(tmp_path / "odd.yaml")


def test_refused_settings_end_the_training_before_anything_is_made(tmp_path, capsys):
    (tmp_path / "odd.yaml").write_text("hair: 1")
    line = ["--settings", str(tmp_path / "odd.yaml"), "--folder", str(tmp_path / "made")]
    assert train_translator.main(line) == 2
    assert "unknown key 'hair'" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_the_shipped_settings_are_understood():
    from wirbel.io.installation import WORKFLOW

    settings = read_translator_settings(WORKFLOW / "config" / "translator.yaml")
    assert settings.translator_network.limits_mm == ((1.0, 1.0, 2.5), (1.0, 1.0, 4.5))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"semantic_network": {"contrast": "T9"}}, r"expected a contrast \(T2w, CT\), found 'T9'"),
        (
            {
                "semantic_network": {"contrast": "CT"},
                "real": [
                    {"name": "r", "images": ".", "labels": ".", "scheme": "spineps", "share": 1}
                ],
            },
            "expected no real scans with contrast CT, found r",
        ),
        (
            {"semantic_network": {"contrast": "CT"}, "data": {"water_share": 0.1}},
            "expected no water_share with contrast CT, found 0.1",
        ),
        ({"data": {"water_share": 1.5}}, "expected a water_share from 0 to 1, found 1.5"),
        ({"data": {"regions": ["knee"]}}, "found 'knee'"),
    ],
)
def test_mistakes_about_contrast_and_fields_of_view_are_named(content, message):
    with pytest.raises(ValueError, match=message):
        training_settings(content)
