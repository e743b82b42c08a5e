"""How a scan is taken: field of view, voxel size, obliqueness, storage order and artefacts, all
sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.geometry import Grid
from wirbel.phantom.person.anatomy import Anatomy
from wirbel.phantom.person.pose import rotation_from_deg

REGIONS = ("whole", "cervical", "thoracic", "lumbar")


@dataclass(frozen=True)
class Acquisition:
    """Everything about one scan except the person.

    `grid` is close to P-I-R, with its affine in the anatomical frame. `world` (4 x 4) maps that
    frame to the scanner's RAS. `axes` is the order in which the file stores the voxels.
    """

    region: str
    grid: Grid
    world: np.ndarray
    axes: tuple[str, str, str]
    slice_samples: int
    blur_voxels: float
    slice_blur: float
    noise: float
    bias_strength: float
    coil_falloff_mm: float
    ghosts: float
    resolution_loss: float
    maximum: float
    seed: int


def sample_acquisition(
    rng: np.random.Generator,
    anatomy: Anatomy,
    region: str | None = None,
    in_plane_mm: float | None = None,
    slice_mm: float | None = None,
) -> Acquisition:
    """Sample one scan of `anatomy`; arguments that are given are kept."""
    region = region or str(rng.choice(REGIONS, p=[0.45, 0.2, 0.1, 0.25]))
    if region not in REGIONS:
        raise ValueError(f"region is {region!r}; expected one of {', '.join(REGIONS)}")
    thin = region != "whole" and slice_mm is None and in_plane_mm is None and rng.random() < 0.2
    in_plane = in_plane_mm or (rng.uniform(0.8, 1.3) if thin else rng.uniform(0.55, 1.0))
    thickness = slice_mm or (rng.uniform(0.9, 2.5) if thin else rng.uniform(3.0, 4.4))
    grid = _sample_grid(rng, anatomy, region, in_plane, thickness)
    return Acquisition(
        region=region,
        grid=grid,
        world=_sample_world(rng),
        axes=_sample_axes(rng),
        slice_samples=max(1, round(thickness / 0.9)),
        blur_voxels=float(rng.uniform(0.3, 0.75)),
        slice_blur=float(rng.uniform(0.0, 0.25)),
        noise=float(np.exp(rng.uniform(np.log(0.004), np.log(0.045)))),
        bias_strength=float(rng.uniform(0.05, 0.45)),
        coil_falloff_mm=float(rng.uniform(90, 400)),
        ghosts=float(rng.uniform(0, 0.08)) if rng.random() < 0.3 else 0.0,
        resolution_loss=float(rng.uniform(1.2, 1.8)) if rng.random() < 0.25 else 1.0,
        maximum=float(np.exp(rng.uniform(np.log(180), np.log(3500)))),
        seed=int(rng.integers(2**31)),
    )


def _sample_extent(rng, anatomy: Anatomy, region: str) -> tuple[float, float]:
    """Return the heights of top and bottom in mm; the ends may be anywhere within a vertebra."""
    height = {v.level: float(v.centre_mm[2]) for v in anatomy.vertebrae}
    levels = list(height)
    skull, coccyx = height["C2"] + rng.uniform(28, 75), anatomy.sacrum[-1].centre_mm[2]

    def about(low: int, high: int) -> float:
        return height[levels[int(rng.integers(low, high + 1))]] + rng.uniform(-14, 14)

    tail = coccyx + rng.uniform(-45, 40)
    n = len(levels)
    if region == "whole":
        return skull, tail
    if region == "cervical":
        return skull, about(7, 11)
    if region == "thoracic":
        return about(3, 6), about(n - 6, n - 3)
    return about(n - 9, n - 6), tail if rng.random() < 0.85 else about(n - 1, n - 1) - 25


def _sample_grid(rng, anatomy: Anatomy, region: str, in_plane: float, thickness: float) -> Grid:
    top, bottom = _sample_extent(rng, anatomy, region)
    inside = [v for v in anatomy.vertebrae if bottom <= v.centre_mm[2] <= top] or [
        anatomy.vertebrae[-1]
    ]
    canal = np.array([v.canal_mm for v in inside])
    tips = canal[:, 1].min() - 45
    narrow = rng.random() < 0.12
    behind = rng.uniform(5, 20) if narrow else rng.uniform(10, 90)
    ahead = rng.uniform(25, 50) if narrow else rng.uniform(50, 170)
    posterior, anterior = tips - behind, canal[:, 1].max() + 20 + ahead
    width = rng.uniform(52, 82) if region == "whole" or not narrow else rng.uniform(45, 70)
    slices = max(9, int(round(width / thickness)))
    lean = 0.8 if region == "whole" else 2.0  # the operator lays the slices along the spine
    tilt = rng.normal(0, (4.0, lean, 3.0))
    middle = np.array(
        [canal[:, 0].mean() + rng.normal(0, 3), (anterior + posterior) / 2, (top + bottom) / 2]
    )
    axes = rotation_from_deg(tilt[0], tilt[1], tilt[2]) @ np.array(
        [[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]]  # columns: posterior, inferior, right
    )
    spacing = np.array([in_plane, in_plane, thickness])
    shape = (int((anterior - posterior) / in_plane), int((top - bottom) / in_plane), slices)
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def _sample_world(rng) -> np.ndarray:
    world = np.eye(4)
    world[:3, :3] = rotation_from_deg(*rng.normal(0, 4.0, 3))
    world[:3, 3] = rng.normal(0, 60, 3)
    return world


def _sample_axes(rng) -> tuple[str, str, str]:
    """Sample how a file stores its axes: any order, any direction, either handedness."""
    pairs = [("R", "L"), ("A", "P"), ("S", "I")]
    first, second, third = (pairs[p][int(rng.integers(2))] for p in rng.permutation(3))
    return first, second, third
