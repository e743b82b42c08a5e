"""A file is whole or absent, whatever happens while it is being written."""

import os
import subprocess
import sys
import time

import pytest

from wirbel.io.atomic import atomic_path, sweep_temporaries, write_text, write_text_if_changed


def test_a_failing_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    target = tmp_path / "table.tsv"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half of the n")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["table.tsv"]


def test_the_final_name_appears_only_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "image.nii.gz"
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"x")
        assert not target.exists()
        assert temporary.parent == target.parent
        assert temporary.name.endswith("image.nii.gz")
    assert target.read_bytes() == b"x"


def test_unchanged_text_is_not_written_again(tmp_path):
    target = tmp_path / "list.tsv"
    assert write_text_if_changed(target, "a\n")
    before = target.stat().st_ino
    assert not write_text_if_changed(target, "a\n")
    assert target.stat().st_ino == before
    assert write_text_if_changed(target, "b\n")


def test_what_a_killed_process_left_is_swept_and_a_living_one_keeps_its_file(tmp_path):
    code = (
        "import os, sys; from wirbel.io.atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as t:\n"
        "    t.write_text('half'); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.txt"], env=environment)
    assert len(os.listdir(tmp_path)) == 1
    with atomic_path(tmp_path / "b.txt") as ours:
        ours.write_text("being written")
        assert sweep_temporaries(tmp_path) == 1
        assert ours.exists()
    assert os.listdir(tmp_path) == ["b.txt"]
    assert sweep_temporaries(tmp_path / "no_such_folder") == 0


def test_what_another_machine_is_writing_is_left_alone_for_days_whatever_this_ones_clock_says(
    tmp_path, monkeypatch
):
    fresh, old = (tmp_path / f".tmp-node{number}-1-abc-map.nii.gz" for number in (1, 2))
    for path in (fresh, old):
        path.write_text("half")
    three_days_ago = fresh.stat().st_mtime - 3 * 24 * 3600
    os.utime(old, (three_days_ago, three_days_ago))
    monkeypatch.setattr(
        time, "time", lambda: fresh.stat().st_mtime + 1e7
    )  # a clock that runs ahead
    assert sweep_temporaries(tmp_path) == 1
    assert os.listdir(tmp_path) == [fresh.name]
