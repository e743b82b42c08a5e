"""The stations of a scan, each from its own series of what was delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wirbel.errors import NO_SCAN, ScanError
from wirbel.ingest.delivery import Converted, converted_of, look_into
from wirbel.plan.series_rules import SeriesRules

MISSING_REASONS = (
    *("no_series", "no_dicom", "unreadable", "incomplete_series", "not_converted"),
    *("archive_damaged", "archive_encrypted", "archive_bomb", "archive_nested", "content_missing"),
    *("derived_image", "bad_geometry", "bad_intensities"),
)
"""What makes a station missing; anything else is a question of the rules, and refused."""
NOTHING = ("no_series", NO_SCAN)
"""Nothing was delivered that fits."""


@dataclass(frozen=True)
class Stations:
    """The stations of a scan that were found, and why the others were not: name -> reason; and what converted them.

    `alone` is the station that is a scan of its own; empty: all are put together.
    """

    found: dict[str, Converted]
    missing: dict[str, str]
    software: str = "dcm2niix"
    alone: str = ""


def convert_stations(
    paths: Sequence[Path],
    rules: Mapping[str, SeriesRules],
    *,
    best: bool = False,
    alone: str = "",
) -> Stations:
    """Return each station's volume.

    Parameters
    ----------
    paths : sequence of Path
        Folders, archives or files, all of one scan.
    rules : mapping of str to SeriesRules
        Name of a station -> which series it is.
    best : bool
        Where several series fit a station, take the best. Default: refuse.
    alone : str
        The station that is a scan of its own: its faults count, those of others do not. Default: none.

    Returns
    -------
    Stations
        At least one was found.

    Raises
    ------
    ScanError
        As `convert` does: if no station was found, the first one's fault, or if a station cannot be
        told apart from others.
    """
    delivered = look_into(paths)
    found: dict[str, Converted] = {}
    faults: dict[str, ScanError] = {}
    for name, rule in rules.items():
        try:
            found[name] = converted_of(paths, delivered, rule, best=best)
        except ScanError as fault:
            if fault.reason not in MISSING_REASONS and not alone:
                raise ScanError(fault.reason, f"station {name}: {fault.detail}") from None
            faults[name] = fault
    return found_of(found, faults, "dcm2niix", alone)


def found_of(
    found: dict[str, Converted], faults: Mapping[str, ScanError], software: str, alone: str = ""
) -> Stations:
    """Return the stations that were found; raises the fault that says most if none was, or that of `alone`."""
    if alone in faults:
        raise telling({alone: faults[alone]})
    if not found:
        raise telling(faults)
    missing = {name: fault.reason for name, fault in faults.items()}
    return Stations(found, missing, software, alone)


def telling(faults: Mapping[str, ScanError]) -> ScanError:
    """Return the fault that says most: that nothing fits says least."""
    told = list(faults.items())
    name, fault = next((one for one in told if one[1].reason not in NOTHING), told[0])
    return ScanError(fault.reason, f"station {name}: {fault.detail}")
