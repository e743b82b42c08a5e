"""Locks whose file goes with them: never two holders, nothing left behind."""

import multiprocessing
import time

from wirbel.runner.machine.locks import FileLock, sole_writer


def _hold_in_turn(folder, turns):
    """Note "in" and "out" each time this process holds the lock."""
    for _ in range(turns):
        lock = sole_writer(folder / ".b00001.lock", None, lambda text: None)
        with lock, open(folder / "turns", "a", buffering=1) as log:
            log.write("in\n")
            time.sleep(0.001)
            log.write("out\n")


def test_writers_take_turns_though_each_removes_the_lock(tmp_path, monkeypatch):
    monkeypatch.setattr("wirbel.runner.machine.locks.POLL_SECONDS", 0.001)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_hold_in_turn, args=(tmp_path, 20)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (tmp_path / "turns").read_text() == "in\nout\n" * 80
    assert [path.name for path in tmp_path.iterdir()] == ["turns"]


def test_a_lock_on_a_removed_file_is_none(tmp_path):
    path = tmp_path / ".b00001.lock"
    late, early = FileLock(path), FileLock(path)
    assert early.acquire()
    assert not late.acquire()
    early.release(remove=True)
    assert not path.exists()
    assert late.acquire()
    assert not FileLock(path).acquire(), "the new file's lock is held"
