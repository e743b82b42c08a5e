"""Usual mistakes in the command: each ends in one sentence with its remedy, before Snakemake is started."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from wirbel.command import inventory as listing
from wirbel.command import run as starting
from wirbel.command.main import main


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a data set; Snakemake must not be started from it."""
    for folder in ("data", "my study"):
        (tmp_path / folder / "sub-01" / "anat").mkdir(parents=True)
        (tmp_path / folder / "sub-01" / "anat" / "sub-01_T2w.nii.gz").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "dicoms" / "patient1").mkdir(parents=True)
    (tmp_path / "a file").touch()
    (tmp_path / "broken.yaml").write_text("batch_size: [")
    (tmp_path / "unknown.yaml").write_text("batchsize: 8")
    (tmp_path / "list.yaml").write_text("- 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(starting.os, "execv", lambda *line: pytest.fail(f"started {line}"))
    return tmp_path


MISTAKES = {
    "a path with a blank is not quoted": ("run my study out", "in quotes: 'my study'"),
    "a value with a blank is not quoted": (
        "run data out models={semantic: a, instance: b}",
        "models is torn apart at a blank",
    ),
    "a list with a blank is not quoted": ("run data out participants=[01, 02]", "put it in quotes"),
    "blanks around the equals sign": ("run data out n4 = false", "as in n4=false"),
    "a second --config": (
        "run data out --config n4=false --config batch_size=4",
        "without --config",
    ),
    "--config among Snakemake's options": ("run data out -- --config n4=false", "before the --"),
    "a setting given twice": ("run data out n4=false n4=true", "given twice"),
    "no such configfile": ("run data out --configfile none.yaml", "found nothing"),
    "a configfile that is not YAML": ("run data out --configfile broken.yaml", "as YAML"),
    "a configfile with a list": ("run data out --configfile list.yaml", "batch_size: 16"),
    "an unknown setting": ("run data out batchsize=8", "did you mean 'batch_size'?"),
    "an unknown setting in a file": ("run data out --configfile unknown.yaml", "'batch_size'?"),
    "a wrong value": ("run data out batch_size=many", "'batch_size'"),
    "a setting with dashes": ("run data out --batch-size 8", "as batch_size=VALUE"),
    "a setting without a value": ("run data out n4", "write n4=VALUE"),
    "an option written as a setting": ("run data out cores=1", "write --cores 1"),
    "an option of Snakemake": ("run data out --until merge", "-- --until"),
    "a missing folder": ("run data", "output_dir is missing"),
    "a folder that is not there": ("run dta out", "there is no such folder"),
    "a file in place of the data set": ("run broken.yaml out", "it is a file"),
    "a folder without participants": ("run dicoms out", "holds no sub-* folder, but patient1"),
    "an empty folder": ("run empty out", "holds no sub-* folder, but nothing"),
    "results into the data": ("run data data", "is bids_dir itself"),
    "results over a file": ("run data broken.yaml", "is a file"),
    "an unknown model": ("run data out models=spinepss-t2w", "did you mean 'spineps-t2w'?"),
    "a model that was not fetched": ("run data out models=spineps-t2w", "has not been fetched"),
    "participants who are not there": ("run data out participants=07", "there are sub-01"),
    "an unknown profile": ("run data out --profile slrum", "expected default or slurm"),
    "SLURM where there is none": ("run data out --profile slurm", "no sbatch here"),
    "no number of processors": ("run data out --cores many", "expected a number"),
    "a BIDS App's unknown participant": (
        "data out participant --participant-label 07",
        "there are sub-01",
    ),
    "an unknown subcommand": ("rnu data out", "invalid choice"),
    "a view of nothing": ("view nothing", "there is no folder nothing"),
    "a view without pages": ("view empty", "has no pages yet"),
    "an evaluation of nothing": ("evaluate empty", "nothing was computed"),
    "an unknown label scheme": ("evaluate empty --scheme spidr", "expected one of fused, spider"),
    "a profile over a folder": ("profile slurm empty", "exists already"),
}


@pytest.mark.parametrize("typed, remedy", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_with_its_remedy(place, capsys, typed, remedy):
    before = sorted(os.listdir(place))
    assert main(typed.split(" ")) == 2
    told = capsys.readouterr()
    assert remedy in told.err and told.out == ""
    assert told.err.startswith("wirbel") and told.err.count("\n") == 1
    assert "Traceback" not in told.err and sorted(os.listdir(place)) == before


def test_a_working_directory_that_cannot_be_written(place, capsys, monkeypatch):
    """Told by the system's own answer, as root may write everywhere."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != "." and real(path, mode))
    assert main(["run", "data", "out"]) == 2
    assert "change to another one with cd" in capsys.readouterr().err


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_an_output_folder_that_cannot_be_written(place, capsys):
    (place / "out").mkdir()
    (place / "out").chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert main(["run", "data", "out"]) == 2
    assert "cannot be written to" in capsys.readouterr().err


REFUSED = {
    "simulated scans below a file": "simulate data/sub-01/anat/sub-01_T2w.nii.gz/new --count 1",
    "a list of scans below a file": "inventory data --table broken.yaml/all.tsv",
}


@pytest.mark.parametrize("typed", REFUSED.values(), ids=REFUSED)
def test_what_the_file_system_refuses_is_one_sentence_too(place, capsys, typed):
    assert main(typed.split(" ")) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"wirbel {typed.split(' ')[0]}: the file system refused: ")
    assert told.count("\n") == 1 and "Traceback" not in told


@pytest.mark.parametrize(
    "code, remedy", [(errno.EACCES, "permissions"), (errno.ENOSPC, "free some space")]
)
def test_a_full_disk_and_a_folder_of_somebody_else_are_told_with_what_to_do(
    place, capsys, monkeypatch, code, remedy
):
    def refuse(*_):
        raise OSError(code, os.strerror(code), "all.tsv")

    monkeypatch.setattr(listing, "write_rows", refuse)
    assert main(["inventory", "data", "--table", "all.tsv"]) == 1
    assert remedy in capsys.readouterr().err


def test_an_error_of_the_software_is_not_taken_for_one_of_the_file_system(place, monkeypatch):
    def fail(*_):
        raise FileNotFoundError("an oversight")

    monkeypatch.setattr(listing, "write_rows", fail)
    with pytest.raises(FileNotFoundError):
        main(["inventory", "data", "--table", "all.tsv"])


def test_a_command_that_is_suggested_can_be_copied_as_it_is(place, capsys):
    assert main(["profile", "default", "my profile"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("--profile 'my profile'")
    assert main(["view", "my study"]) == 2
    assert "wirbel report 'my study'" in capsys.readouterr().err
