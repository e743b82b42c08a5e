"""Choose the series of a delivery that the rules describe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wirbel.errors import ScanError
from wirbel.ingest.headers.header import SECONDARY_CAPTURE
from wirbel.ingest.headers.series import Series
from wirbel.plan.checks import PEOPLE
from wirbel.plan.series_rules import FEWEST_SLICES, SeriesRules

MOST_TOLD = 4
MODALITY = "MR"


def chosen_series(found: Sequence[Series], rules: SeriesRules, *, best: bool = False) -> Series:
    """Return the series that fits.

    Parameters
    ----------
    found : sequence of Series
        All series of a delivery.
    rules : SeriesRules
        What it has to be.
    best : bool
        Where several fit, take the one with the most slices, then with the highest series number (a
        series is repeated because the one before was not good). Default: refuse.

    Raises
    ------
    ScanError
        "no_dicom", "no_series", "derived_image", "several_people" or "several_series".
    """
    if not found:
        told = "no DICOM image was found: expected the files of a series, with the magic word DICM"
        raise ScanError("no_dicom", told)
    misfits = {id(one): misfit(one, rules) for one in found}
    fitting = [one for one in found if not misfits[id(one)]]
    original = [one for one in fitting if rules.derived or not one.first.is_derived]
    if fitting and not original:
        raise ScanError(
            "derived_image",
            f"the series that fits ({fitting[0].in_words()}) is a secondary capture, or derived from other images: "
            "export the original series (or set series.derived)",
        )
    if not original:
        raise ScanError("no_series", _none_fits(found, [misfits[id(one)] for one in found]))
    check_people((one.first.patient for one in original), accepted=rules.people)
    if len(original) > 1 and not best:
        told = "; ".join(one.in_words() for one in original[:MOST_TOLD])
        raise ScanError(
            "several_series",
            f"{len(original)} series fit the rules ({told}): make the rules in `series` narrower, or set "
            "one_per_session",
        )
    return max(original, key=_rank)


def check_people(patients: Iterable[str], *, accepted: bool = False) -> bool:
    """Return whether images are of several people, as far as their headers say; raises ScanError "several_people"."""
    number = len(set(filter(None, patients)))
    if number > 1 and not accepted:
        raise ScanError(
            PEOPLE,
            f"the images that fit the rules are of {number} people, by their PatientID: deliver each person's apart; "
            f"if it is one person, set checks: {{{PEOPLE}: off}}",
        )
    return number > 1


def misfit(series: Series, rules: SeriesRules) -> str:
    """Return why a series does not fit, in numbers and words of the rules; "" if it does."""
    first = series.first
    # Captures of a screen (modality OT) without any series beside them are refused as what they are.
    captured = first.sop_class.startswith(SECONDARY_CAPTURE) and not rules.derived
    if first.modality != MODALITY and not captured:
        return "no MR images"
    if series.slices < FEWEST_SLICES:
        return f"{series.slices} slices"
    texts = (first.description, first.protocol)
    if rules.description and not any(_contains(rules.description, text) for text in texts):
        return "another description"
    if rules.exclude and any(_contains(rules.exclude, text) for text in texts):
        return "an excluded description"
    if not set(rules.image_type) <= {value.upper() for value in first.image_type}:
        return "another image type"
    # A capture of a screen has no orientation: it is refused as one, not as another plane.
    if rules.orientation != "any" and first.orientation not in (rules.orientation, ""):
        return f"{first.orientation} slices"
    return _out_of_range(series, rules)


def _contains(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _out_of_range(series: Series, rules: SeriesRules) -> str:
    first = series.first
    values = {
        "echo_time_ms": first.echo_time_ms,
        "in_plane_mm": max(first.pixel_mm, default=None),
        "slice_mm": first.slice_mm,
        "slices": float(series.slices),
    }
    for name, low, high in rules.ranges:
        value = values[name]
        if value is None:
            if first.is_derived:
                continue
            return f"no {name}"
        if (low is not None and value < low) or (high is not None and value > high):
            return f"{name} {value:g}"
    return ""


def _none_fits(found: Sequence[Series], misfits: Sequence[str]) -> str:
    pairs = zip(found, misfits, strict=True)
    told = "; ".join(f"{one.in_words()}: {misfit}" for one, misfit in list(pairs)[:MOST_TOLD])
    more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return f"none of {len(found)} series fits the rules in `series` ({told}{more})"


def _rank(series: Series) -> tuple[int, int, int]:
    first = series.first
    return series.slices, first.series_number or 0, first.rows * first.columns
