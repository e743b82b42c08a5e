"""The sacrum: five fused segments bending backwards, their wings and the bony roof of the canal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.phantom.person.morphometry import SACRAL_SEGMENTS
from wirbel.phantom.person.pose import rotation_from_deg
from wirbel.phantom.person.shapes import Blob, rod


@dataclass(frozen=True)
class SacralSegment:
    """One of S1 to S5: `blobs` in its own frame, whose pose is `rotation` and `centre_mm`."""

    blobs: tuple[Blob, ...]
    rotation: np.ndarray
    centre_mm: np.ndarray
    height_mm: float
    canal_mm: np.ndarray
    canal_half_mm: tuple[float, float]


def sample_sacrum(
    rng: np.random.Generator, scale: float, slope_deg: float, lean_deg: float
) -> tuple[SacralSegment, ...]:
    """Sample S1 to S5, hanging from the sacral endplate at the origin and tilted by `slope_deg`."""
    bend = rng.uniform(0.2, 1.6)
    top = np.zeros(3)
    segments: list[SacralSegment] = []
    for height, depth, width, wings, angle in SACRAL_SEGMENTS * ([scale] * 4 + [bend]):
        rotation = rotation_from_deg(slope_deg + angle, lean_deg, 0)
        centre = top - rotation[:, 2] * height / 2
        canal_depth = max(4.0, 14.0 - 2.0 * len(segments))
        blobs = _segment_blobs(rng, height, depth, width, wings, canal_depth)
        behind = np.array([0.0, -(depth + canal_depth) / 2 + 0.5, 0.0])
        segments.append(
            SacralSegment(
                blobs,
                rotation,
                centre,
                height,
                centre + rotation @ behind,
                (max(4.0, width * 0.26), canal_depth / 2),
            )
        )
        top = centre - rotation[:, 2] * height / 2
    return tuple(segments)


def _segment_blobs(rng, height, depth, width, wings, canal_depth) -> tuple[Blob, ...]:
    """Return the median body, two wings, the roof behind the canal and the median crest."""
    straight = np.eye(3)
    half = height / 2
    body = Blob(np.zeros(3), straight, np.array([width / 2, depth / 2, half * 1.06]), 4.0)
    roof_a = -depth / 2 - canal_depth - 1.5
    roof = Blob(np.array([0, roof_a, 0]), straight, np.array([width * 0.42, 2.4, half * 0.95]), 3.0)
    crest = Blob(
        np.array([0, roof_a - 4, 0]), straight, np.array([3.0, rng.uniform(4, 8), half * 0.6]), 2.5
    )
    parts = [body, roof, crest]
    for sign in (-1.0, 1.0):
        parts.append(
            rod(
                (sign * width * 0.3, -depth * 0.1, -1.0),
                (sign * wings / 2, -depth * 0.55, -2.0),
                (half * 0.92, max(4.5, depth * 0.36)),
                (0, 0, 1),
                3.0,
            )
        )
        parts.append(
            rod(
                (sign * width * 0.44, -depth / 2 + 1, 0),
                (sign * width * 0.42, roof_a, 0),
                (half * 0.7, 4.0),
                (0, 0, 1),
                3.0,
            )
        )
    return tuple(parts)
