"""What a network takes for sacrum although it lies above the last disc: part of the last vertebra's body."""

from __future__ import annotations

import cc3d
import numpy as np

from wirbel.core.components import find_components, touching_share, voxels_of
from wirbel.core.geometry import Volume
from wirbel.core.labels import BODY_BORDER, BODY_LABELS, DISC, SACRUM

WHOLE_DISC_MM3 = 500.0
"""Half the smallest adult disc (that below C3)."""
LEAST_CONTACT = 0.15
"""Share of a piece's surface that must touch a body. Half a cube shares a quarter of its surface with the other half;
the first sacral segment, above what is left of a disc below it, touches the fifth lumbar body nowhere or at a rim."""


def restore_last_body(labels: Volume) -> Volume:
    """Turn pieces of sacrum above the last disc into body where they are part of one; grid and dtype stay.

    `labels` subregion numbers in any orientation, bodies as 49 or 50. Above: beyond the plane through the middle of
    the lowest whole disc; a piece that hangs together with the sacrum around that disc is cut off there.
    """
    voxels = np.argwhere(labels.data == SACRUM)
    disc = _lowest_disc_mm(labels) if len(voxels) else None
    if disc is None:
        return labels
    centre, up = _plane(disc)
    height_mm = (labels.grid.to_world(voxels) - centre) @ up
    above = np.zeros(labels.data.shape, bool)
    above[tuple(voxels[height_mm > 1e-6].T)] = True  # 1e-6: a tie must not depend on rounding
    pieces, count = cc3d.connected_components(above, connectivity=6, return_N=True)
    body = np.isin(labels.data, BODY_LABELS)
    restored = np.concatenate(
        [[False], touching_share(pieces, count, body | above) >= LEAST_CONTACT]
    )
    return labels.with_data(
        np.where(restored[pieces], BODY_BORDER, labels.data).astype(labels.data.dtype)
    )


def _lowest_disc_mm(labels: Volume) -> np.ndarray | None:
    """Return the world positions (n, 3) of the voxels of the lowest whole disc."""
    discs = find_components(labels.with_data(np.where(labels.data == DISC, DISC, 0)))
    whole = np.flatnonzero(discs.volume_mm3 >= WHOLE_DISC_MM3)
    if not len(whole):
        return None
    lowest = whole[np.argmin(discs.centroid_mm[whole, 2])]
    return labels.grid.to_world(voxels_of(discs.numbers, lowest + 1, discs.boxes[lowest]))


def _plane(points_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a flat body's centre and the unit normal (upwards) of the plane that it lies in."""
    centre = points_mm.mean(0)
    normal = np.linalg.eigh(np.cov((points_mm - centre).T))[1][:, 0]
    return centre, normal if normal[2] > 0 else -normal
