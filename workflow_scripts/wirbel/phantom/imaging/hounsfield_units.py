"""Attenuation of every tissue in computed tomography without contrast agent, in Hounsfield units (HU).

Soft tissues and fat: textbook values at 120 kV (Kalender, Computed Tomography, 3rd ed. 2011, chapter 1). Trabecular
bone of vertebral bodies: Pickhardt et al., Ann Intern Med 2013;158:588-595 (means of 120 to 230 HU between 75 and 30
years of age). Cortical bone is about 1,000 HU; partial volume lowers it in thin shells.
"""

from __future__ import annotations

import numpy as np

from wirbel.phantom.imaging import tissues as T
from wirbel.phantom.person.anatomy import Anatomy

RANGES_HU: dict[int, tuple[float, float]] = {
    T.AIR: (-1000, -1000),
    T.SKIN: (10, 60),
    T.MUSCLE: (40, 70),
    T.CORTEX: (700, 1300),
    T.LIGAMENT: (50, 100),
    T.CSF: (0, 15),
    T.CORD: (30, 48),
    T.NERVE: (20, 45),
    T.ANNULUS: (80, 130),
    T.INTERSPINOUS: (10, 60),
    T.AORTA: (35, 55),
    T.VENA_CAVA: (30, 55),
    T.LUNG: (-880, -750),
    T.AIRWAY: (-1000, -950),
    T.BRAIN: (28, 40),
    T.SKULL: (400, 900),
    T.VEIN: (30, 60),
    T.BOWEL_GAS: (-950, -700),
    T.URINE: (0, 15),
    T.GREY_MATTER: (32, 48),
    T.REMNANT_DISC: (60, 130),
}
"""Tissue -> range of its mean; fat, marrow, nuclei and organs are sampled below."""
FATS = (T.SUBCUTANEOUS_FAT, T.FAT, T.EPIDURAL_FAT)
FAT_HU = (-120, -80)
ORGAN_HU = (10, 65)
TRABECULAR_HU = (90, 280)
NUCLEUS_HU = (55, 100)


def sample_hounsfield(rng: np.random.Generator, anatomy: Anatomy) -> np.ndarray:
    """Sample the mean attenuation of every tissue number for one scan of `anatomy` (float32, HU).

    The bodies of one person are alike, with a trend along the spine and a spread from one to the next.
    """
    mean = np.zeros(T.COUNT)
    for tissue, (low, high) in RANGES_HU.items():
        mean[tissue] = rng.uniform(low, high)
    mean[list(FATS)] = rng.uniform(*FAT_HU, len(FATS))
    mean[list(T.ORGANS)] = rng.uniform(*ORGAN_HU, len(T.ORGANS))
    bodies, discs = len(anatomy.vertebrae), len(anatomy.discs)
    bone = rng.uniform(*TRABECULAR_HU)
    trend = np.linspace(rng.uniform(1.0, 1.4), 1.0, bodies)  # denser in the neck
    mean[T.MARROW : T.MARROW + bodies] = bone * trend * rng.normal(1.0, 0.06, bodies)
    mean[T.SACRAL_MARROW] = bone * rng.uniform(0.6, 1.0)
    mean[T.POSTERIOR_MARROW] = bone * rng.uniform(1.1, 1.8)  # denser than bodies
    mean[T.NUCLEUS : T.NUCLEUS + discs] = rng.uniform(*NUCLEUS_HU, discs)
    return mean.astype(np.float32)
