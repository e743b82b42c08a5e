"""Computed tomography of the person whom a phantom's MR image shows, in the same position.

    ct = make_ct(make_phantom(seed=7, region="lumbar"))

The tissues are those of the MR image, so both images show the same person down to the fat in the muscles; attenuation,
voxel size, resolution and noise are sampled from the seed of the phantom's acquisition.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import Volume, grid_with_spacing, reorient
from wirbel.core.preparation.hounsfield import LOWEST_HU
from wirbel.core.resampling import resample_image
from wirbel.phantom import Phantom
from wirbel.phantom.imaging.hounsfield_units import sample_hounsfield
from wirbel.phantom.imaging.noise import smooth_noise
from wirbel.phantom.imaging.raster import rasterise
from wirbel.phantom.imaging.scanner import fine_grid
from wirbel.phantom.imaging.tissues import MARROW, NUCLEUS, POSTERIOR_MARROW, SACRAL_MARROW
from wirbel.phantom.person.surroundings import draw_surroundings

AXES = ("L", "P", "S")
"""Axial slices, as scanners store them."""
IN_SLICE_MM, SLICES_MM = (0.7, 1.2), (1.0, 2.5)
RESOLUTION_MM = (0.6, 1.1)
"""Full width at half maximum of a point, of soft to sharp reconstructions."""
NOISE_HU = (8.0, 30.0)
TRABECULAE_HU = (5.0, 35.0)
TRABECULAE_WIDTH_MM = 2.5
FWHM = 2.355
"""Standard deviations in the full width at half maximum of a Gaussian."""


def make_ct(phantom: Phantom) -> Volume:
    """Return the tomogram of a phantom's person: float32, Hounsfield units, in axial slices.

    It lies in the world of the phantom's image, with the same field of view.
    """
    acquisition, anatomy = phantom.acquisition, phantom.anatomy
    rng = np.random.default_rng([acquisition.seed, 20263])
    fine = fine_grid(acquisition)
    tissue = rasterise(anatomy, fine, draw_surroundings(anatomy, phantom.habitus, fine)).tissue
    attenuation = sample_hounsfield(rng, anatomy)[tissue]
    trabecular = (tissue >= MARROW) & (tissue < NUCLEUS)
    trabecular |= (tissue == SACRAL_MARROW) | (tissue == POSTERIOR_MARROW)
    texture = smooth_noise(int(rng.integers(2**31)), fine, TRABECULAE_WIDTH_MM)
    attenuation += rng.uniform(*TRABECULAE_HU) * texture * trabecular
    sigma = rng.uniform(*RESOLUTION_MM) / FWHM / fine.spacing_mm
    attenuation = ndimage.gaussian_filter(attenuation, sigma, truncate=3)
    return _scanned(Volume(attenuation, acquisition.world @ fine.affine), rng)


def _scanned(attenuation: Volume, rng: np.random.Generator) -> Volume:
    """Return attenuation as voxels of an axial scan, with noise."""
    axial = reorient(attenuation, AXES)
    in_slice_mm, slices_mm = rng.uniform(*IN_SLICE_MM), rng.uniform(*SLICES_MM)
    grid = grid_with_spacing(axial.grid, (in_slice_mm, in_slice_mm, slices_mm))
    scan = resample_image(axial, grid)
    noise = rng.standard_normal(scan.data.shape, np.float32) * np.float32(rng.uniform(*NOISE_HU))
    return scan.with_data(np.maximum(np.rint(scan.data + noise), np.float32(LOWEST_HU)))
