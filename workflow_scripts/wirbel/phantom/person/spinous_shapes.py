"""Spinous processes in the forms that real ones have, for scans that networks learn from.

The anatomy itself draws every spinous process as one rounded bar. Real lumbar ones are hatchets: a plate that is
tallest and thickest at its free end, with a thick lower edge; the last one is short and pointed; those of the chest
taper, those of the neck are often split (proportions read off the Visible Human's lumbar spine and MyoSuite's full
spine). Truth of measures is not kept: only label maps and images follow.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wirbel.core.labels import SPINOUS_PROCESS
from wirbel.phantom.person.anatomy import Anatomy, Vertebra
from wirbel.phantom.person.shapes import Blob

PLAIN_SHARE = 0.25
"""Share of the people whose spinous processes stay plain bars."""
SPLIT_SHARE = 0.5
"""Share of split ends in the neck."""
HATCHETS = ("T11", "T12", "T13", "L1", "L2", "L3", "L4", "L5", "L6")
POINTED = ("L5", "L6")


def with_spinous_shapes(rng: np.random.Generator, anatomy: Anatomy) -> Anatomy:
    """Return the same person with other spinous processes.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of randomness.
    anatomy : Anatomy
        The person.
    """
    if rng.random() < PLAIN_SHARE:
        return anatomy
    return replace(anatomy, vertebrae=tuple(_reshaped(rng, v) for v in anatomy.vertebrae))


def _reshaped(rng: np.random.Generator, vertebra: Vertebra) -> Vertebra:
    elements: list[tuple[int, Blob]] = []
    for label, blob in vertebra.elements:
        parts = _parts(rng, vertebra.level, blob) if label == SPINOUS_PROCESS else [blob]
        elements += [(label, part) for part in parts]
    return replace(vertebra, elements=tuple(elements))


def _parts(rng: np.random.Generator, level: str, bar: Blob) -> list[Blob]:
    """Return the parts of one process. A bar's axes point to its end, to the side and upwards."""
    pointed = level in POINTED
    plate = _turned(rng, bar, length=rng.uniform(0.6, 1.1) if pointed else rng.uniform(0.85, 1.25))
    height = rng.uniform(0.55, 0.95) if pointed else rng.uniform(0.75, 1.1)
    plate = _sized(plate, 1.0, rng.uniform(0.75, 1.15), height)
    plate = replace(plate, exponent=float(rng.uniform(2.0, 3.4)))
    if level in HATCHETS:
        return [plate, *(() if pointed and rng.random() < 0.7 else _hatchet(rng, plate))]
    if level[0] == "C":
        return [plate, *(_split_end(rng, plate) if rng.random() < SPLIT_SHARE else ())]
    root = _placed(plate, rng.uniform(-0.8, -0.5), 0, rng.uniform(-0.2, 0.3))
    return [plate, _sized(root, 0.45, rng.uniform(1.0, 1.3), rng.uniform(1.1, 1.6))]


def _hatchet(rng: np.random.Generator, plate: Blob) -> list[Blob]:
    """Return the thick free end and the thick lower edge."""
    end = _placed(plate, rng.uniform(0.35, 0.75), 0, rng.uniform(-0.5, 0.05))
    end = _sized(end, rng.uniform(0.3, 0.5), rng.uniform(1.15, 1.6), rng.uniform(0.6, 1.0))
    edge = _placed(plate, rng.uniform(0.0, 0.2), 0, rng.uniform(-0.85, -0.5))
    edge = _sized(edge, rng.uniform(0.7, 0.95), rng.uniform(1.0, 1.3), rng.uniform(0.2, 0.4))
    return [replace(end, exponent=2.2), replace(edge, exponent=2.4)]


def _split_end(rng: np.random.Generator, plate: Blob) -> list[Blob]:
    at, apart = rng.uniform(0.75, 0.95), rng.uniform(0.7, 1.2)
    halves = [_placed(plate, at, side * apart, -0.2) for side in (-1, 1)]
    return [_sized(half, 0.3, 0.8, 0.7) for half in halves]


def _placed(plate: Blob, along: float, aside: float, up: float) -> Blob:
    """Return the plate moved by fractions of its half sizes."""
    return replace(plate, centre=plate.centre + plate.axes @ (plate.half_mm * (along, aside, up)))


def _sized(blob: Blob, along: float, aside: float, up: float) -> Blob:
    return replace(blob, half_mm=blob.half_mm * (along, aside, up))


def _turned(rng: np.random.Generator, bar: Blob, length: float) -> Blob:
    """Return the bar with another length, dropped and turned to a side about its root."""
    root = bar.centre - bar.axes[:, 0] * bar.half_mm[0]
    drop, aside = np.deg2rad(rng.normal(4, 7)), np.deg2rad(rng.normal(0, 4))
    along = bar.axes @ np.array([1.0, np.tan(aside), -np.tan(drop)])
    along /= np.linalg.norm(along)
    across = bar.axes[:, 1] - along * np.dot(bar.axes[:, 1], along)
    across /= np.linalg.norm(across)
    axes = np.stack([along, across, np.cross(along, across)], axis=1)
    half = bar.half_mm * (length, 1, 1)
    return replace(bar, centre=root + along * half[0], axes=axes, half_mm=half)
