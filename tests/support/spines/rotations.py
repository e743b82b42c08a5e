"""Rotations of maps and meshes."""

import numpy as np


def rotation(angles):
    """Return the 4 x 4 rotation by three angles in rad about x, y, z."""
    out = np.eye(4)
    for axis, angle in enumerate(angles):
        a, b = [i for i in range(3) if i != axis]
        one = np.eye(4)
        one[[a, a, b, b], [a, b, a, b]] = (
            np.cos(angle),
            -np.sin(angle),
            np.sin(angle),
            np.cos(angle),
        )
        out = one @ out
    return out
