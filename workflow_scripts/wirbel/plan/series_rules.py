"""Rules that choose a DICOM series by its header, as the settings `series` and `stations` give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wirbel.plan.checks import PEOPLE

NUMBERS = ("echo_time_ms", "in_plane_mm", "slice_mm", "slices")
"""Rules that are ranges, `{from: LOW, to: HIGH}`."""
FEWEST_SLICES = 3
"""A series with fewer is no scan of a spine, whatever the rules say: a localiser, or a remnant."""


class RuleError(ValueError):
    """A rule that cannot be understood; says which and what was expected."""


@dataclass(frozen=True)
class SeriesRules:
    """What a series has to be.

    Attributes
    ----------
    description, exclude : str
        Regular expressions (any case) that the series' description or the protocol's name has to
        contain, or must not contain; empty: any.
    orientation : str
        "sagittal", "coronal", "axial", or "any".
    ranges : tuple of (name, low, high)
        Of NUMBERS; a limit that is None does not count.
    image_type : tuple of str
        Values that must be among those of ImageType.
    derived : bool
        Accept images that were made from others.
    people : bool
        Series of several people may fit, of which the best is taken.
    name : str
        Of stations that are NIfTI files: regular expression (any case) that the file's name has to
        contain.
    """

    description: str = ""
    exclude: str = ""
    orientation: str = "sagittal"
    ranges: tuple[tuple[str, float | None, float | None], ...] = ()
    image_type: tuple[str, ...] = ()
    derived: bool = False
    name: str = ""
    people: bool = False


def rules_of(content: Mapping[str, Any], where: str = "series") -> SeriesRules:
    """Return rules from the settings' words; raises RuleError naming the setting `where`.

    Examples
    --------
    >>> rules_of({"description": "T2.*SAG", "echo_time_ms": {"from": 60}}).ranges
    (('echo_time_ms', 60.0, None),)
    """
    for key in ("description", "exclude", "name"):
        _check_pattern(str(content.get(key, "")), f"{where}.{key}")
    ranges = tuple(_range(name, content[name], where) for name in NUMBERS if name in content)
    image_type = content.get("image_type", ())
    values = image_type.split(",") if isinstance(image_type, str) else image_type
    return SeriesRules(
        str(content.get("description", "")),
        str(content.get("exclude", "")),
        str(content.get("orientation", "sagittal")),
        ranges,
        tuple(str(value).strip().upper() for value in values),
        bool(content.get("derived", False)),
        str(content.get("name", "")),
        bool(content.get(PEOPLE, False)),
    )


def stations_of(
    stations: Mapping[str, Mapping[str, Any]], series: Mapping[str, Any]
) -> dict[str, SeriesRules]:
    """Return name -> rules of each station: those of all series, and its own; raises RuleError."""
    named = [name for name, own in stations.items() if own.get("name")]
    if named and len(named) < len(stations):
        lacking = next(name for name in stations if name not in named)
        raise RuleError(
            f"setting 'stations.{lacking}': expected name, as the other stations have it: stations are NIfTI files "
            "(name), or DICOM series (description and the like)"
        )
    return {name: rules_of({**series, **own}, f"stations.{name}") for name, own in stations.items()}


def _check_pattern(pattern: str, where: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise RuleError(
            f"setting '{where}': {pattern!r} is not a regular expression: {error}"
        ) from None


def _range(name: str, content: Any, where: str) -> tuple[str, float | None, float | None]:
    limits = [None if content.get(key) is None else content[key] for key in ("from", "to")]
    try:
        low, high = (None if limit is None else float(limit) for limit in limits)
    except (TypeError, ValueError):
        raise RuleError(f"setting '{where}.{name}': expected numbers, found {limits}") from None
    return name, low, high
