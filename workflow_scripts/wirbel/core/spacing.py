"""Voxel sizes. Nothing heavy is imported: every start of the workflow needs this."""

from __future__ import annotations

from collections.abc import Sequence


def spacing_within(
    given_mm: Sequence[float], limits_mm: Sequence[Sequence[float]]
) -> tuple[float, float, float]:
    """Return a voxel size in mm along three axes, clipped to `limits_mm` (smallest sizes, largest
    sizes).
    """
    low, high = limits_mm
    i, j, k = (max(min(size, high[n]), low[n]) for n, size in enumerate(given_mm))
    return float(i), float(j), float(k)
