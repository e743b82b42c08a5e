"""Simulate mistakes of the semantic phase, to train the instance network.

Every function takes a uint8 subregion cut-out (P, I, R), changes it in place or returns a changed
copy, and draws from the given numpy Generator. The vertebrae to predict stay true.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.labels import (
    BODY_BORDER,
    BODY_LABELS,
    DISC,
    ENDPLATE,
    POSTERIOR_ELEMENTS,
    SACRUM,
)

NOISE_LABELS = (*POSTERIOR_ELEMENTS, BODY_BORDER, DISC, ENDPLATE)


def add_errors(
    labels: np.ndarray, vertebrae: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Return a copy of `labels` with a random selection of errors.

    Parameters
    ----------
    labels : ndarray of uint8, shape (P, I, R)
        Subregion cut-out.
    vertebrae : ndarray of uint8, shape (P, I, R)
        True vertebra map.
    random : numpy.random.Generator
        Source of all randomness.
    """
    out = labels.copy()
    steps = (
        (0.25, lambda: merge_neighbouring_bodies(out, vertebrae, random)),
        (0.30, lambda: drop_structures(out, vertebrae, random)),
        (0.30, lambda: drop_discs(out, vertebrae, random)),
        (0.60, lambda: corrupt_blobs(out, random)),
        (0.40, lambda: grow_or_shrink(out, random)),
        (0.30, lambda: swap_neighbouring_labels(out, random)),
        (0.20, lambda: roughen(out, random)),
    )
    for probability, apply in steps:
        if random.random() < probability:
            apply()
    return out


def merge_neighbouring_bodies(labels, vertebrae, random) -> None:
    """Fill one disc and its endplates with vertebral body, so that two bodies merge."""
    discs = _values(vertebrae, 101, 200)
    if len(discs):
        disc = random.choice(discs)
        between = (vertebrae == disc) | (vertebrae == disc + 100)
        if random.random() < 0.5:  # a bridge in only some of the slices
            first = random.integers(0, labels.shape[2])
            between[:, :, first : first + int(random.integers(3, 12))] = False
        labels[between] = BODY_BORDER


def drop_structures(labels, vertebrae, random) -> None:
    """Remove one to three posterior structures of one to three vertebrae."""
    present = _values(vertebrae, 1, 100)
    if not len(present):
        return
    for vertebra in random.choice(present, min(len(present), int(random.integers(1, 4)))):
        for structure in random.choice(POSTERIOR_ELEMENTS, int(random.integers(1, 4))):
            labels[(vertebrae == vertebra) & (labels == structure)] = 0


def drop_discs(labels, vertebrae, random) -> None:
    """Remove discs, or replace endplates by background or disc."""
    for disc in _values(vertebrae, 101, 200):
        chance = random.random()
        if chance < 0.25:
            labels[vertebrae == disc] = 0
        elif chance < 0.5:
            labels[vertebrae == disc + 100] = 0 if random.random() < 0.5 else DISC


def corrupt_blobs(labels, random) -> None:
    """Overwrite a few ellipsoids with background or any other structure."""
    for _ in range(int(random.integers(1, 6))):
        on_spine = random.random() < 0.75
        box, inside = _random_ellipsoid(labels, random, on_spine)
        new = 0 if random.random() < 0.5 else int(random.choice(NOISE_LABELS))
        region = labels[box]
        if on_spine:
            inside &= region != 0  # a mislabelled piece of the structure, not a new body
        region[inside] = new


def grow_or_shrink(labels, random) -> None:
    """Shift the outline of all structures, or of bone, by an in-plane voxel."""
    footprint = ndimage.generate_binary_structure(2, 1)[:, :, None]
    if random.random() < 0.5:
        kernel = np.ones((3, 3, 1), bool) if random.random() < 0.5 else footprint
        grown = ndimage.grey_dilation(labels, footprint=kernel)
        bones = np.isin(grown, (*POSTERIOR_ELEMENTS, *BODY_LABELS, SACRUM))
        take = (labels == 0) & bones
        labels[take] = grown[take]
    else:
        labels[~ndimage.binary_erosion(labels > 0, footprint, border_value=1)] = 0


def swap_neighbouring_labels(labels, random) -> None:
    """Swap two posterior structures in part of the field of view."""
    first, second = random.choice(POSTERIOR_ELEMENTS, 2, replace=False)
    start = int(random.integers(0, labels.shape[1]))
    part = labels[:, start : start + int(random.integers(20, 80))]
    a, b = part == first, part == second
    part[a] = second
    if random.random() < 0.5:
        part[b] = first


def roughen(labels, random) -> None:
    """Take some voxels from a random neighbour, which gives ragged outlines."""
    shift = [int(s) for s in random.integers(-1, 2, 2)]
    moved = np.roll(labels, shift, (0, 1))
    noise = ndimage.gaussian_filter(
        random.standard_normal(labels.shape, np.float32), (1.5, 1.5, 0.5)
    )
    take = noise > 0.05
    labels[take] = moved[take]


def _values(vertebrae, low, high):
    present = np.unique(vertebrae)
    return present[(present >= low) & (present < high)]


def _random_ellipsoid(labels, random, on_spine):
    """Return box and mask (inside the box) of an ellipsoid with an in-plane radius of 3 to 14 voxels."""
    candidates = np.flatnonzero(labels) if on_spine else np.empty(0, int)
    pick = random.choice(candidates) if len(candidates) else random.integers(labels.size)
    centre = np.array(np.unravel_index(pick, labels.shape))
    radius = np.array([*random.uniform(3, 14, 2), random.uniform(1, 5)])
    low = np.maximum(0, np.floor(centre - radius)).astype(int)
    high = np.minimum(labels.shape, np.ceil(centre + radius).astype(int) + 1)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    grid = np.ogrid[box]
    distance = sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radius, strict=True))
    return box, distance <= 1
