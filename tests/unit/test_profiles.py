"""profiles/default and profiles/slurm, as Snakemake reads them."""

import re
import sys
from pathlib import Path

import pytest
from snakemake.profiles import ProfileConfigFileParser

from wirbel.plan.chain import BESIDE_ON_GPU, GPU_JOBS, GPU_RULES

REPOSITORY = Path(__file__).parents[2]
PROFILES = REPOSITORY / "profiles"


def _read(name: str, text: str | None = None, folder: Path | None = None):
    path = PROFILES / name / "config.yaml"
    if text is not None:
        path = folder / "config.yaml"
        path.write_text(text)
    with open(path) as stream:
        return ProfileConfigFileParser().parse(stream)


def _rules_beside_the_chain_with_gpu() -> set[str]:
    files = sorted(set((REPOSITORY / "rules").glob("*.smk")) - {REPOSITORY / "rules" / "chain.smk"})
    text = "\n".join(path.read_text() for path in files)
    blocks = re.split(r"^rule (\w+):$", text, flags=re.M)[1:]
    return {name for name, body in zip(blocks[::2], blocks[1::2], strict=True) if "gpu=1" in body}


@pytest.mark.parametrize("chosen", ["profiles/slurm", "profiles/slurm/", "/home/me/my-profile"])
def test_the_default_profile_says_nothing_beside_another_one(monkeypatch, chosen):
    # Snakemake reads profiles/default also when another profile is named, and lets it win.
    monkeypatch.setattr(sys, "argv", ["snakemake", "--profile", chosen, "--config", "n4=false"])
    assert _read("default") == {}
    monkeypatch.setattr(sys, "argv", ["snakemake", f"--profile={chosen}"])
    assert _read("default") == {}


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["--profile", "profiles/default"],
        ["-c4"],
        ["--profile", "/home/Jo Doe/wirbel/profiles/default", "--config", "bids_dir=/my scans"],
        ["--profile=/home/Jo Doe/wirbel/profiles/default/"],
    ],
)
def test_the_default_profile_speaks_when_it_is_meant(monkeypatch, line):
    monkeypatch.setattr(sys, "argv", ["snakemake", *line])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,3")
    content = _read("default")
    assert content["cores"] == "all"
    assert content["keep-going"] == content["rerun-incomplete"] == content["nolock"] == "True"
    assert content["resources"] == ["gpu=3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("PATH", "")
    assert _read("default")["resources"] == ["gpu=1"]


@pytest.mark.parametrize("name", ["my_settings.yaml", "my settings.yaml", "settings.yaml"])
def test_a_settings_file_that_is_not_there_is_told(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    for option in ("--configfile", "--configfiles"):
        monkeypatch.setattr(sys, "argv", ["snakemake", option, name, "-c1"])
        with pytest.raises(SystemExit, match=f"there is no file {name} in {tmp_path}"):
            _read("default")
    (tmp_path / name).write_text("n4: false\n")
    assert _read("default")["cores"] == "all"


def test_every_rule_that_wants_a_gpu_goes_to_the_gpu_partition():
    moved = {line.partition(":")[0] for line in _read("slurm")["set-resources"]}
    # The profiles name them again: to import the package there would bind it before the rules say which copy.
    assert _rules_beside_the_chain_with_gpu() == set(BESIDE_ON_GPU)
    assert moved == {*GPU_JOBS, *BESIDE_ON_GPU} == set(GPU_RULES)


def test_the_three_lines_a_user_edits(tmp_path):
    text = (PROFILES / "slurm" / "config.yaml").read_text()
    assert not any("account" in line for line in _read("slurm")["default-resources"])
    edited = text.replace('account: ""', "account: spine7").replace(
        'gpu_model: ""', "gpu_model: a100"
    )
    edited = edited.replace("{cpu: cpu, gpu: gpu}", "{cpu: batch, gpu: volta}")
    content = _read("slurm", edited, tmp_path)
    assert content["default-resources"][:2] == ["slurm_partition=batch", "slurm_account=spine7"]
    assert {"semantic:slurm_partition=volta", "semantic:gpu_model=a100"} <= set(
        content["set-resources"]
    )


def test_what_weeks_on_a_busy_cluster_need():
    content = _read("slurm")
    expected = {
        "executor": "wirbel-slurm",
        "scheduler": "greedy",
        "wirbel-slurm-no-requeue": "True",
        "rerun-incomplete": "True",
        "keep-going": "True",
        "nolock": "True",
        "max-status-checks-per-second": "0.25",
        "wirbel-slurm-status-attempts": "60",
    }
    assert {key: content[key] for key in expected} == expected
    assert "wirbel-slurm-array-jobs" not in content
    assert Path(content["configfile"]) == PROFILES / "slurm" / "settings.yaml"


def test_the_default_profile_shares_processors_among_the_stages_that_want_a_gpu(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake"])
    shared = {line.partition("=")[0] for line in _read("default")["set-threads"]}
    assert shared == set(GPU_JOBS)


@pytest.mark.parametrize(
    ("line", "odd"),
    [
        (["--config", "bids_dir=", "in"], "in"),
        (["--config", "bids_dir", "in"], "bids_dir"),
        (["-C", "n4=false", "batch_size", "-n"], "batch_size"),
    ],
)
def test_a_slip_in_config_is_told_in_one_sentence(monkeypatch, line, odd):
    monkeypatch.setattr(sys, "argv", ["snakemake", "--profile", "profiles/default", *line])
    with pytest.raises(
        SystemExit, match=f"expected KEY=VALUE without blanks around =, found '{odd}'"
    ):
        _read("default")


@pytest.mark.parametrize(
    "line",
    [
        ["--config", "bids_dir=my scans - new", "output_dir=out", "-n"],
        ["-n", "--config", "models={semantic: a, instance: b}", "--until", "merge"],
        ["all", "--configfile", __file__],
    ],
)
def test_a_config_in_order_passes(monkeypatch, line):
    monkeypatch.setattr(sys, "argv", ["snakemake", *line])
    assert _read("default")["keep-going"] == "True"


def test_a_settings_file_that_is_not_there_is_told_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["snakemake", "--configfile", "mine.yaml", "-n"])
    with pytest.raises(SystemExit, match="there is no file mine.yaml in "):
        _read("default")
    Path("mine.yaml").touch()
    assert _read("default")["keep-going"] == "True"
