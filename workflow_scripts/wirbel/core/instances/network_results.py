"""What both networks found in a scan, before anything is merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wirbel.core.geometry import Grid, Volume
from wirbel.core.instances.predicted_vertebrae import Predictions


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
