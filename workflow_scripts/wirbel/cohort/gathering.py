"""Gather the measurements of all scans into the cohort's tables, ten thousand rows at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from wirbel.cohort.columns import schema_of, table_columns
from wirbel.cohort.description import describe_output, tool_metadata
from wirbel.cohort.finishing import TableWriter
from wirbel.core.dictionary import DERIVED, NORMS, PLAUSIBILITY
from wirbel.core.dictionary.shared import REVIEW, STATION
from wirbel.core.joining.choosing import best_rows
from wirbel.core.people.table_columns import Participants
from wirbel.core.reviewing.reviews import NOT_REVIEWED
from wirbel.io.atomic import replaced_together, sweep_temporaries
from wirbel.io.dataset.listing import Finding
from wirbel.io.tabular.measurements import ScanRows, read_pieces
from wirbel.io.tabular.spool import Spool
from wirbel.manifests.findings import LISTING, read_checks, read_findings, read_reviews
from wirbel.manifests.outcomes import Outcome, outcomes
from wirbel.plan.chain import STAGES
from wirbel.plan.station_names import session_of, station_of
from wirbel.runner.machine.process import end_with

NOT_KNOWN: Mapping[str, str] = MappingProxyType({})


def gather(
    output_dir: Path,
    participants: Participants,
    stages: tuple[str, ...] = STAGES,
    threads: int = 1,
    settings: Mapping[str, str] = NOT_KNOWN,
    commit: str = "",
    bids_dir: str = "",
    apart: Sequence[str] = (),
) -> dict[str, int]:
    """Write all tables and dictionaries below `output_dir/cohort`; return rows written by table.

    They replace earlier ones together, once all of them are written: a failure leaves the earlier set as it was.

    `settings` is batch -> fingerprint of the settings, models and code that its results were made with, `commit`
    that of the software, where it is known; `bids_dir` is where the scans lie. `apart` are the stations that are scans
    of their own: of each session every vertebra, disc and level comes once.
    """
    folder = output_dir / "cohort"
    sweep_temporaries(folder)
    columns = table_columns(participants)
    found = outcomes(output_dir, stages)
    reviews, checks = read_reviews(output_dir), read_checks(output_dir)
    parts = [_part(o, participants, settings.get(o.batch), reviews, checks) for o in found]
    parts = [_as_station(part, apart) for part in parts] if apart else parts
    parts += [_told(found) for found in read_findings(output_dir)]
    measured = {
        table: schema_of(all_, without=PLAUSIBILITY)
        for table, all_ in columns.items()
        if table not in DERIVED
    }
    with replaced_together(folder) as new, ExitStack() as stack:
        spools = {
            table: stack.enter_context(Spool(new / table, schema))
            for table, schema in measured.items()
        }
        best = best_rows if apart else None
        for piece in read_pieces(parts, measured, threads, end_with, (os.getpid(),), best):
            for table, rows in piece.items():
                spools[table].append(rows)
        models = spools["scans"].categories("model")[1]
        tool = tool_metadata(models, settings.values(), commit)
        writer = TableWriter(new, columns, participants, tool)
        with ThreadPoolExecutor(threads) as pool:
            finished = list(pool.map(writer.finish, measured, spools.values()))
        written = {name: n for counts, _ in finished for name, n in counts.items()}
        written[NORMS] = writer.write_norms([row for _, rows in finished for row in rows])
    describe_output(output_dir, tool["Description"], bids_dir)
    return written


def _part(
    outcome: Outcome,
    participants: Participants,
    settings: str | None,
    reviews: Mapping[str, Mapping],
    checks: tuple[Mapping[str, Mapping[str, str]], frozenset[str]],
) -> ScanRows:
    """Return what a scan adds to the tables: its measurements, or the account of its failure."""
    same = outcome.identity | participants.of(outcome.scan.participant_id, outcome.scan.session_id)
    review = reviews.get(outcome.scan.scan_id, {}).get(REVIEW.name, NOT_REVIEWED)
    same |= {"settings_fingerprint": settings, REVIEW.name: review}
    if outcome.failure is None:
        flags = tuple(checks[0].get(outcome.scan.scan_id, ())), checks[1]
        return ScanRows(outcome.measured, same, {}, outcome.sha256, *flags)
    reason, detail = outcome.failure.reason, outcome.failure.detail
    failure = {"stage": outcome.stage, "reason": reason, "detail": detail}
    return ScanRows(None, same, {"scans": {"scan_status": reason}, "failures": failure})


def _as_station(part: ScanRows, apart: Sequence[str]) -> ScanRows:
    """Return a scan's part as that of a station of its session."""
    scan_id = part.same["scan_id"]
    same = {**part.same, STATION.name: station_of(scan_id, apart) or None}
    return replace(part, same=same, session=session_of(scan_id))


def _told(found: Finding) -> ScanRows:
    """Return what a finding adds to the tables: a row of the failures."""
    return ScanRows(
        None, {}, {"failures": {**vars(found), "stage": LISTING, REVIEW.name: NOT_REVIEWED}}
    )
