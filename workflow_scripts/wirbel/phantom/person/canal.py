"""Spinal canal, dural sac, cord and nerve roots: tubes around a smooth line through the vertebrae."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from wirbel.core import labels as L
from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.imaging.canvas import Canvas
from wirbel.phantom.person.anatomy import Anatomy

FORAMEN_MAGNUM_ABOVE_C2_MM = 33.0
"""Height of the foramen magnum above the middle of C2's body; the canal is labelled up to there."""
SLAB_MM = 20.0
ASIDE, MARGIN_MM = 1.2, 1.0
"""The cord lies in front of the canal's middle, by an eighth of half its depth, and the sac by 0.4 mm."""


@dataclass(frozen=True)
class CanalLine:
    """Everything about the canal as a function of height `s` in the anatomical frame (mm)."""

    top_mm: float
    bottom_mm: float
    centre: PchipInterpolator
    half_size: PchipInterpolator
    cord_half_size: PchipInterpolator
    conus_mm: float

    def tilt_cosine(self, s: np.ndarray) -> np.ndarray:
        """Return (right, anterior) cosines between the line and the vertical, shape (..., 2)."""
        return 1 / np.sqrt(1 + self.centre.derivative()(s) ** 2)

    def reach_mm(self, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (right, anterior) mm between which canal and cord lie at all of some heights."""
        half = np.maximum(self.half_size(-heights), self.cord_half_size(-heights))
        half = ASIDE * half / self.tilt_cosine(-heights) + MARGIN_MM
        centre = self.centre(-heights)
        return (centre - half).min(0), (centre + half).max(0)


def canal_line(anatomy: Anatomy) -> CanalLine:
    """Fit the canal's line through all vertebrae and S1 to S3; the sac ends about S2."""
    scale = anatomy.scale
    rows: list[tuple[np.ndarray, tuple[float, float], tuple[float, float]]] = []
    first = anatomy.vertebrae[0]
    up = first.rotation[:, 2]
    for rise, width, depth in (
        (75.0, 30.0, 30.0),
        (50.0, 19.0, 19.0),
        (33.0, 15.0, 16.0),
        (18.0, 13.0, 11.0),
    ):
        point = first.canal_mm + (up + [0, 0.15, 0]) * rise * scale
        size = first.size
        cord = (size.cord_width_mm / 2 + rise * 0.04, size.cord_depth_mm / 2 + rise * 0.05)
        rows.append((point, (width, depth), cord))
    for vertebra in anatomy.vertebrae:
        size = vertebra.size
        half = (size.canal_width_mm / 2, size.canal_depth_mm / 2)
        rows.append((vertebra.canal_mm, half, (size.cord_width_mm / 2, size.cord_depth_mm / 2)))
    for segment in anatomy.sacrum[:3]:
        rows.append((segment.canal_mm, segment.canal_half_mm, (0.0, 0.0)))
    points, halves, cords = (np.array(column, float) for column in zip(*rows, strict=True))
    keep = np.concatenate([[True], np.diff(np.minimum.accumulate(points[:, 2])) < -1.0])
    s = -points[keep, 2]
    levels = [v.level for v in anatomy.vertebrae]
    conus = (
        anatomy.vertebrae[levels.index(anatomy.conus_level)].canal_mm[2]
        if (anatomy.conus_level in levels)
        else anatomy.vertebrae[-5].canal_mm[2]
    )
    return CanalLine(
        top_mm=float(points[0, 2]),
        bottom_mm=float(points[keep][-1, 2] - 3),
        centre=PchipInterpolator(s, points[keep, :2]),
        half_size=PchipInterpolator(s, halves[keep]),
        cord_half_size=PchipInterpolator(s, cords[keep] * anatomy.cord_scale),
        conus_mm=float(conus),
    )


def draw_canal(canvas: Canvas, anatomy: Anatomy) -> None:
    """Draw canal, sac, cord and roots slab by slab from the skull to the sacrum."""
    line = canal_line(anatomy)
    first = anatomy.vertebrae[0]
    magnum = first.canal_mm[2] + FORAMEN_MAGNUM_ABOVE_C2_MM * anatomy.scale
    for top in np.arange(line.top_mm, line.bottom_mm, -SLAB_MM):
        bottom = max(top - SLAB_MM, line.bottom_mm)
        table = np.linspace(bottom - 2, top + 2, 64)
        low, high = line.reach_mm(table)
        ends = np.array([[*low, bottom - 0.5], [*high, top + 0.5]])
        box = canvas.box(ends.mean(0), np.ptp(ends, axis=0) / 2, np.eye(3))
        if box is not None:
            _draw_slab(canvas, box, line, (top, bottom), table, magnum)


def _draw_slab(canvas: Canvas, box, line: CanalLine, ends, table, magnum: float) -> None:
    r, a, s = canvas.local(box, np.eye(3), np.zeros(3))

    def at(values):  # values of height, looked up from a short table
        return [np.interp(s, table, v).astype(np.float32) for v in np.atleast_2d(values.T)]

    centre_r, centre_a = at(line.centre(-table))
    cosine_r, cosine_a = at(line.tilt_cosine(-table))
    half_r, half_a = at(line.half_size(-table))
    cord_r, cord_a = at(np.maximum(line.cord_half_size(-table), 1e-3))
    here = (s <= ends[0]) & (s > ends[1])
    off_r, off_a = (r - centre_r) * cosine_r, (a - centre_a) * cosine_a
    canal = ((off_r / half_r) ** 2 + (off_a / half_a) ** 2 < 1) & here
    sac = ((off_r / half_r / 0.92) ** 2 + ((off_a - 0.4) / half_a / 0.87) ** 2 < 1) & here
    taper = np.clip((s - line.conus_mm + 12) / 30, 0.05, 1).astype(np.float32)
    forward = 0.12 * half_a
    cord = ((off_r / cord_r / taper) ** 2 + ((off_a - forward) / cord_a / taper) ** 2 < 1) & here
    cord &= s > line.conus_mm - 10
    grey = ((off_r / cord_r / 0.5) ** 2 + ((off_a - forward) / cord_a / 0.4) ** 2 < taper**2) & cord
    roots = sac & ~cord & (s < line.conus_mm + 25) & (off_a < -0.1 * half_a)
    strands = np.sin(off_r * 2.1 + 0.02 * s) * np.sin(off_a * 2.6 + 0.015 * s) > 0.15
    tissue = canvas.tissue[box]
    tissue[canal] = T.EPIDURAL_FAT
    tissue[sac] = T.CSF
    tissue[roots & strands] = T.NERVE
    tissue[cord] = T.CORD
    tissue[grey] = T.GREY_MATTER
    labelled = s <= magnum
    canvas.subregion[box][canal & labelled] = L.CANAL
    canvas.subregion[box][cord & labelled] = L.CORD
