"""Cheap random changes of training patches, so that a network trained on phantoms works on real scans.

All transforms follow the interface of batchgeneratorsv2 (parameters are drawn separately from
applying them) and take patches with axes (C, P, I, R). Nothing resamples across slices: in-plane
affine maps and flips are enough and cost milliseconds.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

OUTSIDE_LABEL = -1


def _uniform(low: float, high: float) -> float:
    return float(np.random.uniform(low, high))


class InPlaneAffine(BasicTransform):
    """Rotate, scale, stretch and shift inside the sagittal plane, then crop to the patch size.

    The incoming patch is larger than the outgoing one, so that little padding becomes visible.

    Parameters
    ----------
    patch_size : tuple of three int
        Voxels of the outgoing patch, (P, I, R).
    probability : float
        Of a change; otherwise the patch is only cropped.
    rotation_deg : float
        Largest rotation in either direction.
    scaling : tuple of two float
        Smallest and largest scale.
    """

    def __init__(
        self,
        patch_size: tuple[int, int, int],
        probability: float = 0.6,
        rotation_deg: float = 15,
        scaling: tuple[float, float] = (0.8, 1.25),
    ) -> None:
        super().__init__()
        self.patch_size = tuple(int(n) for n in patch_size)
        self.probability = probability
        self.rotation_deg = rotation_deg
        self.scaling = scaling

    def get_parameters(self, **data_dict) -> dict:
        """Draw the map from output to input positions, in voxels around the centre."""
        if _uniform(0, 1) > self.probability:
            return {"matrix": None}
        angle = math.radians(_uniform(-self.rotation_deg, self.rotation_deg))
        size = math.exp(_uniform(*np.log(self.scaling)))
        stretch = math.exp(_uniform(-0.1, 0.1))
        cosine, sine = math.cos(angle), math.sin(angle)
        rows = [[cosine, -sine], [sine, cosine]]
        factors = [stretch / size, 1 / (stretch * size)]
        matrix = torch.tensor([[r * f for r, f in zip(row, factors, strict=True)] for row in rows])
        return {"matrix": matrix}

    def apply(self, data_dict: dict, **parameters) -> dict:
        """Transform image (linear) and segmentation (nearest neighbour) alike."""
        for key, mode in (("image", "bilinear"), ("segmentation", "nearest")):
            array = data_dict[key]
            if parameters["matrix"] is None:
                data_dict[key] = self._centre(array)
            else:
                data_dict[key] = self._sample(array, parameters["matrix"], mode)
        return data_dict

    def _centre(self, array: torch.Tensor) -> torch.Tensor:
        starts = [(n - m) // 2 for n, m in zip(array.shape[1:], self.patch_size, strict=True)]
        box = tuple(slice(s, s + m) for s, m in zip(starts, self.patch_size, strict=True))
        return array[(slice(None), *box)].contiguous()

    def _sample(self, array: torch.Tensor, matrix: torch.Tensor, mode: str) -> torch.Tensor:
        source, target = array.shape[1:3], self.patch_size[:2]
        slices = array.permute(3, 0, 1, 2).float()  # one 2D picture per slice
        ratio = torch.tensor([[t / s] for t, s in zip(target, source, strict=True)])
        extent = torch.tensor([float(t) for t in target])
        voxel_map = matrix * (extent[None] / extent[:, None])
        theta = torch.zeros(2, 3)
        theta[:, :2] = (voxel_map * ratio).flip(0, 1)  # grid_sample counts the last axis first
        grid = F.affine_grid(theta[None], [1, 1, *target], align_corners=False)
        grid = grid.expand(len(slices), -1, -1, -1)
        filled = slices if mode == "bilinear" else slices - OUTSIDE_LABEL
        out = F.grid_sample(filled, grid, mode=mode, padding_mode="zeros", align_corners=False)
        out = out if mode == "bilinear" else out + OUTSIDE_LABEL
        excess = (array.shape[3] - self.patch_size[2]) // 2
        out = out[excess : excess + self.patch_size[2]].permute(1, 2, 3, 0)
        return out.to(array.dtype).contiguous()


class SwapSides(BasicTransform):
    """Mirror left and right (third axis) and exchange the left and right labels."""

    def __init__(self, pairs: list[tuple[int, int]], probability: float = 0.5) -> None:
        super().__init__()
        self.pairs = pairs
        self.probability = probability

    def get_parameters(self, **data_dict) -> dict:
        """Draw whether to mirror."""
        return {"mirror": _uniform(0, 1) < self.probability}

    def apply(self, data_dict: dict, **parameters) -> dict:
        """Mirror both arrays."""
        if not parameters["mirror"]:
            return data_dict
        data_dict["image"] = data_dict["image"].flip(3)
        labels = data_dict["segmentation"].flip(3)
        swapped = labels.clone()
        for left, right in self.pairs:
            swapped[labels == left] = right
            swapped[labels == right] = left
        data_dict["segmentation"] = swapped
        return data_dict


class BlankBorders(BasicTransform):
    """Reduce the field of view: blank strips at the sides to a constant."""

    def __init__(self, probability: float = 0.25, largest_part: float = 0.4) -> None:
        super().__init__()
        self.probability = probability
        self.largest_part = largest_part

    def get_parameters(self, **data_dict) -> dict:
        """Draw which sides lose how many voxels."""
        if _uniform(0, 1) > self.probability:
            return {"strips": []}
        shape = data_dict["image"].shape[1:]
        strips = []
        for _ in range(np.random.randint(1, 3)):
            axis = int(np.random.randint(0, 3))
            width = int(shape[axis] * _uniform(0.05, self.largest_part))
            strips.append((axis, width, bool(np.random.randint(2))))
        return {"strips": strips, "value": _uniform(-1.5, 0.5)}

    def apply(self, data_dict: dict, **parameters) -> dict:
        """Blank the strips; what is not visible is background."""
        for axis, width, at_end in parameters["strips"]:
            size = data_dict["image"].shape[axis + 1]
            start = size - width if at_end else 0
            data_dict["image"].narrow(axis + 1, start, width).fill_(parameters["value"])
            data_dict["segmentation"].narrow(axis + 1, start, width).fill_(0)
        return data_dict


class Appearance(BasicTransform):
    """Change brightness, contrast, gamma, tone curve, bias field, noise, blur and resolution."""

    def get_parameters(self, **data_dict) -> dict:
        """Draw which changes to apply and how strongly; None leaves a change out."""

        def maybe(probability: float, low: float, high: float) -> float | None:
            return _uniform(low, high) if _uniform(0, 1) < probability else None

        return {
            "blur": maybe(0.2, 0.4, 1.2),
            "coarsen": maybe(0.2, 0.4, 0.9),
            "gamma": maybe(0.5, -0.45, 0.45),
            "tone": np.random.normal(0, 0.25, 4) if _uniform(0, 1) < 0.4 else None,
            "bias": np.random.normal(0, 0.25, (3, 4, 2)) if _uniform(0, 1) < 0.4 else None,
            "noise": maybe(0.4, 0.02, 0.3),
            "seed": int(np.random.randint(2**31)),
            "gain": math.exp(_uniform(-0.35, 0.35)),
            "offset": _uniform(-0.3, 0.3),
        }

    def apply(self, data_dict: dict, **parameters) -> dict:
        """Apply the drawn changes to the image; the segmentation stays."""
        data_dict["image"] = change_appearance(data_dict["image"], **parameters)
        return data_dict


def change_appearance(
    image: torch.Tensor, *, blur, coarsen, gamma, tone, bias, noise, seed, gain, offset
) -> torch.Tensor:
    """Return a changed copy of a patch.

    Parameters
    ----------
    image : Tensor, shape (C, P, I, R)
        Intensities in z-scores.
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
    if bias is not None:
        field = F.interpolate(
            torch.from_numpy(bias).float()[None, None], image.shape[1:], mode="trilinear"
        )
        low = image.min()
        image = (image - low) * torch.exp(field[0]) + low
    if gamma is not None or tone is not None:
        image = _change_tones(image, gamma, tone)
    if coarsen is not None:
        image = _coarsen(image, coarsen)
    if blur is not None:
        image = _blur_in_plane(image, blur)
    if noise is not None:
        generator = torch.Generator().manual_seed(seed)
        image = image + noise * torch.randn(image.shape, generator=generator)
    return image * gain + offset


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
