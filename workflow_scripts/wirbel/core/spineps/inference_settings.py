"""The part of a model's settings that the steps around the networks need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class InstanceSettings:
    """Settings of the instance model; thresholds in voxels of its resolution, the finest of a range."""

    spacing_for: Callable[[Spacing], Spacing]
    resolution: tuple
    cutout_size: tuple[int, int, int]
    mapping: dict[int, int]
    smallest_body: float
    smallest_vertebra: float


@dataclass(frozen=True)
class NumberSettings:
    """Settings of the semantic model that decide numbers; `first` is the topmost vertebra's."""

    first: int
    sacrum_ids: tuple[int, ...]
    metal_ids: tuple[int, ...]
