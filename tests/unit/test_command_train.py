"""`wirbel train`: mistakes are named before Snakemake starts, and the settings reach all four rules."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from wirbel.command import main as command
from wirbel.command import train
from wirbel.command.starting.line import snakemake_line

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
    args = parser.parse_args(arguments("a.yaml", folder, "--profile", "slurm", "-c", "4")[1:])
    line = snakemake_line(train.wanted(args, Path("/s/a.yaml")))
    setting = next(word for word in line if word.startswith("train=")).removeprefix("train=")
    own = {"settings": "/s/a.yaml", "folder": str(folder), "name": "mine", "licence": "CC0-1.0"}
    assert yaml.safe_load(setting) == own
    assert line[-2:] == ["--", "train"] and "4" in line


def test_a_dry_run_plans_the_data_both_trainings_and_the_registration(tmp_path):
    line = arguments(ROOT / "config" / "train.yaml", tmp_path / "in here", "--dry-run")
    done = subprocess.run(
        [sys.executable, "-m", "wirbel", *line],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for rule in ("training_data", "train_semantic", "train_instance", "register_models"):
        assert rule in done.stdout + done.stderr
