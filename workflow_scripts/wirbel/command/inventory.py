"""Say which scans a run would take, which it would leave out, which are missing or there twice, and why.

It walks the data set once and computes nothing. Settings are those of a run (config/README.md), such as
wirbel inventory DATA filter='{acq: [sag]}' one_per_session=true
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from dataclasses import replace
from itertools import groupby

from wirbel.command.common.completion import DIRECTORY, FILE, offer
from wirbel.command.common.mistake import Mistake
from wirbel.command.starting.checks import settings_of
from wirbel.command.starting.line import profile_folder
from wirbel.command.starting.words import understood
from wirbel.errors import REASONS
from wirbel.io.escapes import visible
from wirbel.io.tabular.tables import write_rows
from wirbel.plan.checks import BESIDE, CHECKS, OFF, SAME_CONTENT
from wirbel.study.listing.dataset import look_up
from wirbel.study.refused import Refused
from wirbel.study.settings.run_settings import Settings, SettingsError
from wirbel.study.sources.inventory import (
    COLUMNS,
    FAULTY,
    LEFT_OUT,
    TAKEN,
    WORDS,
    Inventory,
    Row,
    inventory,
)
from wirbel.words import counted

EXAMPLES = 3
NO_OUTPUT = "output_dir=results"
"""Stands for the folder of results, which plays no part here."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    words = parser.add_argument(
        "words",
        nargs="*",
        metavar="BIDS_DIR [KEY=VALUE ...]",
        help="folder with sub-*/[ses-*/]anat/*_T2w.nii.gz, or scans=TABLE; settings",
    )
    offer(words, DIRECTORY)
    table = parser.add_argument("--table", metavar="FILE.tsv", help="write all rows to this file")
    offer(table, FILE)
    parser.add_argument(
        "--names-only",
        action="store_true",
        help="open no file: neither to compare contents nor to read headers of DICOM",
    )
    parser.add_argument(
        "--file-names",
        action="store_true",
        help="tell how files in delivered folders are called; they may name people",
    )
    configfile = parser.add_argument(
        "--configfile", nargs="+", action="append", default=[], help="YAML files with settings"
    )
    offer(configfile, FILE)
    parser.set_defaults(
        explains_unknown=True, profile="default", config=[], cores=None, dry_run=False, quiet=False
    )


def run(args: argparse.Namespace) -> int:
    """Print the inventory; raises Mistake."""
    settings = _settings(args)
    try:
        data = look_up(
            settings.bids_dir,
            os.devnull,
            settings.participants,
            source=replace(settings.source, apart=()),  # its stations are told apart below
            levels=_levels(settings, contents=not args.names_only),
        )
        found = inventory(data, settings.bids_dir, contents=not args.names_only)
        if (settings.dicom or settings.source.joined) and not args.names_only:
            from wirbel.command.common.deliveries import with_headers  # imports pydicom

            found = with_headers(found, data.scans, settings, file_names=args.file_names)
    except Refused as error:
        raise Mistake(str(error)) from None
    except OSError as error:
        raise Mistake(f"the scans cannot be listed: {error}") from None
    if args.table:
        write_rows(args.table, COLUMNS, map(vars, found.rows))
    print(in_words(found, settings, args.table or ""))
    return 0


def _settings(args: argparse.Namespace) -> Settings:
    if not any(word.startswith("output_dir=") for word in args.words):
        args.words = [*args.words, NO_OUTPUT]
    try:
        return settings_of(understood(args), profile_folder(args.profile))
    except SettingsError as error:
        raise Mistake(str(error)) from None


def _levels(settings: Settings, *, contents: bool) -> dict[str, str]:
    """Return the checks of files beside the scans; contents are compared by the inventory itself."""
    return {**settings.levels, SAME_CONTENT: OFF} if contents else {}


def in_words(found: Inventory, settings: Settings, table: str = "") -> str:
    """Return the counts, each reason with examples, and what is odd besides."""
    people = {row.participant_id for row in found.rows}
    scans = {row.scan_id for row in found.rows if row.status == TAKEN}
    left = sum(row.status == LEFT_OUT for row in found.rows if row.scan_id)
    place = settings.source.table or settings.bids_dir
    lines = [
        f"{place}: {counted(len(people), 'participant')}, {counted(len(scans), 'scan')} to take, "
        f"{left:,} left out by the settings, {found.count(FAULTY):,} missing or faulty",
        *_sizes(found),
        *_stations(found),
    ]
    known = [name for name in WORDS if name not in BESIDE]
    for reason in sorted(
        found.reasons, key=lambda name: (name in BESIDE, [*known, name].index(name))
    ):
        lines += _reason(found, reason)
    lines += [f"Also: {remark}" for remark in found.remarks if not _is_told(remark)]
    lines.append(f"All rows: {table}" if table else "Add --table FILE.tsv for all rows.")
    return "\n".join(map(visible, lines))


def _is_told(remark: str) -> bool:
    """Whether a remark only counts what the reasons count, too."""
    return "left out" in remark or any(f"({reason})" in remark for reason in (*WORDS, *CHECKS))


def _sizes(found: Inventory) -> list[str]:
    taken = {row.path: int(row.bytes) for row in found.rows if row.status == TAKEN and row.bytes}
    return [f"To read: {sum(taken.values()) / 1e6:,.0f} MB"] if taken else []


def _stations(found: Inventory) -> list[str]:
    """Return how many sessions have each station, and how many have how many of them."""
    rows = [row for row in found.rows if row.station]
    if not rows:
        return []
    names = dict.fromkeys(row.station for row in rows)
    taken = Counter(row.station for row in rows if row.status == TAKEN)
    sessions = {(row.participant_id, row.session_id): 0 for row in rows}
    for row in rows:
        sessions[row.participant_id, row.session_id] += row.status == TAKEN
    having = Counter(sessions.values())
    each = ", ".join(f"{name} {taken[name]:,}" for name in names)
    numbers = ", ".join(f"{having[n]:,} with {n}" for n in range(len(names), -1, -1) if having[n])
    told = f"Stations: {each}; {counted(len(sessions), 'session')}: {numbers} of {len(names)}"
    return [told]


def _beside(row: Row) -> str:
    """Return the file that a row is about where it is no scan's."""
    return f"{row.path}: " if row.path and not row.scan_id else ""


def _reason(found: Inventory, reason: str) -> list[str]:
    """Return how many rows have a reason, and some of them; stations of which the same is true together."""
    rows = [row for row in found.rows if row.reason == reason]
    words = WORDS.get(reason) or REASONS.get(reason, "")
    told = [f"{len(rows):,} {reason}: {words}".rstrip(": ")]
    alike = groupby(rows, lambda row: (row.participant_id, row.session_id, row.path, row.detail))
    groups = [list(some) for _, some in alike]
    for some in groups[:EXAMPLES]:
        names = ", ".join([some[0].name, *(row.station for row in some[1:])])
        told.append(f"    {names}: {_beside(some[0])}{some[0].detail}")
    more = sum(map(len, groups[EXAMPLES:]))
    return told + ([f"    ... and {more:,} more"] if more > 0 else [])
