"""Names of stations that are scans of their own: `chunk-1`, `chunk-2` in the order of the setting `stations`, as BIDS
has it for parts of one body with different fields of view.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wirbel.io.dataset.entities import entities_of, name_of
from wirbel.io.dataset.scan_names import FoundScan

CHUNK = "chunk"


def apart(scans: Iterable[FoundScan], names: Sequence[str]) -> list[FoundScan]:
    """Return one scan for each station of each session; all of a session stand for the same files."""
    return sorted(
        scan._replace(scan_id=station_scan(scan.scan_id, place))
        for scan in scans
        for place, _ in enumerate(names, start=1)
    )


def station_scan(session: str, place: int) -> str:
    """Return what the scan of a session's station is called; stations are counted from 1.

    Examples
    --------
    >>> station_scan("sub-01_ses-a", 2)
    'sub-01_ses-a_chunk-2'
    """
    return _named(session, str(place))


def station_of(scan_id: str, names: Sequence[str]) -> str:
    """Return the station's name; "" for a scan that is none.

    Examples
    --------
    >>> station_of("sub-01_ses-a_chunk-2", ["neck", "chest"]), station_of("sub-01_ses-a", ["neck", "chest"])
    ('chest', '')
    """
    place = entities_of(scan_id).get(CHUNK, "") if names else ""
    return names[int(place) - 1] if place.isdecimal() and 0 < int(place) <= len(names) else ""


def session_of(scan_id: str) -> str:
    """Return what the scan that a station belongs to would be called if its stations were put together.

    Examples
    --------
    >>> session_of("sub-01_ses-a_chunk-2")
    'sub-01_ses-a'
    """
    return _named(scan_id, "")


def _named(scan_id: str, chunk: str) -> str:
    has = entities_of(scan_id)
    participant, session = f"sub-{has['sub']}", f"ses-{has['ses']}" if "ses" in has else ""
    return name_of(participant, session, {**has, "ses": "", CHUNK: chunk})
