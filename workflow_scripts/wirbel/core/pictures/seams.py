"""A picture of a stitched scan: the middle sagittal slice, with a line and its figures at each seam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from wirbel.core.geometry import Volume
from wirbel.core.stitching.seams import Seam

HEIGHT = 900
LINE, TEXT = (255, 200, 0), (255, 255, 255)
BESIDE = 260
"""Pixels beside the slice, for the figures."""


def seam_picture(volume: Volume, seams: Sequence[Seam], rows: Sequence[int]) -> Image.Image:
    """Return the picture.

    Parameters
    ----------
    volume : Volume
        In model axes (P, I, R).
    seams : sequence of Seam
        From head to feet.
    rows : sequence of int
        Index along the spine of the middle of each seam.
    """
    plane = volume.data[:, :, volume.data.shape[2] // 2].T.astype(np.float32)
    top = max(float(np.percentile(plane, 99.5)), 1e-6)
    grey = Image.fromarray((np.clip(plane / top, 0, 1) * 255).astype(np.uint8))
    down, across = volume.spacing_mm[1], volume.spacing_mm[0]
    scale = HEIGHT / (plane.shape[0] * down)
    width = max(1, round(plane.shape[1] * across * scale))
    picture = Image.new("RGB", (width + BESIDE, HEIGHT))
    picture.paste(grey.resize((width, HEIGHT), Image.Resampling.BILINEAR).convert("RGB"), (0, 0))
    draw = ImageDraw.Draw(picture)
    for seam, row in zip(seams, rows, strict=True):
        y = round((row + 0.5) * down * scale)
        draw.line([(0, y), (width + BESIDE, y)], fill=LINE)
        draw.text((width + 8, y + 4), _in_words(seam), fill=TEXT)
    return picture


def _in_words(seam: Seam) -> str:
    return (
        f"{seam.upper} / {seam.lower}\noverlap {seam.overlap_mm:.0f} mm\n"
        f"moved {seam.shift_mm:.1f} mm, {seam.rotation_deg:.1f} deg\n"
        f"correlation {seam.correlation_before:.2f} -> {seam.correlation:.2f}"
    )
