"""A simulated scan's true label maps, and what faults need to know about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from wirbel.core import labels as L
from wirbel.core.geometry import Grid, Volume

FAILS = "implausible_result"
ANTERIOR, SUPERIOR = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Spine:
    """Both label maps (arrays of one shape) and their affine."""

    subregion: np.ndarray
    vertebra: np.ndarray
    affine: np.ndarray

    @property
    def volumes(self) -> tuple[Volume, Volume]:
        """The maps as volumes."""
        return Volume(self.subregion, self.affine), Volume(self.vertebra, self.affine)

    @property
    def body(self) -> np.ndarray:
        """Where bodies are."""
        return np.isin(self.subregion, L.BODY_LABELS)

    def points_mm(self, mask: np.ndarray) -> np.ndarray:
        """World mm of a mask's voxels (n, 3)."""
        return Grid(mask.shape, self.affine).to_world(np.argwhere(mask))

    def centre_mm(self, mask: np.ndarray) -> np.ndarray:
        """Mean world mm of a mask (3,)."""
        return self.points_mm(mask).mean(0)

    def names(self) -> list[int]:
        """Vertebrae with a body of at least 1 ml that does not touch the border, from the top down."""
        least = 1000 / abs(np.linalg.det(self.affine[:3, :3]))
        inner = np.zeros(self.body.shape, bool)
        inner[2:-2, 2:-2, 2:-2] = True
        own = [(v, self.body & (self.vertebra == v)) for v in L.LEVELS_TOP_DOWN if v != L.SACRUM]
        return [v for v, mask in own if mask.sum() > least and not (mask & ~inner).any()]

    def without(self, mask: np.ndarray) -> Spine:
        """The same with nothing where `mask` is set."""
        return replace(
            self,
            subregion=np.where(mask, 0, self.subregion),
            vertebra=np.where(mask, 0, self.vertebra),
        )

    def along_mm(self, mask: np.ndarray) -> np.ndarray:
        """Mm downwards of a mask's voxels from its centre (n,)."""
        down = self.points_mm(mask) @ np.array([0, 0, -1.0])
        return down - down.mean()


def where(mask: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the voxels of a mask, in their order, that `chosen` (n,) takes."""
    out = np.zeros(mask.shape, bool)
    out[tuple(np.argwhere(mask)[chosen].T)] = True
    return out


def middle_pair(spine: Spine, fewest: int = 4) -> tuple[int, int] | None:
    """Two neighbours in the middle of those in view, or None if these are fewer."""
    names = spine.names()
    k = len(names) // 2
    return (names[k - 1], names[k]) if len(names) >= fewest else None


Fault = Callable[[Spine], Spine | None]
