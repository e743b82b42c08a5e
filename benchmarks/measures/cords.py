"""Sections of cords and canals of usual and unusual form, on slices of 2 to 6 mm: how far off, and with what status.

Each tube is an ellipse, posed at random, drawn and cut. Printed for each form and slice thickness: how many slices show
it, bias and mean absolute error of area (percent), AP and RL (mm), what 95 % of two scans of the same tube differ by,
and how often the status is `ok`.

    python benchmarks/measures/cords.py --draws 24
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from drawn_shapes import rotation

from wirbel.core import labels as L
from wirbel.core.geometry import Volume
from wirbel.core.measures.cord.sections import cut_section
from wirbel.core.measures.curvature.curves import CANAL_FORM, CORD_FORM
from wirbel.core.measures.frames import make_frame
from wirbel.core.measures.label_maps import LabelMaps

CORDS = ((6.0, 6.0), (3.0, 15.0), (4.0, 12.0), (5.8, 8.2), (6.8, 13.0), (8.0, 8.0), (4.0, 5.0))
"""Depth and width in mm: round and flat ones, the usual thoracic and cervical ones, a tip."""
CANALS = ((16.0, 24.0), (12.0, 28.0), (16.0, 17.5), (8.0, 20.0))
SLICES_MM, IN_PLANE_MM = (2.0, 3.3, 4.4, 6.0), 0.86
LENGTH_MM = 24.0


def tube(rng: np.random.Generator, size, slices_mm: float, canal: bool):
    """Return (label maps, frame of the section) of a tube at a random place and tilt."""
    pose = rotation(rng.uniform(-1, 1, 3) * (25, 10, 10))
    spacing = np.array([slices_mm, IN_PLANE_MM, IN_PLANE_MM])
    shape = np.ceil(np.array([44, 44, LENGTH_MM]) / spacing).astype(int)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(shape - 1) / 2 * spacing + rng.uniform(-0.5, 0.5, 3) * spacing
    volume = Volume(np.zeros(shape, np.uint8), affine)
    local = volume.grid.to_world(np.indices(shape).reshape(3, -1).T) @ pose
    deep, wide = size
    inside = (2 * local[:, 0] / wide) ** 2 + (2 * local[:, 1] / deep) ** 2 < 1
    flat = volume.data.reshape(-1)
    if not canal:
        around = (2 * local[:, 0] / 24) ** 2 + (2 * local[:, 1] / 16) ** 2 < 1
        flat[around] = L.CANAL
    flat[inside] = L.CANAL if canal else L.CORD
    maps = LabelMaps(volume, volume.with_data(np.zeros_like(volume.data)))
    return maps, make_frame(np.zeros(3), pose[:, 2], -30 * pose[:, 1])


def row(size, slices_mm: float, canal: bool, draws: int) -> str:
    """Return a line of figures."""
    rng, values, states = np.random.default_rng(0), [], Counter()
    labels, form = ((L.CANAL,), CANAL_FORM) if canal else ((L.CORD,), CORD_FORM)
    for _ in range(draws):
        maps, frame = tube(rng, size, slices_mm, canal)
        section, state = cut_section(maps, labels, frame, form)
        states[state] += 1
        if section is not None:
            values.append((section.area_mm2, section.depth_mm, section.width_mm))
    deep, wide = size
    true = np.array([np.pi / 4 * deep * wide, deep, wide])
    off = np.array(values) - true
    off[:, 0] *= 100 / true[0]
    pairs = np.abs(np.diff(off, axis=0))
    cells = [
        f"{b:+.2f} {m:.2f} {r:.2f}"
        for b, m, r in zip(
            off.mean(0), np.abs(off).mean(0), np.percentile(pairs, 95, 0), strict=True
        )
    ]
    name = f"{'canal' if canal else 'cord'} {deep:g} x {wide:g}"
    figures = "".join(f"{cell:>20}" for cell in cells)
    return f"{name:<16}{slices_mm:>5}{wide / slices_mm:>6.1f}  {figures}  {dict(states)}"


def main() -> None:
    """Print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=24)
    args = parser.parse_args()
    print(f"{'':<16}{'mm':>5}{'shown':>6}  {'area % bias MAE 95':>20}{'AP mm':>20}{'RL mm':>20}")
    for canal, sizes in ((False, CORDS), (True, CANALS)):
        for size in sizes:
            for slices_mm in SLICES_MM:
                print(row(size, slices_mm, canal, args.draws), flush=True)


if __name__ == "__main__":
    main()
