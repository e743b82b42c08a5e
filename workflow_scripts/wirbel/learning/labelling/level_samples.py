"""Training samples of the labelling network: a cut-out around one vertebral body, and what the heads should answer.

Cut-outs come from `wirbel.core.labelling.level_cutouts`, as the stage `label` takes them from scans.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from wirbel.core.geometry import MODEL_AXES, Volume
from wirbel.core.labelling.level_cutouts import LevelInput, LevelScan, cut, level_scan, normalised
from wirbel.core.labels import BODY_LABELS
from wirbel.learning.labelling.labelling_settings import LabellingSettings
from wirbel.learning.labelling.level_targets import cut_off, level_targets, levels_in_view
from wirbel.learning.training.appearance import change_appearance, drawn_look
from wirbel.learning.training.augmentation import drawn_in_plane

JITTER_VOXELS = (2.0, 2.0, 1.0)
"""Standard deviation of a cut-out's place: predicted bodies are not the true ones."""
FEWEST_VOXELS = 30
"""Of a body; smaller pieces at the border are left out, as for the instance network."""
SPARE = 1.25
"""A cut-out is taken larger by this factor before it is rotated and scaled."""


@dataclass(frozen=True)
class LevelCase:
    """One training scan on the network's grid (float16), and label -> classes of the heads."""

    scan: LevelScan
    targets: dict[int, list[int]]

    @property
    def labels(self) -> list[int]:
        """Return the vertebrae that have a body."""
        return [label for label in self.scan.centres if label in self.targets]


def prepare_case(
    image: Volume, vertebra: Volume, subregion: Volume, settings: LabellingSettings
) -> LevelCase:
    """Find the bodies of a case and what is to be answered about them.

    Parameters
    ----------
    image, vertebra, subregion : Volume
        Scan and label maps on the model grid, axes P, I, R.
    settings : LabellingSettings
        The network.
    """
    wanted = LevelInput(MODEL_AXES, settings.spacing_mm, settings.cutout_size)
    scan = level_scan(image, vertebra, subregion, wanted)
    stored = replace(scan, image=scan.image.with_data(scan.image.data.astype(np.float16)))
    cut_ones = cut_off(vertebra.data, subregion.data)
    targets = level_targets(levels_in_view(vertebra.data), cut_ones, settings.heads)
    voxels = np.bincount(vertebra.data[np.isin(subregion.data, BODY_LABELS)], minlength=256)
    return LevelCase(stored, {n: t for n, t in targets.items() if voxels[n] >= FEWEST_VOXELS})


def plain_sample(case: LevelCase, label: int, size: tuple[int, int, int]) -> np.ndarray:
    """Return a vertebra's cut-out as the stage `label` makes it: float32, shape `size`."""
    return normalised(cut(case.scan.image, case.scan.centres[label], 0.0, size))


def drawn_sample(
    case: LevelCase, size: tuple[int, int, int], random: np.random.Generator
) -> tuple[np.ndarray, list[int]]:
    """Draw a vertebra; return its cut-out, changed at random, and the classes of the heads.

    It is rotated, scaled and stretched in the sagittal plane, mirrored (levels have no sides), and its tones,
    resolution, bias and noise are changed. What was outside the scan stays 0, and intensities are scaled last, by
    the same function as in use.
    """
    label = case.labels[int(random.integers(len(case.labels)))]
    centre = np.array(case.scan.centres[label]) + np.round(random.normal(0, JITTER_VOXELS))
    p, i, r = size
    larger = (_even(p * SPARE), _even(i * SPARE), r)
    block = cut(case.scan.image, centre.astype(int).tolist(), 0.0, larger).astype(np.float32)
    turned = drawn_in_plane(torch.from_numpy(block)[None], size, int(random.integers(2**32)))
    block = normalised(turned[0].numpy())
    seen = block != 0
    look = drawn_look(int(random.integers(2**32)))
    changed = change_appearance(torch.from_numpy(block)[None], look)[0].numpy()
    block = normalised(np.where(seen, changed, 0))
    if random.random() < 0.5:
        block = block[:, :, ::-1].copy()
    return block, case.targets[label]


def _even(number: float) -> int:
    return 2 * round(number / 2)
