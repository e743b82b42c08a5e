"""What `wirbel run` hands to Snakemake: the same settings, in the same words."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from snakemake.cli import parse_config

from wirbel import __version__
from wirbel.command import run as starting
from wirbel.command.main import SUBCOMMANDS, main, root_parser
from wirbel.command.starting.known import protected, value_of
from wirbel.io.installation import WORKFLOW


@pytest.fixture
def started(tmp_path, monkeypatch):
    """Run the command in a folder with a data set; return the words Snakemake is started with."""
    (tmp_path / "data" / "sub-01").mkdir(parents=True)
    (tmp_path / "data" / "sub-02").mkdir()
    (tmp_path / "more.yaml").write_text("batch_size: 4\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WIRBEL_COMMAND", raising=False)
    lines = []
    monkeypatch.setattr(starting.os, "execv", lambda program, line: lines.append(line))

    def start(*words: str) -> list[str]:
        main(words)
        assert lines, "it was not started"
        return lines.pop()

    yield start
    os.environ.pop("WIRBEL_COMMAND", None)


def after(line: list[str], option: str) -> list[str]:
    """Return the words of an option, up to the next one."""
    rest = line[line.index(option) + 1 :]
    return rest[: next((n for n, word in enumerate(rest) if word.startswith("-")), len(rest))]


def test_folders_and_settings_become_one_config(started):
    line = started("run", "data", "batch_size=8", "-n", "out", "n4=false")
    assert line[:5] == [sys.executable, "-P", "-m", "snakemake", "--snakefile"]
    assert after(line, "--snakefile") == [str(WORKFLOW / "Snakefile")]
    assert after(line, "--config") == [
        "bids_dir=data",
        "output_dir=out",
        "batch_size=8",
        "n4=false",
    ]
    assert after(line, "--profile") == [str(WORKFLOW / "profiles" / "default")]
    assert "--dry-run" in line and "--cores" not in line


def test_settings_may_also_name_the_folders_and_stand_after_config(started):
    line = started("run", "--config", "bids_dir=data", "output_dir=out", "n4=false")
    assert after(line, "--config") == ["bids_dir=data", "output_dir=out", "n4=false"]


def test_whatever_stands_after_two_dashes_is_snakemakes(started):
    line = started("run", "data", "out", "--cores", "2", "--", "--until", "merge", "-p")
    assert line[-3:] == ["--until", "merge", "-p"] and after(line, "--cores") == ["2"]


def test_configfiles_are_handed_on_in_their_order(started):
    line = started("run", "data", "out", "--configfile", "more.yaml")
    assert after(line, "--configfile") == ["more.yaml"]


def test_settings_may_follow_a_configfile(started, tmp_path):
    (tmp_path / "more=1.yaml").write_text("batch_size: 2\n")
    line = started("run", "data", "out", "--configfile", "more.yaml", "more=1.yaml", "n4=false")
    assert after(line, "--configfile") == ["more.yaml", "more=1.yaml"]
    assert after(line, "--config") == ["bids_dir=data", "output_dir=out", "n4=false"]


@pytest.mark.parametrize(
    "typed",
    [
        "run data out --configfile more.yaml n4=false",
        "run data --configfile more.yaml out n4=false",
        "run --configfile more.yaml data out n4=false",
        "run --configfile more.yaml data out --config n4=false",
    ],
)
def test_what_stands_behind_a_configfile_is_not_taken_for_another_one(started, tmp_path, typed):
    line = started(*typed.split(" "))
    assert after(line, "--configfile") == ["more.yaml"]
    assert after(line, "--config") == ["bids_dir=data", "output_dir=out", "n4=false"]


def test_several_configfiles_are_handed_on_in_their_order(started, tmp_path):
    (tmp_path / "mine.yaml").write_text("n4: false\n")
    line = started("run", "--configfile", "more.yaml", "mine.yaml", "data", "out")
    assert after(line, "--configfile") == ["more.yaml", "mine.yaml"]


def test_folders_may_stand_in_a_file_and_words_are_taken_first(started, tmp_path):
    (tmp_path / "more.yaml").write_text("bids_dir: data\noutput_dir: out\n")
    assert after(started("run", "--configfile", "more.yaml"), "--config") == []
    line = started("run", "data", "other", "--configfile", "more.yaml")
    assert after(line, "--config") == ["bids_dir=data", "output_dir=other"]
    (tmp_path / "more.yaml").write_text("bids_dir: ''\nscans: scans.tsv\n")
    (tmp_path / "scans.tsv").write_text("participant_id\tpath\n01\tdata/a.nii.gz\n")
    assert after(started("run", "out", "--configfile", "more.yaml"), "--config") == [
        "output_dir=out"
    ]


def test_the_call_as_a_bids_app(started):
    line = started(
        "data", "out", "participant", "--participant-label", "01", "sub-02", "--n-cpus", "3"
    )
    assert after(line, "--config")[-1] == "participants=sub-01,sub-02"
    assert after(line, "--cores") == ["3"]
    assert after(started("data", "out", "group"), "--config") == ["bids_dir=data", "output_dir=out"]


def test_a_target_without_scans_needs_no_data_set(started):
    assert started("run", "new", "out", "--", "simulate")[-1] == "simulate"


def test_the_record_of_the_run_gets_what_was_typed(started, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["wirbel", "run", "data", "my results"])
    started("run", "data", "my results")
    assert os.environ["WIRBEL_COMMAND"] == "wirbel run data 'my results'"


@pytest.mark.parametrize(
    "text",
    ["1", "1.5", "true", "True", "a", "[a, b]", "{a: b}", "", "a: b", "a: b: c", "007", "'a'"],
)
def test_values_are_read_as_snakemake_reads_them(text):
    assert value_of(text) == parse_config([f"key={text}"])["key"]


@pytest.mark.parametrize(
    "path", ["data", "my study", "a: b", "[x]", "it's: here", "a=b", "/d/ä", "'q'"]
)
def test_a_path_arrives_as_it_was_typed(path):
    assert parse_config([f"bids_dir={protected(path)}"])["bids_dir"] == path


def test_an_own_profile_is_a_folder_like_the_one_it_was_copied_from(started, capsys):
    assert main(["profile", "default", "mine"]) == 0
    assert "--profile mine" in capsys.readouterr().out
    assert after(started("run", "data", "out", "--profile", "mine"), "--profile")[0].endswith(
        "/mine"
    )


def test_help_names_every_subcommand_and_each_has_its_own():
    told = root_parser().format_help()
    assert all(name in told for name in SUBCOMMANDS)
    for name in SUBCOMMANDS:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0


def test_python_runs_it_as_a_module():
    line = [sys.executable, "-m", "wirbel", "--version"]
    assert subprocess.run(line, capture_output=True, text=True).stdout.split() == [
        "wirbel",
        __version__,
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_the_subcommands(shell, capsys):
    with pytest.raises(SystemExit):
        main(["--print-completion", shell])
    told = capsys.readouterr().out
    assert all(name in told for name in SUBCOMMANDS)


def test_simulate_makes_a_data_set_and_says_what_is_next(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(
        "wirbel.stages.simulate.simulate", lambda orders, folder, jobs: made.append((orders, jobs))
    )
    folder = tmp_path / "scans"
    words = ("--count", "2", "--regions", "lumbar", "cervical", "--processes", "3")
    assert main(["simulate", str(folder), *words]) == 0
    ((orders, jobs),) = made
    assert (len(orders), jobs) == (2, 3)
    assert f"2 scans in {folder}; next: wirbel run {folder} RESULTS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--count", "0"], "expected --count of at least 1"),
        (["--stations", "--regions", "lumbar"], "expected --regions whole with --stations"),
        ([], "is another data set (it holds sub-01)"),
    ],
)
def test_simulate_refuses_in_one_sentence(tmp_path, capsys, words, told):
    (tmp_path / "sub-01").mkdir()
    assert main(["simulate", str(tmp_path), *words]) == 2
    said = capsys.readouterr().err.strip()
    assert told in said and said.startswith("wirbel simulate: ") and "\n" not in said
