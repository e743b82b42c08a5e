"""Compute the class scores of a whole image with a network that sees one patch at a time.

Tiles, Gaussian weights, mirroring and padding are nnU-Net's (Isensee et al., Nat Methods
2021;18:203), mostly from its own functions. Unlike nnU-Net's predictor, scores are summed in single
precision (in half precision the weights at a tile's edges round to nearly nothing), and on a CPU
tiles are computed in parallel.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from nnunetv2.inference.sliding_window_prediction import (
    compute_gaussian,
    compute_steps_for_sliding_window,
)
from scipy.ndimage import gaussian_filter

from wirbel.core.method.arithmetic import Arithmetic
from wirbel.io.prefetch import map_ahead
from wirbel.learning.heap import arrays_together
from wirbel.learning.precision import memory_format, quick_arithmetic

SIGMA_OF_PATCH = 1 / 8
"""Width of the Gaussian weights as a fraction of the patch, as in nnU-Net."""
LARGEST_WEIGHT = 10.0
LARGEST_HALF_WEIGHT = 1000.0


@dataclass(frozen=True)
class SlidingWindow:
    """How an image is cut into tiles; axes are those of the network's patch.

    Attributes
    ----------
    patch_size : tuple of three int
        Voxels of a tile.
    step : float
        Largest distance between neighbouring tiles, as a fraction of the patch.
    mirror_axes : tuple of int
        Spatial axes to mirror along, in all combinations; scores are averaged. Empty: none.
    device : torch.device
        Where to compute.
    pool : Executor or None
        Threads that compute tiles on a CPU; None: the calling thread does.
    ahead : int
        How many tiles may wait there, computed or not.
    arithmetic : Arithmetic
        With `Arithmetic.SPINEPS`, compute in single precision on a CPU, and keep weights and sums in half precision;
        see `half_weights`.
    """

    patch_size: tuple[int, ...]
    step: float
    mirror_axes: tuple[int, ...]
    device: torch.device
    pool: Executor | None
    ahead: int
    arithmetic: Arithmetic = Arithmetic.QUICK

    @property
    def single_precision(self) -> bool:
        """Whether the network computes in single precision even if mixed precision is faster."""
        return self.arithmetic is Arithmetic.SPINEPS and self.device.type == "cpu"

    @torch.inference_mode()
    def scores(
        self, network: Callable[[torch.Tensor], torch.Tensor], data: torch.Tensor
    ) -> torch.Tensor:
        """Return the class scores of an image.

        Parameters
        ----------
        network : callable
            Maps (1, 1, *patch) to (1, heads, *patch).
        data : Tensor, shape (1, x, y, z)
            The image.

        Returns
        -------
        Tensor, shape (heads, x, y, z)
            float32, or float16 with `Arithmetic.SPINEPS`. On the device, or in main memory if the device's
            does not suffice.
        """
        try:
            return self._scores(network, data, self.device)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return self._scores(network, data, torch.device("cpu"))

    def _scores(self, network, data: torch.Tensor, place: torch.device) -> torch.Tensor:
        padding = {"mode": "constant", "kwargs": {"value": 0}, "return_slicer": True}
        data, back = pad_nd_image(data.to(self.device), self.patch_size, **padding)
        weight = self._weight()
        scores: torch.Tensor | None = None
        weights = torch.zeros(data.shape[1:], dtype=weight.dtype, device=place)
        for tile, found in self._tiles(network, data, weight):
            if scores is None:
                scores = _room_for(found, data.shape[1:], weight.dtype, place)
            scores[tile] += found.to(place)
            weights[tile[1:]] += weight.to(place)
            del found  # before the next tile is computed
            arrays_together()
        assert scores is not None  # every image has a tile
        scores /= weights
        return scores[(slice(None), *back[1:])]

    def _weight(self) -> torch.Tensor:
        if self.arithmetic is Arithmetic.SPINEPS:
            return half_weights(self.patch_size).to(self.device)
        return compute_gaussian(
            self.patch_size, SIGMA_OF_PATCH, LARGEST_WEIGHT, dtype=torch.float32, device=self.device
        )

    def _tiles(self, network, data, weight) -> Iterator[tuple[tuple[slice, ...], torch.Tensor]]:
        """Yield place and weighted scores in a fixed order, so that sums do not depend on threads."""

        def compute(tile: tuple[slice, ...]) -> tuple[tuple[slice, ...], torch.Tensor]:
            return tile, self._predict(network, data[tile][None], weight)

        places = self._places(data.shape[1:])
        if self.pool is not None and self.device.type == "cpu":
            return map_ahead(self.pool, compute, places, self.ahead)
        return map(compute, places)

    def _places(self, shape: torch.Size) -> list[tuple[slice, ...]]:
        starts = compute_steps_for_sliding_window(tuple(shape), self.patch_size, self.step)
        return [
            (slice(None), *(slice(a, a + n) for a, n in zip(corner, self.patch_size, strict=True)))
            for corner in itertools.product(*starts)
        ]

    @torch.inference_mode()
    def _predict(self, network, tile: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return a tile's weighted scores, shape (heads, *patch), averaged over its mirror images."""
        flips = [
            [axis + 2 for axis in axes]
            for number in range(len(self.mirror_axes) + 1)
            for axes in itertools.combinations(self.mirror_axes, number)
        ]
        layout = memory_format(self.device, self.single_precision)
        total: torch.Tensor | None = None
        for flip in flips:
            mirrored = (tile.flip(flip) if flip else tile).contiguous(memory_format=layout)
            with quick_arithmetic(self.device, self.single_precision):
                found = network(mirrored).float()
            found = found.flip(flip) if flip else found
            total = found if total is None else total.add_(found)
        assert total is not None  # one of the flips is none at all
        mean = total[0].div_(len(flips)) if len(flips) > 1 else total[0]
        return mean.mul_(weight)


def _room_for(
    found: torch.Tensor, shape: torch.Size, dtype: torch.dtype, place: torch.device
) -> torch.Tensor:
    """Return zeros (heads, *shape) in the memory order of a tile's scores.

    Adding to another order takes eight times as long.
    """
    if found.stride(0) == 1:  # channels last
        return torch.zeros(*shape, len(found), dtype=dtype, device=place).permute(3, 0, 1, 2)
    return torch.zeros(len(found), *shape, dtype=dtype, device=place)


def half_weights(patch_size: tuple[int, ...]) -> torch.Tensor:
    """Return the weights of a tile's voxels as SPINEPS 2.1.3 (TPTBox 1.1.0) rounds them."""
    # The Gaussian sums to 1, so its values are tiny, and SPINEPS rounds it to half precision before scaling:
    # everything below about a thousandth of the central weight becomes equal.
    middle = np.zeros(patch_size)
    middle[tuple(size // 2 for size in patch_size)] = 1
    sigmas = [size * SIGMA_OF_PATCH for size in patch_size]
    weight = torch.from_numpy(gaussian_filter(middle, sigmas, 0, mode="constant", cval=0)).half()
    weight = (weight / weight.max() * LARGEST_HALF_WEIGHT).half()
    weight[weight == 0] = weight[weight != 0].min()
    return weight
