"""A tall volume with structure everywhere, and stations cut from it with known shifts, tilts and gains."""

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import Grid, Volume
from wirbel.core.resampling import resample_image

SIZES_MM = (1.5, 1.5, 4.0)


def tall(rows=200, seed=0):
    """A smooth random volume in (P, I, R), 72 x 300 x 44 mm, values 100 to 3000."""
    noise = np.random.default_rng(seed).normal(size=(48, rows, 11))
    smooth = ndimage.gaussian_filter(noise, (2.5, 2.5, 1.2))
    spread = (smooth - smooth.min()) / np.ptp(smooth)
    affine = np.array([[0, 0, 4.0, -20], [-1.5, 0, 0, 40], [0, -1.5, 0, 300], [0, 0, 0, 1.0]])
    return Volume((100 + 2900 * spread).astype(np.float32), affine)


def station(volume, first, last, shift_mm=(0, 0, 0), tilt_deg=0.0, gain=1.0):
    """Cut rows out, tilted about the left-right axis; the header says it lies `shift_mm` (RAS) elsewhere."""
    part = Grid((volume.data.shape[0], last - first, volume.data.shape[2]), volume.affine.copy())
    part.affine[:3, 3] = volume.grid.to_world([0, first, 0])
    centre, turn = part.to_world((np.array(part.shape) - 1) / 2), np.eye(4)
    angle = np.radians(tilt_deg)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = centre - turn[:3, :3] @ centre
    grid = Grid(part.shape, turn @ part.affine)
    data = resample_image(volume, grid).data * gain
    affine = grid.affine.copy()
    affine[:3, 3] += shift_mm
    return Volume(data.astype(np.int16), affine)
