"""What a trained network expects and what its output means: the content of a model folder's `inference_config.json`.

Field names are those of the published SPINEPS models. `wirbel.models.folders.inference_config` reads the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wirbel.core.labels import (
    ARCUS,
    BODY,
    BODY_BORDER,
    DENS,
    LEVEL_LABELS,
    METAL,
    SACRUM,
    VERTEBRA_SUBREGIONS,
)
from wirbel.core.spacing import spacing_within

TOMOGRAPHY = "CT"

PUBLISHED_CHANNELS = {
    label: 9 if label in (BODY_BORDER, BODY) else label - ARCUS + 1 for label in VERTEBRA_SUBREGIONS
} | {DENS: 9, SACRUM: 0}
"""Subregion label -> one-hot channel of the published instance networks; channel 0 is everything else."""


@dataclass(frozen=True)
class InferenceConfig:
    """The settings of one model folder; SPINEPS documents the original fields."""

    log_name: str
    modality: tuple[str, ...]
    acquisition: str
    modeltype: str
    model_expected_orientation: tuple[str, str, str]
    available_folds: int | tuple[int | str, ...]
    inference_augmentation: bool
    resolution_range: tuple
    default_step_size: float
    labels: dict[int, int]
    expected_inputs: tuple[str, ...] = ("img",)
    has_c1: bool = False
    needs_corp: bool = False
    sacrum_ids: tuple[int, ...] = (26,)
    metal: tuple[int, ...] = (METAL,)
    cutout_size: tuple[int, int, int] = (248, 304, 64)
    corpus_size_cleaning: float = 100
    corpus_border_threshold: float = 10
    vert_size_threshold: float = 250
    mapping: dict[int, int] = field(default_factory=lambda: dict(PUBLISHED_CHANNELS))
    network: dict[str, Any] | None = None
    compatibility: str | None = None
    resamples_to_plans: bool = True
    """If True, a scan whose voxels differ from plans.json is resampled for the network, and its scores
    back, as nnU-Net does. If False, the network was trained on all voxel sizes of the range and
    takes them as they are.
    """

    @property
    def is_tomography(self) -> bool:
        """Whether the model is one of computed tomography: no bias field, fixed intensities."""
        return TOMOGRAPHY in self.modality

    @property
    def topmost_vertebra(self) -> int:
        """The number that SPINEPS gives the topmost vertebra, wherever the scan begins: C2's, or C1's where a model
        of computed tomography segments C1.
        """
        return LEVEL_LABELS["C1" if self.is_tomography and self.has_c1 else "C2"]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size of the model grid along the expected axes; the finest of a range."""
        resolution = self.resolution_range
        return tuple(resolution[0]) if len(resolution) == 2 else tuple(resolution)

    def spacing_for(self, scan_mm: Sequence[float]) -> tuple[float, float, float]:
        """Return the voxel size of the model grid for a scan, in mm along the expected axes.

        A range keeps the scan's own voxel size within its limits.
        """
        if len(self.resolution_range) == 3:
            return tuple(self.resolution_range)
        return spacing_within(scan_mm, self.resolution_range)
