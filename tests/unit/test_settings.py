"""Settings: defaults, schema, README and label list say the same; mistakes are explained."""

import json
from pathlib import Path

import pytest
import yaml

from wirbel.core import labels
from wirbel.runner.settings import SettingsError, checked_settings

REPOSITORY = Path(__file__).parents[2]
CONFIG = REPOSITORY / "config"
SCHEMA = CONFIG / "schemas" / "config.schema.json"


def _defaults(**changes):
    return {**yaml.safe_load((CONFIG / "config.yaml").read_text()), **changes}


def _schema_rows():
    """Yield (dotted key, schema entry) of every setting the user may give."""
    for key, entry in json.loads(SCHEMA.read_text())["properties"].items():
        if key == "simulate":
            yield from ((f"simulate.{k}", e) for k, e in entry["properties"].items())
        elif key != "train":
            yield key, entry


def test_the_defaults_are_valid_and_those_the_schema_states():
    settings = checked_settings(_defaults(), SCHEMA)
    assert settings.models == {"semantic": "builtin", "instance": "builtin"}
    assert settings.retry_failed == "false"
    config = _defaults()
    for key, entry in _schema_rows():
        section = config["simulate"] if "." in key else config
        assert section[key.split(".")[-1]] == entry.get("default", ""), key


def test_the_readme_describes_every_setting_in_the_schemas_words():
    readme = (CONFIG / "README.md").read_text()
    for key, entry in _schema_rows():
        (row,) = [line for line in readme.splitlines() if line.startswith(f"| `{key}` |")]
        assert entry["description"] in row


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batchsize": 3}, "unknown setting 'batchsize': did you mean 'batch_size'?"),
        ({"simulate": {"sead": 3}}, "unknown setting 'simulate.sead': did you mean 'seed'?"),
        ({"zzz": 1}, "unknown setting 'zzz': known are bids_dir, output_dir"),
        ({"batch_size": 0}, "setting 'batch_size': 0 is less than the minimum of 1. Scans per job"),
        ({"batch_size": "many"}, "setting 'batch_size': 'many' is not of type 'integer'"),
        ({"output_dir": "a{b}"}, "setting 'output_dir': 'a{b}' contains braces"),
        ({"models": {"semantic": "a"}}, "setting 'models': 'instance' is a required property"),
    ],
)
def test_a_mistake_is_explained(changes, sentence):
    with pytest.raises(SettingsError) as caught:
        checked_settings(_defaults(**changes), SCHEMA)
    assert str(caught.value).startswith(sentence)


def test_values_from_the_command_line_get_their_type():
    config = _defaults(n4="false", output_dir=2026, retry_failed="True", participants="01, sub-02")
    settings = checked_settings(config, SCHEMA)
    assert (settings.n4, settings.output_dir, settings.retry_failed) == (False, "2026", "true")
    assert settings.participants == ("01", "sub-02")
    assert config["n4"] is False


def test_participants_may_stand_in_a_file(tmp_path):
    (tmp_path / "list.txt").write_text("sub-01\n\nsub-03\n")
    settings = checked_settings(_defaults(participants=str(tmp_path / "list.txt")), SCHEMA)
    assert settings.participants == ("sub-01", "sub-03")


def test_the_label_list_is_that_of_the_software():
    listed = yaml.safe_load((CONFIG / "labels.yaml").read_text())
    assert listed["subregion"] == labels.SUBREGION_NAMES
    assert list(listed["vertebra"].items()) == list(labels.LEVEL_NAMES.items())
    assert listed["disc_offset"] == labels.DISC_OFFSET
    assert listed["endplate_offset"] == labels.ENDPLATE_OFFSET
