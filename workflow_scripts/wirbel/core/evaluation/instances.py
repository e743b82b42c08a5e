"""Rows about instances: every vertebra of a reference, what was invented, and the panoptic qualities of a scan."""

from __future__ import annotations

from typing import Any

import numpy as np

from wirbel.core.evaluation.metrics.matching import (
    bodies_only,
    invented_vertebrae,
    level_name,
    match_vertebrae,
)
from wirbel.core.evaluation.metrics.panoptic import GROUPS, only, panoptic_quality
from wirbel.core.evaluation.metrics.surfaces import MASK_METRICS, TOLERANCE_MM, mask_scores
from wirbel.core.geometry import Volume
from wirbel.core.labels import LEVEL_NAMES

Row = dict[str, Any]

SURFACE_METRICS = MASK_METRICS[1:]


def instance_rows(
    scan_id: str,
    reference: Volume,
    prediction: np.ndarray,
    *,
    complete_reference: bool = True,
    tolerance_mm: float = TOLERANCE_MM,
) -> list[Row]:
    """Return one row per reference vertebra and per invented one, from the top down.

    `at_border` marks those that the end of the slices cuts off: how much of such a vertebra is labelled
    is a matter of taste, so the summary counts neither them as missed nor their kind as invented.

    Parameters
    ----------
    scan_id : str
        For the rows.
    reference : Volume
        Vertebra map.
    prediction : ndarray of int, shape (i, j, k)
        Vertebra map on its grid.
    complete_reference : bool
        Whether the reference shows all vertebrae of the scan; see `invented_vertebrae`.
    tolerance_mm : float
        Of the NSD.
    """
    rows: list[Row] = []
    mine, theirs = _at_border(reference), _at_border(reference.with_data(prediction))
    matches = match_vertebrae(reference.data, prediction)
    for match in matches:
        scores: dict[str, float | None] = dict.fromkeys(SURFACE_METRICS)
        if match.predicted is not None:
            masks = reference.data == match.reference, prediction == match.predicted
            scores = mask_scores(*masks, reference.spacing_mm, tolerance_mm)
        rows.append(
            {
                "scan_id": scan_id,
                "reference_label": match.reference,
                "reference_level": level_name(match.reference),
                "predicted_label": match.predicted,
                "predicted_level": level_name(match.predicted),
                "dice": match.dice,
                **{name: scores[name] for name in SURFACE_METRICS},
                "found": match.found,
                "level_right": match.found and match.predicted == match.reference,
                "invented": False,
                "at_border": match.reference in mine,
            }
        )
    extra = invented_vertebrae(
        reference.data, prediction, matches, complete_reference=complete_reference
    )
    for label in extra:
        row = {"scan_id": scan_id, "predicted_label": label, "predicted_level": LEVEL_NAMES[label]}
        rows.append(row | {"invented": True, "at_border": label in theirs})
    return rows


def _at_border(vertebra: Volume) -> set[int]:
    """Return the labels that touch the image's border within the slices (not their first and last)."""
    within = [axis for axis in range(3) if axis != vertebra.grid.across_slices]
    ends = [np.take(vertebra.data, at, axis) for axis in within for at in (0, -1)]
    return {int(label) for end in ends for label in np.unique(end)}


def restrict_to_bodies(reference: Volume, vertebra: np.ndarray, subregion: np.ndarray):
    """Return (reference, prediction) of bodies alone, for references that show nothing else."""
    numbered = np.where(np.isin(reference.data, list(LEVEL_NAMES)), reference.data, 0)
    return reference.with_data(numbered), bodies_only(vertebra, subregion)


def panoptic_rows(
    scan_id: str, reference: Volume, prediction: np.ndarray, tolerance_mm: float = TOLERANCE_MM
) -> list[Row]:
    """Return the panoptic qualities of every kind of instance that the reference labels in this scan.

    Parameters
    ----------
    scan_id : str
        For the rows.
    reference : Volume
        Vertebra map with all instances of the scan.
    prediction : ndarray of int, shape (i, j, k)
        Vertebra map on its grid.
    tolerance_mm : float
        Of the NSD.
    """
    rows = []
    for group in GROUPS:
        theirs = only(group, reference.data)
        if not theirs.any():
            continue
        mine = only(group, prediction)
        found = panoptic_quality(theirs, mine, reference.spacing_mm, tolerance_mm=tolerance_mm)
        del found["pairs"]
        rows.append({"scan_id": scan_id, "structure": f"{group} (instances)", **found})
    return rows


def level_rows(instances: list[Row]) -> list[Row]:
    """Return one row per scan: the share of its vertebrae found whose level is named right.

    Vertebrae that the border cuts are left out, as in the summary.
    """
    found: dict[str, list[bool]] = {}
    for row in instances:
        if row.get("found") and not row["at_border"]:
            found.setdefault(row["scan_id"], []).append(row["level_right"])
    return [
        {"scan_id": scan, "structure": "vertebra (instances)", "level_right": float(np.mean(right))}
        for scan, right in found.items()
    ]
