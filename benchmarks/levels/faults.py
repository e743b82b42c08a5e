"""What networks do to label maps: faults put into true or predicted maps, one function each.

Each takes a `Case` and a generator, and changes `case.subregion` in place; it returns False where the map has nothing
that the fault could befall. Names of vertebrae stay those of `case.vertebra`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from wirbel.core.geometry import Grid
from wirbel.core.labels import (
    ARCUS,
    BODY_BORDER,
    BODY_LABELS,
    DISC,
    DISC_OFFSET,
    POSTERIOR_ELEMENTS,
    SACRUM,
)


@dataclass
class Case:
    """A map to be spoilt: subregion and true vertebra map (P, I, R), uint8, on `grid`."""

    subregion: np.ndarray
    vertebra: np.ndarray
    grid: Grid

    @cached_property
    def body(self) -> np.ndarray:
        """Where the true bodies are."""
        return np.isin(self.subregion, BODY_LABELS) & (self.vertebra > 0)

    @cached_property
    def labels(self) -> list[int]:
        """Vertebrae with a body, from the top down."""
        found = [int(n) for n in np.unique(self.vertebra[self.body]) if n != SACRUM]
        return sorted(
            found, key=lambda n: np.argwhere(self.body & (self.vertebra == n))[:, 1].mean()
        )

    def of(self, label: int) -> np.ndarray:
        """Return the body of one vertebra."""
        return self.body & (self.vertebra == label)

    def ball(self, centre: np.ndarray, radius_mm: float) -> np.ndarray:
        """Return a ball about an index position."""
        spacing = self.grid.spacing_mm
        reach = np.ceil(radius_mm / spacing).astype(int)
        out = np.zeros(self.subregion.shape, bool)
        low = np.maximum(np.floor(centre).astype(int) - reach, 0)
        high = np.minimum(np.ceil(centre).astype(int) + reach + 1, out.shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        if any(s.start >= s.stop for s in box):
            return out
        at = np.stack(np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij"), -1)
        out[box] = (((at - centre) * spacing) ** 2).sum(-1) <= radius_mm**2
        return out


def _sacrum(case: Case) -> np.ndarray | None:
    voxels = np.argwhere(case.subregion == SACRUM)
    return voxels if len(voxels) * np.prod(case.grid.spacing_mm) > 5000 else None


def bit_about_the_sacrum(case: Case, random) -> bool:
    """A bit of 0.2 to 3 ml in, behind, below or in front of the sacrum."""
    sacrum = _sacrum(case)
    if sacrum is None:
        return False
    away = random.choice([(0, 0), (12, 0), (25, 5), (0, 45), (-60, 50)])
    shift = np.array([*away, 0.0]) / case.grid.spacing_mm
    where = case.ball(sacrum.mean(0) + shift, random.uniform(3.7, 9)) & ~case.body
    where &= np.isin(case.subregion, (0, SACRUM))
    case.subregion[where] = BODY_BORDER
    return bool(where.any())


def s1_called_body(case: Case, random) -> bool:
    """The first segment of the sacrum is called body, with a remnant of a disc below it or without."""
    sacrum = _sacrum(case)
    if sacrum is None or not case.labels:
        return False
    last = np.argwhere(case.of(case.labels[-1]))
    spacing = case.grid.spacing_mm
    axis = sacrum.mean(0) * spacing - last.mean(0) * spacing
    axis /= np.linalg.norm(axis)
    along = (sacrum * spacing) @ axis
    top = np.quantile(along, 0.01)
    middle = np.abs(sacrum[:, 2] - last[:, 2].mean()) * spacing[2] < random.uniform(20, 45)
    front = (sacrum[:, 0] - last[:, 0].min()) * spacing[0] < random.uniform(38, 60)
    height = random.uniform(22, 29)
    s1 = sacrum[(along < top + height) & middle & front]
    case.subregion[tuple(s1.T)] = BODY_BORDER
    if random.random() < 0.7:
        near = (along >= top + height) & (along < top + height + 3.5) & middle
        depth = np.abs(sacrum[:, 0] - s1[:, 0].mean()) * spacing[0] < random.uniform(6, 10)
        case.subregion[tuple(sacrum[near & depth].T)] = DISC
    return True


def half_of_last_called_sacrum(case: Case, random) -> bool:
    """The lower part of the last body is called sacrum."""
    if _sacrum(case) is None or not case.labels:
        return False
    last = np.argwhere(case.of(case.labels[-1]))
    lower = last[:, 1] > np.quantile(last[:, 1], random.uniform(0.4, 0.7))
    case.subregion[tuple(last[lower].T)] = SACRUM
    return True


def topmost_reduced(case: Case, random) -> bool:
    """Of the topmost body a bit is left."""
    top = case.of(case.labels[0])
    keep = case.ball(np.argwhere(top).mean(0) + random.normal(0, 2, 3), random.uniform(4, 8))
    case.subregion[top & ~keep] = 0
    return True


def bit_at_the_top(case: Case, random) -> bool:
    """A bit of body at the upper border, above the topmost vertebra or beside its arch."""
    place = np.argwhere(case.of(case.labels[0])).mean(0)
    place[1] = random.uniform(0, 4)
    place[0] += random.choice([0, 25]) / case.grid.spacing_mm[0]
    where = case.ball(place, random.uniform(3.5, 7)) & (case.subregion == 0)
    case.subregion[where] = BODY_BORDER
    return bool(where.any())


def body_in_halves(case: Case, random) -> bool:
    """A dark band parts one body: upper from lower, front from back, or left from right half."""
    body = case.of(int(random.choice(case.labels)))
    axis = int(random.choice([0, 1, 1, 1]))
    voxels = np.argwhere(body)
    wide = random.uniform(1.5, 5.0) / case.grid.spacing_mm[axis]
    band = np.abs(voxels[:, axis] - voxels[:, axis].mean()) <= wide / 2
    case.subregion[tuple(voxels[band].T)] = 0
    return True


def vertebra_missing(case: Case, random) -> bool:
    """One vertebra, or two neighbours, have no label at all."""
    if len(case.labels) < 4:
        return False
    first = int(random.integers(1, len(case.labels) - 1))
    for label in case.labels[first : first + int(random.choice([1, 1, 2]))]:
        case.subregion[case.vertebra == label] = 0
        if random.random() < 0.5:
            case.subregion[case.vertebra == DISC_OFFSET + label] = 0
    return True


def body_missing(case: Case, random) -> bool:
    """One body has no label, its arch has."""
    case.subregion[case.of(int(random.choice(case.labels)))] = 0
    return True


def block_vertebra(case: Case, random) -> bool:
    """Two bodies without a disc between: bone from one to the other."""
    if len(case.labels) < 2:
        return False
    upper = int(random.choice(case.labels[:-1]))
    gap = np.isin(case.vertebra, (DISC_OFFSET + upper, 2 * DISC_OFFSET + upper))
    if random.random() < 0.4:
        half = np.argwhere(gap)[:, 0].mean() if gap.any() else 0
        gap[int(half) :] = False
    case.subregion[gap] = BODY_BORDER
    return bool(gap.any())


def discs_missing(case: Case, random) -> bool:
    """One to three discs were not found."""
    discs = [n for n in np.unique(case.vertebra) if DISC_OFFSET < n < 2 * DISC_OFFSET]
    if not discs:
        return False
    for disc in random.choice(discs, min(len(discs), int(random.integers(1, 4))), replace=False):
        case.subregion[case.vertebra == disc] = 0
    return True


def fronts_missing(case: Case, random) -> bool:
    """A saturation band or the border leaves out the front of several bodies and their discs."""
    share = random.uniform(0.2, 0.6)
    for label in random.permutation(case.labels)[: int(random.integers(2, len(case.labels) + 1))]:
        voxels = np.argwhere(
            np.isin(case.vertebra, (label, DISC_OFFSET + label)) & (case.subregion > 47)
        )
        voxels = voxels[np.isin(case.subregion[tuple(voxels.T)], (*BODY_LABELS, DISC))]
        front = voxels[:, 0] < np.quantile(voxels[:, 0], share)
        case.subregion[tuple(voxels[front].T)] = 0
    return True


def arches_missing(case: Case, random) -> bool:
    """Posterior elements of a stretch of the spine were not found."""
    first = int(random.integers(0, len(case.labels)))
    stretch = case.labels[first : first + int(random.integers(1, 5))]
    gone = np.isin(case.vertebra, stretch) & np.isin(case.subregion, (*POSTERIOR_ELEMENTS, ARCUS))
    case.subregion[gone] = 0
    return bool(gone.any())


def crushed_body(case: Case, random) -> bool:
    """A body loses up to 60 % of its height."""
    voxels = np.argwhere(case.of(int(random.choice(case.labels))))
    lost = voxels[:, 1] < np.quantile(voxels[:, 1], random.uniform(0.2, 0.6))
    case.subregion[tuple(voxels[lost].T)] = 0
    return True


def false_sacrum(case: Case, random) -> bool:
    """A piece of 2 to 8 ml far from the sacrum is called sacrum."""
    low = np.array(case.subregion.shape) * random.uniform(0.1, 0.9, 3)
    where = case.ball(low, random.uniform(8, 12)) & (case.subregion == 0)
    case.subregion[where] = SACRUM
    return bool(where.any())


FAULTS: tuple[Callable[[Case, np.random.Generator], bool], ...] = (
    bit_about_the_sacrum,
    s1_called_body,
    half_of_last_called_sacrum,
    topmost_reduced,
    bit_at_the_top,
    body_in_halves,
    vertebra_missing,
    body_missing,
    block_vertebra,
    discs_missing,
    fronts_missing,
    arches_missing,
    crushed_body,
    false_sacrum,
)
