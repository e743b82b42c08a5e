"""Signal of every tissue in T2-weighted turbo spin echo, sampled widely enough to cover real scanners.

Signals are relative to cerebrospinal fluid = 1. Ranges follow T2 and proton density at 1.5 to 3 T
(Stanisz et al., Magn Reson Med 2005;54:507-512) and what T2-weighted spine scans of several
scanners show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.person.anatomy import Anatomy


@dataclass(frozen=True)
class Contrast:
    """Mean and texture amplitude (relative to the mean) of every tissue number."""

    mean: np.ndarray
    texture: np.ndarray
    fat_suppressed: bool


RANGES: dict[int, tuple[float, float]] = {
    T.AIR: (0.0, 0.01),
    T.SKIN: (0.2, 0.6),
    T.MUSCLE: (0.08, 0.3),
    T.CORTEX: (0.01, 0.12),
    T.LIGAMENT: (0.02, 0.14),
    T.CSF: (0.85, 1.1),
    T.CORD: (0.28, 0.6),
    T.NERVE: (0.25, 0.55),
    T.ANNULUS: (0.03, 0.2),
    T.INTERSPINOUS: (0.1, 0.8),
    T.AORTA: (0.01, 0.2),
    T.VENA_CAVA: (0.02, 0.35),
    T.LUNG: (0.01, 0.1),
    T.AIRWAY: (0.0, 0.03),
    T.BRAIN: (0.3, 0.6),
    T.SKULL: (0.05, 0.4),
    T.VEIN: (0.3, 0.9),
    T.BOWEL_GAS: (0.0, 0.1),
    T.URINE: (0.9, 1.3),
    T.REMNANT_DISC: (0.05, 0.5),
}
"""Tissue -> range of its mean signal; fat, marrow, discs and organs are sampled below."""


def sample_contrast(
    rng: np.random.Generator, anatomy: Anatomy, beyond_scanners: bool = False
) -> Contrast:
    """Sample the signal of every tissue for one scan of `anatomy`.

    With `beyond_scanners`, an eighth of the scans get tissues that no scanner would show, so that a
    network trained on them also learns shape. Otherwise the same generator state gives the same
    scan.
    """
    mean = np.zeros(T.COUNT)
    for tissue, (low, high) in RANGES.items():
        mean[tissue] = rng.uniform(low, high)
    if rng.random() < 0.3:  # slow flow or in-flow
        mean[T.AORTA], mean[T.VENA_CAVA] = rng.uniform(0.2, 0.8, 2)
    mean[T.GREY_MATTER] = mean[T.CORD] * rng.uniform(1.0, 1.2)
    suppressed = rng.random() < 0.2
    fat = rng.uniform(0.05, 0.25) if suppressed else rng.uniform(0.45, 1.15)
    for tissue in (T.FAT, T.SUBCUTANEOUS_FAT, T.EPIDURAL_FAT):
        mean[tissue] = fat * rng.uniform(0.8, 1.2)
    for organ in T.ORGANS:
        mean[organ] = rng.uniform(0.03, 0.75) if rng.random() < 0.8 else rng.uniform(0.6, 1.1)
    _sample_marrow(rng, mean, anatomy, suppressed, fat)
    _sample_discs(rng, mean, anatomy)
    texture = sample_textures(rng)
    texture[T.CSF] = rng.choice([0.03, 0.1, 0.3])  # pulsating fluid loses signal
    if rng.random() < 0.12:
        jitter = rng.uniform(0.5, 1.8, T.COUNT)
        jitter[T.MARROW : T.NUCLEUS] = jitter[T.MARROW]
        mean = mean * jitter if beyond_scanners else mean
    return Contrast(mean.astype(np.float32), texture, suppressed)


def sample_textures(rng: np.random.Generator) -> np.ndarray:
    """Sample the texture amplitude of every tissue, relative to its mean: float32, one for each tissue number."""
    texture = rng.uniform(0.02, 0.12, T.COUNT)
    texture[list(T.ORGANS)] = rng.uniform(0.05, 0.35, len(T.ORGANS))
    texture[T.MARROW : T.NUCLEUS] = rng.uniform(0.03, 0.18)
    texture[T.SACRAL_MARROW] = texture[T.POSTERIOR_MARROW] = texture[T.MARROW]
    texture[[T.MUSCLE, T.INTERSPINOUS, T.FAT]] = rng.uniform(0.1, 0.35, 3)
    return texture.astype(np.float32)


def _sample_marrow(rng, mean, anatomy: Anatomy, suppressed: bool, fat: float) -> None:
    marrow = rng.uniform(0.1, 0.35) if suppressed else rng.uniform(0.25, 0.7) * (0.6 + 0.4 * fat)
    count = len(anatomy.vertebrae)
    drift = np.linspace(rng.uniform(0.85, 1.15), rng.uniform(0.85, 1.15), count)
    each = marrow * drift * rng.normal(1.0, 0.05, count)
    for k, vertebra in enumerate(anatomy.vertebrae):
        if vertebra.fracture != "none" and rng.random() < 0.4:
            each[k] *= rng.uniform(0.6, 1.6)  # oedema or sclerosis
    mean[T.MARROW : T.MARROW + count] = np.maximum(each, 0.03)
    mean[T.SACRAL_MARROW] = marrow * rng.uniform(0.85, 1.2)
    mean[T.POSTERIOR_MARROW] = marrow * rng.uniform(0.8, 1.3)


def _sample_discs(rng, mean, anatomy: Anatomy) -> None:
    """Sample nuclei, which darken with degeneration from bright to black (Pfirrmann et al., Spine
    2001).
    """
    healthy = rng.uniform(0.35, 1.0)
    for k, disc in enumerate(anatomy.discs):
        signal = mean[T.ANNULUS] + (healthy - mean[T.ANNULUS]) * (1 - disc.grade) ** 1.3
        mean[T.NUCLEUS + k] = max(0.03, signal * rng.normal(1.0, 0.08))
