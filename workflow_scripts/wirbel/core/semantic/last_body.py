"""Recover parts of the last vertebra's body that a network took for sacrum although they lie above the
last disc.
"""

from __future__ import annotations

import cc3d
import numpy as np

from wirbel.core.components import find_components, touching_share, voxels_of
from wirbel.core.geometry import Volume
from wirbel.core.labels import BODY_BORDER, BODY_LABELS, DISC, SACRUM

WHOLE_DISC_MM3 = 500.0
"""Half the smallest adult disc (below C3)."""
LEAST_CONTACT = 0.15
"""Fraction of a piece's surface that must touch a body. Half a cube shares a quarter of its surface
with the other half; the first sacral segment, above the rest of a disc below it, touches the fifth
lumbar body nowhere or at a rim.
"""


def restore_last_body(labels: Volume) -> Volume:
    """Turn pieces of sacrum above the last disc into body if they are part of one.

    "Above" means beyond the plane through the middle of the lowest whole disc. A piece connected to
    the sacrum around that disc is cut off there.

    Parameters
    ----------
    labels : Volume
        Subregion labels, any orientation, bodies as 49 or 50.

    Returns
    -------
    Volume
        The same grid and data type.
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
    """Return the world positions, shape (n, 3), of the voxels of the lowest whole disc."""
    discs = find_components(labels.with_data(np.where(labels.data == DISC, DISC, 0)))
    whole = np.flatnonzero(discs.volume_mm3 >= WHOLE_DISC_MM3)
    if not len(whole):
        return None
    lowest = whole[np.argmin(discs.centroid_mm[whole, 2])]
    return labels.grid.to_world(voxels_of(discs.numbers, lowest + 1, discs.boxes[lowest]))


def _plane(points_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre of a flat body and the upward unit normal of its plane."""
    centre = points_mm.mean(0)
    normal = np.linalg.eigh(np.cov((points_mm - centre).T))[1][:, 0]
    return centre, normal if normal[2] > 0 else -normal
