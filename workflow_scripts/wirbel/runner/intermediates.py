"""Intermediate results: removed once the stage that uses them last is done, made again when wanted.

An intermediate result of a scan is wanted as long as a later stage, up to the last one that reads it, is not
done *under its present key*; and as long as the last one's own result, where that is intermediate too, is wanted
but gone. That follows from the later stages' records alone. Nothing else is written when
files are removed, so that there is nothing a crash could leave half done: the record of a removed result stays
as it is, and its key goes on proving what later results were made from.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from wirbel.runner.chain import LAST_READER
from wirbel.runner.recipes import Recipe, ask
from wirbel.runner.records import OK, Record, records_on_disk


class LaterStages:
    """The stages that use this one's results, in their order; the last of them keeps its own."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._recipes: list[Recipe] = []
        self._lock = Lock()

    def are_done(self, scan_id: str, key: str) -> bool:
        """Whether all of them are done with what this stage makes of the scan under `key`."""
        record = None
        for recipe, records in self._chain():
            key, record = recipe.key(key), records.get(scan_id)
            if record is None or record.status != OK or record.key != key:
                return False
            if recipe.stage == LAST_READER and record.is_complete(self._args.output_dir):
                return True  # whatever comes after can go on from there
        return record is not None and record.is_complete(self._args.output_dir)

    def _chain(self) -> Iterator[tuple[Recipe, dict[str, Record]]]:
        """Yield recipe and present records of each stage; asks a stage once, and only when needed."""
        batch = self._args.manifest.name.removesuffix(".tsv")
        for number, command in enumerate(self._args.later):
            with self._lock:
                if number == len(self._recipes):
                    self._recipes.append(ask(command, self._args))
            recipe = self._recipes[number]
            yield recipe, records_on_disk(self._args.output_dir, recipe.stage, batch)


def unused(record: Record, stages: list[str], output_dir: Path, batch: str) -> list[Record]:
    """Return the records of `stages`, last stage first, from which `record` was made.

    `stages` are those before the record's own, in their order. The list is empty when a stage has moved on
    since (its key is another now): then its files belong to somebody else's work.
    """
    found: list[Record] = []
    source = record.source
    for stage in reversed(stages):
        earlier = records_on_disk(output_dir, stage, batch).get(record.scan_id)
        if earlier is None or earlier.status != OK or earlier.key != source:
            return []
        found.append(earlier)
        source = earlier.source
    return found


def drop(record: Record, stages: list[str], output_dir: Path, batch: str) -> None:
    """Remove the files of `stages` from which the finished result `record` was made."""
    for earlier in unused(record, stages, output_dir, batch):
        for name in earlier.outputs:
            (output_dir / name).unlink(missing_ok=True)
