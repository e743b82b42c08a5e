"""A file is whole or absent, whatever happens while it is being written."""

import os
import subprocess
import sys
import time

import pytest

from wirbel.io.atomic import (
    TEMPORARY_PREFIX,
    atomic_path,
    replaced_together,
    sweep_temporaries,
    write_bytes,
    write_text,
    write_text_if_changed,
)


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


def test_files_are_replaced_together_or_not_at_all(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "theirs").write_text("stays")
    with pytest.raises(ZeroDivisionError), replaced_together(tmp_path) as new:
        (new / "a").write_text("new")
        (new / "b").write_text("new")
        1 / 0  # noqa: B018
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a": "old",
        "theirs": "stays",
    }
    with replaced_together(tmp_path) as new:
        (new / "a").write_text("new")
        (new / "b").write_text("new")
        assert (tmp_path / "a").read_text() == "old", "nothing changes before the end"
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"a": "new", "b": "new", "theirs": "stays"}


def test_a_file_that_would_be_the_same_is_left_alone(tmp_path):
    (tmp_path / "a").write_text("same")
    os.utime(tmp_path / "a", ns=(1, 1))
    with replaced_together(tmp_path) as new:
        (new / "a").write_text("same")
    assert (tmp_path / "a").stat().st_mtime_ns == 1


def test_a_folder_that_a_killed_process_left_is_swept(tmp_path):
    with replaced_together(tmp_path) as new:
        name = new.name
    host, _, rest = name.removeprefix(TEMPORARY_PREFIX).partition("-")
    left = tmp_path / f"{TEMPORARY_PREFIX}{host}-999999999-{rest.partition('-')[2]}"
    left.mkdir()
    (left / "scans.csv").write_text("half")
    assert sweep_temporaries(tmp_path) == 1 and not left.exists()


def test_temporary_names_of_long_names_fit(tmp_path):
    name = 251 * "x" + ".nii"
    write_bytes(tmp_path / name, b"content")
    assert (tmp_path / name).read_bytes() == b"content"
