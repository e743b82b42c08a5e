"""Settings: defaults, schema, README and label list say the same; mistakes are explained."""

import json
from pathlib import Path

import pytest
import yaml

from wirbel.core import labels
from wirbel.study.settings.run_settings import SettingsError, checked_settings

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
        (
            {"retry_failed": "unredable"},
            "setting 'retry_failed': 'unredable' is no reason code: did you mean",
        ),
        ({"retry_failed": "true,unreadable"}, "setting 'retry_failed': 'true' is no reason code"),
        ({"fail_on": "some"}, "setting 'fail_on': 'some' is not valid"),
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


@pytest.mark.parametrize(
    "content",
    [
        b"sub-01\n\nsub-03\n",
        b"\xef\xbb\xbfparticipant_id\r\nsub-01\r\nsub-03\r\n",
        "sub-01\nsub-03".encode("utf-16"),
        b"age,participant_id\n61,sub-01\n62,sub-03\n",
        b"sub-01,sub-03",
    ],
)
def test_participants_may_stand_in_a_file(tmp_path, content):
    (tmp_path / "list.txt").write_bytes(content)
    settings = checked_settings(_defaults(participants=str(tmp_path / "list.txt")), SCHEMA)
    assert settings.participants == ("sub-01", "sub-03")


@pytest.mark.parametrize("missing", ["lists/mine", "mine.txt", "~/mine.tsv"])
def test_a_list_of_participants_that_is_not_there_is_no_participant(missing):
    with pytest.raises(SettingsError, match="there is no file"):
        checked_settings(_defaults(participants=missing), SCHEMA)


def test_names_that_look_like_numbers_come_from_the_command_line_as_they_were_written():
    """Snakemake has made numbers of them by then; in a file, YAML has, octal ones among them."""
    for text, value in (("001", 1), ("12E4", 120000.0), ("007,008", "007,008")):
        argv = ["snakemake", "--config", f"participants={text}"]
        settings = checked_settings(_defaults(participants=value), SCHEMA, argv)
        assert settings.participants == tuple(text.split(","))
    for value in (10, [10]):
        with pytest.raises(SettingsError, match="10 is a number, in which leading zeros are lost"):
            checked_settings(_defaults(participants=value), SCHEMA, ["snakemake"])
    with pytest.raises(SettingsError, match=r"'007' is read as the number 7; write ./007"):
        checked_settings(_defaults(output_dir=7), SCHEMA, ["output_dir=007"])


def test_paths_are_taken_as_they_are_meant(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    config = _defaults(output_dir="~/out//x/", bids_dir="~", reference="~/truth", models="~/nets")
    settings = checked_settings(config, SCHEMA)
    assert (settings.output_dir, settings.bids_dir) == ("/home/me/out/x", "/home/me")
    assert (
        settings.models["semantic"] == "/home/me/nets" and config["reference"] == "/home/me/truth"
    )
    assert checked_settings(_defaults(output_dir="/"), SCHEMA).output_dir == "/"
    assert checked_settings(_defaults(container="docker://a/b"), SCHEMA)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("~nobody-here/out", "names a home folder that does not exist"),
        ("$DATA/out", "contains a variable that was not replaced"),
        ("out\n", "holds a line end"),
        ("o\x1b[2Jut", r"'o\\x1b\[2Jut' holds"),
    ],
)
def test_paths_that_nobody_means_are_refused(path, sentence):
    with pytest.raises(SettingsError, match=sentence):
        checked_settings(_defaults(output_dir=path), SCHEMA)


def test_the_label_list_is_that_of_the_software():
    listed = yaml.safe_load((CONFIG / "labels.yaml").read_text())
    assert listed["subregion"] == labels.SUBREGION_NAMES
    assert list(listed["vertebra"].items()) == list(labels.LEVEL_NAMES.items())
    assert listed["disc_offset"] == labels.DISC_OFFSET
    assert listed["endplate_offset"] == labels.ENDPLATE_OFFSET


def test_n4_can_be_left_to_itk_and_nothing_else():
    assert checked_settings(_defaults(n4="itk"), SCHEMA).n4 == "itk"
    with pytest.raises(SettingsError, match="n4.*'ants' is not one of"):
        checked_settings(_defaults(n4="ants"), SCHEMA)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"stations": {"a": {"description": "x"}}}, "expected name, because the scans are NIfTI"),
        (
            {"stations": {"a": {"name": "x"}}, "dicom": True, "scans": "t.tsv"},
            "expected description or another rule for DICOM series",
        ),
        ({"stations": {"a": {"name": "x"}, "b": {}}}, "'stations.b': expected name, as the other"),
        ({"checks": {"not_t2w": "never"}}, "checks.not_t2w"),
        ({"checks": {"not_t2": "off"}}, "did you mean 'not_t2w'?"),
    ],
)
def test_stations_and_checks_that_cannot_be_meant_are_told(settings, told):
    with pytest.raises(SettingsError) as caught:
        checked_settings(_defaults(**settings), SCHEMA)
    assert told in str(caught.value)
