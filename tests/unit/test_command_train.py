"""`wirbel train`: mistakes are named before Snakemake starts, and the settings reach all four rules."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from wirbel.command import main as command
from wirbel.command import train
from wirbel.command.starting.line import snakemake_line
from wirbel.study.workflow.training import trained_networks

ROOT = Path(__file__).parents[2]


def arguments(settings, folder, *more):
    return ["train", str(settings), str(folder), "--name", "mine", "--licence", "CC0-1.0", *more]


def test_a_missing_settings_file_is_named(tmp_path, capsys):
    assert command.main(arguments(tmp_path / "none.yaml", tmp_path)) == 2
    assert "none.yaml: expected a file such as config/train.yaml" in capsys.readouterr().err


def test_settings_with_a_mistake_start_nothing(tmp_path, capfd):
    (tmp_path / "train.yaml").write_text("hair: 1\n")
    assert command.main(arguments(tmp_path / "train.yaml", tmp_path / "out")) == 2
    told = capfd.readouterr().err
    assert "unknown key 'hair'" in told and "nothing was started" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["plain", "with blank", "it's"])
def test_folders_reach_snakemake_as_they_are_written(name, tmp_path):
    parser = command.Parser()
    train.add_arguments(parser)
    folder = tmp_path / name
    args = parser.parse_args(arguments("/s/a.yaml", folder, "--profile", "slurm", "-c", "4")[1:])
    line = snakemake_line(train.wanted(args))
    setting = next(word for word in line if word.startswith("train=")).removeprefix("train=")
    own = {"settings": "/s/a.yaml", "folder": str(folder), "name": "mine", "licence": "CC0-1.0"}
    own["translator"] = ""
    assert yaml.safe_load(setting) == own
    assert line[-2:] == ["--", "train"] and "4" in line


def test_translator_settings_with_a_mistake_start_nothing(tmp_path, capfd):
    (tmp_path / "translator.yaml").write_text("hair: 1\n")
    more = ("--translator", str(tmp_path / "translator.yaml"))
    assert command.main(arguments(ROOT / "config" / "train_ct.yaml", tmp_path / "out", *more)) == 2
    told = capfd.readouterr().err
    assert "unknown key 'hair'" in told and "translator.yaml was refused" in told


@pytest.mark.parametrize(
    ("text", "translator", "last"),
    [
        ("labelling: {}", False, "labelling"),
        ("labelling:", False, "instance"),
        ("labelling_network: {backbone: DENSENET121}", False, "instance"),
        ("labelling: {}", True, "translator"),
        ("{", False, "instance"),
        ("- labelling", False, "instance"),
        (None, False, "instance"),
    ],
)
def test_the_settings_say_which_networks_are_trained(text, translator, last, tmp_path):
    """Broken and missing settings are named by the first job, not while the rules are read."""
    path = tmp_path / "train.yaml"
    if text is not None:
        path.write_text(text)
    kinds = trained_networks(path, translator)
    assert kinds[0] == "semantic" and kinds[-1] == last


NETWORKS = ("train_semantic", "train_instance", "train_labelling", "train_translator")


@pytest.mark.parametrize(
    ("settings", "more", "planned"),
    [
        ("train.yaml", [], {"train_semantic", "train_instance"}),
        ("labelling.yaml", [], {"train_semantic", "train_instance", "train_labelling"}),
        (
            "train_ct.yaml",
            ["--translator", "translator.yaml"],
            {"train_semantic", "train_translator"},
        ),
    ],
)
def test_a_dry_run_plans_the_data_the_trainings_and_the_registration(
    settings, more, planned, tmp_path
):
    if settings == "labelling.yaml":
        settings = tmp_path / settings
        settings.write_text("labelling: {steps: 9, batch_size: 4}\n")
    line = arguments(settings, tmp_path / "in here", "--dry-run", *more)
    done = subprocess.run(
        [sys.executable, "-m", "wirbel", *line],
        cwd=ROOT / "config",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert "training_data" in told and "register_models" in told
    assert {rule for rule in NETWORKS if rule in told} == planned
