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


def uniform(low: float, high: float) -> float:
    """Draw a number from the state that nnU-Net seeds."""
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
        if uniform(0, 1) > self.probability:
            return {"matrix": None}
        angle = math.radians(uniform(-self.rotation_deg, self.rotation_deg))
        size = math.exp(uniform(*np.log(self.scaling)))
        stretch = math.exp(uniform(-0.1, 0.1))
        cosine, sine = math.cos(angle), math.sin(angle)
        rows = [[cosine, -sine], [sine, cosine]]
        factors = [stretch / size, 1 / (stretch * size)]
        matrix = torch.tensor([[r * f for r, f in zip(row, factors, strict=True)] for row in rows])
        return {"matrix": matrix}

    def apply(self, data_dict: dict, **parameters) -> dict:
        """Transform image (linear) and segmentation (nearest neighbour) alike."""
        for key, mode in (("image", "bilinear"), ("segmentation", "nearest")):
            data_dict[key] = self.changed(data_dict[key], parameters["matrix"], mode)
        return data_dict

    def changed(
        self, array: torch.Tensor, matrix: torch.Tensor | None, mode: str = "bilinear"
    ) -> torch.Tensor:
        """Return the outgoing patch of one array, by a drawn matrix."""
        return self._centre(array) if matrix is None else self._sample(array, matrix, mode)

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


def drawn_in_plane(
    image: torch.Tensor, patch_size: tuple[int, int, int], seed: int
) -> torch.Tensor:
    """Return a larger patch (C, P, I, R) rotated and scaled by a draw from a seed alone, cropped to `patch_size`."""
    np.random.seed(seed)
    change = InPlaneAffine(patch_size)
    return change.changed(image, **change.get_parameters())


class SwapSides(BasicTransform):
    """Mirror left and right (third axis) and exchange the left and right labels."""

    def __init__(self, pairs: list[tuple[int, int]], probability: float = 0.5) -> None:
        super().__init__()
        self.pairs = pairs
        self.probability = probability

    def get_parameters(self, **data_dict) -> dict:
        """Draw whether to mirror."""
        return {"mirror": uniform(0, 1) < self.probability}

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
        if uniform(0, 1) > self.probability:
            return {"strips": []}
        shape = data_dict["image"].shape[1:]
        strips = []
        for _ in range(np.random.randint(1, 3)):
            axis = int(np.random.randint(0, 3))
            width = int(shape[axis] * uniform(0.05, self.largest_part))
            strips.append((axis, width, bool(np.random.randint(2))))
        return {"strips": strips, "value": uniform(-1.5, 0.5)}

    def apply(self, data_dict: dict, **parameters) -> dict:
        """Blank the strips; what is not visible is background."""
        for axis, width, at_end in parameters["strips"]:
            size = data_dict["image"].shape[axis + 1]
            start = size - width if at_end else 0
            data_dict["image"].narrow(axis + 1, start, width).fill_(parameters["value"])
            data_dict["segmentation"].narrow(axis + 1, start, width).fill_(0)
        return data_dict
