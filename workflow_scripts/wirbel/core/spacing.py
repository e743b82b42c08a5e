"""Voxel sizes. Nothing heavy is imported: every start of the workflow needs this."""

from __future__ import annotations

from collections.abc import Sequence


def spacing_within(
    given_mm: Sequence[float], limits_mm: Sequence[Sequence[float]]
) -> tuple[float, float, float]:
    """Return a voxel size in mm along three axes, kept between `limits_mm` (the least, the most)."""
    pairs = zip(given_mm, *limits_mm, strict=True)
    return tuple(float(max(min(size, most), least)) for size, least, most in pairs)
