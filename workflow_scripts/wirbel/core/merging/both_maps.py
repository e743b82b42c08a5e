"""Turn a cleaned subregion map and the instance network's predictions into the two final maps."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wirbel.core.geometry import Grid, Volume, upright
from wirbel.core.instances.bodies import settle
from wirbel.core.instances.consolidation import Predictions, consolidate
from wirbel.core.levels.naming import Levels, apply_levels, levels_of
from wirbel.core.levels.relabelling import placeholders
from wirbel.core.merging.final_grid import to_scan_grid
from wirbel.core.merging.reconciliation import reconcile
from wirbel.errors import ScanError


@dataclass(frozen=True)
class Merged:
    """Final subregion and vertebra maps (uint8, the scan's own grid), and how levels were named.

    If `seen` is set, the vertebra map holds only vertebrae, numbered from the top down; names,
    discs and endplates are not assigned yet. `seen` is then the part of the scan, along its own
    axes, that a labelling network sees.
    """

    subregion: Volume
    vertebra: Volume
    levels: Levels
    seen: tuple[slice, ...] | None = None


def merge(labels: Volume, predictions: Predictions, scan_grid: Grid, named: bool = True) -> Merged:
    """Consolidate, reconcile, name the levels, and bring both maps to the scan's own grid.

    Parameters
    ----------
    labels : Volume
        Cleaned subregion map on the model grid.
    predictions : Predictions
        Outputs of the instance network.
    scan_grid : Grid
        The scan's grid.
    named : bool
        If False, vertebrae are numbered by `placeholders`, so that none is lost whatever its name
        will be.

    Raises
    ------
    ScanError
        "no_spine_found" if `labels` has no vertebral body.
    """
    flat = upright(labels)
    index = labels.grid.to_index(predictions.centre_mm)
    predictions = replace(predictions, centre_mm=flat.grid.to_world(index))
    settled, bodies = settle(flat)
    if not len(bodies):
        raise ScanError("no_spine_found", "expected vertebral bodies, found none in the label map")
    instances = consolidate(settled, predictions, bodies)
    subregion, counters = (flat.with_data(data) for data in reconcile(settled, instances))
    levels = levels_of(counters, bodies)
    numbers = levels if named else replace(levels, labels=placeholders(len(levels.labels)))
    numbered = apply_levels(counters.data, numbers)
    subregion.data[(counters.data > 0) & (numbered == 0)] = 0
    final_subregion, final_vertebra = to_scan_grid(
        labels.with_data(subregion.data), labels.with_data(numbered), scan_grid
    )
    return Merged(final_subregion, final_vertebra, levels)
