"""Checks of a converted series that the setting `checks` makes failures, warnings, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wirbel.core.preparation.contrast_timing import not_t2w
from wirbel.errors import ScanError
from wirbel.ingest.matching import check_people
from wirbel.plan.checks import DERIVED, FAILURE, LEFT_OUT, NOT_T2W, OFF, PEOPLE, WARNING

T2W = "T2w"


def accepting(series: Mapping[str, Any], levels: Mapping[str, str]) -> dict[str, Any]:
    """Return the rules for series: derived images may fit unless a failure, several people only if that check is off.

    Which of several people's series a scan is must not be guessed, so a warning is not enough there.
    """
    derived = {} if levels[DERIVED] == FAILURE else {"derived": True}
    return {**series, **derived, **({PEOPLE: True} if levels[PEOPLE] == OFF else {})}


def people_of(patients: Iterable[str], levels: Mapping[str, str]) -> list[str]:
    """Return the code of a warning where stations are of several people; raises ScanError where that is a failure."""
    several = check_people(patients, accepted=levels[PEOPLE] != FAILURE)
    return [PEOPLE] if several and levels[PEOPLE] == WARNING else []


def warnings_of(
    facts: Mapping[str, Any],
    is_derived: bool,
    notes: Sequence[str],
    series: Mapping[str, Any],
    levels: Mapping[str, str],
    suffix: str,
) -> list[str]:
    """Return the codes that are warnings for a scan.

    Parameters
    ----------
    facts : mapping
        What may be told of its header (`wirbel.ingest.headers.facts`).
    is_derived : bool
        The image was made from others.
    notes : sequence of str
        What was left out of the delivery.
    series : mapping
        The setting `series`; images made from others are expected where it says so.
    levels : mapping
        Code -> level, of `not_t2w`, `derived_image` and `files_left_out`.
    suffix : str
        What the scans are called; only of T2w scans a contrast is expected.

    Raises
    ------
    ScanError
        "not_t2w" or "files_left_out" where that is a failure.
    """
    found = [DERIVED] if is_derived and not series.get("derived") else []
    if notes:
        if levels[LEFT_OUT] == FAILURE:
            raise ScanError(LEFT_OUT, f"{'; '.join(notes)}: deliver them again, or set checks")
        found.append(LEFT_OUT)
    times = [facts.get(name) for name in ("EchoTime", "RepetitionTime")]
    why = not_t2w(*(None if time is None else round(1000 * time, 3) for time in times))
    if why and suffix == T2W:
        if levels[NOT_T2W] == FAILURE:
            told = f"the series has {why}: correct the rules in `series`, or set checks.not_t2w"
            raise ScanError(NOT_T2W, told)
        found.append(NOT_T2W)
    return [code for code in found if levels[code] == WARNING]
