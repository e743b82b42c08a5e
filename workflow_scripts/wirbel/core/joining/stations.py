"""What is known of a station that was segmented apart, and which vertebrae two stations both show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from wirbel.core.boxes import label_boxes
from wirbel.core.geometry import Volume
from wirbel.core.labels import BODY_LABELS, LEVEL_NAMES, LEVEL_ORDER, SACRUM

FARTHEST = 0.5
"""Of the distance to the next body, in the station where it is larger: two bodies that are farther apart are not the
same. What the field of view leaves of a body has its centroid less than half a body away, and a disc lies between two
of them."""
NEXT = (0.6, 1.5)
"""Of the distance between bodies: how far the first body of a station may lie from the last one of the station above to
be the next one of the spine, and neither the same nor the next but one."""


@dataclass(frozen=True)
class Station:
    """A station's vertebrae and how it named them by itself.

    Attributes
    ----------
    name : str
        Of the setting `stations`.
    centroids : mapping of int to ndarray, shape (3,)
        Label -> centroid of the vertebra's body, world mm (RAS+), as the station's own header has it.
    confidence : float
        Probability that all of its names are right.
    method : str
        How they were found, as in the column `level_method`.
    alternative : str
        Second most probable level of the uppermost vertebra; "" where there is none.
    above : str
        The station above that it overlaps; "" where it was joined to none.
    motion : ndarray, shape (4, 4)
        From this station's world to that of the station above.
    """

    name: str
    centroids: Mapping[int, np.ndarray]
    confidence: float = 0.0
    method: str = "unknown"
    alternative: str = ""
    above: str = ""
    motion: np.ndarray = field(default_factory=lambda: np.eye(4))

    @property
    def labels(self) -> list[int]:
        """The vertebrae from the top down, as the names say."""
        return sorted(self.centroids, key=lambda label: LEVEL_ORDER[label])


def body_centroids(subregion: Volume, vertebra: Volume) -> dict[int, np.ndarray]:
    """Return label -> centroid (world mm) of every presacral vertebra's body; both maps lie on one grid."""
    bodies = np.where(np.isin(subregion.data, BODY_LABELS), vertebra.data, 0)
    found = {}
    for label, box in label_boxes(bodies).items():
        if label in LEVEL_NAMES and label != SACRUM:
            voxels = np.argwhere(bodies[box] == label) + [part.start for part in box]
            found[label] = vertebra.grid.to_world(voxels).mean(axis=0)
    return found


def chains(stations: Sequence[Station]) -> list[list[Station]]:
    """Return the stations in rows that are joined to each other, from head to feet, in one world each.

    Parameters
    ----------
    stations : sequence of Station
        Of one session, in any order; one whose station above is not among them begins a row.

    Returns
    -------
    list of list of Station
        Centroids are in the world of the row's first station.
    """
    names = {station.name for station in stations}
    rows = [[station] for station in stations if station.above not in names]
    for row in rows:
        motion = np.eye(4)
        while below := next((one for one in stations if one.above == row[-1].name), None):
            motion = motion @ below.motion
            row.append(_moved(below, motion))
    return rows


def _moved(station: Station, motion: np.ndarray) -> Station:
    placed = {
        label: (motion @ np.append(place, 1))[:3] for label, place in station.centroids.items()
    }
    return replace(station, centroids=placed)


def same_vertebrae(upper: Station, lower: Station) -> dict[int, int]:
    """Return label in `lower` -> label in `upper` of the vertebrae that both show.

    Two bodies are the same if each is the nearest to the other, and they lie closer together than FARTHEST allows.

    Examples
    --------
    >>> one = Station("neck", {7: np.array([0, 0, 20.0]), 8: np.array([0, 0, 0.0])})
    >>> same_vertebrae(one, Station("chest", {9: np.array([0, 1, 2.0]), 10: np.array([0, 0, -20.0])}))
    {9: 8}
    """
    if not upper.centroids or not lower.centroids:
        return {}
    ours, theirs = lower.labels, upper.labels
    here = np.array([lower.centroids[label] for label in ours])
    there = np.array([upper.centroids[label] for label in theirs])
    distances = np.linalg.norm(here[:, None] - there[None], axis=2)
    limits = FARTHEST * np.fmax(_spacings(here)[:, None], _spacings(there)[None])
    nearest, back = distances.argmin(axis=1), distances.argmin(axis=0)
    return {
        label: theirs[other]
        for i, (label, other) in enumerate(zip(ours, nearest, strict=True))
        if back[other] == i and distances[i, other] < limits[i, other]
    }


def follows(upper: Station, lower: Station) -> bool:
    """Return whether the first vertebra of `lower` is the one below the last of `upper`.

    Examples
    --------
    >>> one = Station("neck", {7: np.array([0, 0, 20.0]), 8: np.array([0, 0, 0.0])})
    >>> follows(one, Station("chest", {12: np.array([0, 1, -21.0])}))
    True
    """
    ends = [[one.centroids[label] for label in one.labels] for one in (upper, lower)]
    apart = [np.linalg.norm(np.diff(end, axis=0), axis=1) for end in ends if len(end) > 1]
    if not all(ends) or not apart:
        return False
    known = [apart[0][-1], apart[-1][0]]
    step = float(np.linalg.norm(ends[0][-1] - ends[1][0]) / np.mean(known))
    return NEXT[0] < step < NEXT[1]


def _spacings(places: np.ndarray) -> np.ndarray:
    """Return the distance of each place to the nearest other one; NaN for a single place."""
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1)
    return np.where(np.isfinite(nearest), nearest, np.nan)
