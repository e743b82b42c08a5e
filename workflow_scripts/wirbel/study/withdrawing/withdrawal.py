"""A withdrawal from its first start to its last: remove, let the run make the rest again, look once more.

`work/batches/.withdrawing` stands while one is under way; it holds the number of scans and names
nobody. `logs/withdrawals.tsv` has a line for each one, with numbers only. `work/batches/.withdrawn`
says for which list, by its digest, and when the output folder was found to mention nobody of it:
later runs read only what was written since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from wirbel.io.atomic import write_text
from wirbel.io.tabular.tables import read_rows, write_rows
from wirbel.manifests.batch_assignment import read_assignment
from wirbel.study.ending.run_record import now
from wirbel.study.listing.acceptance import MOST_DROPPED, SETTING
from wirbel.study.withdrawing.forgetting import forget
from wirbel.study.withdrawing.who import is_of
from wirbel.words import counted

COLUMNS = ("time", "participants", "scans", "files")
MARGIN_NS = 600 * 10**9
"""Files that are so much older than the last look are read all the same: they may have been written before it and
put into place after it."""
COST = {"n": 2**14, "r": 8, "p": 1}
"""Of the digest (scrypt: 50 ms): nobody should find out by trying who is on a short list."""


def withdrawals_file(output_dir: str | Path) -> Path:
    """Return the path of the table of withdrawals."""
    return Path(output_dir, "logs", "withdrawals.tsv")


def withdrawal_doubt(output_dir: Path, people: Collection[str]) -> str:
    """Return why a person should look at the list first: it would remove much for good; empty if not.

    One person is never asked about, nor is a withdrawal that is under way.
    """
    assignment = read_assignment(output_dir) if len(people) > 1 else {}
    scans = sum(is_of(people, scan) for scan in assignment)
    if scans <= MOST_DROPPED * len(assignment) or _mark(output_dir).exists():
        return ""
    return (
        f"{scans:,} of the {len(assignment):,} scans of the last run belong to {len(people):,} participants that the "
        "setting withdrawn lists: everything of them would be removed for good. Is it the right list? Nothing was "
        f"changed. If it is, add {SETTING}"
    )


def begin_withdrawal(output_dir: Path, people: Collection[str]) -> None:
    """Note that a withdrawal is under way, if there is anything of these participants."""
    there = any((output_dir / name).exists() for name in people)
    scans = sum(is_of(people, scan) for scan in read_assignment(output_dir))
    if (there or scans) and not _mark(output_dir).exists():
        write_text(_mark(output_dir), f"{scans}\n")


def withdraw(
    output_dir: Path, people: Collection[str], known: Collection[str], batches: Collection[str]
) -> None:
    """Remove everything of these participants, if a withdrawal is under way; add the line that says so.

    `batches` are those that lose scans, and run again.
    """
    if people and _mark(output_dir).exists():
        done = forget(output_dir, people, known, batches)
        _note(output_dir, len(people), _scans(output_dir) or done.scans, done.files)


def end_withdrawal(output_dir: Path, people: Collection[str], known: Collection[str]) -> list[str]:
    """Remove what the run itself wrote of these participants (logs); return what is to be said.

    The withdrawal is over when nothing is left of them.
    """
    if not people:
        return []
    began_ns, digest = _now_ns(output_dir), _digest(people)
    looked_ns = _looked_ns(output_dir, digest)
    done = forget(output_dir, people, known, made_again=False, since_ns=looked_ns)
    if done.left:
        _looked(output_dir).unlink(missing_ok=True)
        return [
            f"{counted(len(done.left), 'file still mentions', 'files still mention')} withdrawn participants, such as "
            f"{done.left[0]}: look where their names come from, such as a column of participants.tsv, and correct that"
        ]
    write_text(_looked(output_dir), json.dumps({"list": digest, "time_ns": began_ns}) + "\n")
    _mark(output_dir).unlink(missing_ok=True)
    return []


def _now_ns(output_dir: Path) -> int:
    """Return the time by the clock of the folder's file system, which stamps the files there."""
    clock = _looked(output_dir).with_suffix(".clock")
    write_text(clock, "")
    now_ns = clock.stat().st_mtime_ns
    clock.unlink()
    return now_ns


def _looked_ns(output_dir: Path, digest: str) -> int:
    """Return since when files have to be looked at: 0 (all) for another list than last time."""
    try:
        found = json.loads(_looked(output_dir).read_text(encoding="utf-8"))
        return max(int(found["time_ns"]) - MARGIN_NS, 0) if found["list"] == digest else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _digest(people: Collection[str]) -> str:
    return hashlib.scrypt("\0".join(sorted(people)).encode(), salt=b"wirbel", **COST).hex()[:32]


def _looked(output_dir: Path) -> Path:
    return output_dir / "work" / "batches" / ".withdrawn"


def _scans(output_dir: Path) -> int:
    """Return how many scans the present withdrawal concerns, as its mark says."""
    text = _mark(output_dir).read_text(encoding="utf-8").strip()
    return int(text) if text.isdecimal() else 0


def _note(output_dir: Path, participants: int, scans: int, files: int) -> None:
    """Append a line, if anything was removed."""
    if not files:
        return
    path = withdrawals_file(output_dir)
    rows = read_rows(path) if path.exists() else []
    entry = {"time": now(), "participants": participants}
    write_rows(path, COLUMNS, [*rows, entry | {"scans": scans, "files": files}])


def _mark(output_dir: Path) -> Path:
    return output_dir / "work" / "batches" / ".withdrawing"
