"""Files of a delivery that belong together, and whether they make a whole scan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from wirbel.errors import ScanError
from wirbel.ingest.headers.header import DicomHeader

UNEVEN_SHARE = 0.05
"""Distances of slices that differ more from their median are not even; scanners round to 0.1 %."""
SAME_PLACE_MM = 0.01
MISSING_SHARE = 0.5
"""A distance that is so much larger than the median is a gap."""


@dataclass(frozen=True)
class Series:
    """Files with the same series UID, echo time, size and orientation, sorted along the normal."""

    headers: tuple[DicomHeader, ...]

    @property
    def first(self) -> DicomHeader:
        """The first file, for what all have in common."""
        return self.headers[0]

    @property
    def slices(self) -> int:
        """Number of slices: frames of all files."""
        return sum(header.frames for header in self.headers)

    @property
    def places(self) -> frozenset[int]:
        """The files' places in the delivery."""
        return frozenset(header.place for header in self.headers)

    @property
    def distances_mm(self) -> np.ndarray:
        """Distances of neighbouring slices along the normal, in mm; empty where positions are missing."""
        positions = [place for header in self.headers for place in header.positions]
        if self.first.normal is None or len(positions) != self.slices:
            return np.empty(0)
        return np.diff(np.sort(np.array(positions) @ self.first.normal))

    def in_words(self) -> str:
        """Return the series in numbers, without any text of its header."""
        first = self.first
        told = [f"{self.slices} {first.orientation or 'unoriented'} slices"]
        told += [f"{first.rows} x {first.columns} pixels"]
        told += [] if first.echo_time_ms is None else [f"echo time {first.echo_time_ms:g} ms"]
        return ", ".join(told)


def gathered(headers: Iterable[DicomHeader]) -> list[Series]:
    """Return the series of a delivery, in the order of their first files; files that are there twice
    count once.
    """
    groups: dict[tuple, list[DicomHeader]] = {}
    seen: set[str] = set()
    for header in headers:
        if header.instance and header.instance in seen:
            continue
        seen.add(header.instance)
        groups.setdefault(_key(header), []).append(header)
    return [Series(tuple(group)) for group in groups.values()]


def _key(header: DicomHeader) -> tuple:
    echo = None if header.echo_time_ms is None else round(header.echo_time_ms, 1)
    directions = tuple(round(cosine, 1) + 0.0 for cosine in header.directions)
    return header.series, echo, header.rows, header.columns, directions


def check_series(series: Series) -> None:
    """Refuse a series that is no whole scan.

    Raises
    ------
    ScanError
        "derived_image", "bad_geometry", "incomplete_series" or "several_series".
    """
    first = series.first
    if first.normal is None or not first.pixel_mm or min(first.pixel_mm) <= 0:
        what = "orientation" if first.normal is None else "pixel size"
        raise ScanError(
            "bad_geometry",
            f"the series ({series.in_words()}) has no {what} in its header, so it is no scan but a capture of one: "
            "export the original series",
        )
    cut = sum(header.is_cut_short for header in series.headers)
    if cut:
        told = f"{cut} of {len(series.headers)} files end before their pixels do: copy them again"
        raise ScanError("incomplete_series", told)
    _check_distances(series)


def _check_distances(series: Series) -> None:
    distances = series.distances_mm
    if not distances.size:
        told = "positions of slices are missing, so their distance is not known: export it again"
        raise ScanError("bad_geometry", f"the series ({series.in_words()}): {told}")
    if distances.min() < SAME_PLACE_MM:
        same = int((distances < SAME_PLACE_MM).sum())
        told = (
            f"{same} slices lie where another one lies: the series holds several images; export one"
        )
        raise ScanError("several_series", f"the series ({series.in_words()}): {told}")
    median = float(np.median(distances))
    gaps = distances > (1 + MISSING_SHARE) * median
    if gaps.any():
        missing = int(np.round(distances[gaps] / median - 1).sum())
        told = f"{missing} slices are missing between others, {median:.3g} mm apart: fetch them"
        raise ScanError("incomplete_series", f"the series ({series.in_words()}): {told}")
    if np.abs(distances / median - 1).max() > UNEVEN_SHARE:
        told = f"distances of slices vary from {distances.min():.3g} to {distances.max():.3g} mm"
        raise ScanError(
            "bad_geometry", f"the series ({series.in_words()}): {told}; export it again"
        )
