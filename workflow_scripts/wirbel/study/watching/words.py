"""A status in words, for a terminal or a mail."""

from __future__ import annotations

import json
from dataclasses import asdict

from wirbel.io.escapes import visible
from wirbel.study.watching.pace import Pace
from wirbel.study.watching.status import Status
from wirbel.words import counted

HEAD = ("stage", "done", "failed", "running", "waiting", "s/scan")


def as_json(status: Status) -> str:
    """Return a status as one JSON object, for programs."""
    return json.dumps(asdict(status), indent=1)


def in_words(status: Status) -> str:
    """Return a status as a few lines."""
    lines = [_head(status), _run(status), "", *_table(status), ""]
    lines += [pace_in_words(status.pace)] if status.holder else []
    if status.reasons:
        lines.append("Most frequent reasons of failures:")
        lines += [f"{r.scans:>8}  {r.reason} (at {r.stage})" for r in status.reasons]
    return "\n".join(visible(line) for line in lines)


def duration(seconds: float) -> str:
    """Return a time span as people say it: `40 s`, `12 min`, `3 h 20 min`, `2 d 5 h`."""
    minutes, hours = round(seconds / 60), round(seconds / 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{hours // 24} d {hours % 24} h"


def _head(status: Status) -> str:
    left = status.scans - status.measured - status.failed
    return (
        f"{status.output_dir}: {status.measured:,} of {counted(status.scans, 'scan')} measured, "
        f"{status.failed:,} failed, {left:,} to do"
    )


def _run(status: Status) -> str:
    """Return who is at work, or how the last run ended."""
    run = status.run
    if status.holder:
        return f"Running: {status.holder}"
    if not run:
        return "No run is going on"
    ending = {"running": "was cut off", "killed": "was cut off"}.get(
        run["exit"], f"ended {run['ended']} with exit code {run['exit']}"
    )
    return f"No run is going on; the last one began {run['started']} and {ending}"


def _table(status: Status) -> list[str]:
    medians = status.pace.seconds_per_scan
    rows = [HEAD] + [
        (
            stage.stage,
            *map(str, (stage.done, stage.failed, stage.running, stage.waiting)),
            f"{medians[stage.stage]:.1f}" if stage.stage in medians else "",
        )
        for stage in status.stages
    ]
    return [f"{row[0]:<10}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows]


def pace_in_words(pace: Pace) -> str:
    """Return how fast a run is and how long it will take."""
    if pace.seconds_left is None or pace.scans_per_hour is None:
        return "Time left: not known yet"
    rate = pace.scans_per_hour
    told = f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
    return f"{told} scans per hour, about {duration(pace.seconds_left)} left"
