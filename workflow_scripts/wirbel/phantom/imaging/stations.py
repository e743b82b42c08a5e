"""Cut a scan into stations as a scanner takes them: overlapping, tilted, moved and received otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.geometry import Grid, Volume, reorient
from wirbel.core.resampling import resample_image

NAMES = ("neck", "chest", "lumbar")
MIDDLE = 1
"""Its header is right, and it is not tilted."""
OVERLAP_MM = (50.0, 70.0)
"""Of neighbouring stations, as whole-spine protocols have it."""
LARGEST_SHIFT_MM = (2.5, 4.0, 5.0)
"""By which a person moves between stations, to the right, to the front and upwards."""
LARGEST_TILT_DEG = 5.0
"""About the left-right axis."""
GAINS = (0.6, 1.0)
"""Of the receiver; the middle station has the highest."""
SHORTEST_MM = 300.0
"""A shorter scan holds no three stations that overlap."""


@dataclass(frozen=True)
class Station:
    """A station, and what is wrong with its header and its brightness.

    Attributes
    ----------
    name : str
        One of NAMES.
    volume : Volume
        In model axes (P, I, R), float32.
    shift_mm : tuple of three float
        By how much the header says that it lies elsewhere (RAS).
    tilt_deg : float
        Of its slices' long axis against the middle station's.
    gain : float
        By which its intensities were multiplied.
    """

    name: str
    volume: Volume
    shift_mm: tuple[float, float, float]
    tilt_deg: float
    gain: float


def cut_stations(image: Volume, seed: int) -> list[Station]:
    """Return three stations from head to feet.

    Parameters
    ----------
    image : Volume
        A scan of the whole spine, in any orientation.
    seed : int
        Decides overlaps, shifts, tilts and gains.

    Raises
    ------
    ValueError
        If the scan is shorter than SHORTEST_MM.
    """
    upright = reorient(image)
    rows, size = upright.data.shape[1], float(upright.spacing_mm[1])
    if rows * size < SHORTEST_MM:
        raise ValueError(f"expected a scan of at least {SHORTEST_MM:g} mm, found {rows * size:.0f}")
    rng = np.random.default_rng([seed, 3])
    halves = np.round(rng.uniform(*OVERLAP_MM, 2) / size / 2).astype(int)
    cuts = np.round(np.array([1, 2]) * rows / 3).astype(int)
    firsts = (0, *(cuts - halves))
    lasts = (*(cuts + halves), rows)
    return [
        _station(upright, name, (int(first), int(last)), rng, is_middle=place == MIDDLE)
        for place, (name, first, last) in enumerate(zip(NAMES, firsts, lasts, strict=True))
    ]


def _station(
    image: Volume, name: str, rows: tuple[int, int], rng: np.random.Generator, *, is_middle: bool
) -> Station:
    shift = rng.uniform(-1, 1, 3) * LARGEST_SHIFT_MM
    tilt, gain = float(rng.uniform(-1, 1) * LARGEST_TILT_DEG), float(rng.uniform(*GAINS))
    if is_middle:
        shift, tilt, gain = np.zeros(3), 0.0, 1.0
    grid = _tilted(image.grid, rows, tilt)
    data = image.data[:, rows[0] : rows[1]] if tilt == 0 else resample_image(image, grid).data
    affine = grid.affine.copy()
    affine[:3, 3] += shift
    volume = Volume(data.astype(np.float32) * np.float32(gain), affine)
    right, front, up = (round(float(value), 3) for value in shift)
    return Station(name, volume, (right, front, up), round(tilt, 3), round(gain, 3))


def _tilted(grid: Grid, rows: tuple[int, int], tilt_deg: float) -> Grid:
    """Return the part of a grid between two rows, turned about the left-right axis of its centre."""
    shape = (grid.shape[0], rows[1] - rows[0], grid.shape[2])
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world(np.array([0, rows[0], 0]))
    part = Grid(shape, affine)
    centre = part.to_world((np.array(shape) - 1) / 2)
    angle, turn = np.radians(tilt_deg), np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = centre - turn[:3, :3] @ centre
    return Grid(shape, turn @ affine)
