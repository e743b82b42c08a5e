"""From a cleaned subregion map and the instance network's predictions to the two final maps."""

from __future__ import annotations

from dataclasses import dataclass

from wirbel.core.assignment import reconcile
from wirbel.core.consolidation import Predictions, consolidate
from wirbel.core.final_grid import to_scan_grid
from wirbel.core.geometry import Grid, Volume
from wirbel.core.levels import Levels, apply_levels, name_levels
from wirbel.errors import ScanError


@dataclass(frozen=True)
class Merged:
    """Final subregion map and vertebra map (uint8, the scan's own grid), and how levels were named."""

    subregion: Volume
    vertebra: Volume
    levels: Levels


def merge(labels: Volume, predictions: Predictions, scan_grid: Grid) -> Merged:
    """Consolidate, reconcile, name the levels, and bring both maps to the scan's own grid.

    `labels` subregion map on the model grid, already cleaned. Raises ScanError("no_spine_found") when it holds no
    vertebral body.
    """
    instances = consolidate(labels, predictions)
    if not instances.any():
        raise ScanError("no_spine_found", "expected vertebral bodies, found none in the label map")
    subregion, counters = (labels.with_data(data) for data in reconcile(labels, instances))
    levels = name_levels(counters, subregion)
    named = counters.with_data(apply_levels(counters.data, levels))
    unnamed = (counters.data > 0) & (named.data == 0)
    subregion.data[unnamed] = 0
    return Merged(*to_scan_grid(subregion, named, scan_grid), levels)
