"""From both networks' answers to both label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wirbel.core.geometry import Grid, Volume
from wirbel.core.inference_config import InferenceConfig
from wirbel.core.instances.consolidation import Predictions
from wirbel.core.merging import both_maps as own
from wirbel.core.merging.maps import CountedMaps, FinalMaps
from wirbel.core.method.cut_out import instance_map
from wirbel.core.method.names import OWN, SPINEPS
from wirbel.core.spineps.merging import both_maps as spineps
from wirbel.core.spineps.merging import naming as published


@dataclass(frozen=True)
class Found:
    """What the networks found in a scan.

    Attributes
    ----------
    labels : Volume
        Cleaned subregion map on the model grid.
    predictions : Predictions
        Outputs of the instance network.
    spacing_mm : sequence of float
        Voxel size of the grid that they lie on.
    scan_grid : Grid
        The scan's own grid.
    """

    labels: Volume
    predictions: Predictions
    spacing_mm: Sequence[float]
    scan_grid: Grid


def merge(
    method: str, found: Found, semantic: InferenceConfig, instance: InferenceConfig
) -> FinalMaps:
    """Return the final maps; `semantic` and `instance` are the networks' settings.

    Raises
    ------
    ScanError
        "no_spine_found" if there is no vertebra.
    """
    if method == OWN:
        labels = instance_map(method, found.labels, instance, found.spacing_mm)
        return own.merge(labels, found.predictions, found.scan_grid)
    given = found.labels, found.predictions, found.scan_grid, semantic, instance
    if method == SPINEPS:
        return published.flagged(spineps.merge(*given))
    return published.merge(*given)


def merge_unnamed(
    method: str, found: Found, semantic: InferenceConfig, instance: InferenceConfig
) -> CountedMaps:
    """Return maps whose vertebrae are counted, for a labelling network to name; arguments as in `merge`."""
    if method == OWN:
        labels = instance_map(method, found.labels, instance, found.spacing_mm)
        return own.merge_unnamed(labels, found.predictions, found.scan_grid)
    given = found.labels, found.predictions, found.scan_grid, semantic, instance
    if method == SPINEPS:
        return spineps.unnumbered(*given)
    return published.merge_unnamed(*given)
