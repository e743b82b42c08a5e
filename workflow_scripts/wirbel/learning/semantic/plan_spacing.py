"""Resample between the model grid and the voxel size in nnU-Net's plans, if they differ.

Published folders give both; usually they are equal and nothing happens here. nnU-Net's own
resampling is used and imported only when needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOO_MANY = 1 << 31
"""Most voxels of a resampled image; with more, the spacing in the plans must be wrong."""


@dataclass(frozen=True)
class PlanSpacing:
    """Voxel sizes in mm along the network's axes, and how plans.json resamples to them and back."""

    spacing_mm: tuple[float, ...]
    image_settings: dict
    scores_settings: dict

    def shape_for(self, shape: tuple[int, ...], given_mm: tuple[float, ...]) -> tuple[int, ...]:
        """Return the shape at the plans' spacing of an array with `shape` at `given_mm`."""
        pairs = zip(shape, given_mm, self.spacing_mm, strict=True)
        found = tuple(max(1, round(given / wanted * n)) for n, given, wanted in pairs)
        if np.prod(found, dtype=float) > TOO_MANY:
            raise ValueError(f"plans.json asks for voxels of {self.spacing_mm} mm: too many")
        return found

    def to_plan(self, data: np.ndarray, given_mm: tuple[float, ...]) -> np.ndarray:
        """Resample an image, shape (1, x, y, z), to the plans' spacing; return the same array if it
        has it.
        """
        shape = self.shape_for(data.shape[1:], given_mm)
        return _resample(data, shape, given_mm, self.spacing_mm, self.image_settings)

    def from_plan(
        self, scores: np.ndarray, shape: tuple[int, ...], given_mm: tuple[float, ...]
    ) -> np.ndarray:
        """Resample scores, shape (classes, x, y, z), back to `shape` at `given_mm`."""
        return _resample(scores, shape, self.spacing_mm, given_mm, self.scores_settings)


def _resample(data, shape, from_mm, to_mm, settings):
    if tuple(data.shape[1:]) == tuple(shape):
        return data
    from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape

    return resample_data_or_seg_to_shape(data, shape, from_mm, to_mm, **settings)
