"""Turn a cleaned subregion map and the instance network's predictions into the two final maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wirbel.core.geometry import Grid, Volume, upright
from wirbel.core.instances.bodies import settle
from wirbel.core.instances.consolidation import consolidate
from wirbel.core.instances.loose_pieces import attach_loose_pieces, return_lowest_process
from wirbel.core.instances.predicted_vertebrae import Predictions
from wirbel.core.levels.naming import Levels, apply_levels, levels_of
from wirbel.core.levels.relabelling import placeholders
from wirbel.core.merging.final_grid import to_scan_grid
from wirbel.core.merging.map_types import CountedMaps, FinalMaps
from wirbel.core.merging.reconciliation import reconcile
from wirbel.errors import ScanError


def merge(labels: Volume, predictions: Predictions, scan_grid: Grid) -> FinalMaps:
    """Consolidate, reconcile, name the levels, and bring both maps to the scan's own grid.

    Parameters
    ----------
    labels : Volume
        Cleaned subregion map on the instance network's grid.
    predictions : Predictions
        Outputs of the instance network.
    scan_grid : Grid
        The scan's grid.

    Raises
    ------
    ScanError
        "no_spine_found" if `labels` has no vertebral body.
    """
    subregion, counters, levels = _instances(labels, predictions)
    return FinalMaps(*_numbered(labels, subregion, counters, levels, scan_grid), levels)


def merge_unnamed(labels: Volume, predictions: Predictions, scan_grid: Grid) -> CountedMaps:
    """Do the same for a labelling network that will name the vertebrae.

    They are numbered by `placeholders`, so that none is lost whatever its name will be.
    """
    subregion, counters, levels = _instances(labels, predictions)
    numbers = placeholders(len(levels.labels))
    counted = replace(levels, labels=numbers)
    maps = _numbered(labels, subregion, counters, counted, scan_grid)
    return CountedMaps(*maps, levels, numbers)


def _instances(labels: Volume, predictions: Predictions) -> tuple[np.ndarray, np.ndarray, Levels]:
    """Return subregions, instances counted from 1, both (P, I, R), and the names of the latter."""
    flat = upright(labels)
    index = labels.grid.to_index(predictions.centre_mm)
    predictions = replace(predictions, centre_mm=flat.grid.to_world(index))
    settled, bodies = settle(flat)
    if not len(bodies):
        raise ScanError("no_spine_found", "expected vertebral bodies, found none in the label map")
    instances = attach_loose_pieces(settled, consolidate(settled, predictions, bodies))
    instances = return_lowest_process(settled, instances)
    subregion, counters = reconcile(settled, instances)
    return subregion, counters, levels_of(flat.with_data(counters), bodies)


def _numbered(
    labels: Volume, subregion: np.ndarray, counters: np.ndarray, levels: Levels, scan_grid: Grid
) -> tuple[Volume, Volume]:
    """Return both maps on the scan's grid, numbered as `levels` says; what has no number leaves both."""
    numbered = apply_levels(counters, levels)
    subregion = np.where((counters > 0) & (numbered == 0), 0, subregion)
    return to_scan_grid(labels.with_data(subregion), labels.with_data(numbered), scan_grid)
