"""What each source says about every voxel of a scan: the set of structures that it may be.

The sets of a voxel come from the source's label scheme. Where the source has no voxels, or is not trusted at all in a
structure, it says nothing about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from wirbel.core.geometry import Grid, Volume, reorient
from wirbel.core.label_schemes import ANYTHING, BACKGROUND, Labels, LabelScheme
from wirbel.core.labels import BODY, BODY_BORDER, SUBREGION_NAMES
from wirbel.core.resampling import resample_labels

CLASSES: tuple[int, ...] = (BACKGROUND, *(label for label in SUBREGION_NAMES if label != BODY))
"""What a fused voxel may be; both labels of the body are one class, `BODY_BORDER`."""
NOTHING_SAID: Labels = frozenset(CLASSES)
DEFAULT_TRUST = 1.0
SAME_MM = 1e-3
"""Largest difference of two affines that count as equal."""


@dataclass(frozen=True)
class Source:
    """One segmentation of a scan.

    Attributes
    ----------
    name : str
        For tables and messages.
    numbers : Volume
        In the source's own numbers, on any grid.
    scheme : LabelScheme
        What they mean.
    trust : mapping of int to float
        Our label -> weight in this structure; 1 where it says nothing, 0 for no trust at all. It weighs both what the
        source says to be this structure and what it says not to be.
    vertebrae : Volume, optional
        Vertebra map in our numbers, on any grid. Default: what the scheme knows of vertebrae.
    """

    name: str
    numbers: Volume
    scheme: LabelScheme
    trust: Mapping[int, float] = field(default_factory=dict)
    vertebrae: Volume | None = None

    def weights(self) -> np.ndarray:
        """Return the trust in each of `CLASSES` but background, whose entry is 0."""
        return np.array([0.0, *(self.trust.get(label, DEFAULT_TRUST) for label in CLASSES[1:])])

    def vertebra_map(self, grid: Grid) -> np.ndarray:
        """Return its vertebra map on a grid (uint8); 0 where it names no vertebra."""
        own = self.vertebrae
        if own is None:
            own = self.numbers.with_data(self.scheme.vertebra_map(self.numbers.data))
        return on_grid(own, grid, outside=0).astype(np.uint8)


@dataclass(frozen=True)
class Statements:
    """A source's sets on the scan's grid.

    Attributes
    ----------
    sets : tuple of frozenset of int
        The sets that it tells apart, of `CLASSES`; the last one is `NOTHING_SAID`.
    places : ndarray of uint8, shape (i, j, k)
        Positions in `sets`.
    """

    sets: tuple[Labels, ...]
    places: np.ndarray

    def allowed(self) -> np.ndarray:
        """Return which classes each set allows: bool, shape (sets, classes)."""
        return np.array([[label in labels for label in CLASSES] for labels in self.sets])


def statements_of(source: Source, grid: Grid) -> Statements:
    """Return what a source says about the voxels of a grid.

    Raises
    ------
    UnknownLabelError
        If its map has a number that its scheme does not list.
    """
    places = source.scheme.read(source.numbers.data, source.name)
    distrusted = {label for label in CLASSES[1:] if source.trust.get(label, DEFAULT_TRUST) <= 0}
    sets = tuple(_said(labels, distrusted) for labels in source.scheme.sets)
    there = on_grid(source.numbers.with_data(places), grid, outside=len(sets))
    return Statements((*sets, NOTHING_SAID), there.astype(np.uint8))


def on_grid(labels: Volume, grid: Grid, outside: int) -> np.ndarray:
    """Return a map on another grid, the strongest of the interpolated labels; `outside` beyond its field of view.

    0 is a label as any other here.
    """
    turned = reorient(labels, grid.axes)
    if turned.data.shape == grid.shape and np.allclose(turned.affine, grid.affine, atol=SAME_MM):
        return turned.data
    shifted = turned.with_data(turned.data.astype(np.uint16) + np.uint16(1))
    data = resample_labels(shifted, grid).data
    return np.where(data == 0, outside, data.astype(np.int32) - 1)


def _said(labels: Labels, distrusted: set[int]) -> Labels:
    """Return a scheme's set in `CLASSES`; structures in which the source is not trusted are left open."""
    merged = frozenset(BODY_BORDER if label == BODY else label for label in labels)
    if labels == ANYTHING or merged <= distrusted:
        return NOTHING_SAID
    return merged | distrusted
