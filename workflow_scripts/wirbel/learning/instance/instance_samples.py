"""Training samples of the instance network: a cut-out around one vertebra and its three targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from wirbel.core.labels import BODY_LABELS, LEFT_RIGHT_PAIRS, LEVELS_TOP_DOWN, SACRUM
from wirbel.learning.instance.segmentation_errors import add_errors

ABOVE, CENTRE, BELOW = 1, 2, 3


@dataclass(frozen=True)
class Variation:
    """How strongly samples vary; lengths in voxels of the model grid (P, I, R)."""

    centre_jitter: tuple[float, float, float] = (3.0, 4.0, 1.0)
    rotation_deg: float = 12.0
    scaling: float = 0.2
    bending: float = 4.0
    tilt: float = 0.03
    error_probability: float = 0.85
    predicted_share: float = 0.0
    """Of the samples, those whose input is what a semantic network made of the scan, errors included."""
    flip_probability: float = 0.5
    crop_probability: float = 0.25


@dataclass(frozen=True)
class VertebraCase:
    """The maps of one case on the model grid, and its vertebrae as (label, body centre index), top
    down.
    """

    subregion: np.ndarray
    vertebra: np.ndarray
    centres: tuple[tuple[int, np.ndarray], ...]
    predicted: np.ndarray | None = None
    """The subregion map that a semantic network made of the scan, if there is one."""


def prepare_case(
    subregion: np.ndarray, vertebra: np.ndarray, predicted: np.ndarray | None = None
) -> VertebraCase:
    """Find the vertebrae of a case, except those with fewer than 30 visible voxels of body."""
    body = np.isin(subregion, BODY_LABELS)
    index = np.argwhere(body)
    owner = vertebra[body]
    centres = []
    for label in LEVELS_TOP_DOWN:
        own = index[owner == label]
        if label != SACRUM and len(own) >= 30:
            centres.append((label, own.mean(0)))
    return VertebraCase(subregion, vertebra, tuple(centres), predicted)


def draw_sample(
    case: VertebraCase,
    size: tuple[int, int, int],
    variation: Variation,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one training sample.

    Parameters
    ----------
    case : VertebraCase
        The case.
    size : tuple of three int
        Voxels of the cut-out.
    variation : Variation
        How strongly to vary it.
    random : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    labels : ndarray of uint8, shape `size`
        Subregion cut-out with simulated errors.
    target : ndarray of uint8, shape `size`
        0 background, 1 above, 2 centre, 3 below.
    """
    number = int(random.integers(len(case.centres)))
    jitter = random.normal(0, variation.centre_jitter)
    centre = np.round(case.centres[number][1] + jitter).astype(int)
    given = case.subregion
    if case.predicted is not None and random.random() < variation.predicted_share:
        given = case.predicted
    labels = _crop(given, centre, size)
    vertebrae = _crop(case.vertebra, centre, size)
    target = targets(vertebrae, [label for label, _ in case.centres], number)
    if given is case.subregion and random.random() < variation.error_probability:
        labels = add_errors(labels, vertebrae, random)
    labels, target = _deform(labels, target, variation, random)
    if random.random() < variation.crop_probability:
        _crop_field_of_view(labels, target, random)
    if random.random() < variation.flip_probability:
        labels, target = _flip(labels), np.ascontiguousarray(target[:, :, ::-1])
    return labels, target


def targets(vertebrae: np.ndarray, top_down: list[int], number: int) -> np.ndarray:
    """Mark vertebra `number` of the list and its two neighbours."""
    out = np.zeros(vertebrae.shape, np.uint8)
    for step, value in ((-1, ABOVE), (0, CENTRE), (1, BELOW)):
        if 0 <= number + step < len(top_down):
            out[vertebrae == top_down[number + step]] = value
    return out


def _crop(array: np.ndarray, centre: np.ndarray, size: tuple[int, int, int]) -> np.ndarray:
    """Cut a box out of `array`, 0 outside, by the same rule as `core.cutouts.cut_out`."""
    start = centre - np.array(size) // 2
    stop = start + size
    low, high = np.maximum(start, 0), np.minimum(stop, array.shape)
    out = np.zeros(size, array.dtype)
    if (low < high).all():
        inner = tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))
        out[inner] = array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return out


def _deform(labels, target, variation, random):
    """Rotate and scale in-plane and bend smoothly; both maps alike, by nearest neighbour."""
    shape = labels.shape
    angle = np.radians(random.uniform(-1, 1) * variation.rotation_deg)
    size = np.exp(random.uniform(-1, 1, 3) * np.array([1, 1, 0.7]) * variation.scaling)
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix = matrix / size
    matrix[2, :2] = random.normal(0, variation.tilt, 2)  # slices not exactly along the spine
    extent = np.array(shape, float)
    theta = (matrix * extent[None] / extent[:, None])[::-1, ::-1].copy()
    theta = np.concatenate([theta, np.zeros((3, 1))], 1)
    grid = F.affine_grid(torch.from_numpy(theta).float()[None], [1, 1, *shape], align_corners=False)
    bend = random.normal(0, variation.bending / 2, (1, 2, 5, 5, 2)).astype(np.float32)
    smooth = F.interpolate(torch.from_numpy(bend), shape, mode="trilinear", align_corners=True)
    grid[..., 2] += smooth[:, 0] * (2 / shape[0])
    grid[..., 1] += smooth[:, 1] * (2 / shape[1])
    both = torch.from_numpy(np.stack([labels, target])[None].astype(np.float32))
    moved = F.grid_sample(both, grid, mode="nearest", align_corners=False)[0].to(torch.uint8)
    return moved[0].numpy(), moved[1].numpy()


def _crop_field_of_view(labels, target, random) -> None:
    """Blank everything beyond one or two random planes in both maps."""
    for _ in range(int(random.integers(1, 3))):
        axis = int(random.integers(0, 3))
        width = int(labels.shape[axis] * random.uniform(0.1, 0.42))
        part = slice(0, width) if random.random() < 0.5 else slice(-width, None)
        box = tuple(part if a == axis else slice(None) for a in range(3))
        labels[box] = 0
        target[box] = 0


def _flip(labels: np.ndarray) -> np.ndarray:
    table = np.arange(256, dtype=np.uint8)
    for left, right in LEFT_RIGHT_PAIRS:
        table[left], table[right] = right, left
    return table[labels[:, :, ::-1]]
