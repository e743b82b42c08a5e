"""The parts of a vertebra behind its body, built from its dimensions as superellipsoids.

Positions are fractions of the level's own measures, read off surface models of the human spine
(MyoSuite's full spine and the Visible Human's lumbar spine); (right, anterior, superior) in mm.
"""

from __future__ import annotations

import numpy as np

from wirbel.core import labels as L
from wirbel.phantom.person.morphometry import LevelMorphometry
from wirbel.phantom.person.shapes import Blob, Body, rod

SIDES = ((-1.0, 0), (1.0, 1))
"""(sign of the right axis, position in a (left, right) pair of labels)."""


def posterior_elements(
    rng: np.random.Generator, level: str, body: Body, size: LevelMorphometry
) -> tuple[Blob | None, tuple[tuple[int, Blob], ...]]:
    """Return C2's dens (or None) and the (label, shape) list of a vertebra's processes and arch."""
    back = -body.depth_mm / 2 * (1 - body.hollow)
    wobble = 1 + rng.normal(0, 0.06, 8)
    elements = _arch(body, size, back, level, wobble) + [_spinous(size, back, body, wobble)]
    for sign, side in SIDES:
        elements += _articular(body, size, back, level, sign, side, wobble)
        elements.append(_costal(rng, body, size, back, level, sign, side))
    return (_dens(body, rng) if level == "C2" else None), tuple(elements)


def _dens(body: Body, rng) -> Blob:
    top = body.height_mm / 2
    height = rng.uniform(14, 18)
    return rod((0, 1, top - 6), (0, -1.5, top + height), (5.2, 5.0), (1, 0, 0), 2.4)


def _lamina_height(body: Body, level: str) -> float:
    return body.height_mm * {"C": 0.38, "T": 0.44, "L": 0.34}[level[0]]


def _arch(body, size, back, level, wobble) -> list[tuple[int, Blob]]:
    """Return pedicles and laminae, which together form the arch (arcus vertebrae)."""
    parts = []
    canal_r, canal_d = size.canal_width_mm / 2, size.canal_depth_mm
    raise_mm = body.height_mm * (0.05 if level[0] == "C" else 0.18)
    thick = {"C": 2.1, "T": 2.6, "L": 3.0}[level[0]] * wobble[0]
    drop = body.height_mm * {"C": 0.05, "T": 0.18, "L": 0.22}[level[0]]
    half_height = _lamina_height(body, level) * wobble[1]
    for sign, _ in SIDES:
        pedicle_r = sign * (canal_r + size.pedicle_width_mm / 2 - 0.5)
        inside = sign * min(canal_r + size.pedicle_width_mm / 2 - 0.5, body.width_mm / 2 - 2)
        parts.append(
            rod(
                (inside, back + 2.5, raise_mm),
                (pedicle_r, back - 0.8 * canal_d, raise_mm * 0.6),
                (size.pedicle_width_mm / 2, size.pedicle_height_mm / 2),
                (1, 0, 0),
                3.0,
            )
        )
        parts.append(
            rod(
                (sign * (canal_r + 2.5), back - 0.62 * canal_d, -drop * 0.3),
                (-sign * 1.5, back - canal_d - thick - 0.8, -drop),
                (half_height, thick),
                (0, -0.25, 1),
                3.0,
            )
        )
    return [(L.ARCUS, part) for part in parts]


def _spinous(size, back, body, wobble) -> tuple[int, Blob]:
    angle = np.deg2rad(size.spinous_drop_deg)
    along = np.array([0.0, -np.cos(angle), -np.sin(angle)])
    root = np.array([0.0, back - size.canal_depth_mm - 1.5, -0.2 * body.height_mm])
    half_width = np.clip(size.spinous_height_mm * 0.2, 2.6, 4.2) * wobble[2]
    half_height = size.spinous_height_mm / 2 * np.clip(1 + 2.5 * (wobble[5] - 1), 0.7, 1.4)
    return L.SPINOUS_PROCESS, rod(
        tuple(root),
        tuple(root + along * size.spinous_length_mm),
        (half_width, half_height),
        (1, 0, 0),
        3.2,
    )


def _articular(body, size, back, level, sign, side, wobble) -> list[tuple[int, Blob]]:
    """Return superior and inferior articular processes: pillars in the neck, hooks further down."""
    canal_r, canal_d, height = size.canal_width_mm / 2, size.canal_depth_mm, body.height_mm
    pitch = height + size.disc_mm  # from level to level
    superior, inferior = (
        (L.SUPERIOR_ARTICULAR_LEFT, L.SUPERIOR_ARTICULAR_RIGHT)[side],
        (L.INFERIOR_ARTICULAR_LEFT, L.INFERIOR_ARTICULAR_RIGHT)[side],
    )
    if level[0] == "C":
        r = sign * (canal_r + 5.0)
        up = rod(
            (r, back - 0.25 * canal_d, 0),
            (r, back - 0.1 * canal_d, 0.5 * pitch),
            (5.2, 4.6),
            (1, 0, 0),
        )
        down = rod(
            (r, back - 0.5 * canal_d, -0.05 * pitch),
            (r, back - 0.75 * canal_d, -0.62 * pitch),
            (5.0, 4.2),
            (1, 0, 0),
        )
    elif level[0] == "T":
        r = sign * (canal_r + 2.5)
        up = rod(
            (r, back - 0.85 * canal_d, 0.05 * pitch),
            (r, back - 0.95 * canal_d, 0.62 * pitch),
            (4.6, 2.6),
            (1, 0, 0),
        )
        down = rod(
            (r, back - canal_d - 2.5, -0.12 * pitch),
            (r * 0.92, back - canal_d - 4.5, -0.66 * pitch),
            (4.6, 2.8),
            (1, 0, 0),
        )
    else:
        r = sign * (canal_r + 5.0)
        up = rod(
            (r, back - 0.75 * canal_d, 0.08 * pitch),
            (r * 1.05, back - 0.85 * canal_d, 0.6 * pitch),
            (4.8, 5.8),
            (1, 0, 0),
        )
        down = rod(
            (r * 0.85, back - canal_d - 1.0, -0.15 * pitch),
            (r * 0.85, back - canal_d - 4.5, -0.72 * pitch),
            (5.2, 5.6),
            (1, 0, 0),
        )
    grown = [
        Blob(b.centre, b.axes, b.half_mm * w, b.exponent)
        for b, w in ((up, wobble[3]), (down, wobble[4]))
    ]
    return [(superior, grown[0]), (inferior, grown[1])]


def _costal(rng, body, size, back, level, sign, side) -> tuple[int, Blob]:
    """Return the transverse process: short and anterior in the neck, swept back in the chest, wide
    below.
    """
    label = (L.COSTAL_LEFT, L.COSTAL_RIGHT)[side]
    canal_r, canal_d = size.canal_width_mm / 2, size.canal_depth_mm
    tip = sign * max(size.transverse_span_mm / 2, canal_r + 9)
    lift = rng.normal(0, 1.5)
    if level[0] == "C":
        root, end, half = (
            (sign * (canal_r - 1.0), back + 3.0, 0),
            (tip, back + 1.5, -2 + lift),
            (3.4, 3.4),
        )
    elif level[0] == "T":
        root = (sign * (canal_r + 3.0), back - 0.9 * canal_d, 0.12 * body.height_mm)
        end, half = (tip, back - canal_d - 10.0, 0.25 * body.height_mm + lift), (4.6, 4.0)
    else:
        root = (
            sign * (canal_r + size.pedicle_width_mm * 0.6),
            back - 0.45 * canal_d,
            0.1 * body.height_mm,
        )
        end, half = (tip, back - 0.9 * canal_d, 0.1 * body.height_mm + lift), (5.0, 2.8)
    return label, rod(root, end, half, (0, 0, 1))
