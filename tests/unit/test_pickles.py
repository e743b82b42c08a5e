"""A checkpoint's pickle is looked through before the first job: nothing in it runs, and torch is not needed."""

import argparse
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import PosixPath

import numpy as np
import pytest
import torch
from torch import _weights_only_unpickler as torchs

from wirbel.learning.checkpoints import ALLOWED_TYPES, read_pickled_checkpoint
from wirbel.learning.labelling.labelling_checkpoint import STAND_INS
from wirbel.models.errors import ModelError, UnsafeCheckpointError
from wirbel.models.folders import pickles
from wirbel.models.folders.weights import check_archive


class Runs:
    def __reduce__(self):
        return os.system, ("true",)


def altered(path, change):
    """Write a checkpoint again with its pickle changed."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, change(content) if name.endswith(".pkl") else content)
    return path


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint with everything that nnU-Net's and Lightning's hold."""
    content = {
        "network_weights": torch.nn.Conv2d(2, 3, 1).state_dict(),
        "logging": {"loss": [np.float32(0.5), 0.25, None, True, 1 << 40], "best": np.arange(3.0)},
        "args": argparse.Namespace(folder=PosixPath("/data"), sizes=(1, 2, 3, 4), kinds={"a"}),
    }
    torch.save(content, tmp_path / "weights.ckpt")
    return tmp_path / "weights.ckpt"


def test_an_ordinary_checkpoint_passes_here_and_in_the_job(checkpoint):
    check_archive(checkpoint)
    assert read_pickled_checkpoint(checkpoint)["args"].sizes == (1, 2, 3, 4)


def test_what_torch_allows_is_allowed_here():
    allowed = {*torchs._get_allowed_globals()}
    for kind in ALLOWED_TYPES:
        name = kind[1] if isinstance(kind, tuple) else f"{kind.__module__}.{kind.__qualname__}"
        allowed.add(name)
    unknown = {name for name in allowed if not name.startswith(pickles.LEFT_TO_TORCH)}
    assert unknown - {"pathlib.PosixPath"} <= pickles.ALLOWED_NAMES


def test_nothing_dangerous_is_left_to_the_job(tmp_path):
    torch.save({"weights": Runs()}, tmp_path / "c.ckpt")
    with pytest.raises(
        UnsafeCheckpointError, match=r"c.ckpt was refused: .* of type posix.system,"
    ):
        check_archive(tmp_path / "c.ckpt")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda content: content[: len(content) // 2], "is not a complete checkpoint"),
        (lambda content: b"", "is not a complete checkpoint"),
        (lambda content: pickle.dumps(Runs(), 4), "the instruction FRAME"),
        (
            lambda content: b"\x80\x02\x8c\x05posix\x8c\x06system\x93.",
            "the instruction SHORT_BINUNICODE",
        ),
        (lambda content: b"\x80\x02" + b"0" * 9 + b".", "the instruction POP"),
    ],
)
def test_a_damaged_or_foreign_pickle_is_named(checkpoint, change, found):
    with pytest.raises(ModelError, match=found) as told:
        check_archive(altered(checkpoint, change))
    assert str(checkpoint) in str(told.value)


def test_an_archive_without_a_pickle_is_no_checkpoint(tmp_path):
    with zipfile.ZipFile(tmp_path / "c.ckpt", "w") as archive:
        archive.writestr("c/version", "3")
    with pytest.raises(ModelError, match=r"expected one data.pkl in it, found 0"):
        check_archive(tmp_path / "c.ckpt")


def test_endless_instructions_are_refused(checkpoint, monkeypatch):
    monkeypatch.setattr(pickles, "MOST_INSTRUCTIONS", 1000)
    endless = b"\x80\x02" + b"N" * 2000 + b"."
    with pytest.raises(ModelError, match="more than 1,000 instructions"):
        check_archive(altered(checkpoint, lambda content: endless))


def test_torch_is_not_loaded_for_it(checkpoint):
    code = (
        "import sys; from pathlib import Path; from wirbel.models.folders.weights import check_archive; "
        f"check_archive(Path({str(checkpoint)!r})); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("kind", [*ALLOWED_TYPES, *STAND_INS], ids=str)
def test_what_a_job_may_read_is_not_refused_before_it(kind):
    asked = kind[1] if isinstance(kind, tuple) else f"{kind.__module__}.{kind.__qualname__}"
    assert asked in pickles.ALLOWED_NAMES or asked.startswith(pickles.LEFT_TO_TORCH)
