"""Random changes of how a training patch looks: tones, resolution, blur, bias field and noise.

As in `augmentation`, parameters are drawn separately from applying them. Patches have axes (C, P, I, R).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

from wirbel.learning.training.augmentation import uniform


@dataclass(frozen=True)
class Look:
    """What is changed of a patch, and how strongly; None leaves a change out.

    Attributes
    ----------
    blur : float or None
        Standard deviation of an in-plane Gaussian, in voxels.
    coarsen : float or None
        In-plane resolution as a fraction.
    gamma : float or None
        Logarithm of the exponent of a power law.
    tone : ndarray, shape (4,), or None
        Amplitudes of slow sine waves added to the tone curve.
    bias : ndarray, shape (3, 4, 2), or None
        Logarithm of a smooth gain at knots.
    noise : float or None
        Standard deviation of Gaussian noise drawn from `seed`.
    seed : int
        Of the noise.
    gain, offset : float
        Final linear change.
    """

    blur: float | None = None
    coarsen: float | None = None
    gamma: float | None = None
    tone: np.ndarray | None = None
    bias: np.ndarray | None = None
    noise: float | None = None
    seed: int = 0
    gain: float = 1.0
    offset: float = 0.0


class Appearance(BasicTransform):
    """Change brightness, contrast, gamma, tone curve, bias field, noise, blur and resolution."""

    def get_parameters(self, **data_dict) -> dict:
        """Draw which changes to apply and how strongly; None leaves a change out."""

        def maybe(probability: float, low: float, high: float) -> float | None:
            return uniform(low, high) if uniform(0, 1) < probability else None

        return {
            "blur": maybe(0.2, 0.4, 1.2),
            "coarsen": maybe(0.2, 0.4, 0.9),
            "gamma": maybe(0.5, -0.45, 0.45),
            "tone": np.random.normal(0, 0.25, 4) if uniform(0, 1) < 0.4 else None,
            "bias": np.random.normal(0, 0.25, (3, 4, 2)) if uniform(0, 1) < 0.4 else None,
            "noise": maybe(0.4, 0.02, 0.3),
            "seed": int(np.random.randint(2**31)),
            "gain": math.exp(uniform(-0.35, 0.35)),
            "offset": uniform(-0.3, 0.3),
        }

    def apply(self, data_dict: dict, **parameters) -> dict:
        """Apply the drawn changes to the image; the segmentation stays."""
        data_dict["image"] = change_appearance(data_dict["image"], Look(**parameters))
        return data_dict


def drawn_look(seed: int) -> Look:
    """Draw changes from a seed alone."""
    np.random.seed(seed)
    return Look(**Appearance().get_parameters())


def change_appearance(image: torch.Tensor, look: Look) -> torch.Tensor:
    """Return a changed copy of a patch (C, P, I, R) of intensities in z-scores."""
    if look.bias is not None:
        field = F.interpolate(
            torch.from_numpy(look.bias).float()[None, None], image.shape[1:], mode="trilinear"
        )
        low = image.min()
        image = (image - low) * torch.exp(field[0]) + low
    if look.gamma is not None or look.tone is not None:
        image = _change_tones(image, look.gamma, look.tone)
    if look.coarsen is not None:
        image = _coarsen(image, look.coarsen)
    if look.blur is not None:
        image = _blur_in_plane(image, look.blur)
    if look.noise is not None:
        generator = torch.Generator().manual_seed(look.seed)
        image = image + look.noise * torch.randn(image.shape, generator=generator)
    return image * look.gain + look.offset


def _change_tones(image, gamma, tone):
    """Map intensities almost monotonically: a power law and a few slow sine waves on [0, 1]."""
    low, high = image.min(), image.max()
    unit = (image - low) / (high - low).clamp_min(1e-5)
    spread = image.std()
    if gamma is not None:
        unit = unit.clamp_min(0) ** math.exp(gamma)
    if tone is not None:
        waves = sum(
            float(t) / (k + 1) * torch.sin(math.pi * (k + 1) * unit) for k, t in enumerate(tone)
        )
        unit = unit + 0.5 * waves
    return (unit - unit.mean()) / unit.std().clamp_min(1e-5) * spread + image.mean()


def _coarsen(image, factor):
    slices = image.permute(3, 0, 1, 2)
    small = [max(8, int(n * factor)) for n in slices.shape[2:]]
    coarse = F.interpolate(slices, small, mode="bilinear", antialias=True)
    return F.interpolate(coarse, slices.shape[2:], mode="bilinear").permute(1, 2, 3, 0)


def _blur_in_plane(image, sigma):
    radius = max(1, round(2.5 * sigma))
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    weights = weights / weights.sum()
    slices = image.permute(3, 0, 1, 2).reshape(-1, 1, *image.shape[1:3])
    padded = F.pad(slices, [radius] * 4, mode="replicate")
    blurred = F.conv2d(F.conv2d(padded, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    return blurred.reshape(image.shape[3], image.shape[0], *image.shape[1:3]).permute(1, 2, 3, 0)
