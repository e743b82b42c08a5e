"""One person's spine: every shape and its position, sampled from a random generator.

The anatomical frame is RAS millimetres with its origin at the middle of the sacral endplate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator

from wirbel.core.labels import LEVEL_LABELS
from wirbel.phantom.person.morphometry import PITCH_ANCHORS_DEG, LevelMorphometry, mean_dimensions
from wirbel.phantom.person.pose import rotation_from_deg
from wirbel.phantom.person.processes import posterior_elements
from wirbel.phantom.person.sacrum import SacralSegment, sample_sacrum
from wirbel.phantom.person.shapes import Blob, Body

ANOMALY = 0.12
"""Probability of a numeric variant. Variants of 11 or 13 thoracic and 4 or 6 lumbar vertebrae occur in
about a tenth of people (Thawait et al., Radiol Clin North Am 2012;50:587)."""


@dataclass(frozen=True)
class Vertebra:
    """A presacral vertebra: its shapes in its own frame and the pose of that frame.

    `rotation` (3 x 3) has the vertebra's right, anterior and superior axes as columns; `centre_mm`
    is the middle of the body. `elements` are (subregion label, shape). C2's dens is part of its
    body.
    """

    level: str
    body: Body
    dens: Blob | None
    elements: tuple[tuple[int, Blob], ...]
    size: LevelMorphometry
    rotation: np.ndarray
    centre_mm: np.ndarray
    endplate_mm: float
    fracture: str

    @property
    def label(self) -> int:
        """Vertebra label."""
        return LEVEL_LABELS[self.level]

    @property
    def canal_mm(self) -> np.ndarray:
        """Centre of the canal behind the body, in the anatomical frame."""
        behind = self.body.depth_mm / 2 * (1 - self.body.hollow) + self.size.canal_depth_mm / 2
        return self.centre_mm + self.rotation @ np.array([0.0, -behind, 0.0])


@dataclass(frozen=True)
class Disc:
    """What a disc adds to the gap between two bodies; `grade` is from 0 (healthy) to 1 (black)."""

    height_mm: float
    bulge_mm: float
    grade: float


@dataclass(frozen=True)
class Anatomy:
    """Vertebrae from the top down, `discs[k]` below vertebra k, and the sacrum's segments.

    `posterior_cortex_mm` is the thickness of the dark rim of arches, processes and sacrum.
    """

    vertebrae: tuple[Vertebra, ...]
    discs: tuple[Disc, ...]
    sacrum: tuple[SacralSegment, ...]
    scale: float
    cord_scale: float
    conus_level: str
    fat_mm: float
    posterior_cortex_mm: float


def sample_levels(rng: np.random.Generator) -> list[str]:
    """Return the presacral levels, top down; rarely with one more or one fewer."""
    thoracic, lumbar = 12, 5
    if rng.random() < ANOMALY:
        thoracic, lumbar = ((11, 5), (13, 5), (12, 4), (12, 6))[rng.integers(4)]
    return (
        [f"C{k}" for k in range(2, 8)]
        + [f"T{k}" for k in range(1, thoracic + 1)]
        + [f"L{k}" for k in range(1, lumbar + 1)]
    )


def sample_anatomy(rng: np.random.Generator) -> Anatomy:
    """Sample a whole spine, C2 to S5; the only source of randomness is `rng`."""
    cortex = rng.spawn(1)[0]  # its own stream, so that later draws from `rng` do not change
    levels = sample_levels(rng)
    scale = float(np.clip(rng.normal(1.0, 0.075), 0.82, 1.2))
    sizes = [_sample_size(rng, level, scale) for level in levels]
    frail = rng.random() < 0.25
    bodies = [
        _sample_body(rng, size, level, frail) for size, level in zip(sizes, levels, strict=True)
    ]
    discs = _sample_discs(rng, sizes)
    pitch = _sample_pitch_deg(rng, levels)
    lean, turn = _sample_scoliosis_deg(rng, len(levels))
    sacrum = sample_sacrum(rng, scale, pitch[-1], lean[-1] * 0.5)
    vertebrae = _stack(rng, levels, sizes, bodies, discs, (pitch, lean, turn))
    return Anatomy(
        vertebrae=tuple(vertebrae),
        discs=tuple(discs),
        sacrum=sacrum,
        scale=scale,
        cord_scale=float(rng.normal(1.0, 0.07)),
        conus_level=str(rng.choice(["T12", "L1", "L1", "L2"])),
        fat_mm=float(rng.gamma(4.0, 4.5) + 4),
        posterior_cortex_mm=float(cortex.uniform(0.5, 1.5)),
    )


def _sample_size(rng, level: str, scale: float) -> LevelMorphometry:
    mean = mean_dimensions(level)
    values = {}
    for name, value in vars(mean).items():
        if name in ("anterior_ratio", "spinous_drop_deg"):
            values[name] = value
            continue
        # the canal and the cord hardly grow with stature
        grow = 1 + 0.35 * (scale - 1) if name.startswith(("canal", "cord")) else scale
        values[name] = value * grow
    shape = rng.normal(1.0, 0.04, 4)
    return replace(
        LevelMorphometry(**values),
        depth_mm=values["depth_mm"] * shape[0],
        width_mm=values["width_mm"] * shape[1],
        height_mm=values["height_mm"] * shape[2],
        spinous_length_mm=values["spinous_length_mm"] * rng.normal(1.0, 0.1),
        transverse_span_mm=values["transverse_span_mm"] * rng.normal(1.0, 0.05),
        canal_depth_mm=values["canal_depth_mm"] * rng.normal(1.0, 0.06),
        spinous_drop_deg=values["spinous_drop_deg"] + rng.normal(0, 4),
        anterior_ratio=values["anterior_ratio"] + rng.normal(0, 0.02),
    )


def _sample_body(rng, size: LevelMorphometry, level: str, frail: bool) -> tuple[Body, str]:
    posterior = size.height_mm * 2 / (1 + size.anterior_ratio)
    anterior = posterior * size.anterior_ratio
    middle_loss, fracture = 0.0, "none"
    weak = level[0] in "TL" and level not in ("T1", "T2", "T3")
    if weak and rng.random() < (0.15 if frail else 0.02):
        fracture = str(rng.choice(["wedge", "biconcave", "crush"], p=[0.5, 0.3, 0.2]))
        loss = rng.uniform(0.2, 0.45)
        if fracture == "wedge":
            anterior *= 1 - loss
        elif fracture == "biconcave":
            middle_loss = size.height_mm * loss * 0.7
        else:
            anterior, posterior = (
                anterior * (1 - loss),
                posterior * (1 - loss * rng.uniform(0.6, 1)),
            )
    dip = size.height_mm * rng.uniform(0.02, 0.11, 2)
    if level[0] == "C":
        dip *= 0.6
    body = Body(
        depth_mm=size.depth_mm,
        width_mm=size.width_mm,
        height_anterior_mm=anterior,
        height_posterior_mm=posterior,
        concavity_mm=(float(dip[0]), float(dip[1])),
        middle_loss_mm=middle_loss,
        waist=float(rng.uniform(0.04, 0.13)) * (0.6 if level[0] == "C" else 1.0),
        hollow=float(rng.uniform(0.02, 0.12)),
        exponent=float(rng.uniform(2.1, 2.9)),
    )
    return body, fracture


def _sample_discs(rng, sizes) -> list[Disc]:
    """Sample discs; degeneration is a property of the person and increases down the lumbar spine."""
    proneness = rng.beta(1.3, 1.8)
    discs = []
    for size in sizes:
        grade = float(np.clip(rng.normal(proneness, 0.22), 0, 1))
        height = size.disc_mm * rng.normal(1.0, 0.1) * (1 - 0.3 * grade)
        if rng.random() < 0.08 * (0.5 + proneness):
            height *= rng.uniform(0.4, 0.7)  # a narrowed disc
        bulge = rng.uniform(-0.3, 0.6) + (rng.random() < 0.12) * rng.uniform(0.5, 2.5)
        discs.append(Disc(max(1.8, float(height)), float(bulge), grade))
    return discs


def _sample_pitch_deg(rng, levels) -> np.ndarray:
    """Return the forward tilt of every level and, last, of the sacral endplate."""
    order = [*levels, "S1"]
    flatten = rng.uniform(0.6, 1.15)
    at, value = [], []
    for name, (mean, spread) in PITCH_ANCHORS_DEG.items():
        if name in order:
            at.append(order.index(name))
            value.append(mean * flatten + rng.normal(0, spread))
    pitch = PchipInterpolator(at, value)(np.arange(len(order)))
    return pitch + rng.normal(0, 0.8, len(order))


def _sample_scoliosis_deg(rng, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each level's tilt to the right and axial turn: an S-shaped curve, rarely a strong one."""
    amplitude = rng.uniform(0, 2) if rng.random() < 0.85 else rng.uniform(2.5, 8)
    waves, phase = rng.uniform(0.7, 1.8), rng.uniform(0, 2 * np.pi)
    wave = np.linspace(0, 1, n + 1) * waves * 2 * np.pi + phase
    # The head is above the pelvis, so the tilts cancel out, weighted by the vertebrae's heights.
    weight = np.linspace(0.5, 1.5, n + 1)
    lean = amplitude * np.sin(wave) + rng.normal(0, 0.5, n + 1)
    lean -= (lean * weight).sum() / weight.sum()
    turn = 0.5 * amplitude * np.cos(wave) + rng.normal(0, 1.0, n + 1)
    return lean, turn


def _stack(rng, levels, sizes, bodies, discs, angles) -> list[Vertebra]:
    """Place the vertebrae on top of each other, from the sacral endplate (the origin) upwards."""
    pitch, lean, turn = angles
    top = np.zeros(3)
    below = rotation_from_deg(pitch[-1], lean[-1] * 0.5, 0)
    slope_below = 0.0  # tilt of the facing endplate relative to its own vertebra's axis
    placed = []
    for k in reversed(range(len(levels))):
        (body, fracture), size = bodies[k], sizes[k]
        wedge = np.rad2deg(
            np.arctan2(body.height_anterior_mm - body.height_posterior_mm, body.depth_mm)
        )
        # limit the bend so that the narrow side of the disc keeps a quarter of its height
        room = np.rad2deg(np.arctan(0.75 * discs[k].height_mm / (body.depth_mm / 2)))
        facing = pitch[k] + wedge / 2
        previous = np.rad2deg(np.arctan2(below[1, 2], below[2, 2])) - slope_below
        facing = previous + np.clip(facing - previous, -room, room)
        rotation = rotation_from_deg(facing - wedge / 2, lean[k], turn[k])
        between = below[:, 2] + rotation[:, 2]
        bottom = top + between / np.linalg.norm(between) * discs[k].height_mm
        slip = rng.normal(0, 0.5) + (rng.random() < 0.03) * rng.uniform(2, 6)
        bottom = bottom + rotation[:, 1] * slip
        centre = bottom + rotation[:, 2] * body.height_mm / 2
        dens, elements = posterior_elements(rng, levels[k], body, size)
        placed.append(
            Vertebra(
                levels[k],
                body,
                dens,
                elements,
                size,
                rotation,
                centre,
                rng.uniform(0.9, 1.4),
                fracture,
            )
        )
        top, below, slope_below = centre + rotation[:, 2] * body.height_mm / 2, rotation, wedge / 2
    return placed[::-1]
