"""What surrounds the spine: skin, fat, muscle, vessels, lungs, organs, the neck and the head.

It is only roughly anatomical and different in every person; it teaches a network what is *not*
spine. It is drawn on a grid twice as coarse as the image's and enlarged, because its borders carry
no labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import Grid
from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.imaging.noise import smooth_noise
from wirbel.phantom.person.anatomy import Anatomy


@dataclass(frozen=True)
class Habitus:
    """Sizes of the soft body in mm, sampled once per person."""

    back_muscle_mm: float
    back_fat_mm: float
    chest_depth_mm: float
    belly_depth_mm: float
    neck_depth_mm: float
    half_width_mm: float
    organ_scale_mm: float
    fat_infiltration: float
    texture_seed: int
    interspinous_fat: float
    interspinous_ligament: float


def sample_habitus(rng: np.random.Generator, anatomy: Anatomy) -> Habitus:
    """Sample the soft body that goes with an anatomy."""
    between = rng.spawn(1)[0]  # its own stream, so that later draws from `rng` do not change
    return Habitus(
        back_muscle_mm=float(rng.uniform(22, 40)),
        back_fat_mm=anatomy.fat_mm,
        chest_depth_mm=float(rng.uniform(120, 170)),
        belly_depth_mm=float(rng.uniform(90, 190)),
        neck_depth_mm=float(rng.uniform(45, 70)),
        half_width_mm=float(rng.uniform(140, 200)),
        organ_scale_mm=float(rng.uniform(9, 30)),
        fat_infiltration=float(rng.beta(1.5, 3)),
        texture_seed=int(rng.integers(2**31)),
        interspinous_fat=float(between.uniform(-0.2, 2.0)),
        interspinous_ligament=float(between.uniform(0.2, 2.0)),
    )


def draw_surroundings(anatomy: Anatomy, habitus: Habitus, grid: Grid) -> np.ndarray:
    """Return uint8 tissues on `grid` (affine: voxel -> anatomical frame in mm), without the spine."""
    step = np.where(grid.spacing_mm < 2.2, 2, 1)
    coarse_shape = tuple(int(-(-n // k)) for n, k in zip(grid.shape, step, strict=True))
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] * step
    affine[:3, 3] = grid.to_world((step - 1) / 2)
    coarse = Grid(coarse_shape, affine)
    tissue = _draw_coarse(anatomy, habitus, coarse)
    for axis, k in enumerate(step):
        tissue = np.repeat(tissue, int(k), axis=axis)
    return np.ascontiguousarray(tissue[tuple(slice(n) for n in grid.shape)])


def _profile(anatomy: Anatomy) -> dict[str, np.ndarray]:
    """Return rising heights and, at each, the spine's front, back and right position."""
    rows = []
    for v in anatomy.vertebrae:
        front = v.centre_mm + v.rotation[:, 1] * v.body.depth_mm / 2
        back = v.canal_mm - v.rotation[:, 1] * v.size.canal_depth_mm / 2
        reach = v.size.spinous_length_mm * np.cos(np.deg2rad(v.size.spinous_drop_deg))
        rows.append((v.centre_mm[2], front[1], back[1], v.centre_mm[0], back[1] - reach))
    for g in anatomy.sacrum:
        front = g.centre_mm + g.rotation[:, 1] * g.blobs[0].half_mm[1]
        rows.append(
            (g.centre_mm[2], front[1], g.canal_mm[1] - 5, g.centre_mm[0], g.canal_mm[1] - 18)
        )
    rows.append((rows[0][0] + 120, rows[0][1] + 8, rows[0][2] + 8, rows[0][3], rows[0][4] + 8))
    rows.append((rows[-2][0] - 60, rows[-2][1] + 20, rows[-2][2], rows[-2][3], rows[-2][4] + 10))
    table = np.array(sorted(rows)).T
    smooth = [ndimage.gaussian_filter1d(row, 1.0, mode="nearest") for row in table[1:]]
    return dict(zip(("s", "front", "back", "middle", "tips"), [table[0], *smooth], strict=True))


def _draw_coarse(anatomy: Anatomy, habitus: Habitus, grid: Grid) -> np.ndarray:
    i, j, k = np.ogrid[tuple(slice(n) for n in grid.shape)]
    m, o = grid.affine[:3, :3].astype(np.float32), grid.affine[:3, 3].astype(np.float32)
    r, a, s = (m[x, 0] * i + m[x, 1] * j + m[x, 2] * k + o[x] for x in range(3))
    profile = _profile(anatomy)
    front, back, middle, tips = (
        np.interp(s, profile["s"], profile[name]).astype(np.float32)
        for name in ("front", "back", "middle", "tips")
    )
    x, ahead, behind = r - middle, a - front, back - a
    fibres_mm = (3.5, 3.0, 22.0)
    widths_mm: list[float | tuple[float, float, float]] = [habitus.organ_scale_mm]
    widths_mm += [(9.0, 7.0, 9.0), 26.0, fibres_mm]
    noise = [
        smooth_noise(habitus.texture_seed + n, grid, width) for n, width in enumerate(widths_mm)
    ]
    heights = {v.level: float(v.centre_mm[2]) for v in anatomy.vertebrae}
    tissue = np.full(grid.shape, T.FAT, np.uint8)
    _draw_front(tissue, anatomy, habitus, (x, ahead, s), noise, heights, grid)
    _draw_back(tissue, habitus, (x, behind, s), back - tips, noise)
    _draw_head(tissue, anatomy, (x, ahead, behind, s), noise, heights)
    _draw_outside(tissue, habitus, (x, ahead, a, s), tips, noise, heights)
    return tissue


def _draw_front(tissue, anatomy, habitus, place, noise, heights, grid) -> None:
    """Draw organs as a patchwork of smooth random shapes, lungs, vessels and psoas in front of the
    spine.
    """
    x, ahead, s = place
    front = ahead > 2
    tissue[front] = _patchwork(habitus, place, noise)[front]
    fatty = front & (noise[1] * 0.7 + noise[3] * 0.4 > 0.75)
    tissue[fatty] = T.FAT
    neck, chest = heights["T1"], heights.get("T11", heights["T10"])
    thorax = (s < neck + 12 - 0.004 * (ahead - 40) ** 2) & (s > chest + 18 * noise[2] - 0.3 * ahead)
    tissue[thorax & ((ahead > 18) | (np.abs(x) > 24)) & (ahead > -20) & (noise[2] > -0.75)] = T.LUNG
    heart = ((ahead - 85) / 38) ** 2 + (x / 60) ** 2 + ((s - chest - 60) / 50) ** 2 + 0.2 * noise[
        2
    ] < 1
    tissue[thorax & heart] = T.ORGANS[0]
    branches = thorax & (noise[3] + 0.5 * noise[1] > 1.7) & (tissue == T.LUNG)
    tissue[branches] = T.ORGANS[1]
    belly = (s < chest) & (ahead > 25)
    tissue[belly & (noise[0] > 1.5)] = T.BOWEL_GAS
    lumbar = heights["L2"]
    psoas = ((np.abs(x) - 34) / 20) ** 2 + ((ahead + 22) / 20) ** 2 < 1
    tissue[psoas & (s < lumbar + 35)] = T.MUSCLE
    split = heights.get("L4", lumbar)
    wander = 5 * np.sin(s / 70.0 + habitus.texture_seed % 6)
    aorta = (x + 9 + wander) ** 2 + (ahead - 12) ** 2 < (9.5 * anatomy.scale) ** 2
    tissue[aorta & (s < heights["T4"]) & (s > split)] = T.AORTA
    cava = (x - 14 + wander) ** 2 + ((ahead - 10) * 1.2) ** 2 < (10.5 * anatomy.scale) ** 2
    tissue[cava & (s < heights["T9"]) & (s > split - 20)] = T.VENA_CAVA
    layer = (ahead > 0) & (ahead < 4 + 2 * noise[1]) & (s < neck)
    if habitus.texture_seed % 2:
        tissue[layer & (np.abs(x) < 30)] = T.FAT
    prevertebral = (ahead > 0) & (ahead < 5) & (s > heights["T3"])
    tissue[prevertebral & (np.abs(x) < 24)] = T.MUSCLE
    windpipe = (x - wander / 3) ** 2 + ((ahead - 17) * 1.1) ** 2 < 8.5**2
    tissue[windpipe & (s > heights["T4"])] = T.AIRWAY
    bladder = (x / 40) ** 2 + ((ahead - 60) / 32) ** 2 + ((s + 95) / 30) ** 2 < 1
    tissue[bladder] = T.URINE


def _patchwork(habitus: Habitus, place, noise) -> np.ndarray:
    """Return random organs in cells about `organ_scale_mm` wide with wavy borders."""
    rng = np.random.default_rng(habitus.texture_seed)
    table = rng.choice(np.asarray(T.ORGANS, np.uint8), (16, 16, 16))
    wave = (noise[0] * 0.35, noise[1] * 0.25, noise[2] * 0.5)
    cells = [
        np.floor(c / (habitus.organ_scale_mm * stretch) + w).astype(np.int32) & 15
        for c, w, stretch in zip(place, wave, (1.3, 1.0, 1.4), strict=True)
    ]
    return table[tuple(np.broadcast_arrays(*cells))]


def _draw_back(tissue, habitus, place, reach, noise) -> None:
    """Draw back muscles streaked with fat, and what lies between the spinous processes."""
    x, behind, s = place
    rear = behind > -14
    tissue[rear & (np.abs(x) > 12)] = T.MUSCLE
    deep = behind > 0
    tissue[deep] = T.MUSCLE
    streaks = noise[3] + 0.35 * noise[1]
    tissue[deep & (streaks > 2.1 - 1.5 * habitus.fat_infiltration)] = T.FAT
    between = deep & (np.abs(x) < 4) & (behind < reach + 2)
    patches = noise[1] + 0.4 * noise[2]
    tissue[between] = T.INTERSPINOUS
    tissue[between & (patches > habitus.interspinous_fat)] = T.FAT
    tissue[between & (patches < -habitus.interspinous_ligament)] = T.LIGAMENT
    side_fat = (behind <= 0) & rear & (np.abs(x) > 12) & (streaks > 0.6)
    tissue[side_fat] = T.FAT
    ribs = (np.mod(s + 0.35 * behind, 24) < 9) & (np.abs(behind - 14) < 6) & (np.abs(x) > 30)
    tissue[ribs & (s > 200)] = T.POSTERIOR_MARROW


def _draw_head(tissue, anatomy, place, noise, heights) -> None:
    """Draw the ring of the atlas, skull base, brain and face above the second cervical vertebra."""
    x, ahead, behind, s = place
    base = heights["C2"] + 36 * anatomy.scale
    nape = (s > heights["C3"]) & (behind > 16)
    tissue[nape & (noise[1] > 0.9)] = T.FAT
    skull_floor = base + 0.25 * behind + 6 * noise[2] * 0.4
    tissue[(s > skull_floor) & (ahead < 12)] = T.SKULL
    tissue[(s > skull_floor + 5) & (ahead < 6) & (s < base + 200)] = T.BRAIN
    tissue[(s > skull_floor + 5) & (ahead < 6) & (noise[3] > 1.1)] = T.CSF
    arch = heights["C2"] + 24 * anatomy.scale
    ring = (np.abs(s - arch) < 5.5) & (
        ((np.abs(behind - 4) < 4) & (np.abs(x) < 22))
        | ((np.abs(ahead - 4.5) < 3.5) & (np.abs(x) < 14))
    )
    mass = (np.abs(s - arch) < 9) & (np.abs(np.abs(x) - 20) < 7) & (ahead < 2) & (behind < -2)
    tissue[ring | mass] = T.POSTERIOR_MARROW
    pharynx = (ahead > 9) & (ahead < 20 + 4 * noise[2]) & (np.abs(x) < 12) & (s > heights["C4"])
    tissue[pharynx & (s < base)] = T.AIRWAY


def _draw_outside(tissue, habitus, place, tips, noise, heights) -> None:
    """Draw subcutaneous fat, skin and the air around the body."""
    x, ahead, a, s = place
    neck = heights["T1"]
    blend = np.clip((s - neck + 10) / 40, 0, 1)
    low = np.clip((heights["L1"] - s) / 60 + 0.5, 0, 1)
    trunk = habitus.chest_depth_mm * (1 - low) + habitus.belly_depth_mm * low
    face = np.clip((s - heights["C3"]) / 20, 0, 1)
    depth = trunk * (1 - blend) + (habitus.neck_depth_mm + 40 * face) * blend
    depth = depth - 0.0016 * x**2 + 3 * noise[2]
    muscle = habitus.back_muscle_mm * (0.35 + 0.25 * (1 - blend))
    fat = habitus.back_fat_mm * (1 - 0.4 * blend) * np.clip(1.3 - (s + 60) / 500, 0.5, 1.4)
    rear = tips - a + 0.0012 * x**2 + 1.5 * noise[2]
    tissue[rear > muscle] = T.SUBCUTANEOUS_FAT
    tissue[rear > muscle + fat] = T.SKIN
    tissue[ahead > depth - 0.6 * habitus.back_fat_mm] = T.SUBCUTANEOUS_FAT
    tissue[ahead > depth - 2.5] = T.SKIN
    width = habitus.half_width_mm * (1 - 0.55 * blend)
    tissue[(ahead > depth) | (rear > muscle + fat + 2.5) | (np.abs(x) > width)] = T.AIR
