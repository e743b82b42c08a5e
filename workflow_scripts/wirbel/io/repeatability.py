"""Read how far each measure varies when the same person is scanned again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wirbel.io.sidecars import read_json

FIGURES = Path(__file__).parents[1] / "core" / "dictionary" / "repeatability.json"
"""Written by `benchmarks/measures/phantoms.py --summarise`."""


def read_repeatability() -> dict[str, dict[str, Any]]:
    """Return table -> column -> figures, all measured on true label maps.

    `Difference95`
        95 % of repeated scans of a simulated person differ by less, in the column's own unit.
    `Difference95ByRegion`
        The same for cervical, thoracic and lumbar rows, whose sizes differ.
    `DifferenceLargest`
        The largest difference.
    `Scans`
        Number of comparisons.
    `Difference95Resliced`
        The same if the first scan's label map is resliced to the nearest voxel, which loses more
        than a new scan does.
    `Bias`, `MeanAbsoluteError`
        Against the truth, at 0.86 x 0.86 x 3.3 mm.
    """
    return read_json(FIGURES)
