"""Remove everything of withdrawn people from an output folder; results of others keep their bytes.

What is made from all scans (tables, pages, sheets of a batch's thumbnails) is removed where a withdrawn
person is in it; the run that follows makes it again. Records, lists and logs lose the lines that name
them. Killed at any moment, the next start with the same list goes on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.io.atomic import write_bytes
from wirbel.manifests.batch_assignment import read_assignment, write_assignment
from wirbel.study.withdrawing.who import Mentions, is_of

PER_SCAN = ("qc/panels",)
"""Folders whose files belong to one scan each, so that names tell all; they are many."""
GATHERED = ("cohort", "evaluation")
"""Folders that are removed as a whole where anything in them mentions a withdrawn person."""
LISTS = "work/batches"
PLANS = ("work/plan.json", "work/plans/")
LOGS = "logs/"
RUNS = "logs/runs.tsv"
INSTEAD = b"withdrawn"


@dataclass
class Forgotten:
    """How much was removed; `left` are files that still mention somebody."""

    scans: int = 0
    files: int = 0
    texts: int = 0
    left: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to remove."""
        return not (self.scans or self.files or self.texts or self.left)


def forget(
    output_dir: Path,
    people: Collection[str],
    known: Collection[str],
    batches: Collection[str] = (),
    *,
    made_again: bool = True,
    since_ns: int = 0,
) -> Forgotten:
    """Remove everything of these participants; return how much that was.

    Parameters
    ----------
    output_dir : Path
        The output folder.
    people : collection of str
        The withdrawn participants ("sub-...").
    known : collection of str
        All participants, so that names that begin alike are told apart.
    batches : collection of str
        Batches that hold their scans, all of which are about to run again: what was made of these
        batches as a whole is removed.
    made_again : bool
        A run follows: tables, pages and manifests that mention somebody are removed, because it makes
        them again. Default: yes; otherwise they are named in `left`.
    since_ns : int
        Shared files that last changed before this time (ns) mention nobody, and are not read. Default:
        read all.
    """
    done = Forgotten()
    if not people or not output_dir.is_dir():
        return done
    _forget_assignment(output_dir, people, done)
    _remove_own_files(output_dir, people, done)
    _remove_of_batches(output_dir, batches, done)
    mentions = Mentions(people, known)
    for name in list(_shared_files(output_dir, since_ns)):
        _clean(output_dir, name, mentions, done, made_again=made_again)
    return done


def _forget_assignment(output_dir: Path, people: Collection[str], done: Forgotten) -> None:
    """Take scans out of the assignment."""
    assignment = read_assignment(output_dir)
    kept = {scan: batch for scan, batch in assignment.items() if not is_of(people, scan)}
    if len(kept) < len(assignment):
        write_assignment(output_dir, kept)
    done.scans += len(assignment) - len(kept)


def _remove_own_files(output_dir: Path, people: Collection[str], done: Forgotten) -> None:
    """Remove folders and files whose names say that they are theirs."""
    for name in people:
        folder = output_dir / name
        if name.startswith("sub-") and os.path.basename(name) == name and folder.is_dir():
            done.files += sum(len(names) for _, _, names in os.walk(folder))
            shutil.rmtree(folder)
    for place, folders, names in os.walk(output_dir):
        if place == str(output_dir):
            folders[:] = [name for name in folders if not name.startswith("sub-")]
        for name in names:
            if is_of(people, name):
                Path(place, name).unlink(missing_ok=True)
                done.files += 1


def _remove_of_batches(output_dir: Path, batches: Collection[str], done: Forgotten) -> None:
    """Remove what was made of whole batches: manifests, sheets of thumbnails, and their receipts."""
    for batch in batches:
        made = [
            *output_dir.glob(f"work/*/{batch}.tsv"),
            output_dir / "qc" / "thumbnails" / f"{batch}.webp",
            output_dir / "work" / "pictures" / f"{batch}.json",
            output_dir / "work" / "receipts" / "pictures" / f"{batch}.json",
        ]
        for path in made:
            if path.parent.name != "batches" and path.exists():
                path.unlink()
                done.files += 1
    if batches:
        (output_dir / "qc" / "contact_sheet.png").unlink(missing_ok=True)


def _shared_files(output_dir: Path, since_ns: int) -> Iterator[str]:
    """Yield the files that several scans share and that changed since, relative to the folder, in a fixed order."""
    for place, folders, names in os.walk(output_dir):
        inside = os.path.relpath(place, output_dir)
        if inside == ".":
            folders[:] = [name for name in folders if not name.startswith("sub-")]
        folders[:] = sorted(f for f in folders if os.path.join(inside, f) not in PER_SCAN)
        for name in sorted(names):
            if name.startswith("sub-"):  # a scan's own file: its name tells whose
                continue
            if not since_ns or _changed(os.path.join(place, name)) >= since_ns:
                yield os.path.normpath(os.path.join(inside, name))


def _changed(path: str) -> int:
    """Return when a file last changed (ns); 0 where it is gone."""
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return 0


def _clean(
    output_dir: Path, name: str, mentions: Mentions, done: Forgotten, *, made_again: bool
) -> None:
    """Take what mentions somebody out of a shared file, or remove the file where it is made again."""
    path = output_dir / name
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # removed together with another one
        return
    if not mentions.found_in(content):
        return
    folder = name.split(os.sep)[0]
    is_gathered = folder in GATHERED or (folder == "qc" and os.sep not in name[len("qc/") :])
    changed = content if is_gathered else _without(name, content, mentions)
    if not made_again and (is_gathered or changed is None):
        done.left.append(name)
        return
    if is_gathered:
        for made in _made_together(output_dir, folder, path):
            made.unlink(missing_ok=True)
            done.files += 1
        return
    done.texts += 1
    if changed is None:
        path.unlink()
    else:
        write_bytes(path, changed)
        if mentions.found_in(changed):
            done.left.append(name)


def _made_together(output_dir: Path, folder: str, path: Path) -> list[Path]:
    if folder not in GATHERED:
        return [path]
    return [one for one in (output_dir / folder).rglob("*") if one.is_file()]


def _without(name: str, content: bytes, mentions: Mentions) -> bytes | None:
    """Return a text without those who withdrew; None where the file is to be removed."""
    if name == RUNS:
        return mentions.replaced(content, INSTEAD)
    if name.startswith(PLANS):
        return _plan_without(content, mentions)
    if name.startswith(LOGS) or name.startswith(LISTS + "/") and name.endswith(".tsv"):
        return mentions.without_lines(content)
    if name.startswith("work/") and name.endswith((".json", ".tsv")):
        return None  # receipts, lists of pictures, manifests: made again
    return mentions.replaced(content, INSTEAD)


def _plan_without(content: bytes, mentions: Mentions) -> bytes:
    """Return a plan without the names of scans that were to be computed again."""
    try:
        plan = json.loads(content)
        asked = plan["wishes"]["recompute"]
    except (ValueError, KeyError, TypeError):
        return mentions.replaced(content, INSTEAD)
    plan["wishes"]["recompute"] = [one for one in asked if not mentions.found_in(one.encode())]
    return (json.dumps(plan, indent=2, allow_nan=False) + "\n").encode()
