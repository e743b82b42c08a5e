"""A semantic model folder, ready to segment arrays on the model grid.

The folder is a standard nnU-Net v2 results folder (plans.json, dataset.json, fold_*/checkpoint)
beside an `inference_config.json`. `semantic_weights` reads its weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import binary_fill_holes, find_objects

from wirbel.core.inference_config import InferenceConfig
from wirbel.core.method.arithmetic import Arithmetic
from wirbel.core.method.names import TORCH
from wirbel.learning.checkpoints import Weights, load_into
from wirbel.learning.filling import check_fit, check_numbers, filled, skeleton
from wirbel.learning.heap import arrays_apart, give_back
from wirbel.learning.parallel import compute_alone, sample_threads, usable_threads
from wirbel.learning.precision import choose_device, memory_format
from wirbel.learning.processor.engine import Engine
from wirbel.learning.semantic.margins import classes_and_margins
from wirbel.learning.semantic.nnunet_plans import build_network, read_plans
from wirbel.learning.semantic.semantic_weights import Fold, read_first_fold, read_folds
from wirbel.learning.semantic.sliding_window import SlidingWindow
from wirbel.models.folders.check import checked_folder
from wirbel.models.folders.semantic import check_classes, read_plans_files, results_folder

__all__ = ["Normalised", "SemanticModel", "read_first_fold"]
BYTES_PER_SCORE = 4
MOST_BYTES_OF_SCORES = 1_500_000_000
"""Larger class scores are computed in blocks along the spine, which keeps a scan below 6 GB."""
LARGEST_CLASS = 256


class Normalised(NamedTuple):
    """The input of a network.

    Attributes
    ----------
    data : Tensor, shape (1, x, y, z)
        Along the network's axes, with its voxel size.
    box : tuple of slices
        The part of the model grid that it shows, along the model's axes.
    shape : tuple of int
        Shape of that part, along the network's axes.
    spacing_mm : tuple of float
        Its voxel size, along the network's axes.
    """

    data: torch.Tensor
    box: tuple[slice, ...]
    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...]


class Segmented(NamedTuple):
    """What a network makes of an image, uint8 of shape (P, I, R): subregion labels, and how clear they are.

    Margins are stored as `wirbel.learning.semantic.margins` says.
    """

    labels: np.ndarray
    margins: np.ndarray


class SemanticModel:
    """A loaded semantic network; `normalise` and `segment` may run in different threads.

    Parameters
    ----------
    folder : Path
        The model folder.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.
    arithmetic : Arithmetic
        With `Arithmetic.SPINEPS`, round the image to half precision before and after normalising it,
        sum the tiles' scores in half precision, and compute in single precision on a CPU.
    engine : str
        What computes on a CPU: "torch" or "openvino".

    Raises
    ------
    ModelError
        If the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        device: str = "auto",
        threads: int = 0,
        arithmetic: Arithmetic = Arithmetic.QUICK,
        engine: str = TORCH,
    ) -> None:
        self.config: InferenceConfig = checked_folder(folder, "semantic")
        self.arithmetic = arithmetic
        threads = usable_threads(threads)
        compute_alone()
        arrays_apart()
        folds = self._load(folder)
        self.order = _axis_order(folds[0].reversed_axes, self.plans.transpose_forward)
        place = choose_device(device)
        self.window = SlidingWindow(
            self.plans.patch_size,
            self.config.default_step_size,
            folds[0].mirror_axes if self.config.inference_augmentation else (),
            place,
            sample_threads(threads) if threads > 1 else None,
            threads + 1,
            arithmetic,
        )
        layout = memory_format(place, self.window.single_precision)
        moved = self.network.to(place, memory_format=layout)  # type: ignore[call-overload]
        shape = (1, 1, *self.plans.patch_size)
        self.engine = Engine(moved.eval(), shape, place, threads, engine)
        give_back()  # what reading the weights took
        self.label_table = _label_table(self.config)

    def _load(self, folder: Path) -> list[Fold]:
        """Read plans and folds, and fill the network; raise ModelError if that fails."""
        results = results_folder(folder)
        files = read_plans_files(results)
        folds = read_folds(results, self.config.available_folds)
        self.plans = read_plans(*files, folds[0].configuration, str(results))
        check_classes(self.config, self.plans.heads, folder)
        wanted = skeleton(self._build, results)
        for fold in folds:
            check_fit(wanted, fold.shapes, fold.source)
        for fold in folds[1:]:
            check_numbers(fold.weights, fold.source)
        self.network = filled(self._build, folds[0].weights, folds[0].source)
        one = len(folds) == 1  # the network holds its weights already
        self.folds: list[Weights] = [{}] if one else [fold.weights for fold in folds]
        return folds

    def _build(self) -> torch.nn.Module:
        return build_network(self.plans)

    def normalise(
        self, image: np.ndarray, spacing_mm: tuple[float, ...] | None = None
    ) -> Normalised:
        """Return the non-zero part of an image, normalised as in training.

        Parameters
        ----------
        image : ndarray, shape (P, I, R)
            Intensities on the model grid.
        spacing_mm : tuple of three float, optional
            Its voxel size. Default: the model's.
        """
        # One fixed memory order, because the order of a sum decides its last digit.
        data = np.array(image, np.float32, order="C").transpose(self.order)
        if self.config.resamples_to_plans:
            given_mm = spacing_mm or self.config.spacing_mm
            spacing_mm = tuple(given_mm[axis] for axis in self.order)
        else:
            spacing_mm = self.plans.spacing.spacing_mm
        data, outside, box = crop_to_nonzero(self._rounded(data))
        data = np.array(data, order="K")  # contiguous in memory, like SPINEPS' array
        data = self._rounded(np.ascontiguousarray(self.plans.normalisation.run(data, outside)))[
            None
        ]
        resampled = self.plans.spacing.to_plan(data, spacing_mm)
        box = tuple(box[self.order.index(axis)] for axis in range(3))
        return Normalised(torch.from_numpy(resampled), box, data.shape[1:], spacing_mm)

    def _rounded(self, data: np.ndarray) -> np.ndarray:
        half = self.arithmetic is Arithmetic.SPINEPS
        return data.astype(np.float16).astype(np.float32) if half else data

    def segment(self, given: Normalised, shape: tuple[int, ...]) -> np.ndarray:
        """Return only the labels of `segment_with_margins`."""
        return self.segment_with_margins(given, shape).labels

    @torch.inference_mode()
    def segment_with_margins(self, given: Normalised, shape: tuple[int, ...]) -> Segmented:
        """Segment what `normalise` returned.

        Parameters
        ----------
        given : Normalised
            The input.
        shape : tuple of three int
            Shape of the model grid.

        Returns
        -------
        Segmented
            Subregion labels and their margins.
        """
        if tuple(given.data.shape[1:]) == tuple(given.shape):
            parts = zip(*self._blocks(given.data), strict=True)
            classes, margins = (np.concatenate(part, axis=_along(given.data)) for part in parts)
        else:
            scores = self._scores(given.data).cpu().numpy()
            scores = self.plans.spacing.from_plan(scores, given.shape, given.spacing_mm)
            classes, margins = self._decided(torch.from_numpy(scores))
        return Segmented(
            self._placed(self.label_table[classes], given, shape),
            self._placed(margins, given, shape),
        )

    def _placed(self, found: np.ndarray, given: Normalised, shape: tuple[int, ...]) -> np.ndarray:
        """Return an array along the network's axes as part of the model grid, 0 elsewhere."""
        out = np.zeros(shape, np.uint8)
        out[given.box] = found.transpose(np.argsort(self.order))
        return out

    @torch.inference_mode()
    def probabilities(self, given: Normalised, shape: tuple[int, ...]) -> np.ndarray:
        """Return how probable each class is in every voxel, for what `normalise` returned.

        Parameters
        ----------
        given : Normalised
            The input.
        shape : tuple of three int
            Shape of the model grid.

        Returns
        -------
        ndarray of float32, shape (classes, P, I, R)
            Their sum is 1; outside the image's non-zero part all is background.
        """
        scores = self._scores(given.data).float().cpu()
        if tuple(given.data.shape[1:]) != tuple(given.shape):
            full = self.plans.spacing.from_plan(scores.numpy(), given.shape, given.spacing_mm)
            scores = torch.from_numpy(full)
        inside = scores.softmax(0).numpy()
        out = np.zeros((len(inside), *shape), np.float32)
        out[0] = 1
        out[(slice(None), *given.box)] = inside.transpose(0, *(1 + np.argsort(self.order)))
        return out

    def _decided(self, scores: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        classes, margins = classes_and_margins(scores, len(self.folds))
        return classes.cpu().numpy(), margins.cpu().numpy()

    def _blocks(self, data: torch.Tensor) -> Iterable[tuple[np.ndarray, np.ndarray]]:
        """Yield class and margin of every voxel in blocks along the longest axis."""
        axis = _along(data) + 1
        patch = self.plans.patch_size[axis - 1]
        length = data.shape[axis]
        bytes_per_layer = BYTES_PER_SCORE * self.plans.heads * data[0].numel() / length
        core = max(patch, int(MOST_BYTES_OF_SCORES / bytes_per_layer) - 2 * patch)
        for start in range(0, length, core):
            stop = min(start + core, length)
            low, high = max(0, start - patch), min(length, stop + patch)
            scores = self._scores(data.narrow(axis, low, high - low))
            yield self._decided(scores.narrow(axis, start - low, stop - start))

    def _scores(self, data: torch.Tensor) -> torch.Tensor:
        """Return the class scores of all folds together, shape (heads, x, y, z)."""
        total: torch.Tensor | None = None
        for weights in self.folds:
            if len(self.folds) > 1:
                load_into(self.network, weights)
                self.engine.renew()
            scores = self.window.scores(self.engine.forward, data)
            total = scores if total is None else total.add_(scores)
        assert total is not None  # a model folder without folds is refused
        return total


def crop_to_nonzero(data: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[slice, ...]]:
    """Crop an image to its non-zero part, as nnU-Net does.

    Parameters
    ----------
    data : ndarray, shape (x, y, z)
        The image. An image of zeros stays whole.

    Returns
    -------
    cropped : ndarray
        The non-zero part.
    outside : ndarray of int8
        -1 outside, 0 inside; holes count as inside.
    box : tuple of slices
        Where it is in `data`.
    """
    inside = binary_fill_holes(data != 0)
    box = (find_objects(inside.view(np.int8)) or [tuple(slice(0, n) for n in data.shape)])[0]
    return data[box], np.where(inside[box], np.int8(0), np.int8(-1)), box


def _along(data: torch.Tensor) -> int:
    """Return the longest spatial axis of an array (C, x, y, z)."""
    return int(np.argmax(data.shape[1:]))


def _axis_order(reversed_axes: bool, transpose_forward: tuple[int, ...]) -> tuple[int, ...]:
    """Return which of the model's axes each of the network's axes is."""
    order = (2, 1, 0) if reversed_axes else (0, 1, 2)
    return tuple(order[axis] for axis in transpose_forward)


def _label_table(config: InferenceConfig) -> np.ndarray:
    """Return the label of every class index (uint8); classes without a label keep their index, as
    SPINEPS does.
    """
    table = np.arange(LARGEST_CLASS).astype(np.uint8)
    for index, label in config.labels.items():
        table[index] = label
    return table
