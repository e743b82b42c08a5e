"""Turn tissues into an image: signal, partial volume, coil sensitivity, blur, ghosts and noise."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import Grid
from wirbel.phantom.imaging.acquisition import Acquisition
from wirbel.phantom.imaging.contrast import Contrast
from wirbel.phantom.imaging.noise import smooth_noise

TEXTURE_STRENGTH = 0.7
"""Brings the sum of two textures to about unit variance."""


def fine_grid(acquisition: Acquisition) -> Grid:
    """Return the scan's grid with every slice cut into `slice_samples` thinner ones."""
    n, grid = acquisition.slice_samples, acquisition.grid
    affine = grid.affine.copy()
    affine[:3, 2] = grid.affine[:3, 2] / n
    affine[:3, 3] = grid.affine[:3, 3] - grid.affine[:3, 2] * (n - 1) / (2 * n)
    return Grid((grid.shape[0], grid.shape[1], grid.shape[2] * n), affine)


def image_tissues(tissue: np.ndarray, contrast: Contrast, acquisition: Acquisition) -> np.ndarray:
    """Return the scan of tissues on the fine grid.

    A slice's signal is the mean over its thickness, so borders between tissues are partial volumes.

    Parameters
    ----------
    tissue : ndarray of uint8
        Tissues on `fine_grid(acquisition)`.
    contrast : Contrast
        Signal of every tissue.
    acquisition : Acquisition
        How the scan is taken.

    Returns
    -------
    ndarray of float32
        Integer values on `acquisition.grid`.
    """
    rng = np.random.default_rng(acquisition.seed)
    n, shape = acquisition.slice_samples, acquisition.grid.shape
    pieces = tissue.reshape(*shape, n)
    signal, varying = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for part in range(n):
        signal += contrast.mean[pieces[..., part]]
        varying += (contrast.mean * contrast.texture)[pieces[..., part]]
    signal = np.maximum(signal + TEXTURE_STRENGTH * varying * texture_of(acquisition, rng), 0) / n
    blur = acquisition.blur_voxels * acquisition.resolution_loss
    signal = ndimage.gaussian_filter(signal, (blur, blur, acquisition.slice_blur), truncate=3)
    if acquisition.resolution_loss > 1:
        signal = _truncate_k_space(signal, acquisition.resolution_loss)
    if acquisition.ghosts:
        signal = _ghost(signal, acquisition.ghosts, rng)
    signal *= _sensitivity(acquisition, rng)
    return _digitise(_rician(signal, acquisition.noise, rng), acquisition.maximum)


def texture_of(acquisition: Acquisition, rng: np.random.Generator) -> np.ndarray:
    """Return the texture of all tissues on the scan's grid: a fine one and a coarse one, each of about unit variance.

    `rng` is fresh from the acquisition's seed.
    """
    texture = smooth_noise(int(rng.integers(2**31)), acquisition.grid, rng.uniform(1.5, 3.5))
    texture += smooth_noise(int(rng.integers(2**31)), acquisition.grid, rng.uniform(6, 14))
    return texture


def _truncate_k_space(signal: np.ndarray, loss: float) -> np.ndarray:
    """Drop the outer k-space of the phase-encoding axis: lower resolution with Gibbs ringing."""
    spectrum = np.fft.rfft(signal, axis=1)
    spectrum[:, int(spectrum.shape[1] / loss) :] = 0
    return np.fft.irfft(spectrum, n=signal.shape[1], axis=1).astype(np.float32)


def _ghost(signal: np.ndarray, strength: float, rng) -> np.ndarray:
    """Add faint shifted copies along one in-plane axis, as periodic motion does."""
    axis = int(rng.integers(2))
    shift = int(signal.shape[axis] * rng.uniform(0.06, 0.3))
    copies = np.roll(signal, shift, axis) + np.roll(signal, -shift, axis)
    return signal + np.float32(strength / 2) * copies


def _sensitivity(acquisition: Acquisition, rng) -> np.ndarray:
    """Return a smooth gain: strongest near the back (spine coil), uneven along the spine."""
    grid = acquisition.grid
    wide = smooth_noise(int(rng.integers(2**31)), grid, 110.0)
    gain = np.exp(acquisition.bias_strength * wide)
    distance = np.arange(grid.shape[0])[::-1] * grid.spacing_mm[0]
    gain *= np.exp(-np.maximum(distance - 60, 0) / acquisition.coil_falloff_mm)[:, None, None]
    along = np.linspace(-1, 1, grid.shape[1])
    edge = 1 - rng.uniform(0, 0.9) * np.abs(along) ** rng.uniform(3, 8)
    return (gain * edge[None, :, None]).astype(np.float32)


def _rician(signal: np.ndarray, noise: float, rng) -> np.ndarray:
    """Add noise to both channels and return the magnitude; `noise` is relative to fluid."""
    real = signal + rng.standard_normal(signal.shape, np.float32) * noise
    return np.hypot(real, rng.standard_normal(signal.shape, np.float32) * noise)


def _digitise(signal: np.ndarray, maximum: float) -> np.ndarray:
    top = np.percentile(signal[::3, ::3], 99.8) + 1e-6
    return np.round(np.clip(signal / top * maximum, 0, 32767)).astype(np.float32)
