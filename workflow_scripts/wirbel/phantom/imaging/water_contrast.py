"""Signal of every tissue in the water image of a Dixon gradient echo, sampled widely, to train with.

Signals are relative to water at full magnetisation = 1. With the small flip angles of such sequences
they follow the density of water: fat gives next to none, muscle, discs and cord lie close together,
and fluid is anywhere between dark (larger flip angle, long T1) and brightest. Marrow shows its share
of water, which falls along the spine and with age (Baum et al., J Magn Reson Imaging
2015;42:1018-1023).
"""

from __future__ import annotations

import numpy as np

from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.imaging.contrast import Contrast, sample_textures
from wirbel.phantom.person.anatomy import Anatomy

RANGES: dict[int, tuple[float, float]] = {
    T.AIR: (0.0, 0.01),
    T.SKIN: (0.2, 0.6),
    T.MUSCLE: (0.5, 0.9),
    T.CORTEX: (0.02, 0.15),
    T.LIGAMENT: (0.05, 0.25),
    T.CSF: (0.35, 1.1),
    T.CORD: (0.6, 0.95),
    T.NERVE: (0.4, 0.9),
    T.ANNULUS: (0.3, 0.75),
    T.INTERSPINOUS: (0.1, 0.7),
    T.AORTA: (0.3, 1.5),
    T.VENA_CAVA: (0.3, 1.3),
    T.LUNG: (0.01, 0.15),
    T.AIRWAY: (0.0, 0.03),
    T.BRAIN: (0.6, 0.95),
    T.SKULL: (0.02, 0.25),
    T.VEIN: (0.3, 1.2),
    T.BOWEL_GAS: (0.0, 0.1),
    T.URINE: (0.3, 1.1),
    T.REMNANT_DISC: (0.2, 0.7),
}
"""Tissue -> range of its mean signal; blood flows in fresh and is often the brightest."""

MARROW_WATER = (0.2, 0.65)
FAT = (0.0, 0.12)
NUCLEUS = (0.6, 1.0)
WORST_DISC = 0.35
"""Share of its signal that the nucleus of the most degenerate disc has lost with its water."""


def sample_water_contrast(rng: np.random.Generator, anatomy: Anatomy) -> Contrast:
    """Sample the signal of every tissue for one water image of `anatomy`."""
    mean = np.zeros(T.COUNT)
    for tissue, limits in RANGES.items():
        mean[tissue] = rng.uniform(*limits)
    mean[T.GREY_MATTER] = mean[T.CORD] * rng.uniform(0.95, 1.15)
    fat = rng.uniform(*FAT)
    for tissue in (T.FAT, T.SUBCUTANEOUS_FAT, T.EPIDURAL_FAT):
        mean[tissue] = fat * rng.uniform(0.7, 1.3)
    for organ in T.ORGANS:
        mean[organ] = rng.uniform(0.3, 1.0)
    count = len(anatomy.vertebrae)
    marrow = rng.uniform(*MARROW_WATER)
    drift = np.linspace(rng.uniform(0.8, 1.2), rng.uniform(0.8, 1.2), count)
    mean[T.MARROW : T.MARROW + count] = marrow * drift * rng.normal(1.0, 0.06, count)
    mean[T.SACRAL_MARROW] = marrow * rng.uniform(0.7, 1.1)
    mean[T.POSTERIOR_MARROW] = marrow * rng.uniform(0.6, 1.1)
    healthy = rng.uniform(*NUCLEUS)
    for k, disc in enumerate(anatomy.discs):
        mean[T.NUCLEUS + k] = healthy * (1 - WORST_DISC * disc.grade) * rng.normal(1.0, 0.06)
    return Contrast(mean.astype(np.float32), sample_textures(rng), fat_suppressed=True)
