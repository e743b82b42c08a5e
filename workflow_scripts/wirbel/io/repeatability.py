"""How far each measure strays when the same person is scanned again: figures kept with the dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wirbel.io.sidecars import read_json

FIGURES = Path(__file__).parents[1] / "core" / "dictionary" / "repeatability.json"
"""Written by `benchmarks/measures.py --summarise`."""


def read_repeatability() -> dict[str, dict[str, Any]]:
    """Return table -> column -> figures.

    `Difference95`: 95 % of repeated scans of a simulated person differ by less, in the column's own unit;
    `Difference95ByRegion`: the same for cervical, thoracic and lumbar rows, whose sizes differ;
    `DifferenceLargest`: the largest difference; `Scans`: number of comparisons; `Difference95Resliced`: when the first
    scan's label map itself is resliced by the nearest voxel, which loses more than a new scan does; `Bias` and
    `MeanAbsoluteError`: against the truth at 0.86 x 0.86 x 3.3 mm. All on true label maps.
    """
    return read_json(FIGURES)
