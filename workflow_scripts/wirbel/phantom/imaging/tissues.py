"""The tissues an image is made of. Marrow and discs have one number per level, so that they can vary
along the spine.
"""

from __future__ import annotations

AIR = 0
SKIN = 1
SUBCUTANEOUS_FAT = 2
MUSCLE = 3
FAT = 4
CORTEX = 5
LIGAMENT = 6
CSF = 7
CORD = 8
EPIDURAL_FAT = 9
NERVE = 10
ANNULUS = 11
INTERSPINOUS = 12
AORTA = 13
VENA_CAVA = 14
LUNG = 15
AIRWAY = 16
BRAIN = 17
SKULL = 18
VEIN = 19
SACRAL_MARROW = 20
BOWEL_GAS = 21
URINE = 22
GREY_MATTER = 23
POSTERIOR_MARROW = 24
REMNANT_DISC = 25
ORGANS = tuple(range(30, 42))
"""Soft organs in front of the spine; every person's have their own intensities."""
MARROW = 100
"""MARROW + k is the body marrow of the k-th vertebra from the top."""
NUCLEUS = 160
"""NUCLEUS + k is the nucleus pulposus of the k-th disc from the top."""
COUNT = 220
